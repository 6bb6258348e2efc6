"""Periodic: tasks at intervals, in one of the workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from moderation.db import leases
from moderation.db.database import Database

log = logging.getLogger("moderation.db.periodic")
POLL = 20.0
"""Seconds between two checks for due tasks."""
PAUSE = 24 * 3_600_000
"""Milliseconds without a run, after which a cautious task lets one period pass."""


@dataclass(frozen=True, slots=True)
class Job:
    """Runs `act` at most every `period` milliseconds, over all workers and restarts, if it `is_needed`."""

    name: str
    period: int
    act: Callable[[], Awaitable[object]]
    is_needed: Callable[[], Awaitable[bool]] | None = None
    is_cautious: bool = False
    """It deletes what is old. A clock that is far ahead by mistake is usually set right within the hour: until then, nothing
    is deleted that is not old."""


class Periodic:
    def __init__(self, database: Database, clock: Callable[[], int], rounds: list[Job]) -> None:
        self.database, self.clock, self.rounds = database, clock, rounds
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, loops: asyncio.TaskGroup) -> None:
        self._task = loops.create_task(self._run(), name="periodic")

    async def stop(self) -> None:
        """Cancels a running task: each of its steps is complete in itself, and the next run continues."""
        self._stopping.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):  # not at once: a starting service is busy
                await asyncio.wait_for(self._stopping.wait(), POLL)
                return
            await self.due()

    async def due(self) -> None:
        """Runs all due tasks."""
        for one in self.rounds:
            try:
                if await self._is_ours(one):
                    await one.act()
            except Exception as error:  # it runs again at its next interval
                log.warning("a round failed", exc_info=error, extra={"round": one.name})

    async def _is_ours(self, one: Job) -> bool:
        now, holder = self.clock(), secrets.token_hex(8)  # a new holder each time: the last one waits too
        async with self.database.reading() as session:
            if not await leases.is_free(session, one.name, holder, now, now + one.period):
                return False
            last = await leases.ends_at(session, one.name) if one.is_cautious else None
        if one.is_needed and not await one.is_needed():
            return False
        async with self.database.transaction() as tx:
            is_taken = await leases.take(tx, one.name, holder, now, now + one.period)
        return is_taken and (last is None or now - last < PAUSE)
