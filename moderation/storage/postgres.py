"""PostgreSQL: the same promises through asyncpg. One advisory lock makes one writer at a time, over all processes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import asyncpg

from moderation.problem import Unavailable
from moderation.storage.database import Database, Row, Session, migrate

WRITER = 0x6C65617665  # "leave": the advisory lock of whoever writes
POOL = 8


@lru_cache(maxsize=1024)
def numbered(sql: str) -> str:
    """`?` → `$1`, `$2`, …; no statement of ours has a question mark in a literal."""
    count = iter(range(1, 100_000))
    return re.sub(r"\?", lambda _: f"${next(count)}", sql)


class PostgresSession(Session):
    kind = "postgres"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return list(await self._connection.fetch(numbered(sql), *args))

    async def execute(self, sql: str, *args: Any) -> int:
        said: str = await self._connection.execute(numbered(sql), *args)
        last = said.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        if every := list(rows):
            await self._connection.executemany(numbered(sql), every)


class Postgres(Database):
    kind = "postgres"

    def __init__(self, address: str) -> None:
        self._address = address
        self._pool: Any = None

    async def open(self) -> None:
        try:
            self._pool = await asyncpg.create_pool(
                self._address, min_size=1, max_size=POOL, command_timeout=30, statement_cache_size=512
            )
        except (OSError, asyncpg.PostgresError) as error:  # the address holds a password: name only the kind
            raise Unavailable(f"PostgreSQL cannot be reached ({type(error).__name__})") from None
        async with self.transaction() as session:
            await migrate(session, self.kind)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        if self._pool is None:
            raise Unavailable("The database is closed; nothing was stored.")
        try:
            async with self._pool.acquire(timeout=10) as connection:
                yield connection
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

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", WRITER)
            yield PostgresSession(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield PostgresSession(connection)

    async def overwrite(self) -> bool:
        """Old rows, and what indexes hold of them. A byte may stay in a page until another row takes its place, and in the
        server's own log: neither is ours to write over."""
        async with self._connection() as connection:
            await connection.execute("VACUUM comments, submissions, decisions, appeals, outbox, retries", timeout=600)
        return True

    async def article_revision(self, site: str, article: str) -> int | None:
        async with self._connection() as connection:
            found: int | None = await connection.fetchval(
                "SELECT revision FROM articles WHERE site = $1 AND article = $2", site, article
            )
        return found
