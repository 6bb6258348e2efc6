"""The interface of both databases: one writer at a time, concurrent readers, migrations applied once."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from moderation.core.problem import Unavailable

Row = Sequence[Any]
WAIT = 10.0
"""Seconds that a reader waits for a connection before Unavailable."""
PROBE = 5.0
"""Seconds between two test writes after a failed write."""


class Session(ABC):
    """Statements with `?` placeholders, inside a transaction or a reading."""

    kind: str
    lists_texts = False
    """New texts are queued for a full-text index that reads them later."""

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> list[Row]: ...

    @abstractmethod
    async def execute(self, sql: str, *args: Any) -> int:
        """Runs a statement. Returns the number of changed rows."""

    @abstractmethod
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Runs a statement for each row. It may be sent together with the next statement, at the latest with the commit, to
        save a round trip."""

    async def execute_script(self, sql: str) -> None:
        """Runs many statements without a time limit: a migration of PostgreSQL."""
        raise TypeError("only a transaction on PostgreSQL runs scripts")

    @property
    def before(self) -> Session:
        """The state before this transaction's first write, for many quick reads by key. There is one writer, so this state
        cannot change meanwhile."""
        return self

    async def fetch_one(self, sql: str, *args: Any) -> Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None


class Starvation:
    """The time since which no reader could get a connection."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._since: float | None = None

    def begin(self) -> None:
        if self._since is None:
            self._since = self.clock()

    def end(self) -> None:
        self._since = None

    @property
    def seconds(self) -> float:
        return 0.0 if self._since is None else self.clock() - self._since


class Database(ABC):
    kind: str

    def __init__(self) -> None:
        self.starvation = Starvation()
        self.refusal = ""
        """The cause of the last failed write, in words, if the disk or the server caused it."""
        self._probed = -PROBE

    def starved(self) -> float:
        """Seconds without a free connection for readers; 0 if one is free. Never waits."""
        return self.starvation.seconds

    async def trouble(self) -> str:
        """The cause of failing writes, or empty. After a failed write, a row is written and deleted every PROBE seconds, to
        notice the recovery."""
        now = self.starvation.clock()
        if self.refusal and now - self._probed >= PROBE:
            self._probed = now
            with contextlib.suppress(Unavailable):
                async with self.transaction() as tx:
                    name = "write probe"
                    await tx.execute(
                        "INSERT INTO leases (site, name, holder, expires_at) VALUES ('*', ?, ?, 0)", name, name
                    )
                    await tx.execute("DELETE FROM leases WHERE site = '*' AND name = ?", name)
        return self.refusal

    @abstractmethod
    async def applied(self) -> dict[int, str]:
        """Before `open`: number → name of each applied migration; empty for a new database. Changes nothing. Raises
        Unavailable."""

    async def is_new(self) -> bool:
        """Before `open`: whether that would create the tables. Changes nothing. Raises Unavailable."""
        return not await self.applied()

    @abstractmethod
    async def has_tables(self) -> bool:
        """Before `open`: whether there is any table, be it another program's. Changes nothing. Raises Unavailable."""

    @abstractmethod
    async def is_in_use(self) -> bool:
        """Before `open`: whether a process has an open connection, as a running service always has. Raises Unavailable."""

    async def now(self) -> int | None:
        """The time of the database's own machine in Unix milliseconds; None where it is this one."""
        return None

    @abstractmethod
    async def open(self) -> None:
        """Connects and migrates. Raises IncompatibleDatabase for a database that this version cannot migrate."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """The writer's transaction: atomic, and on disk when it ends. Raises Unavailable if it cannot be stored."""

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager[Session]:
        """A consistent read that never waits for the writer."""

    @abstractmethod
    async def overwrite(self, tables: Sequence[str]) -> bool:
        """Overwrites the former contents of changed and deleted rows in the files. False if it must be repeated later."""

    @abstractmethod
    async def article_revision(self, site: str, article: str) -> int | None:
        """The article's revision, compared before a cached thread is served; it changes with writes of any process."""

    def data_version(self) -> int | None:
        """A number that changes with every commit, if the database has one at little cost; else None."""
        return None

    def sites_revision(self) -> tuple[int, int] | None:
        """A number that changes with every change of a site, so that a site's rules are read again only after one."""
        return None


def placeholders(count: int) -> str:
    """`?,?,?` for `n` values of an IN list."""
    return ",".join("?" * count)
