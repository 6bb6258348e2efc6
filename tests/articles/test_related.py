"""You May Also Like: nearest in content first; and the demo that shows it."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.demo.public import STORIES, text_of
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service
from tests.html import Page

pytestmark = pytest.mark.anyio
ABOUT = {
    "tea": ("绿茶", "泡绿茶水温八十度就够了。好的茶叶在杯子里慢慢舒展，茶汤清亮。"),
    "leaves": ("采茶", "清明前采的茶叶最好，炒青的时候火不能太大，否则绿茶会有焦味。"),
    "metro": ("地铁", "新开的地铁线路一共有十二站，乘客可以在中心站换乘。"),
    "escalator": ("扶梯", "地铁换乘站的扶梯常常停运，乘客只好走楼梯。"),
}


async def put(service: Service, key: str, site: str = "blog", **more: Any) -> None:
    title, text = ABOUT.get(key, (key.title(), ""))
    about = {"title": title, "text": text, "url": f"https://blog.example/{key}"} | more
    about = {name: value for name, value in about.items() if value is not None}
    headers = await service.token("articles")
    answer = await service.client.put(f"/sites/{site}/articles/{key}", json=about, headers=headers)
    assert answer.status_code in (200, 201), answer.text


async def a_site(service: Service, key: str = "blog") -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key=key, name=key.title(), origins=("https://blog.example",)), 1)
    service.services.directory.forget()


async def related(service: Service, key: str, site: str = "blog", **query: Any) -> list[dict[str, Any]]:
    answer = await service.client.get(f"/sites/{site}/articles/{key}/related", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["articles"]
    return found


def keys(found: list[dict[str, Any]]) -> list[str]:
    return [article["key"] for article in found]


NEAREST = {
    "why-a-garden-needs-a-gate": "what-the-compost-knows",
    "what-the-compost-knows": "why-a-garden-needs-a-gate",
    "bread-on-the-second-day": "a-jar-of-flour-and-water",
    "a-jar-of-flour-and-water": "bread-on-the-second-day",
    "the-night-train-north": "a-timetable-is-a-promise",
    "a-timetable-is-a-promise": "the-night-train-north",
}


@pytest.mark.parametrize("key", NEAREST)
async def test_of_the_demos_articles_the_one_on_the_same_subject_comes_first(service: Service, key: str) -> None:
    found = await related(service, key, site="default", limit=10)
    assert found[0]["key"] == NEAREST[key]
    assert sorted(keys(found)) == sorted(set(STORIES) - {key})
    for article in found:
        words = text_of(article["key"]).split()
        assert article["title"] == STORIES[article["key"]].title
        assert article["url"].startswith("http://comments.test/")
        assert article["excerpt"] == " ".join(words[:55]).rstrip(".,") + "…"


async def test_in_scripts_without_spaces_too(service: Service) -> None:
    await a_site(service)
    for key in ABOUT:
        await put(service, key)
    for one, other in (("tea", "leaves"), ("metro", "escalator")):
        assert keys(await related(service, one))[0] == other
        assert keys(await related(service, other))[0] == one


async def test_only_articles_of_the_same_site_that_have_a_page_and_never_itself(service: Service) -> None:
    await a_site(service)
    await a_site(service, "other")
    await put(service, "tea")
    await put(service, "leaves", url=None)
    await put(service, "tea", site="other")
    assert await related(service, "tea") == []
    assert keys(await related(service, "leaves")) == ["tea"]
    await put(service, "leaves")
    assert keys(await related(service, "tea")) == ["leaves"]


async def test_it_follows_every_change(service: Service) -> None:
    await a_site(service)
    for key in ("tea", "leaves", "metro"):
        await put(service, key)
    assert keys(await related(service, "tea", limit=1)) == ["leaves"]
    await put(service, "leaves", title="Rails", text="Trains on rails.")
    await put(service, "metro", title="茶", text=ABOUT["tea"][1])
    assert keys(await related(service, "tea", limit=1)) == ["metro"]
    await put(service, "metro", title="Another title", text=None)
    assert (await related(service, "tea", limit=1))[0]["title"] == "Another title"


async def test_what_another_process_registers_is_seen(service: Service) -> None:
    from moderation.articles.register import register
    from moderation.db import connect
    from moderation.sites.model import Article

    await a_site(service)
    await put(service, "tea")
    assert await related(service, "tea") == []
    other = connect(service.settings.database)
    await other.open()
    async with other.transaction() as tx:
        await register(tx, Article(site="blog", key="new", title="New", url="https://blog.example/new", created_at=1))
    await other.close()
    assert keys(await related(service, "tea")) == ["new"]


async def test_articles_from_before_there_were_vectors_are_found_too(service: Service) -> None:
    await a_site(service)
    for key in ABOUT:
        await put(service, key)
    async with service.services.database.transaction() as tx:
        await tx.execute("DELETE FROM article_vectors WHERE article = ?", "leaves")
        await tx.execute("UPDATE article_vectors SET version = 0, vector = '' WHERE article = ?", "tea")
    assert keys(await related(service, "tea", limit=1)) == ["leaves"]
    assert keys(await related(service, "leaves", limit=1)) == ["tea"]


async def test_among_equals_the_newest_comes_first(service: Service) -> None:
    await a_site(service)
    for day, key in enumerate(("one", "two", "three"), start=1):
        await put(service, key, published_at=f"2026-01-0{day}T00:00:00Z")
    await service.post("unregistered", site="blog")
    assert keys(await related(service, "unregistered")) == ["three", "two", "one"]


async def test_limits_and_strangers(service: Service) -> None:
    path = f"/sites/default/articles/{next(iter(STORIES))}/related"
    assert len((await service.client.get(path)).json()["articles"]) == 3
    assert len((await service.client.get(path + "?limit=1")).json()["articles"]) == 1
    for wrong in ("0", "11", "-1", "x", "1.5", ""):
        answer = await service.client.get(path, params={"limit": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "limit")
    assert (await service.client.get("/sites/default/articles/none/related")).status_code == 404
    assert (await service.client.get("/sites/nowhere/articles/none/related")).status_code == 404


async def test_it_has_an_etag_and_may_be_kept_a_while(service: Service) -> None:
    path = f"/sites/default/articles/{next(iter(STORIES))}/related"
    first = await service.client.get(path, headers={"Origin": "http://comments.test"})
    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["access-control-allow-origin"] == "http://comments.test"
    again = await service.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_every_demo_article_has_its_page_with_the_others(service: Service) -> None:
    for key, story in STORIES.items():
        path = "/" if key == next(iter(STORIES)) else f"/demo/{key}"
        told = (await service.post(key, body=f"A word on {key}.")).json()
        answer = await service.client.get(path)
        assert answer.status_code == 200
        page = Page(answer.text)
        assert page.text("h1") == story.title and "You May Also Like" in page.text()
        assert page.has(f"#comment-{told['id']}")
        assert STORIES[NEAREST[key]].title in page.text()
        reply = Page((await service.client.get(f"{path}?parent={told['id']}")).text)
        assert "Leave a Reply to" in reply.text()
        assert reply.form(f"/sites/default/articles/{key}/comments").value("parent") == told["id"]
    nothing = await service.client.get("/demo/nothing", headers={"Accept": "text/html"})
    assert nothing.status_code == 404 and nothing.headers["content-type"].startswith("text/html")
