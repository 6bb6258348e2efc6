"""Cookies as this service sets them: urlsafe letters without quotes.

`request.cookies` is not read: it undoes quotes with `http.cookies`, which takes quadratic time before Python 3.11.10
(CVE-2024-7592). One request with 32 KB of backslashes stood in everybody's way for nine seconds.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection

COOKIE = "moderation_session"
"""The session cookie's name, also for code that reads it before the request is parsed."""


def cookie_of(request: HTTPConnection, name: str) -> str:
    """The value of the last cookie of this name, in any of the request's headers; empty without one."""
    found = ""
    for header, value in request.scope["headers"]:
        if header == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, _, given = pair.partition("=")
                if key.strip() == name:
                    found = given.strip()
    return found
