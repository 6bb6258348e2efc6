"""Other origins (CORS): who may post and read, and who is told no."""

from __future__ import annotations

import httpx
import pytest

from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service
from tests.contract.refusals import GOOD, THREAD, before_the_database, is_problem, stored
from tests.html import Page

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


@pytest.mark.parametrize("mode", [{}, {"Sec-Fetch-Mode": "navigate"}])
@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
async def test_a_form_of_a_page_that_hides_its_address_is_taken(blog: Service, mode: dict[str, str], kind: str) -> None:
    """A referrer policy of `no-referrer` makes the browser send the origin `null`."""
    headers = {"Origin": "null", "Accept": "text/html"} | mode
    sent = {"files": {name: (None, value) for name, value in GOOD.items()}} if kind == "multipart" else {"data": GOOD}
    ours = await blog.client.post(THREAD, **sent, headers=headers)  # type: ignore[arg-type]
    assert ours.status_code == 303 and "access-control-allow-origin" not in ours.headers
    blog.clock.forward(seconds=20)
    theirs = {"comment_post_ID": "post", "author": "Bob", "email": "bob@example.org", "comment": "Our beans grew too."}
    wordpress = await blog.client.post("/sites/default/wp-comments-post.php", data=theirs, headers=headers)
    assert wordpress.status_code == 303
    assert await stored(blog) == 2
    wrong = await blog.client.post(THREAD, data=GOOD | {"email": "no address"}, headers=headers)
    assert wrong.status_code == 422 and Page(wrong.text).value("body") == GOOD["body"]


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
@pytest.mark.parametrize("path", [THREAD, "/sites/default/wp-comments-post.php"])
async def test_a_script_of_such_a_page_is_refused_as_before(blog: Service, mode: str, path: str) -> None:
    sent = GOOD | {"comment_post_ID": "post", "author": "Bob", "comment": "Our beans grew too."}
    answer = await blog.client.post(path, data=sent, headers={"Origin": "null", "Sec-Fetch-Mode": mode})
    assert answer.status_code == 403 and await stored(blog) == 0


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
    script = {"Origin": origin, "Sec-Fetch-Mode": "cors"}
    form = await blog.client.post(THREAD, data=GOOD, headers=script)
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
