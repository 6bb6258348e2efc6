"""Periodic: what the service does by the clock, once in a while, in one of its workers."""

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
"""Seconds between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Job:
    """`act` at most every `period` milliseconds, over all workers and restarts, and only where it is `wanted`."""

    name: str
    period: int
    act: Callable[[], Awaitable[object]]
    wanted: Callable[[], Awaitable[bool]] | None = None


class Periodic:
    def __init__(self, database: Database, clock: Callable[[], int], rounds: list[Job]) -> None:
        self.database, self.clock, self.rounds = database, clock, rounds
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, loops: asyncio.TaskGroup) -> None:
        self._task = loops.create_task(self._run(), name="periodic")

    async def stop(self) -> None:
        """What is under way is left where it is: each step of it is whole, and the next round goes on."""
        self._stopping.set()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):  # not at once: a service that starts has enough to do
                await asyncio.wait_for(self._stopping.wait(), POLL)
                return
            await self.due()

    async def due(self) -> None:
        """Whatever is due, now."""
        for one in self.rounds:
            try:
                if await self._is_ours(one):
                    await one.act()
            except Exception as error:  # its next turn comes
                log.warning("a round failed", exc_info=error, extra={"round": one.name})

    async def _is_ours(self, one: Job) -> bool:
        now, holder = self.clock(), secrets.token_hex(8)  # a new holder each time: nobody may come again too soon
        async with self.database.reading() as session:
            if not await leases.is_free(session, one.name, holder, now, now + one.period):
                return False
        if one.wanted and not await one.wanted():
            return False
        async with self.database.transaction() as tx:
            return await leases.take(tx, one.name, holder, now, now + one.period)
