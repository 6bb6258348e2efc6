"""Middleware for every request: logs failures, and detects undeclared proxies."""

from __future__ import annotations

import logging
from ipaddress import IPv4Network, IPv6Network

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moderation.core.signing import parsed_address

log = logging.getLogger("moderation")
PEERS = 1_000
"""Peers remembered as harmless."""


def route_of(scope: Scope) -> str:
    """The path's pattern. The path itself can contain a receipt, which is a secret."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))


class ProxyWatch:
    """Detects forwarding headers from private or loopback peers that are not in MODERATION_TRUSTED_PROXIES."""

    def __init__(self, trusted: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self.trusted = trusted
        self.problem: str | None = None
        """The missing setting, in words, after such a header."""
        self._peers = set[str]()

    def look(self, scope: Scope) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        if self.problem is not None or peer in self._peers:
            return
        if all(name != b"x-forwarded-for" for name, _ in scope["headers"]):
            return
        address = parsed_address(peer)
        is_local = address is None or address.is_private or address.is_loopback
        if is_local and not any(address in network for network in self.trusted if address):
            self.problem = (
                "X-Forwarded-For comes from an untrusted private or loopback peer: all its readers share one limit. "
                "Set MODERATION_TRUSTED_PROXIES to your proxy's address."
            )
            log.warning(self.problem)
        elif len(self._peers) < PEERS:
            self._peers.add(peer)


class RequestMiddleware:
    def __init__(self, app: ASGIApp, proxy: ProxyWatch) -> None:
        self.app, self.proxy = app, proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
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
