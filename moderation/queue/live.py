"""Live changes of the queue for open pages: server-sent events, and moderators' presence.

While any client listens, the database is read once a second for all of them, so changes by other processes are included.
An event's id is a time: a client that returns with it receives all later events.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from moderation.comments import store as comments
from moderation.core.ids import first_id_at, is_id, made_at
from moderation.core.problem import NotFound, TooFast, Unavailable
from moderation.core.times import LEEWAY, iso
from moderation.db.database import Database
from moderation.queue import store as queue
from moderation.queue import store_assignments, store_live, store_snoozes
from moderation.team import access
from moderation.team import store as moderators
from moderation.team.model import Principal

log = logging.getLogger("moderation.queue.live")
LOOK = 1.0
"""Seconds between two reads of the database."""
HEARTBEAT = 15.0
"""Seconds of silence after which a comment line is sent, so that both ends notice a broken connection."""
OVERLAP = 30_000
"""Milliseconds that each read overlaps the last one: ids are made before commits, and commits come in any order."""
MOST = 200
"""The most changes in one event; beyond them the client is told to reload (`resync`)."""
BUFFER = 50
"""The most events queued for one slow client."""
CLIENTS, CLIENTS_EACH = 200, 20
LOOKS_FOR = 30.0
"""Seconds for which a moderator's presence at a comment is valid without renewal."""

WHAT = {"decision:undo": "undone", "comment:edit": "edited", "comment:withdraw": "withdrawn",
        "comment:redact": "redacted", "comment:appeal": "appealed", "comment:read": "read",
        "comment:snooze": "snoozed", "comment:unsnooze": "woken", "comment:assign": "assigned",
        "comment:unassign": "assigned"}  # fmt: skip
SHARED = ("snoozed", "woken", "assigned")
"""What a team shares of a comment, whose state and revision stay."""


def event(name: str, told: Any, id: str = "") -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(told) + b"\n\n"


@dataclass(eq=False)
class Client:
    """One open page. Events beyond its buffer are dropped, and it then receives `resync`."""

    principal: Principal
    waiting: deque[bytes] = field(default_factory=deque)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False

    def tell(self, one: bytes) -> None:
        if len(self.waiting) >= BUFFER:
            self.waiting.clear()
            one = event("resync", {})
        self.waiting.append(one)
        self.ready.set()

    def end(self) -> None:
        self.over = True
        self.ready.set()

    async def next(self) -> bytes | None:
        """The next event; None at the end. Raises TimeoutError after a silence."""
        while not self.waiting and not self.over:
            self.ready.clear()
            await asyncio.wait_for(self.ready.wait(), HEARTBEAT)
        return self.waiting.popleft() if self.waiting and not self.over else None


@dataclass(frozen=True, slots=True)
class Looking:
    comment: str
    site: str
    who: str
    until: float


