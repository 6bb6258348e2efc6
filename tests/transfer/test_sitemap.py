"""Articles from a sitemap or a feed."""

from __future__ import annotations

import pytest

from moderation.core.problem import BadRequest
from moderation.core.times import iso
from moderation.sites import store as sites
from moderation.sites.model import Article
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring

pytestmark = pytest.mark.anyio


async def articles(service: Service, *keys: str) -> list[Article | None]:
    async with service.services.database.reading() as session:
        found = await sites.articles(session, "default", keys)
    return [found.get(key) for key in keys]


async def test_a_sitemap_registers_each_page_by_its_address(service: Service, bring: Bring) -> None:
    told = await bring(foreign.SITEMAP.encode(), "sitemap")
    assert told["articles"] == 3 and told["skipped"] == {"no web address of a page": 1}
    first, hello, tea = await articles(service, "~", foreign.PATH_KEY, "tea-3fa-3d1-26b-3d2")
    assert first and hello and tea
    assert (first.url, first.title) == ("https://blog.example/", "")
    assert hello.url == foreign.LINK
    assert (tea.url, tea.title) == ("https://blog.example/tea?a=1&b=2", "Tea & more")
    assert iso(tea.published_at) == "2026-02-03T04:05:06.000Z"


@pytest.mark.parametrize("feed", [foreign.RSS, foreign.ATOM], ids=["rss", "atom"])
async def test_a_feed_brings_titles_dates_and_texts_too(service: Service, bring: Bring, feed: str) -> None:
    await bring(feed.encode(), "rss")
    (hello,) = await articles(service, foreign.PATH_KEY)
    assert hello
    assert (hello.title, hello.url) == ("Hello & world", foreign.LINK)
    assert iso(hello.published_at) == "2020-05-01T10:00:00.000Z"
    assert hello.text.startswith("The whole text.") and "no()" not in hello.text
    if feed is foreign.RSS:
        assert hello.text == "The whole text. And more."
        (tea,) = await articles(service, "tea")
        assert tea and (tea.url, tea.text) == ("https://blog.example/tea", "Leaves.")


async def test_what_the_file_is_can_be_seen_from_it_and_twice_is_as_good_as_once(
    service: Service, bring: Bring
) -> None:
    for content, new in ((foreign.SITEMAP, 3), (foreign.RSS, 1), (foreign.SITEMAP, 0), (foreign.ATOM, 0)):
        assert (await bring(content.encode()))["articles"] == new
    (hello,) = await articles(service, foreign.PATH_KEY)
    assert hello and hello.title == "Hello & world", "the feed fills what the sitemap left open"


async def test_what_was_registered_otherwise_is_not_overwritten(service: Service, bring: Bring) -> None:
    about = {"title": "My own title", "url": "https://blog.example/mine"}
    headers = await service.token("articles")
    await service.client.put(f"/sites/default/articles/{foreign.PATH_KEY}", json=about, headers=headers)
    await bring(foreign.RSS.encode())
    (hello,) = await articles(service, foreign.PATH_KEY)
    assert hello and (hello.title, hello.url) == ("My own title", "https://blog.example/mine")


async def test_what_was_imported_may_also_be_liked(service: Service, bring: Bring) -> None:
    await bring(foreign.RSS.encode())
    answer = await service.client.get("/sites/default/articles/tea/related?limit=10")
    assert "Hello & world" in [article["title"] for article in answer.json()["articles"]]


async def test_a_list_of_sitemaps_is_refused_with_what_to_do(service: Service, bring: Bring) -> None:
    index = """<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <sitemap><loc>https://blog.example/posts.xml</loc></sitemap></sitemapindex>"""
    with pytest.raises(BadRequest, match=r"https://blog.example/posts.xml.*Download each of them"):
        await bring(index.encode())
