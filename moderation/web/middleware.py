"""Middleware for every request: logs failures, and watches what proxies say of readers."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderation.core.networks import Networks, forwarded_of, is_in, reader_of
from moderation.core.signing import parsed_address
from moderation.core.urls import is_local

log = logging.getLogger("moderation")
PEERS = 1_000
"""Peers remembered as harmless."""
UNWATCHED = ("/health/", "/metrics")
FORWARDING = frozenset((b"forwarded", b"via", b"x-real-ip", b"x-forwarded-host", b"x-forwarded-proto"))
"""Headers that show a proxy."""
OK = "ok"
UNSEEN = (
    "no reader's request has shown an address yet. Open a page by its public address, then check again; if this stays, let the "
    "proxy send X-Forwarded-For."
)
UNDECLARED = (
    "X-Forwarded-For comes from an untrusted private or loopback peer: all its readers share one limit. "
    "Set MODERATION_TRUSTED_PROXIES to your proxy's address."
)
MISSING = (
    "readers' requests come from a private or loopback peer without X-Forwarded-For, so no limit is by reader. Let the proxy send "
    "it, and set MODERATION_TRUSTED_PROXIES to the proxy's address."
)
UNREADABLE = "X-Forwarded-For of a trusted proxy holds no address: all its readers share one limit. Let the proxy send the reader's."
TRUSTED_ONLY = (
    "X-Forwarded-For holds only addresses of MODERATION_TRUSTED_PROXIES: all readers share one limit. Let the outermost proxy "
    "send the reader's address, or trust fewer addresses."
)


def route_of(scope: Scope) -> str:
    """The path's pattern. The path itself can contain a receipt, which is a secret."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))


class ProxyWatch:
    """What readers' requests show of the proxies in front: whether each brings the network address of its reader.

    Requests of health checks and metrics say nothing about readers. Where the public address is this machine's own, any other
    request is a reader's."""

    def __init__(self, trusted: Networks, base: str) -> None:
        self.trusted = trusted
        self.problem: str | None = None
        """The missing setting, in words, after a forwarding header of an undeclared proxy."""
        parts = urlsplit(base)
        self._host = parts.netloc.lower().encode()
        self._is_local = is_local(base)
        self._peers = set[str]()
        self._latest = UNSEEN

    @property
    def said(self) -> str:
        """`ok` once a reader's request has shown it, else what is missing, in words."""
        return self.problem or self._latest

    def look(self, scope: Scope) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        if self.problem is not None or peer in self._peers or scope["path"].startswith(UNWATCHED):
            return
        address = parsed_address(peer)
        near = address is None or address.is_private or address.is_loopback
        declared = address is not None and is_in(address, self.trusted)
        headers = scope["headers"]
        forwarded = forwarded_of([value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"])
        if forwarded and near and not declared:
            self.problem = UNDECLARED
            log.warning(self.problem)
            return
        if self._is_local or not (near or declared):
            self._latest = OK
        elif forwarded:
            reader = reader_of(forwarded, self.trusted)
            self._latest = UNREADABLE if reader is None else TRUSTED_ONLY if is_in(reader, self.trusted) else OK
        elif any(name in FORWARDING or (name == b"host" and value.lower() == self._host) for name, value in headers):
            self._latest = MISSING
        else:  # this machine's own, such as an operator's
            return
        if self._latest == OK and (declared or not near) and len(self._peers) < PEERS:
            self._peers.add(peer)


class RequestMiddleware:
    def __init__(self, app: ASGIApp, proxy: ProxyWatch) -> None:
        self.app, self.proxy = app, proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith("//"):  # a client joined its base address, which ends in a slash, and a path
            scope = dict(scope, path="/" + scope["path"].lstrip("/"))
        self.proxy.look(scope)

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 500:
                log.warning(
                    "answered", extra={"method": scope["method"], "path": route_of(scope), "status": message["status"]}
                )
            await send(message)

        try:
            await self.app(scope, receive, note)
        except ClientDisconnect:  # an aborted upload: no client to answer, and no error of the service
            log.debug("a client went away", extra={"method": scope["method"], "path": route_of(scope)})
