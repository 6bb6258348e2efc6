"""Who is connected: how many may be, for how long, and what is said to whom is refused before the application hears of it.

Every connection is looked at once a second, by a clock that counts those looks: no request pays for a timer, and seconds in
which this process was busy are not held against anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import orjson
from uvicorn.server import ServerState

from moderation.core.problem import BadRequest, HeadTooLarge, Problem, TooSlow, Unavailable
from moderation.web.cookies import COOKIE

try:
    import resource
except ImportError:  # Windows numbers no descriptors
    resource = None  # type: ignore[assignment]

log = logging.getLogger("moderation.web.connections")
DESCRIPTORS = 16_384
"""Asked of the system at the start, and used at most: an idle connection takes some 5 KB, so all of them 80 MB."""
REFUSALS: dict[int, Problem] = {
    400: BadRequest("This is no HTTP/1.1, or too little of it is a request."),
    408: TooSlow("The rest of the request took too long."),
    431: HeadTooLarge("At most 32 KB and 100 headers."),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes, and in looks."""

    every: float = 1.0
    """Seconds from one look to the next."""
    head: int = 32 * 1024
    headers: int = 100
    head_time: int = 10
    body_time: int = 30
    rate: int = 1024 * 1024 // 30
    """A body's average from `body_time` on, so what is small may be slow; and that of an answer that is not taken."""
    idle: int = 30
    linger: int = 2
    """After a refusal: where a connection is reset, what the other end has not read yet is lost."""
    pipelined: int = 8
    small_chunks: int = 1000
    spare: int = 50
    own: int = 50
    """Descriptors for the rest of the process: database, models, mail and webhooks."""


class Connection(Protocol):
    def drop(self, status: int) -> None: ...


class Connections:
    """All of one server: their clock, how many may be, and how many were refused."""

    def __init__(self, state: ServerState, limits: Limits) -> None:
        self.open, self.limits = state.connections, limits
        self.now = 0
        self.refused = Counter[int]()
        self._looking = False
        self._spare: dict[Connection, bool] = {}
        """On a spare descriptor, the oldest first; True: its request is still to come."""
        most = descriptors()
        self._full = max(most - limits.own, most * 3 // 4)
        self._busy = max(self._full - limits.spare, most // 2)

    def look_on(self) -> None:
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(self.limits.every, self.look)

    def look(self) -> None:
        if self.refused:  # one line, however many they were
            log.warning("refused", extra={"connections": {str(status): n for status, n in self.refused.items()}})
            self.refused.clear()
        self._looking = False
        if self.open:
            self.look_on()
        self.now += 1
        self._look_at(list(self.open))

    def _look_at(self, waiting: list[Any]) -> None:
        """A thousand at a time: between them whoever asks something is answered."""
        for connection in waiting[-1000:]:
            connection.check(self.now)
        del waiting[-1000:]
        if waiting:
            asyncio.get_running_loop().call_soon(self._look_at, waiting)

    def takes_spare(self, connection: Connection, descriptor: int) -> bool:
        """Whether too few are left for anything but what is urgent. The lowest free number is what a descriptor gets, so at
        least that many are in use, whatever for."""
        if descriptor < self._busy:
            return False
        self._spare[connection] = True
        if len(self._spare) > self.limits.spare or descriptor >= self._full:
            # whoever has waited longest makes room: a probe that comes now is answered now, however many come
            next((one for one, waits in self._spare.items() if waits), connection).drop(503)
        return True

    def is_whole(self, connection: Connection) -> None:
        """Its request has come, and is being answered."""
        if connection in self._spare:
            self._spare[connection] = False

    def gives_back(self, connection: Connection) -> None:
        self._spare.pop(connection, None)


_KNOWN: WeakKeyDictionary[ServerState, Connections] = WeakKeyDictionary()


def connections_of(state: ServerState, limits: Limits) -> Connections:
    if (found := _KNOWN.get(state)) is None:
        found = _KNOWN[state] = Connections(state, limits)
    return found


def descriptors() -> int:
    """How many this process may use."""
    if resource is None:
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return DESCRIPTORS if soft < 0 else min(soft, DESCRIPTORS)


def raise_descriptors() -> None:
    """The soft limit, for this process and its workers, as far as the system allows and can be used."""
    if resource:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = DESCRIPTORS if hard < 0 else min(hard, DESCRIPTORS)
        if 0 <= soft < wanted:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def answer(problem: Problem) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of the last answer on a connection."""
    body = orjson.dumps(problem.document())
    told = {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "connection": "close",
    } | {name.lower(): value for name, value in problem.headers.items()}
    return [(name.encode(), value.encode()) for name, value in told.items()], body


def urgent_only(app: Any) -> Any:
    """What a spare descriptor serves: health, and moderators, who may be needed just then."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        cookies = b";".join(value for name, value in scope["headers"] if name == b"cookie")
        if scope["path"].startswith("/health/") or f"{COOKIE}=".encode() in cookies:
            await app(scope, receive, send)
            return
        busy = Unavailable("Too many are connected. Try again shortly.", retry_after=10)
        headers, body = answer(busy)
        await send({"type": "http.response.start", "status": busy.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve
