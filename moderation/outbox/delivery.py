"""Delivery: whatever is due goes out, one destination beside the other, by one worker at a time, until it has arrived.

A destination is the mail server, or one webhook. Within a destination the oldest goes first; one that does not answer
rests while the others go on. A message leaves the outbox only after the other end took it, so that
one may arrive twice (under the same id) and none is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from moderation.core.problem import Unavailable
from moderation.db import leases
from moderation.db.database import Database
from moderation.outbox import store as outbox
from moderation.outbox import store_webhooks as webhooks
from moderation.outbox.store import MAIL, Message
from moderation.outbox.undelivered import Undelivered

log = logging.getLogger("moderation.outbox")

POLL = 1.0
"""Seconds between two looks into the outbox."""
TIMEOUT = 15.0
GRACE = 2.0
"""Seconds that what is under way has when the service stops."""
LEASE = 20_000
"""Milliseconds: longer than one try, and renewed with each. A worker that died is followed by another after this."""
FIRST, LONGEST = 5_000, 12 * 3_600_000
TRIES, AGE = 12, 3 * 24 * 3_600_000
"""Given up after this many tries, or at the first failed one after this many milliseconds: about three days."""
DESTINATIONS = 16


def delay(tries: int, spread: float) -> int:
    """Milliseconds before the next try: 5 s, 20 s, 80 s, … up to 12 hours, a fifth more or less (`spread` from 0 to 1)."""
    return int(min(LONGEST, FIRST * 4 ** min(tries, 20)) * (0.8 + 0.4 * spread))


class Transport(Protocol):
    async def send(self, message: Message) -> None:
        """Raises Undelivered."""


class Deliverer:
    def __init__(
        self,
        database: Database,
        hooks: Transport,
        mail: Transport,
        *,
        clock: Callable[[], int],
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.database, self.clock = database, clock
        self.results: Counter[str] = Counter()
        self._hooks, self._mail, self._spread = hooks, mail, spread
        self._holder = secrets.token_hex(8)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self, loops: asyncio.TaskGroup) -> None:
        self._task = loops.create_task(self._run(), name="outbox")

    async def stop(self) -> None:
        """What is under way may finish within a little while; the rest waits for the next start."""
        self._stopping.set()
        if self._task:
            await self._task
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            async with self.database.transaction() as tx:
                await leases.release(tx, "outbox", self._holder)
        except Unavailable:
            log.warning("the outbox's lease could not be given back; it ends by itself")

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.begin()
            except Exception as error:  # the database is away, say: what waits will still be there
                log.warning("the outbox cannot be read now", exc_info=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL)

    async def begin(self) -> bool:
        """Start whatever is due and not under way. False where there is nothing, or another worker is at it."""
        now = self.clock()
        async with self.database.reading() as session:
            due = await outbox.due_destinations(session, now) - set(self._running)
            if not due or not await leases.is_free(session, "outbox", self._holder, now, now + LEASE):
                return False
        if not await self._hold():
            return False
        due -= set(self._running)  # once more: somebody may have begun one while this waited
        for destination in sorted(due)[: DESTINATIONS - len(self._running)]:
            task = asyncio.create_task(self._deliver_to(destination), name=f"outbox {destination}")
            self._running[destination] = task
            task.add_done_callback(lambda _, destination=destination: self._running.pop(destination, None))  # type: ignore[misc]
        return True

    async def is_ahead(self) -> bool:
        async with self.database.reading() as session:
            return await outbox.is_ahead(session, self.clock())

    async def redate(self) -> None:
        """After the clock was set back: what waits does not wait until it has caught up."""
        async with self.database.transaction() as tx:
            await outbox.redate(tx, self.clock())

    async def all_due(self) -> None:
        """Until nothing is due any more."""
        while await self.begin() or self._running:
            await asyncio.gather(*self._running.values())

    async def _hold(self) -> bool:
        now = self.clock()
        async with self.database.transaction() as tx:
            return await leases.take(tx, "outbox", self._holder, now, now + LEASE)

    async def _deliver_to(self, destination: str) -> None:
        try:
            while not self._stopping.is_set():
                async with self.database.reading() as session:
                    message = await outbox.due(session, destination, self.clock())
                if message is None or not await self._try(message):
                    return
        except Exception as error:  # the outcome could not be written: it goes out once more
            log.warning("delivery was interrupted", exc_info=error, extra={"destination": destination})

    async def _try(self, message: Message) -> bool:
        """Whether the destination may go on."""
        problem = await self._sent(message)
        now = self.clock()
        async with self.database.transaction() as tx:
            if problem is None:
                await outbox.delivered(tx, message)
            elif problem.gone and message.destination != MAIL:
                await webhooks.disable(tx, message.destination, now)
                await outbox.fail_destination(tx, message.destination, problem.said)
            elif problem.final or message.attempts + 1 >= TRIES or now - message.created_at >= AGE:
                await outbox.failed(tx, message, problem.said)
            else:
                until = now + delay(message.attempts, self._spread())
                await outbox.put_off(tx, message, until, problem.said, destination=not problem.alone)
            still_ours = await leases.take(tx, "outbox", self._holder, now, now + LEASE)
        self.results["delivered" if problem is None else "failed" if problem.final else "put off"] += 1
        if problem:
            log.warning(
                "not delivered", extra={"id": message.id, "destination": message.destination, "said": problem.said}
            )
        return still_ours and (problem is None or problem.alone)

    async def _sent(self, message: Message) -> Undelivered | None:
        transport = self._mail if message.destination == MAIL else self._hooks
        try:
            async with asyncio.timeout(TIMEOUT):
                await transport.send(message)
        except Undelivered as problem:
            return problem
        except TimeoutError:
            return Undelivered(f"no answer within {TIMEOUT:.0f} s")
        except Unavailable:
            return Undelivered("the database was away")
        except Exception as error:  # an exception's own text may quote an address
            return Undelivered(f"failed ({type(error).__name__})")
        return None
