"""SQLite: one connection that writes, a few that read, and one that reads the data version.

The writing connection has its own thread. A hop there and back costs as much as storing several comments, so statements
without a result are sent together with the next one that has a result, or with the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from moderation.core.problem import Unavailable
from moderation.db.database import Database, Row, Session
from moderation.db.files import Files, Look
from moderation.db.migrate import migrate
from moderation.db.readers import Readers

READERS = 2
PATIENCE = 10  # seconds that a process waits for another process's write
LEAVING = 250
"""Milliseconds that comments wait for readers of older states, so that the log can be truncated. A backup or an export reads one for
minutes, and Litestream always does: the truncation is then tried again a minute later."""
TURN = 30.0
"""Seconds that a transaction waits for earlier ones."""
OUTSIDE = ("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB",
           "SQLITE_INTERRUPT")  # fmt: skip
"""Errors caused by the disk, the file or another process."""
T = TypeVar("T")
PRAGMAS = (
    f"busy_timeout = {PATIENCE * 1000}",
    "foreign_keys = ON",
    "cache_size = -32000",
    # Deleted data is overwritten with zeros: it contains texts and addresses.
    "secure_delete = ON",
    # Many comments touch the same index pages: with write-backs every 16 MB instead of every 4, most are written once.
    "wal_autocheckpoint = 4000",
)


class SnapshotReader(Session):
    """Reads on the event loop: an index finds these rows in microseconds, where a hop to a thread and back takes fifty.

    It uses the writer's own connection while the writer's thread is idle: any other connection would read the pages from the
    file again after each commit.
    """

    kind = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return self._connection.execute(sql, args).fetchall()

    async def execute(self, sql: str, *args: Any) -> int:
        raise TypeError("what was before cannot be changed")

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        raise TypeError("what was before cannot be changed")


class Reading(Session):
    kind = "sqlite"

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return list(await self._connection.execute_fetchall(sql, args))

    async def execute(self, sql: str, *args: Any) -> int:
        return (await self._connection.execute(sql, args)).rowcount

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, list(rows))


class Writer:
    """The connection that writes, and its thread."""

    def __init__(self, path: Path, files: Files | None = None) -> None:
        self._files = files or Files(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self.connection = sqlite3.connect(
            path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=512
        )

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def execute(self, sql: str) -> None:
        await self.run(self.connection.execute, sql)

    async def write_ahead(self) -> None:
        """Turns the write-ahead log on; the file remembers it.

        Several processes that start on a new file at once can block each other. SQLite then reports a locked database at
        once, whatever its `busy_timeout`. So none is set yet, and this method waits.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return await self.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > until:
                    raise
            await asyncio.sleep(0.01)

    def begin(self, sql: str) -> None:
        """In its thread."""
        self._files.check()
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")  # the first one failed
        self.connection.execute(sql)

    def check(self) -> None:
        """In its thread. Raises Unavailable if the path no longer leads to the open file."""
        self._files.check()

    def roll_back(self, then: Callable[[], None]) -> None:
        """Never awaits, so it cannot be cancelled. The thread's running statement, possibly the commit, ends first; then the
        rollback runs and `then` is called."""
        loop = asyncio.get_running_loop()

        def rolled_back(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: no task waits
                loop.call_soon_threadsafe(then)

        try:
            work = self._thread.submit(lambda: self.connection.in_transaction and self.connection.execute("ROLLBACK"))
        except RuntimeError:  # the connection is closed
            then()
        else:
            work.add_done_callback(rolled_back)

    async def close(self) -> None:
        await self.run(self.connection.close)
        self._thread.shutdown(wait=False)


class Transaction(Session):
    kind = "sqlite"

    def __init__(self, writer: Writer, lists_texts: bool) -> None:
        self._writer, self.lists_texts = writer, lists_texts
        self._put_off: list[tuple[str, list[Sequence[Any]]]] = []

    @property
    def before(self) -> Session:
        return SnapshotReader(self._writer.connection)

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        return await self._writer.run(lambda: self._execute(sql, args).fetchall())

    async def execute(self, sql: str, *args: Any) -> int:
        return await self._writer.run(lambda: self._execute(sql, args).rowcount)

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        if every := list(rows):
            self._put_off.append((sql, every))

    async def commit(self) -> None:
        """Commits. Once the thread has the call, it completes even if the caller is cancelled."""
        await self._writer.run(self._commit, "COMMIT")

    def _commit(self, sql: str) -> None:
        self._execute(sql)
        self._writer.check()  # the file may have been moved meanwhile: acknowledged data must be in the file at the path

    def _execute(self, sql: str, args: Sequence[Any] = ()) -> sqlite3.Cursor:
        """In the writer's thread, after all deferred statements."""
        put_off, self._put_off = self._put_off, []
        for earlier, rows in put_off:
            self._writer.connection.executemany(earlier, rows)
        return self._writer.connection.execute(sql, args)


class Sqlite(Database):
    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._files = Files(path)
        self._look = Look(self._files.trouble)
        self._lock = asyncio.Lock()
        self._writer: Writer | None = None
        self._lists_texts = False
        self._readers = Readers(self._connect, self.starvation)
        self._watch: sqlite3.Connection | None = None

    def _rows_before_open(self, sql: str) -> list[Any]:
        """Of a file that is there and not empty; else none."""
        if not self.path.exists() or not self.path.stat().st_size:
            return []
        try:
            with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                return connection.execute(sql).fetchall()
        except sqlite3.DatabaseError as error:
            raise unreadable(error) from None

    async def applied(self) -> dict[int, str]:
        if not self._rows_before_open("SELECT 1 FROM sqlite_master WHERE name = 'migrations'"):
            return {}
        return dict(self._rows_before_open("SELECT number, name FROM migrations ORDER BY number"))

    async def has_tables(self) -> bool:
        return bool(self._rows_before_open("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1"))

    async def is_in_use(self) -> bool:
        if not self.path.exists():
            return False
        place = f"{self.path.absolute().as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(place, uri=True, timeout=0, isolation_level=None)) as connection:
                # A file with a write-ahead log can be held exclusively only while no other connection is open.
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                return True
            raise unreadable(error) from None
        return False

    async def open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = not self.path.exists()
        self._files.forget()
        self._writer = Writer(self.path, self._files)
        try:
            if new:
                os.chmod(self.path, 0o600)  # it will contain addresses
            await self._writer.write_ahead()
            for pragma in PRAGMAS:
                await self._writer.execute(f"PRAGMA {pragma}")
            # Acknowledged data survives a power cut: NORMAL would synchronise only at checkpoints.
            await self._writer.execute("PRAGMA synchronous = FULL")
            async with self.transaction() as session:  # BEGIN IMMEDIATE is the lock: a second process waits here
                await migrate(session)
                listed = "SELECT 1 FROM sqlite_master WHERE name = 'comment_texts_unindexed'"
                self._lists_texts = bool(await session.fetch(listed))
            self._files.remember()
            await self._readers.open(READERS)
        except BaseException as error:
            await self.close()
            if isinstance(error, sqlite3.DatabaseError) and (problem := translated(error)):
                raise problem from error
            raise
        # Read on the event loop before each cached thread is served: in WAL mode it never waits and takes microseconds,
        # while a hop to a thread and back takes a hundred.
        self._watch = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=512)
        self._watch.execute("PRAGMA query_only = ON")

    async def _connect(self) -> aiosqlite.Connection:
        """A reading connection to the existing file; it never creates one."""
        self._files.check()
        place = f"{self.path.absolute().as_uri()}?mode=rw"
        reader = await aiosqlite.connect(place, uri=True, isolation_level=None, cached_statements=512)
        try:
            for pragma in (*PRAGMAS, "query_only = ON"):
                await reader.execute(f"PRAGMA {pragma}")
        except BaseException:
            await reader.close()
            raise
        return reader

    async def close(self) -> None:
        if self._watch:
            self._watch.close()
            self._watch = None
        await self._readers.close()
        if self._writer:
            await self._writer.close()
            self._writer = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        await self._take_turn()
        writer = self._writer
        if writer is None:
            self._lock.release()
            raise Unavailable("The database is closed; nothing was stored.")
        try:
            await writer.run(writer.begin, "BEGIN IMMEDIATE")
            session = Transaction(writer, self._lists_texts)
            yield session
            await session.commit()
        except BaseException as error:
            writer.roll_back(self._lock.release)
            if isinstance(error, sqlite3.DatabaseError) and (problem := translated(error)):
                self.refusal = problem.detail
                raise problem from error
            raise
        self.refusal = ""
        self._lock.release()

    async def _take_turn(self) -> None:
        if not self._lock.locked():
            await self._lock.acquire()
            return
        try:
            async with asyncio.timeout(TURN):
                await self._lock.acquire()
        except TimeoutError:
            self.refusal = f"Another transaction has not ended for {TURN:.0f} s; nothing was stored."
            raise Unavailable(self.refusal) from None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        reader = await self._readers.take()
        try:
            await reader.execute("BEGIN")
            yield Reading(reader)
            await reader.execute("ROLLBACK")
        except BaseException as error:
            self._readers.take_back(reader)
            if isinstance(error, sqlite3.DatabaseError) and (problem := translated(error)):
                raise problem from error
            if isinstance(error, CLOSED) and not self._readers.are_open:
                raise Unavailable("The database is closed.") from error
            raise
        self._readers.give_back(reader)

    async def trouble(self) -> str:
        return await self._look.answer() or await super().trouble()

    async def overwrite(self, tables: Sequence[str]) -> bool:
        """Truncates the write-ahead log, which still has older pages. `secure_delete` overwrites those in the file itself."""
        async with self._lock:
            if self._writer is None:
                return False
            return await self._writer.run(partial(truncated, self._writer.connection))

    async def article_revision(self, site: str, article: str) -> int | None:
        row = self._glance("SELECT revision FROM articles WHERE site = ? AND article = ?", site, article)
        return row[0] if row else None

    def data_version(self) -> int | None:
        if self._watch is None:
            return None
        (version,) = self._glance("PRAGMA data_version")
        return int(version)

    def sites_revision(self) -> tuple[int, int] | None:
        if self._watch is None:
            return None
        count, changes = self._glance("SELECT count(*), sum(revision) FROM sites")
        return int(count), int(changes or 0)

    def _glance(self, sql: str, *args: Any) -> Any:
        """Reads one row on the event loop."""
        if self._watch is None:
            raise Unavailable("The database is closed.")
        try:
            return self._watch.execute(sql, args).fetchone()
        except sqlite3.DatabaseError as error:
            if problem := translated(error):
                raise problem from error
            raise


def truncated(connection: sqlite3.Connection) -> bool:
    """Whether the write-ahead log could be truncated: not where others read older states."""
    connection.execute(f"PRAGMA busy_timeout = {LEAVING}")
    try:
        ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
    return not busy


CLOSED = (ValueError, sqlite3.ProgrammingError)
"""What a statement raises on a closed connection: aiosqlite's word for it, and that of sqlite3 where the statement was already
on its way."""


def translated(error: sqlite3.DatabaseError) -> Unavailable | None:
    """Unavailable for a full disk or a locked or unreadable file: nothing is stored. None for a defect of the code."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(OUTSIDE):
        return Unavailable(f"The database cannot be written ({name}); nothing was stored.")
    if name.startswith("SQLITE_READONLY"):
        return Unavailable("The database is read-only; nothing was stored.")
    return None


def unreadable(error: sqlite3.DatabaseError) -> Unavailable:
    return Unavailable(f"The database cannot be read ({getattr(error, 'sqlite_errorname', 'unknown')}).")


def is_busy(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
