"""PostgreSQL through asyncpg. An advisory lock allows one writer at a time, over all processes."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import asyncpg

from moderation.core.problem import Unavailable
from moderation.db.database import WAIT, Database, Row, Session
from moderation.db.migrate import migrate

WRITER = 0x6C65617665  # "leave": the writer's advisory lock
POOL = 8
MIGRATING = 24 * 3600.0
"""Seconds that a migration may take: it rebuilds indexes of a large database."""
CLOSING = 1.0
"""Seconds that users of connections have to finish when the pool closes."""


@lru_cache(maxsize=1024)
def numbered(sql: str) -> str:
    """`?` → `$1`, `$2`, …; no statement has a question mark in a literal."""
    count = iter(range(1, 100_000))
    return re.sub(r"\?", lambda _: f"${next(count)}", sql)


class PostgresSession(Session):
    kind = "postgres"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return list(await self._connection.fetch(numbered(sql), *args))

    async def execute(self, sql: str, *args: Any) -> int:
        status: str = await self._connection.execute(numbered(sql), *args)
        last = status.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        if every := list(rows):
            await self._connection.executemany(numbered(sql), every)

    async def execute_script(self, sql: str) -> None:
        await self._connection.execute(sql, timeout=MIGRATING)


class Postgres(Database):
    kind = "postgres"

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._pool: Any = None
        self._returning = set[asyncio.Task[None]]()
        self._knocking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._address, min_size=1, max_size=POOL, command_timeout=30, statement_cache_size=512
            )
        except (OSError, asyncpg.PostgresError) as error:  # the URL contains a password: name only the error's type
            raise Unavailable(f"PostgreSQL cannot be reached ({type(error).__name__})") from None
        async with self.transaction() as session:
            await migrate(session)

    @asynccontextmanager
    async def _before_open(self) -> AsyncIterator[Any]:
        """One connection, before there is a pool."""
        try:
            connection = await asyncpg.connect(self._address, timeout=WAIT)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable(f"PostgreSQL cannot be reached ({type(error).__name__})") from None
        try:
            yield connection
        finally:
            await connection.close()

    async def applied(self) -> dict[int, str]:
        async with self._before_open() as connection:
            if await connection.fetchval("SELECT to_regclass('migrations')") is None:
                return {}
            return dict(await connection.fetch("SELECT number, name FROM migrations ORDER BY number"))

    async def has_tables(self) -> bool:
        async with self._before_open() as connection:
            return bool(
                await connection.fetchval("SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())")
            )

    async def is_in_use(self) -> bool:
        async with self._before_open() as connection:
            return bool(
                await connection.fetchval(
                    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
                    "AND pid <> pg_backend_pid() AND backend_type = 'client backend')"
                )
            )

    async def now(self) -> int | None:
        async with self._connection() as connection:
            return int(await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"))

    async def close(self) -> None:
        if self._knocking:
            self._knocking.cancel()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                async with asyncio.timeout(CLOSING):
                    await pool.close()
            except TimeoutError:  # a connection is still in use: its statement ends here
                pool.terminate()

    @asynccontextmanager
    async def _connection(self, begin: str = "") -> AsyncIterator[Any]:
        """A connection, in a transaction if `begin` opens one. After an error, this task sends the server nothing more: a
        cancelled task is cancelled again at its next `await` (anyio repeats this until it ends)."""
        if self._pool is None:
            raise Unavailable("The database is closed; nothing was stored.")
        pool = self._pool
        self.starvation.begin()
        try:
            connection = await pool.acquire(timeout=WAIT)
            self.starvation.end()
            try:
                if begin:
                    await connection.execute(begin)
                yield connection
                if begin:
                    await connection.execute("COMMIT")
            except BaseException:
                task = asyncio.get_running_loop().create_task(self._take_back(pool, connection))
                self._returning.add(task)
                task.add_done_callback(self._returning.discard)
                raise
            self.starvation.end()
            with contextlib.suppress(Exception):  # the commit stands; the connection is replaced
                await pool.release(connection)  # asyncpg shields it
        except (
            OSError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.PostgresConnectionError,
            asyncpg.InsufficientResourcesError,
            asyncpg.OperatorInterventionError,
            asyncpg.ReadOnlySQLTransactionError,
        ) as error:
            raise Unavailable(f"PostgreSQL cannot store now ({type(error).__name__}); nothing was stored.") from error

    async def _take_back(self, pool: Any, connection: Any) -> None:
        """Returns a connection after its running statement. asyncpg replaces a broken one."""
        with contextlib.suppress(Exception):
            await connection.execute("ROLLBACK")
        with contextlib.suppress(Exception):
            await pool.release(connection)
        self.starvation.end()

    def starved(self) -> float:
        """A returning server does not announce itself: while readers are refused, this tries to connect."""
        seconds = self.starvation.seconds
        if seconds and (self._knocking is None or self._knocking.done()):
            self._knocking = asyncio.get_running_loop().create_task(self._knock())
        return seconds

    async def _knock(self) -> None:
        with contextlib.suppress(Exception):
            async with self._connection():
                pass

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        try:
            async with self._connection("BEGIN") as connection:
                await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER)
                yield PostgresSession(connection)
        except Unavailable as problem:
            if isinstance(problem.__cause__, asyncpg.DiskFullError | asyncpg.ReadOnlySQLTransactionError):
                self.refusal = problem.detail
            raise
        self.refusal = ""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        async with self._connection("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield PostgresSession(connection)

    async def overwrite(self, tables: Sequence[str]) -> bool:
        """Vacuums old rows and their index entries. Bytes may stay in a page until a new row overwrites them, and in the
        server's own log: the service cannot overwrite either."""
        async with self._connection() as connection:
            await connection.execute(f"VACUUM {', '.join(tables)}", timeout=600)
        return True

    async def article_revision(self, site: str, article: str) -> int | None:
        async with self._connection() as connection:
            revision: int | None = await connection.fetchval(
                "SELECT revision FROM articles WHERE site = $1 AND article = $2", site, article
            )
        return revision
