"""What a test of bad input sends, and how a refusal looks."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import Service

THREAD = "/sites/default/articles/post/comments"
GOOD = {"name": "Ann", "email": "ann@example.org", "body": "A kind word."}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


before_the_database = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
"""What is refused before any database is asked need not be tried on both."""


async def stored(service: Service) -> int:
    """Comments of any status."""
    async with service.services.database.reading() as session:
        row = await session.fetch_one("SELECT count(*) FROM comments")
    return int(row[0])


def is_problem(answer: httpx.Response, status: int, *errors: tuple[str, str], code: str = "") -> bool:
    """Exactly this one, as RFC 9457 has it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status and told["type"] and told["title"] and told["detail"]
    found = [(e["field"], e["code"]) for e in told.get("errors", [])]
    assert all(e["message"] for e in told.get("errors", []))
    assert found == list(errors), told
    assert not code or told["code"] == code
    return True


def is_page(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


async def post_raw(service: Service, raw: bytes, kind: str = "application/json", **headers: str) -> httpx.Response:
    return await service.client.post(THREAD, content=raw, headers={"Content-Type": kind} | headers)
