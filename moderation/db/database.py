"""What both databases promise: one writer at a time, readers beside it, migrations applied once."""

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
"""Seconds that a reader waits for a connection; then it is told that there is none."""
PROBE = 5.0
"""Seconds between two tries to write after one has failed."""


class Session(ABC):
    """Statements with `?` marks, inside a transaction or a reading."""

    kind: str
    lists_texts = False
    """New texts are listed for a full-text index that reads them later."""

    @abstractmethod
    async def fetch(self, sql: str, *args: Any) -> list[Row]: ...

    @abstractmethod
    async def execute(self, sql: str, *args: Any) -> int:
        """How many rows it changed."""

    @abstractmethod
    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """For each row. Where the database is far away, this may go along with what is said next; at the latest with the
        end of the transaction."""

    async def execute_script(self, sql: str) -> None:
        """Many statements, however long they take: a migration of PostgreSQL."""
        raise TypeError("only a transaction on PostgreSQL runs scripts")

    @property
    def before(self) -> Session:
        """What was stored before this transaction wrote anything, for many quick looks by key. The writer is alone, so
        nothing that it finds there can change under it."""
        return self

    async def fetch_one(self, sql: str, *args: Any) -> Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None


class Starvation:
    """Since when nobody who wanted to read could."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._since: float | None = None

    def wanted(self) -> None:
        if self._since is None:
            self._since = self.clock()

    def had(self) -> None:
        self._since = None

    @property
    def seconds(self) -> float:
        return 0.0 if self._since is None else self.clock() - self._since


class Database(ABC):
    kind: str

    def __init__(self) -> None:
        self.starvation = Starvation()
        self.refusal = ""
        """Why the last transaction could not be stored, where the disk or the server is to blame: words for a person."""
        self._probed = -PROBE

    def starved(self) -> float:
        """Seconds for which no reader could be had; 0 where one can. Waits for nothing."""
        return self.starvation.seconds

    async def trouble(self) -> str:
        """Why nothing could be stored now; empty where nothing is known. After a write that failed, another is tried now
        and then, so that it is seen when it works again: a row that comes and goes, and is written all the same."""
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
    async def open(self) -> None:
        """Connect and migrate. Raises IncompatibleDatabase where there is no way from the migration that it is at."""

    @abstractmethod
    async def close(self) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """The one writer's: all or nothing, on disk when it ends. Raises Unavailable where that cannot be."""

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager[Session]:
        """A consistent look that never waits for the writer."""

    @abstractmethod
    async def overwrite(self) -> bool:
        """What rows held before they were changed or deleted is out of the files; False where that must wait."""

    @abstractmethod
    async def article_revision(self, site: str, article: str) -> int | None:
        """What a cached thread is compared with before it is served: whoever wrote, this process or another."""

    def data_version(self) -> int | None:
        """A number that moves when anybody commits, where the database can tell for next to nothing; else None."""
        return None

    def sites_revision(self) -> tuple[int, int] | None:
        """The same for the sites alone, so that a site's rules are read again only where they may have changed."""
        return None


def placeholders(count: int) -> str:
    """`?,?,?` for IN lists."""
    return ",".join("?" * count)
