"""Whoever goes away in the middle of a request is no error of ours: nothing is answered, and one line is logged at most."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.conftest import Service

pytestmark = pytest.mark.anyio
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("path", "kind", "begun"),
    [
        ("/sites/default/articles/post/comments", "application/json", b'{"name": "Ann'),
        ("/sites/default/articles/post/comments", "application/json", b""),
        ("/sites/default/articles/post/comments", FORM, b"name="),
        ("/sites/default/articles/post/comments", PARTS, b"--x\r\nContent-Disposition: form-data"),
        ("/sites/default/wp-comments-post.php", FORM, b"author="),
        ("/moderate/login", FORM, b"email="),
    ],
)
async def test_an_upload_that_is_broken_off(
    service: Service, caplog: pytest.LogCaptureFixture, path: str, kind: str, begun: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": begun, "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    headers = [(b"host", b"comments.test"), (b"content-type", kind.encode()), (b"content-length", b"400")]
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": headers, "client": ("203.0.113.9", 4711), "server": ("comments.test", 80), "scheme": "http",
        "http_version": "1.1", "state": {},
    }  # fmt: skip
    await service.app(scope, receive, send)
    assert not answered and not messages
    told = [record for record in caplog.records if record.name.startswith(("moderation", "uvicorn"))]
    assert len(told) <= 1 and all(record.levelno < logging.WARNING and not record.exc_info for record in told)
