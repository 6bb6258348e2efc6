"""Other origins (CORS): who may post and read, and who is told no."""

from __future__ import annotations

import httpx
import pytest

from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service
from tests.contract.refusals import GOOD, THREAD, before_the_database, is_problem, stored

pytestmark = pytest.mark.anyio


@pytest.fixture
async def blog(service: Service) -> Service:
    """The service, whose site allows the pages of https://blog.example."""
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="Mine", origins=("https://blog.example",)), service.clock())
    service.services.directory.forget()
    return service


def varies(answer: httpx.Response) -> bool:
    return "origin" in answer.headers["vary"].lower() and "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://blog.example", "http://comments.test"])
async def test_an_allowed_origin_may_post_and_read(blog: Service, origin: str) -> None:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    before = await blog.client.options(THREAD, headers=asks)
    assert before.status_code in (200, 204) and varies(before)
    assert before.headers["access-control-allow-origin"] == origin
    assert {"GET", "POST"} <= {m.strip() for m in before.headers["access-control-allow-methods"].split(",")}
    named = {h.strip().lower() for h in before.headers["access-control-allow-headers"].split(",")}
    assert named == {"content-type", "edit-token", "idempotency-key", "receipt"}
    posted = await blog.post(headers={"Origin": origin})
    wrong = await blog.post(headers={"Origin": origin}, name="")
    read = await blog.client.get(THREAD, headers={"Origin": origin})
    same = await blog.client.get(THREAD, headers={"Origin": origin, "If-None-Match": read.headers["etag"]})
    counts = await blog.client.get("/sites/default/counts?article=post", headers={"Origin": origin})
    assert [a.status_code for a in (posted, wrong, read, same, counts)] == [201, 422, 200, 304, 200]
    for answer in (posted, wrong, read, same, counts):
        assert varies(answer)
        assert answer.headers["access-control-allow-origin"] == origin
        assert {h.strip() for h in answer.headers["access-control-expose-headers"].split(",")} == {
            "ETag",
            "Retry-After",
        }


@before_the_database
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://blog.example.evil.example",
        "http://blog.example",
        "https://blog.example:8443",
        "http://[",
        "",
        "https://BLOG.example/",
    ],
)
async def test_any_other_origin_is_forbidden_and_stores_nothing(blog: Service, origin: str) -> None:
    posted = await blog.post(headers={"Origin": origin})
    assert is_problem(posted, 403) and varies(posted)
    form = await blog.client.post(THREAD, data=GOOD, headers={"Origin": origin})
    assert is_problem(form, 403) and varies(form)
    before = await blog.client.options(THREAD, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert before.status_code == 403 and varies(before)
    read = await blog.client.get(THREAD, headers={"Origin": origin})
    for answer in (posted, form, before, read):
        assert "access-control-allow-origin" not in answer.headers
    assert await stored(blog) == 0


@before_the_database
@pytest.mark.parametrize(
    "path",
    ["counts", "feed", "articles/x/feed.json", "articles/x/related", "articles/x/fragment", "articles/x/form-token"],
)
async def test_a_script_that_adds_a_header_to_its_get_may_ask_for_leave(blog: Service, path: str) -> None:
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "content-type"}
    answer = await blog.client.options(f"/sites/default/{path}", headers=asks | {"Origin": "https://blog.example"})
    assert answer.status_code == 204 and varies(answer)
    assert answer.headers["access-control-allow-origin"] == "https://blog.example"
    assert answer.headers["access-control-allow-methods"] == "GET"
    refused = await blog.client.options(f"/sites/default/{path}", headers=asks | {"Origin": "https://evil.example"})
    assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers


async def test_a_request_without_origin_passes_and_varies_all_the_same(blog: Service) -> None:
    for answer in (
        await blog.post(),
        await blog.client.get(THREAD),
        await blog.client.get("/sites/default/counts?article=a"),
    ):
        assert answer.status_code in (200, 201) and varies(answer)
        assert "access-control-allow-origin" not in answer.headers
