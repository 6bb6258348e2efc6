"""Delivery: one worker at a time sends due messages to all destinations concurrently.

A destination is the mail server or one webhook. Within a destination the oldest message is first; a failing destination
pauses while others continue. A message is deleted after its destination has accepted it, so it can arrive twice (under the
same id), and none is lost.
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
from moderation.core.times import LEEWAY
from moderation.db import leases
from moderation.db.database import Database
from moderation.outbox import store as outbox
from moderation.outbox import store_webhooks as webhooks
from moderation.outbox.store import MAIL, Message
from moderation.outbox.undelivered import Undelivered

log = logging.getLogger("moderation.outbox")

POLL = 1.0
"""Seconds between two reads of the outbox."""
TIMEOUT = 15.0
GRACE = 2.0
"""Seconds that running deliveries have when the service stops."""
LEASE = 20_000
"""Milliseconds: longer than one attempt, renewed with each. After a worker's death, another takes over after this time."""
FIRST, LONGEST = 5_000, 12 * 3_600_000
TRIES, AGE = 12, 3 * 24 * 3_600_000
"""A message fails for good after this many attempts, or at the first failure after this many milliseconds: three days."""
DESTINATIONS = 16


def delay(tries: int, spread: float) -> int:
    """Milliseconds before the next attempt: 5 s, 20 s, 80 s, … up to 12 hours, ± a fifth (`spread` from 0 to 1)."""
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
        """Gives running deliveries GRACE seconds; the other messages wait for the next start."""
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
            except Exception as error:  # for example no database: waiting messages stay
                log.warning("the outbox cannot be read now", exc_info=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), POLL)

    async def begin(self) -> bool:
        """Starts due deliveries. False if none is due, or another worker delivers."""
        now = self.clock()
        async with self.database.reading() as session:
            due = await outbox.due_destinations(session, now) - set(self._running)
            if not due or not await leases.is_free(session, "outbox", self._holder, now, now + LEASE):
                return False
        if not await self._hold():
            return False
        due -= set(self._running)  # again: another task may have begun one meanwhile
        for destination in sorted(due)[: DESTINATIONS - len(self._running)]:
            task = asyncio.create_task(self._deliver_to(destination), name=f"outbox {destination}")
            self._running[destination] = task
            task.add_done_callback(lambda _, destination=destination: self._running.pop(destination, None))  # type: ignore[misc]
        return True

    async def is_ahead(self) -> bool:
        """Whether a message waits for a time that the clock had before it was set back."""
        now = self.clock() + LEEWAY
        async with self.database.reading() as session:
            return any(
                created_at > now or due_at > now + delay(attempts, 1.0)
                for _, attempts, due_at, created_at in await outbox.waits(session)
            )

    async def redate(self) -> None:
        """After the clock was set back: re-dates waiting messages, so that they do not wait until it has caught up. A message of
        before the clock was set forward may have been put off meanwhile: it waits no longer than its attempts say."""
        now = self.clock()
        async with self.database.transaction() as tx:
            await outbox.redate(tx, now)
            for destination, attempts, _, _ in await outbox.waits(tx):
                await outbox.bring_forward(tx, destination, now + delay(attempts, 1.0))

    async def all_due(self) -> None:
        """Delivers until no message is due."""
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
        except Exception as error:  # the outcome could not be stored: the message is sent again
            log.warning("delivery was interrupted", exc_info=error, extra={"destination": destination})

    async def _try(self, message: Message) -> bool:
        """One attempt. Returns whether the destination may continue."""
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
