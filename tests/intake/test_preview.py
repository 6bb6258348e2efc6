"""A preview: the same HTML and the same refusals as of a comment, and nothing is stored."""

from __future__ import annotations

import pytest

from moderation.sites import store as sites
from moderation.sites.allowance import PREVIEWS_A_MINUTE
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service

pytestmark = pytest.mark.anyio
PATH = "/sites/default/preview"
BODY = "Some **bold** words, `code` and <script>alert(1)</script>\n\n> a quote"


async def test_it_is_what_the_comment_will_be(service: Service) -> None:
    answer = await service.client.post(PATH, json={"body": BODY})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"html": (await service.post(body=BODY)).json()["html"]}
    assert "<strong>bold</strong>" in answer.text and "<script" not in answer.text
    assert (await service.thread())["count"] == 1


@pytest.mark.parametrize(
    ("body", "code"), [("", "required"), ("  \u200b ", "required"), ("a" * 10_001, "too_long"), (5, "invalid"), (None, "invalid")]
)  # fmt: skip
async def test_it_refuses_what_a_comment_would_be_refused_for(service: Service, body: object, code: str) -> None:
    answer = await service.client.post(PATH, json={"body": body})
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("body", code)]


async def test_the_site_s_pages_alone_may_ask_for_it(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        site = Site(key="default", name="Mine", origins=("https://blog.example",), settings=SiteSettings(max_body=20))
        await sites.put_site(tx, site, service.clock())
    service.services.directory.forget()
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for origin, status in (("https://blog.example", 200), ("https://evil.example", 403)):
        answer = await service.client.post(PATH, json={"body": "A word."}, headers={"Origin": origin})
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (status, status == 200)
        before = await service.client.options(PATH, headers=asks | {"Origin": origin})
        assert ("POST" in before.headers.get("access-control-allow-methods", "")) == (status == 200)
    assert (await service.client.post(PATH, json={"body": "a" * 21})).status_code == 422, "by the site's own limit"
    assert (await service.client.post("/sites/none/preview", json={"body": "A word."})).status_code == 404


async def test_previews_have_a_limit_of_their_own(service: Service) -> None:
    for _ in range(PREVIEWS_A_MINUTE):
        assert (await service.client.post(PATH, json={"body": "A word."})).status_code == 200
    late = await service.client.post(PATH, json={"body": "A word."})
    assert late.status_code == 429 and int(late.headers["retry-after"]) <= 60
    assert (await service.post()).status_code == 201, "which is not that of comments"
    service.clock.forward(minutes=1)
    assert (await service.client.post(PATH, json={"body": "A word."})).status_code == 200
