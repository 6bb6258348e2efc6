"""One header of a request. Starlette decodes and compares all of them at each look."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def header_of(request: HTTPConnection, name: bytes) -> str | None:
    """The value of the first header of this name, in small letters as ASGI has them; None without one."""
    scope = request.scope
    values: dict[bytes, bytes] | None = scope.get("first_headers")
    if values is None:
        values = scope["first_headers"] = dict(reversed(scope["headers"]))
    value = values.get(name)
    return None if value is None else value.decode("latin-1")
