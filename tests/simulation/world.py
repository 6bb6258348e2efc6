"""A day of trouble in a tenth of a second: intake, decisions and outbox in a world where time, threads, disk and network are
simulated and fail by seed (as FoundationDB and TigerBeetle test themselves, in small).

What runs is the service's own code and its own SQL on a real SQLite. Simulated are: time (an event loop that jumps to the next
timer), threads (each call ends after a drawn delay), the network (requests, answers and deliveries get lost), the model, the
clock on the wall, and the disk: a statement or a commit fails, is slow, or is the last thing that the process does. After a
crash, what the disk holds is opened again; of a commit that had not ended, any of its sectors may be there.

    python -m tests.simulation 4711           # one seed, told as it happens
    python -m tests.simulation 0 10000        # many
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

from moderation.comments.decision import STATUS_AFTER
from moderation.core.problem import Conflict, Unavailable
from moderation.core.urls import Links
from moderation.db import periodic
from moderation.db.sqlite import Sqlite
from moderation.intake.intake import Intake
from moderation.outbox import webhooks
from moderation.outbox.delivery import Deliverer
from moderation.outbox.store import Message
from moderation.outbox.undelivered import Undelivered
from moderation.policy.scorer import Scorer
from moderation.queue import decide as queue
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.team.model import Principal
from moderation.web import shutdown
from tests.simulation.cast import EPOCH, SIGNER, Model, Person, person
from tests.simulation.machine import Crash, Loop, bury, instead, torn
from tests.simulation.promises import hold

PEOPLE = 14
QUIET = 900.0
"""Seconds without faults within which everything must be done."""
FAULTS = {
    "statement fails": 0.01, "commit fails": 0.15, "crash at a statement": 0.004, "crash at a commit": 0.06,
    "thread is slow": 0.02, "locked by another process": 0.3, "table fails": 0.1, "reader fails": 0.3,
    "request is lost": 0.1, "answer is lost": 0.15, "client goes away": 0.2, "delivery fails": 0.3,
    "delivery is not confirmed": 0.2, "clock is set": 0.3, "crash at any time": 1.0,
}  # fmt: skip
"""The highest odds of each; a seed draws which of them it has, and how often."""


class World:
    def __init__(self, seed: int, folder: Path, template: Path, tell: Callable[[str], None] | None = None) -> None:
        self.seed, self.folder, self.tell = seed, folder, tell
        self.rng = random.Random(seed)
        self.now, self.skew, self.calm, self.dead = 0.0, 0, False, False
        self.trace = Counter[str]()
        self.loop: Loop | None = None
        self.path = folder / "0" / "db"
        self.lives = itertools.count(1)
        self.left: Path | None = None
        self.path.parent.mkdir()
        shutil.copy(template, self.path)
        some = [name for name in FAULTS if self.rng.random() < 0.5]
        self.odds = {name: FAULTS[name] * self.rng.random() ** 2 for name in some}
        self.people = [person(self.rng, number) for number in range(PEOPLE)]
        self.delivered: dict[str, Any] = {}
        self.refusals = Counter[str]()
        self.decisions: list[tuple[str, str, str]] = []
        """Acknowledged ones: id, comment, action."""
        self.connections: list[sqlite3.Connection] = []
        self.model = Model(self.happens)

    # --- what fails

    def happens(self, fault: str) -> bool:
        if self.calm or self.dead or self.rng.random() >= self.odds.get(fault, 0.0):
            return False
        self.note(fault)
        return True

    def note(self, what: str) -> None:
        self.trace[what] += 1
        if self.tell:
            self.tell(f"{self.loop.time() if self.loop else self.now:9.3f}  {what}")

    def delay(self) -> float:
        return self.rng.uniform(0.1, 12) if self.happens("thread is slow") else self.rng.expovariate(500)

    def clock(self) -> int:
        return EPOCH + self.skew + int(self.monotonic() * 1000)

    def monotonic(self) -> float:
        return self.loop.time() if self.loop else self.now

    def die(self, path: Path, during: Callable[[], object] | None = None) -> NoReturn:
        """The process ends here; `during`: while this is written, so that any part of it may be on the disk."""
        after = self.folder / str(next(self.lives)) / "db"
        after.parent.mkdir()
        names = (path, path.with_name("db-wal"))
        before = [name.read_bytes() if name.exists() else b"" for name in names]
        self.dead = True
        wal_first = self.rng.random() < 0.7
        if during:
            during()
        for name, old, is_log in zip(names, before, (False, True), strict=True):
            new = name.read_bytes() if during else old
            # the log is synchronised before a page of the database is written, and its head before its frames
            if is_log:
                new = torn(self.rng, old, new, 32) if wal_first else new
            else:
                new = old if wal_first else torn(self.rng, old, new, 0)
            (after.parent / name.name).write_bytes(new)
        self.left = after
        raise Crash

    # --- lives of the process

    def run(self) -> None:
        """Some lives with faults, and a last one without, in which all that is left is done."""
        for _ in range(self.rng.randrange(1, 4)):
            self._live(self.rng.uniform(5, 90))
            hold(self.people, self.decisions, self.delivered, self.path)
        self.calm = True
        self._live(QUIET)
        hold(self.people, self.decisions, self.delivered, self.path, is_end=True)

    def _live(self, seconds: float) -> None:
        self.dead, self.left, self.loop = False, None, Loop(self)
        asyncio.set_event_loop(self.loop)
        with instead(self):
            try:
                self.loop.run_until_complete(self._process(seconds))
            except Crash:
                self.note("the process is dead")
            finally:
                self.dead = True
                self.now = self.loop.time() + 1
                bury(self.loop)
                for connection in self.connections:  # of an ended process no lock stays
                    connection.close()
                self.connections.clear()
                self.loop = None
        self.path = self.left or self.path

    async def _process(self, seconds: float) -> None:
        database = Sqlite(self.path)
        database.starvation.clock = self.monotonic
        scorer = Scorer(self.model, 0.5)  # type: ignore[arg-type]
        intake = Intake(database, scorer, Links("http://comments.test", SIGNER), clock=self.clock, reader_wait=0.25)
        outbox = Deliverer(database, self, self, clock=self.clock, spread=self.rng.random)
        jobs = [
            periodic.Job("unread", 60_000, intake.unread.find_left, intake.unread.is_any_left),
            periodic.Job("redate", 60_000, outbox.redate, outbox.is_ahead),
        ]
        rounds = periodic.Periodic(database, self.clock, jobs)
        try:
            await database.open()
            await scorer.start()
            await intake.unread.find()
        except Unavailable as problem:  # its supervisor starts it again
            self.note(f"no start: {problem.detail}")
            await database.close()
            return
        async with asyncio.TaskGroup() as loops:
            for part in (intake, outbox, rounds):
                part.start(loops)
            outside = [loops.create_task(self._writes(person, intake)) for person in self.people if not person.id]
            outside += [loops.create_task(self._moderates(database, turn)) for turn in range(2) if not self.calm]
            outside.append(loops.create_task(self._troubles()))
            await self._until(seconds, database)
            if self.happens("crash at any time"):
                self.die(self.path)
            for task in outside:
                task.cancel()
            await asyncio.gather(*outside, return_exceptions=True)
            await shutdown.in_turn(
                ("periodic", rounds.stop, 0.5), ("intake", intake.stop, 3), ("outbox", outbox.stop, 3)
            )
        await shutdown.in_turn(("database", database.close, 1))
        self.note("the process has stopped")

    async def _until(self, seconds: float, database: Sqlite) -> None:
        end = self.monotonic() + seconds
        while self.monotonic() < end and not (self.calm and await self._is_quiet(database)):
            await asyncio.sleep(min(5.0, end - self.monotonic()))
        assert not self.calm or self.monotonic() < end, f"not done after {seconds:.0f} s without faults"

    async def _is_quiet(self, database: Sqlite) -> bool:
        if not all(person.id for person in self.people):
            return False
        async with database.reading() as session:  # after the last of them was stored
            left = await session.fetch(
                "SELECT 1 FROM outbox UNION ALL SELECT 1 FROM comment_reasons "
                "WHERE reason = 'rule:unread' AND status = 'pending'"
            )
        return not left

    # --- the outside

    async def _writes(self, person: Person, intake: Intake) -> None:
        while not person.id:
            await asyncio.sleep(self.rng.expovariate(0.2))
            if self.happens("request is lost"):
                continue
            before, person.unsure = person.unsure, True
            patience = self.rng.uniform(0.01, 2) if self.happens("client goes away") else 600
            try:
                accepted = await asyncio.wait_for(intake.submit(person.arrival), patience)
            except TimeoutError:
                continue
            except Conflict as problem:
                assert problem.code == "in_flight", problem
                continue
            except Unavailable:
                person.unsure = before
                assert before or not self._stored(person), f"{person.number} was refused, and is stored"
                continue
            if self.happens("answer is lost"):
                continue
            self.note(f"comment {person.number} ({person.kind}) is acknowledged")
            person.id, person.approved = accepted.id, accepted.approved
            assert self._stored(person), f"{person.number} was acknowledged, and is not stored"

    def _stored(self, person: Person) -> bool:
        with contextlib.closing(sqlite3.connect(self.path)) as other:
            body = person.arrival.submission.body
            return bool(other.execute("SELECT 1 FROM comments WHERE body = ?", (body,)).fetchall())

    async def _moderates(self, database: Sqlite, turn: int) -> None:
        """Decides on comments, each moderator on others; takes some decisions back."""
        principal = Principal(name=f"moderator {turn}", site="*", scopes=frozenset(("moderate",)))
        while True:
            await asyncio.sleep(self.rng.expovariate(0.1))
            known = [person for person in self.people if person.id and person.number % 2 == turn]
            if not known:
                continue
            person = self.rng.choice(known)
            mine = [id for id, comment, _ in self.decisions if comment == person.id]
            takes_back = bool(mine) and self.rng.random() < 0.3
            action = "undo" if takes_back else self.rng.choice(("approve", "reject", "spam", "hold"))
            before = set(person.statuses)
            person.statuses = person.may_be() | (set(STATUS_AFTER.values()) if takes_back else {STATUS_AFTER[action]})
            act: Awaitable[Any] = (
                queue.undo(database, principal, mine[-1], self.clock())
                if takes_back
                else queue.decide(database, principal, [person.id], action, (), "", {}, self.clock())
            )
            try:
                result = await act
            except (Unavailable, Conflict):
                person.statuses = before
                continue
            self.note(f"comment {person.number}: {action}")
            if takes_back:
                (moved,) = result
                # undecided again, it may be waiting for the reader again
                person.statuses = {moved.status} | ({"approved"} if person.kind == "calm" else set())
            else:
                person.statuses = {STATUS_AFTER[action]}
                self.decisions.append((result[0], person.id, action))

    async def _troubles(self) -> None:
        """Another process that holds the database, and a clock that is set back and forward."""
        while True:
            await asyncio.sleep(self.rng.expovariate(0.1))
            if self.happens("clock is set"):
                self.skew = int(self.rng.uniform(-4, 4) * 3_600_000)
            if self.happens("locked by another process"):
                other = sqlite3.connect(self.path, timeout=0, isolation_level=None)
                with contextlib.closing(other), contextlib.suppress(sqlite3.OperationalError):
                    other.execute("BEGIN IMMEDIATE")
                    await asyncio.sleep(self.rng.uniform(0.1, 20))

    async def send(self, message: Message) -> None:
        """The receiver of webhooks."""
        await asyncio.sleep(self.rng.expovariate(5))
        # never so often that the message is given up
        fails = self.refusals[message.id] < 2 and self.happens("delivery fails")
        self.refusals[message.id] += fails
        if fails:
            raise Undelivered("a simulated fault")
        content = self.delivered.setdefault(message.id, message.content)
        assert content == message.content, "one id, two messages"
        if self.refusals[message.id] < 2 and self.happens("delivery is not confirmed"):
            self.refusals[message.id] += 1
            await asyncio.sleep(self.rng.choice((0.1, 60)))
            raise Undelivered("a simulated fault")


# --- the frame


async def prepared(path: Path) -> None:
    database = Sqlite(path)
    await database.open()
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="My site"), EPOCH)
        names = "comment.created,comment.decided"
        await webhooks.add(tx, SIGNER, "https://hooks.example/", "*", names, to_private=False, now=EPOCH)
    await database.close()


def simulate(seeds: range, tell: Callable[[str], None] | None = None) -> Counter[str]:
    """Runs each seed; what happened in them, counted. Raises AssertionError that names the seed."""
    happened = Counter[str]()
    memory = Path("/dev/shm")
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
            template = Path(name) / "template"
            asyncio.run(prepared(template))
            for seed in seeds:
                folder = Path(name) / str(seed)
                folder.mkdir()
                world = World(seed, folder, template, tell)
                try:
                    world.run()
                except BaseException as error:
                    raise AssertionError(
                        f"seed {seed}: {said(error)}\nagain: python -m tests.simulation {seed}"
                    ) from error
                happened += world.trace
                shutil.rmtree(folder)
    finally:
        logging.disable(logging.NOTSET)
    return happened


def said(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
