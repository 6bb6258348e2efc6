"""A pool of connections that read SQLite. Each serves one reader at a time and returns to the pool even on cancellation.

Returning a connection never awaits: a cancelled task is cancelled again at its next `await` (anyio repeats this until it
ends). Clean-up of a connection therefore runs in a task of the pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import aiosqlite

from moderation.core.problem import Unavailable
from moderation.db.database import WAIT, Starvation

log = logging.getLogger("moderation.storage")

BUSY = "No connection to the database is free; nothing was stored. Try again shortly."
RETRY = 0.5
"""Seconds between two attempts to replace a broken connection."""
INTERRUPT = 0.05
"""Seconds between two attempts to interrupt a running statement."""
CLOSING = 1.0
"""Seconds that a running statement has to end when the pool closes."""


class Readers:
    def __init__(self, connect: Callable[[], Awaitable[aiosqlite.Connection]], starvation: Starvation) -> None:
        self._connect, self._starvation = connect, starvation
        self._every = set[aiosqlite.Connection]()
        self._idle: list[aiosqlite.Connection] = []
        self._waiting = deque[asyncio.Future[aiosqlite.Connection]]()
        self._tasks = set[asyncio.Task[None]]()
        self.are_open = False

    async def open(self, count: int) -> None:
        self.are_open = True
        for _ in range(count):
            self.give_back(await self._new())

    async def _new(self) -> aiosqlite.Connection:
        reader = await self._connect()
        self._every.add(reader)
        return reader

    async def take(self) -> aiosqlite.Connection:
        """A free connection. Raises Unavailable after WAIT seconds, and at once if none has been free for longer than that."""
        if self._idle:
            return self._idle.pop()
        if not self.are_open:
            raise Unavailable("The database is closed.")
        if self._starvation.seconds > WAIT:
            raise Unavailable(BUSY)
        self._starvation.begin()
        lent: asyncio.Future[aiosqlite.Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(lent)
        try:
            async with asyncio.timeout(WAIT):
                return await lent
        except BaseException as error:
            if lent.done() and not lent.cancelled() and not lent.exception():
                self.give_back(lent.result())  # it arrived at the moment of the cancellation
            with contextlib.suppress(ValueError):
                self._waiting.remove(lent)
            if isinstance(error, TimeoutError):
                raise Unavailable(BUSY) from None
            raise

    def give_back(self, reader: aiosqlite.Connection) -> None:
        """Returns an idle connection, to the longest waiting reader."""
        self._starvation.end()
        if not self.are_open:
            self._start(self._end(reader))
            return
        while self._waiting:
            lent = self._waiting.popleft()
            if not lent.done():
                lent.set_result(reader)
                break
        else:
            self._idle.append(reader)
        if self._waiting:
            self._starvation.begin()

    def take_back(self, reader: aiosqlite.Connection) -> None:
        """Returns a connection after an error or with a running statement: it is used again once it is sound."""
        self._start(self._mend(reader))

    async def _mend(self, reader: aiosqlite.Connection) -> None:
        try:
            await self._at_once(reader, reader.rollback())
            await reader.execute_fetchall("SELECT count(*) FROM sqlite_master")
        except Exception as error:
            if not self.are_open:
                return
            log.warning("a connection that reads is replaced", extra={"why": type(error).__name__})
            reader = await self._replaced(reader)
        self.give_back(reader)

    async def _replaced(self, broken: aiosqlite.Connection) -> aiosqlite.Connection:
        await self._end(broken)
        while True:
            try:
                return await self._new()
            except (sqlite3.Error, OSError, Unavailable):
                await asyncio.sleep(RETRY)

    async def _end(self, reader: aiosqlite.Connection) -> None:
        self._every.discard(reader)
        with contextlib.suppress(Exception):
            await self._at_once(reader, reader.close())

    async def _at_once(self, reader: aiosqlite.Connection, work: Coroutine[Any, Any, None]) -> None:
        """Waits for the running statement, whose reader is gone. It is interrupted repeatedly, because it may not have begun
        yet."""
        task = asyncio.get_running_loop().create_task(work)
        while not task.done():
            with contextlib.suppress(ValueError, sqlite3.Error):  # the connection is closed
                await reader.interrupt()
            await asyncio.wait([task], timeout=INTERRUPT)
        task.result()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Closes all connections; running statements are interrupted."""
        self.are_open = False
        for lent in self._waiting:
            if not lent.done():
                lent.set_exception(Unavailable("The database is closed."))
        self._waiting.clear()
        self._idle.clear()
        for task in self._tasks:
            task.cancel()
        for reader in list(self._every):
            self._start(self._end(reader))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING)
