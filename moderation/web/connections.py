"""Connection limits: number, duration, and refusals before the application is called.

Every connection is checked once a second, and time is counted in these checks. So no request needs a timer of its own, and
seconds in which this process was busy do not count against a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
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
except ImportError:  # Windows has no numbered descriptors
    resource = None  # type: ignore[assignment]

log = logging.getLogger("moderation.web.connections")
DESCRIPTORS = 16_384
"""The requested and highest limit of descriptors: an idle connection takes about 5 KB, so all of them 80 MB."""
REFUSALS: dict[int, Problem] = {
    400: BadRequest("This is not a complete HTTP/1.1 request."),
    408: TooSlow("The rest of the request took too long."),
    431: HeadTooLarge("At most 32 KB and 100 headers."),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes, and in checks of a connection (one a second)."""

    every: float = 1.0
    """Seconds between two checks."""
    head: int = 32 * 1024
    headers: int = 100
    head_time: int = 10
    body_time: int = 30
    rate: int = 1024 * 1024 // 30
    """Bytes a check: the least average of a body after `body_time`, so small bodies may be slow; and of an answer's reading."""
    idle: int = 30
    linger: int = 2
    """Checks between a refusal and the close: an immediate reset would lose the part of the answer that is not read yet."""
    pipelined: int = 8
    small_chunks: int = 1000
    spare: int = 50
    own: int = 50
    """Descriptors reserved for the process itself: database, models, mail and webhooks."""


class Connection(Protocol):
    def drop(self, status: int) -> None: ...


class Connections:
    """All connections of one server: their clock, their limit, and the number of refusals."""

    def __init__(self, state: ServerState, limits: Limits) -> None:
        self.open, self.limits = state.connections, limits
        self.now = 0
        self.refused = Counter[int]()
        self._looking = False
        self._spare: dict[Connection, bool] = {}
        """Connections on a reserved descriptor, oldest first; True: its request has not arrived yet."""
        most = descriptors()
        self._full = max(most - limits.own, most * 3 // 4)
        self._busy = max(self._full - limits.spare, most // 2)

    def look_on(self) -> None:
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(self.limits.every, self.look)

    def look(self) -> None:
        if self.refused:  # one line for any number
            log.warning("refused", extra={"connections": {str(status): n for status, n in self.refused.items()}})
            self.refused.clear()
        self._looking = False
        if self.open:
            self.look_on()
        self.now += 1
        self._look_at(list(self.open))

    def _look_at(self, waiting: list[Any]) -> None:
        """Checks a thousand connections at a time; between them other tasks run."""
        for connection in waiting[-1000:]:
            connection.check(self.now)
        del waiting[-1000:]
        if waiting:
            asyncio.get_running_loop().call_soon(self._look_at, waiting)

    def takes_spare(self, connection: Connection, descriptor: int) -> bool:
        """Whether only reserved descriptors are left. A new descriptor gets the lowest free number, so at least that many are
        in use."""
        if descriptor < self._busy:
            return False
        self._spare[connection] = True
        if len(self._spare) > self.limits.spare or descriptor >= self._full:
            # the oldest one is closed: a new health check is answered at once, however many arrive
            next((one for one, waits in self._spare.items() if waits), connection).drop(503)
        return True

    def is_whole(self, connection: Connection) -> None:
        """Its request is complete and is being answered."""
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
    """The process's limit of descriptors."""
    if resource is None:
        return sys.maxsize
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return DESCRIPTORS if soft < 0 else min(soft, DESCRIPTORS)


def raise_descriptors() -> None:
    """Raises the soft limit for this process and its workers, up to DESCRIPTORS and the system's hard limit."""
    if resource:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = DESCRIPTORS if hard < 0 else min(hard, DESCRIPTORS)
        if 0 <= soft < wanted:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def answer(problem: Problem, path: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of the last answer on a connection. `path`: of its request, or empty.

    On Akismet's paths a refusal has a GUID as every answer there: WordPress publishes a comment whose answer has none."""
    body = orjson.dumps(problem.document())
    told = {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "connection": "close",
    } | {name.lower(): value for name, value in problem.headers.items()}
    if "/1.1/" in path:
        told["x-akismet-guid"] = secrets.token_hex(16)
    return [(name.encode(), value.encode()) for name, value in told.items()], body


def urgent_only(app: Any) -> Any:
    """Answers 503 on a reserved descriptor, except for health checks and moderators."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        cookies = b";".join(value for name, value in scope["headers"] if name == b"cookie")
        if scope["path"].startswith("/health/") or f"{COOKIE}=".encode() in cookies:
            await app(scope, receive, send)
            return
        busy = Unavailable("Too many are connected. Try again shortly.", retry_after=10)
        headers, body = answer(busy, scope["path"])
        await send({"type": "http.response.start", "status": busy.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return serve
