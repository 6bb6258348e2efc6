"""The machine that a simulated process runs on: time, threads and a disk that do what the world's dice say.

Not simulated: a disk that loses what it has confirmed (`tests/db/test_database.py` holds that each commit is synchronised).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, Protocol

from moderation.core import ids
from moderation.db import periodic, sqlite
from moderation.intake import unread
from moderation.outbox import delivery
from moderation.policy import reader_queue


class Dice(Protocol):
    """What the machine asks of the world."""

    rng: random.Random
    dead: bool
    now: float
    connections: list[sqlite3.Connection]

    def happens(self, fault: str) -> bool: ...

    def delay(self) -> float: ...

    def monotonic(self) -> float: ...

    def die(self, path: Path, during: Callable[[], object] | None = None) -> NoReturn: ...


class Crash(SystemExit):
    """The process is dead. (asyncio lets only this kind through.)"""


class Clockwork(selectors.SelectSelector):
    """Nothing ever arrives from outside: to wait is to move the time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everything waits for something that never comes"
        self.now += max(0.0, timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    def __init__(self, world: Dice) -> None:
        self._world, self._clockwork = world, Clockwork()
        self._clockwork.now = world.now
        self._free: dict[Any, float] = defaultdict(float)
        super().__init__(self._clockwork)

    def time(self) -> float:
        return self._clockwork.now

    def run_in_executor(self, executor: Any, work: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """A thread does one thing after the other, and each takes its time."""
        future = self.create_future()
        if self._world.dead:
            return future
        self._free[id(executor)] = at = max(self.time(), self._free[id(executor)]) + self._world.delay()

        def done() -> None:
            if self._world.dead or (future.cancelled() and self._world.rng.random() < 0.5):
                return  # what was cancelled may have begun before
            try:
                result = work(*args)
            except Exception as error:
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        self.call_at(at, done)
        return future


class Thread:
    """Instead of a ThreadPoolExecutor."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def submit(self, work: Callable[..., Any], *args: Any) -> Any:
        future = asyncio.get_running_loop().run_in_executor(self, work, *args)  # type: ignore[arg-type]
        return SimpleNamespace(add_done_callback=future.add_done_callback)

    def shutdown(self, **_: Any) -> None: ...


class Disk(sqlite3.Connection):
    """The connection that writes, on a disk that fails."""

    world: Dice
    path: Path

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        world = self.world
        if world.dead or sql.startswith(("PRAGMA", "ROLLBACK", "SELECT")):
            return super().execute(sql, *args)
        if sql == "COMMIT":
            if world.happens("commit fails"):
                raise failure("SQLITE_FULL")
            if world.happens("crash at a commit"):
                world.die(self.path, lambda: sqlite3.Connection.execute(self, sql))
        else:
            self._before(sql)
        return super().execute(sql, *args)

    def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._before(sql)
        return super().executemany(sql, *args)

    def _before(self, sql: str) -> None:
        if self.world.happens("statement fails"):
            raise failure("SQLITE_IOERR_WRITE")
        if self.world.happens("crash at a statement"):
            self.world.die(self.path)


def failure(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("a simulated fault")
    error.sqlite_errorname = name
    return error


class Reader:
    """Instead of an aiosqlite.Connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self, self._connection.execute, sql, *args)  # type: ignore[arg-type]

    async def execute_fetchall(self, sql: str, *args: Any) -> Any:
        return (await self.execute(sql, *args)).fetchall()

    async def rollback(self) -> None:
        self._connection.rollback()

    async def close(self) -> None:
        self._connection.close()

    async def interrupt(self) -> None: ...


def torn(rng: random.Random, old: bytes, new: bytes, head: int) -> bytes:
    """A file whose writing was cut short: each sector is the old one or the new one, and `head` bytes are new."""
    if old == new:
        return new
    share, found = rng.choice((0.0, 0.5, 0.9, 1.0)), bytearray(old.ljust(len(new), b"\0"))
    found[:head] = new[:head]
    for at in range(head, len(new), 512):
        if rng.random() < share:
            found[at : at + 512] = new[at : at + 512]
    return bytes(found)


@contextlib.contextmanager
def instead(world: Dice) -> Iterator[None]:
    """The world's time, threads, disk and dice, where the service would take real ones."""

    def connect(path: Any, **given: Any) -> sqlite3.Connection:
        if isinstance(path, str):
            return sqlite3.connect(path, **given)
        found = sqlite3.connect(path, factory=Disk, **given)
        found.world, found.path = world, Path(path)
        world.connections.append(found)
        return found

    async def reader(path: str, **given: Any) -> Reader:
        return Reader(sqlite3.connect(path, **given))

    quick = tuple(
        "busy_timeout = 0" if "busy" in one else "wal_autocheckpoint = 40" if "checkpoint" in one else one
        for one in sqlite.PRAGMAS
    )
    moments = SimpleNamespace(monotonic=world.monotonic)
    dice = SimpleNamespace(token_bytes=world.rng.randbytes, token_hex=lambda size: world.rng.randbytes(size).hex())
    parts: list[tuple[Any, str, Any]] = [
        (sqlite, "sqlite3", SimpleNamespace(**vars(sqlite3) | {"connect": connect})),
        (sqlite, "aiosqlite", SimpleNamespace(connect=reader)),
        (sqlite, "ThreadPoolExecutor", Thread),
        (sqlite, "PRAGMAS", quick),
        (sqlite, "time", moments),
        (reader_queue, "time", moments),
        (ids, "secrets", dice),
        (delivery, "secrets", dice),
        (periodic, "secrets", dice),
        (unread, "random", world.rng),
    ]
    real = [(place, name, getattr(place, name)) for place, name, _ in parts]
    for place, name, part in parts:
        setattr(place, name, part)
    try:
        yield
    finally:
        for place, name, part in real:
            setattr(place, name, part)


def bury(loop: Loop) -> None:
    """Ends what a dead process has left in memory; nothing of it reaches the disk."""
    for _ in range(20):
        left = asyncio.all_tasks(loop)
        if not left:
            break
        for task in left:
            task.cancel()
        with contextlib.suppress(BaseException):
            loop.run_until_complete(asyncio.wait(left, timeout=0.01))
    loop.close()
    asyncio.set_event_loop(None)