class Live:
    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self.database, self.clock = database, clock
        self.clients: set[Client] = set()
        self.looking: dict[str, Looking] = {}
        """Presence by moderator's id. In memory: with several workers, each sees only its own."""
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, int] = {}
        """Comment or audit id of the overlap → the time at which it was sent."""
        self._version: int | None = None
        self._since = 0
        self._wakes: int | None = None
        """The next time at which a snooze ends, which changes nothing in the database."""
        self._closed = False

    def close(self) -> None:
        """Ends every stream at once: a stopping server waits for open responses."""
        self._closed = True
        for client in self.clients:
            client.end()

    async def stop(self) -> None:
        self.close()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- what changes

    def join(self, client: Client) -> None:
        """Adds a client. Raises Unavailable if too many listen or the service is stopping."""
        if self._closed or len(self.clients) >= CLIENTS:
            raise Unavailable("Too many listen already, or the service is stopping. Try again shortly.")
        if sum(one.principal.name == client.principal.name for one in self.clients) >= CLIENTS_EACH:
            raise TooFast(f"{CLIENTS_EACH} windows or programs of yours listen already; close one.", 60)
        self.clients.add(client)
        if self._task is None or self._task.done():
            self._since, self._version = self.clock(), None
            self._task = asyncio.create_task(self._run(), name="events")

    async def end_what_is_over(self) -> None:
        """Ends the streams of ended sessions, revoked tokens, and removed or changed moderators. A client may reconnect, with
        its current rights."""
        clients = list(self.clients)
        found = await access.still(self.database, {c.principal.token_hash for c in clients}, self.clock())
        for client in clients:
            if found.get(client.principal.token_hash) != (client.principal.site, client.principal.scopes):
                client.end()

    def leave(self, client: Client) -> None:
        self.clients.discard(client)

    async def _run(self) -> None:
        while self.clients and not self._closed:
            await asyncio.sleep(LOOK)
            try:
                await self.end_what_is_over()
                await self.look()
            except Exception as error:  # no database: the next read is in a second
                log.warning("the queue's events failed", extra={"why": type(error).__name__})
                self._version = None
            self._forget_who_left()

    async def look(self) -> None:
        """Sends new changes to all clients."""
        version, now = self.database.data_version(), self.clock()
        if version is not None and version == self._version and not (self._wakes and self._wakes <= now):
            self._since = now
            return
        changes, lost = await self.changes(min(self._since, now) - OVERLAP)
        fresh = [c for c in changes if c["seen_as"] not in self._told]
        self._told |= {c["seen_as"]: now for c in fresh}
        oldest = now - 4 * OVERLAP
        self._told = {id: at for id, at in self._told.items() if at > oldest}
        self._version, self._since = version, now
        async with self.database.reading() as session:
            self._wakes = await store_snoozes.next_end(session, now)
        if not fresh and not lost:
            return
        counts = {site: await self._counts(site) for site in {c.principal.site for c in self.clients}}
        for client in list(self.clients):
            client.tell(self._of(client, fresh, lost, counts[client.principal.site], now))

    def _of(
        self, client: Client, changes: list[dict[str, Any]], lost: set[str], counts: dict[str, int], now: int
    ) -> bytes:
        id = first_id_at(now)
        if lost:  # a moderator who has just decided on a wave sees the changes on the page already
            return event("resync", {"counts": counts, "own": lost == {client.principal.name}}, id)
        theirs = [
            {key: value for key, value in change.items() if key != "seen_as"}
            for change in changes
            if client.principal.sees(change["site"])
        ]
        return event("queue", {"comments": theirs, "counts": counts}, id)

    async def changes(self, since: int) -> tuple[list[dict[str, Any]], set[str]]:
        """The changes since then, with the current states; or, beyond MOST, only their actors: moderators, and authors who have
        commented."""
        now = self.clock()
        after, until = first_id_at(max(0, since)), first_id_at(now + LEEWAY)
        async with self.database.reading() as session:
            new = await store_live.arrived(session, after, until, MOST + 1)
            acts = await store_live.acts(session, after, until, MOST + 1)
            if len(new) > MOST or len(acts) > MOST:
                return [], await store_live.actors(session, after, until) | ({"author"} if new else set())
            told = [(id, id, "arrived", "") for id in new]
            told += [(act.id, act.comment, WHAT.get(act.action, "decided"), act.actor) for act in acts]
            told += [(f"{id}:{at}", id, "woken", "") for id, at in await store_snoozes.woken(session, since, now)]
            found = await comments.find(session, {id for _, id, _, _ in told}) if told else {}
            names = await moderators.names(session) if told else {}
            shared = {id for _, id, what, _ in told if what in SHARED}
            snoozed = await store_snoozes.of(session, shared) if shared else {}
            assigned = await store_assignments.of(session, shared) if shared else {}

        def state(id: str, what: str) -> dict[str, Any]:
            if what not in SHARED:
                return {}
            until = snoozed[id].until if id in snoozed else 0
            to = assigned[id].moderator if id in assigned else ""
            return {"snoozed_until": iso(until) if until > now else None, "assigned_to": names.get(to) if to else None}

        return [
            {
                "seen_as": seen_as,
                "id": c.id,
                "site": c.site,
                "status": c.status,
                "revision": c.revision,
                "what": what,
                "by": names.get(actor, actor),
                **state(id, what),
            }
            for seen_as, id, what, actor in told
            if (c := found.get(id))
        ], set()

    async def _counts(self, site: str) -> dict[str, int]:
        async with self.database.reading() as session:
            now = self.clock()
            counts = await queue.counts(session, site, now)
            return counts | {"snoozed": await store_snoozes.count(session, site, now)}

    async def greeting(self, client: Client, since: str) -> list[bytes]:
        """The first events of a stream: changes since the page was made, and presence."""
        now = self.clock()
        changes, lost = list[dict[str, Any]](), set[str]()
        if since and made_at(since) > now + LEEWAY:  # the clock was set back: the page's missing changes are unknown
            lost = {"clock"}
        elif since:
            changes, lost = await self.changes(made_at(since) - OVERLAP)
        return [self._of(client, changes, lost, await self._counts(client.principal.site), now), self._presence(client)]

    # --- who looks at what

    async def look_at(self, principal: Principal, id: str | None) -> None:
        """Sets a moderator's presence. Raises NotFound for a comment that the moderator may not see."""
        before = self.looking.pop(principal.name, None)
        if id is not None:
            async with self.database.reading() as session:
                found = (await comments.find(session, [id])).get(id) if is_id(id) else None
            if found is None or not principal.sees(found.site):
                raise NotFound("There is no such comment.")
            who = principal.moderator.email if principal.moderator else principal.name
            self.looking[principal.name] = Looking(id, found.site, who, time.monotonic() + LOOKS_FOR)
        if (before.comment if before else None) != id:
            self._tell_who_looks()

    def _forget_who_left(self) -> None:
        staying = {name: one for name, one in self.looking.items() if one.until > time.monotonic()}
        if len(staying) != len(self.looking):
            self.looking = staying
            self._tell_who_looks()

    def _tell_who_looks(self) -> None:
        for client in self.clients:
            client.tell(self._presence(client))

    def _presence(self, client: Client) -> bytes:
        others = [
            {"comment": one.comment, "who": one.who}
            for name, one in self.looking.items()
            if name != client.principal.name and client.principal.sees(one.site) and one.until > time.monotonic()
        ]
        return event("presence", {"looking": others})
