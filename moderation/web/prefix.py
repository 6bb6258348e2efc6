"""The prefix: the path of the public address, such as `/comments`, below which every page of the service stands.

Inside the program every path begins at `/`, as its route does. This middleware takes the prefix off each request, whether the
proxy has left it on or not, and puts it before the paths in an answer's headers. `templating` puts it before those in pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE_PATH = re.compile(rb"(?<=; Path=)/([^;]*)", re.IGNORECASE)


def below(prefix: str, place: str) -> str:
    """The public path of a path of the service. Any other address, such as an absolute one, stays as it is."""
    return prefix + place if place.startswith("/") and not place.startswith("//") else place


def first_segment(path: str) -> str:
    """`sites` of `/sites/default`; empty for the root."""
    return path.removeprefix("/").partition("/")[0]


class PrefixMiddleware:
    """Between the public paths and the service's own."""

    def __init__(self, app: ASGIApp, prefix: str, first_segments: Iterable[str]) -> None:
        """`prefix`: percent-encoded, as in an address. `first_segments`: those of all routes."""
        self.app, self.prefix, self.decoded = app, prefix, unquote(prefix)
        self.first_segments = frozenset(first_segments)
        self.is_ambiguous = first_segment(self.decoded) in self.first_segments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.take_off(scope)

        async def put_before(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(name, self.public(name.lower(), value)) for name, value in message["headers"]]
            await send(message)

        await self.app(scope, receive, put_before)

    def take_off(self, scope: Scope) -> None:
        """Makes the scope's path the service's own.

        Below a prefix such as `/sites`, a path whose prefix the proxy has stripped may begin like the prefix again. Then what
        follows is no path of the service, and the path stays whole."""
        path: str = scope["path"]
        if path.startswith("//"):  # as nginx strips it with `location /comments { proxy_pass http://127.0.0.1:8000/; }`
            scope["path"] = path = "/" + path.lstrip("/")
            scope["raw_path"] = b"/" + (scope.get("raw_path") or b"").lstrip(b"/")
        rest = path.removeprefix(self.decoded)
        if len(rest) == len(path) or not (rest == "" or rest.startswith("/")):
            return
        if self.is_ambiguous and first_segment(rest) not in self.first_segments:
            return
        scope["path"] = rest or "/"
        raw: bytes = scope.get("raw_path") or b""
        scope["raw_path"] = b"/" + b"/".join(raw.split(b"/")[self.prefix.count("/") + 1 :])

    def public(self, name: bytes, value: bytes) -> bytes:
        """A header's value with the prefix before its paths."""
        if name == b"location":
            return below(self.prefix, value.decode("latin-1")).encode("latin-1")
        if name == b"set-cookie":
            return COOKIE_PATH.sub(lambda path: self.prefix.encode() + (b"/" + path[1] if path[1] else b""), value)
        return value
