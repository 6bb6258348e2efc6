"""Errors with an HTTP status, and their RFC 9457 form.

    Problem
    ├── BadRequest     400   not JSON, not UTF-8, NUL
    ├── Unauthorized   401   no or wrong credentials
    ├── Forbidden      403   origin, closed, edit window, scope
    ├── NotFound       404
    ├── TooSlow        408   from the protocol, as is 431: before the request is complete
    ├── Gone           410   erased
    ├── Conflict       409   duplicate, or changed meanwhile
    ├── TooLarge       413
    ├── Unsupported    415
    ├── Invalid        422   fields are wrong, every one at once
    ├── TooFast        429   with Retry-After
    ├── HeadTooLarge   431
    └── Unavailable    503   nothing was stored, with Retry-After

The text of a problem contains no email, address or body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `code` is `required`, `invalid`, `too_long`, `unknown_parent` or `unknown_action`."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """An unsuccessful answer. `detail` is a sentence for people, `code` a word for programs."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_code: ClassVar[str] = "error"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "",
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.default_code
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        self.counted = False
        """This problem already counts against its network's allowance."""

    def document(self) -> dict[str, Any]:
        """The `application/problem+json` object."""
        found: dict[str, Any] = {
            "type": f"urn:leave-a-reply:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            found["errors"] = [{"field": e.field, "code": e.code, "message": e.message} for e in self.errors]
        return found | self.extra


class BadRequest(Problem):
    status, title, default_code = 400, "The request cannot be read", "bad_request"


class Unauthorized(Problem):
    status, title, default_code = 401, "Credentials are missing or wrong", "unauthorized"

    def __init__(self, detail: str = "", **more: Any) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="leave-a-reply"'}, **more)


class Forbidden(Problem):
    status, title, default_code = 403, "This is not allowed", "forbidden"


class NotFound(Problem):
    status, title, default_code = 404, "There is no such thing here", "not_found"


class TooSlow(Problem):
    status, title, default_code = 408, "The request took too long", "too_slow"


class Gone(Problem):
    status, title, default_code = 410, "It is no longer here", "gone"


class MethodNotAllowed(Problem):
    status, title, default_code = 405, "This method is not allowed here", "method_not_allowed"


class Conflict(Problem):
    status, title, default_code = 409, "Something else came first", "conflict"


class TooLarge(Problem):
    status, title, default_code = 413, "The request is too large", "too_large"


class Unsupported(Problem):
    status, title, default_code = 415, "This content type is not understood", "unsupported"


class Invalid(Problem):
    status, title, default_code = 422, "Some fields are wrong", "invalid"

    def __init__(self, *errors: FieldError, detail: str = "") -> None:
        said = detail or "; ".join(f"{e.field}: {e.message}" for e in errors)
        super().__init__(said, errors=errors)


class TooFast(Problem):
    status, title, default_code = 429, "Too fast", "too_fast"

    def __init__(self, detail: str, retry_after: int, **more: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, retry_after))}, **more)


class HeadTooLarge(Problem):
    status, title, default_code = 431, "The request's head is too large", "head_too_large"


class Unavailable(Problem):
    status, title, default_code = 503, "Not now; nothing was stored", "unavailable"

    def __init__(self, detail: str = "", retry_after: int = 2, **more: Any) -> None:
        super().__init__(
            detail or "The service cannot store anything right now; nothing was stored. Try again shortly.",
            headers={"Retry-After": str(retry_after)},
            **more,
        )
