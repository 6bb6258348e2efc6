"""Cookies, from whoever sends them."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from moderation.team.pages_sign_in import FORM_COOKIE
from moderation.web.cookies import COOKIE, cookie_of
from tests.growth import check_growth


def test_cookies_are_read_in_linear_time() -> None:
    """Before Python 3.11.10 `http.cookies`, which Starlette asks, took nine seconds for one header."""

    def read(length: int) -> None:
        pairs = (
            f'a=b; {COOKIE}=old; x="{chr(92) * length}"; {COOKIE}=new; broken; =; {FORM_COOKIE}="{chr(92) * length}"'
        )
        request = HTTPConnection({"type": "http", "headers": [(b"cookie", pairs.encode()), (b"cookie", b"z=1")]})
        assert cookie_of(request, COOKIE) == "new" and cookie_of(request, "z") == "1"
        assert cookie_of(request, "none") == "" and len(cookie_of(request, FORM_COOKIE)) == length + 2

    check_growth(lambda: read(32_000), lambda: read(8_000))
