"""An article registers itself: what its page says at the first comment, and the key that a page has."""

from __future__ import annotations

import json
import random
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from playwright.sync_api import Browser

from moderation.articles.page_metadata import Page
from moderation.sites import store as sites
from moderation.sites.article_keys import key_of, spelled
from moderation.sites.model import Site, is_article_key
from moderation.sites.site_settings import SiteSettings
from tests.conftest import ROOT, Service
from tests.html import Page as HtmlPage

PAGE = {
    "title": "How to brew green tea",
    "url": "https://blog.example/tea?p=1#comments",
    "published_at": "2026-01-02T03:04:05Z",
    "text": "Water of eighty degrees is hot enough for green tea. " * 20,
}


@pytest.fixture
async def blog(service: Service) -> Service:
    """Its site `default` has an origin."""
    await allow(service)
    return service


async def allow(service: Service, **rules: Any) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(
            tx, Site(key="default", name="Mine", origins=("https://blog.example",), settings=SiteSettings(**rules)), 1
        )
    service.services.directory.forget()


async def about(service: Service, article: str = "post") -> dict[str, Any]:
    found: dict[str, Any] = (await service.thread(article))["article"]
    return found


async def approve(service: Service, id: str) -> str:
    """As a person; the decision's id."""
    answer = await service.client.post(
        "/api/v1/decisions", json={"comments": [id], "action": "approve"}, headers=await service.token()
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


@pytest.mark.anyio
async def test_the_first_comment_brings_what_its_page_is_called_and_a_person_makes_it_so(blog: Service) -> None:
    told = await blog.post(page=PAGE)
    assert told.status_code == 201
    await approve(blog, told.json()["id"])
    told = await about(blog)
    assert told["title"] == "How to brew green tea"
    assert told["url"] == "https://blog.example/tea?p=1"
    assert told["published_at"] is None
    related = await blog.client.get("/sites/default/articles/why-a-garden-needs-a-gate/related?limit=10")
    (tea,) = [article for article in related.json()["articles"] if article["key"] == "post"]
    assert tea["excerpt"] == ""


@pytest.mark.anyio
async def test_a_held_first_comment_brings_it_too(blog: Service) -> None:
    await approve(blog, await blog.held(page=PAGE))
    assert (await about(blog))["title"] == "How to brew green tea"


@pytest.mark.anyio
async def test_a_form_brings_title_and_address(blog: Service) -> None:
    fields = {
        "name": "Ann",
        "email": "ann@example.org",
        "body": "A kind word.",
        "page_title": "Tea",
        "page_url": "https://blog.example/tea",
        "form_token": blog.services.signer.form_token("default", "post", blog.clock.now),
    }
    blog.clock.forward(seconds=30)
    path = "/sites/default/articles/post/comments"
    wrong = await blog.client.post(path, data=fields | {"email": "nobody"})
    assert wrong.status_code == 422
    for name in ("page_title", "page_url"):
        assert HtmlPage(wrong.text).value(name) == fields[name], "it goes along when the form is sent again"
    answer = await blog.client.post(path, data=fields)
    form = "http://comments.test/sites/default/articles/post/form#comment-"
    assert answer.status_code == 303 and answer.headers["location"].startswith(form), (
        "nobody has looked at that address"
    )
    await approve(blog, answer.headers["location"].rpartition("-")[2])
    assert (await about(blog))["title"] == "Tea"
    again = {
        "email": "bob@example.org",
        "form_token": blog.services.signer.form_token("default", "post", blog.clock.now),
    }
    blog.clock.forward(seconds=30)
    answer = await blog.client.post(path, data=fields | again)
    assert answer.headers["location"].startswith("https://blog.example/tea#comment-")


@pytest.mark.anyio
async def test_what_exists_is_never_overwritten(blog: Service) -> None:
    headers = await blog.token("articles")
    await blog.client.put("/sites/default/articles/registered", json={"title": "Mine"}, headers=headers)
    await blog.post("written-on")
    for article, title in (("registered", "Mine"), ("written-on", "")):
        await approve(blog, (await blog.post(article, page=PAGE)).json()["id"])
        told = await about(blog, article)
        assert (told["title"], told["url"], told["published_at"]) == (title, None, None)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/tea",
        "http://blog.example/tea",
        "https://blog.example:8443/tea",
        "https://blog.example@elsewhere.example/",
        "//blog.example/tea",
        "javascript:alert(1)",
        "https://blog.example/" + "x" * 3000,
        "https://[",
        7,
        None,
    ],
)
async def test_where_the_address_is_not_on_the_sites_pages_nothing_is_public(blog: Service, url: Any) -> None:
    answer = await blog.post(page=PAGE | {"url": url})
    assert answer.status_code == 201
    await approve(blog, answer.json()["id"])
    told = await about(blog)
    assert (told["url"], told["title"]) == (None, "")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "page",
    [
        None, 7, "title", [], [PAGE], {}, {"title": 7}, {"title": ["x"], "url": {}}, {"title": "\ud800"},
        {"url": "https://blog.example/\ud800"}, {"title": " \u202e\x07\u2028 "}, {"text": "only a text"},
        {"published_at": "2026-01-02T03:04:05Z"},
    ],
)  # fmt: skip
async def test_what_is_wrong_is_ignored_and_the_comment_is_taken(blog: Service, page: Any) -> None:
    fields = {"name": "Ann", "email": "ann@example.org", "body": "A kind word.", "page": page}
    answer = await blog.client.post(
        "/sites/default/articles/post/comments",
        content=json.dumps(fields),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 201, answer.text
    await approve(blog, answer.json()["id"])
    told = await about(blog)
    assert (told["title"], told["url"], told["published_at"]) == ("", None, None)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "at", ["tomorrow", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", 1e300, {}, "2999-01-01", "2001-01-01"]
)
async def test_a_time_is_never_taken_from_a_comment(blog: Service, at: Any) -> None:
    answer = await blog.post(page=PAGE | {"published_at": at})
    assert answer.status_code == 201
    await approve(blog, answer.json()["id"])
    assert (await about(blog))["published_at"] is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("said", "rules"),
    [
        ({"title": "You are all idiots, and so is whoever reads this stupid page"}, {}),
        ({"title": "See https://pills.example for more"}, {}),
        ({"title": "News from the bank"}, {"blocked": ("bank",)}),
        ({"title": "He works at a bank in the city."}, {"disallowed": ("bank",)}),
    ],
)
async def test_words_that_would_have_held_a_comment_are_left_out(
    service: Service, said: dict[str, str], rules: dict[str, Any]
) -> None:
    """They would stand under other articles, and a moderator looks at the comment."""
    await allow(service, **rules)
    answer = await service.post(page=PAGE | said)
    assert answer.status_code == 201
    await approve(service, answer.json()["id"])
    told = await about(service)
    assert (told["title"], told["url"]) == ("", "https://blog.example/tea?p=1")
    shown = (await service.client.get("/sites/default/articles/the-night-train-north/related?limit=10")).text
    for words in said.values():
        assert words[:20] not in shown


@pytest.mark.anyio
async def test_a_site_of_registered_articles_learns_none_from_comments(service: Service) -> None:
    await allow(service, articles="registered")
    assert (await service.post(page=PAGE)).status_code == 404


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(st.characters(exclude_categories=[]), max_size=400),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@effort(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries({}, optional={"title": anything, "url": anything, "text": anything, "published_at": anything})
)
def test_whatever_a_page_says_is_something_that_can_be_stored_or_nothing(raw: dict[str, Any]) -> None:
    page = Page.of(raw)
    if page:
        (page.title + (page.url or "")).encode()
        assert len(page.title) <= 300
        assert page.title.isprintable() or not any(ord(c) < 32 for c in page.title)
        assert page.url is None or urlsplit(page.url).scheme in ("http", "https")


# --- the key that a page has --------------------------------------------------------------------------------------------

KEYS = {
    "https://blog.example/": "~",
    "https://blog.example": "~",
    "https://blog.example/my-post": "my-post",
    "https://blog.example/my-post/": "my-post",
    "https://blog.example/2020/05/hello/": "2020~05~hello",
    "https://blog.example//2020//hello//": "2020~~hello",
    "https://blog.example/a.html?utm_source=x#top": "a.html",
    "https://blog.example/%E4%BD%A0%E5%A5%BD/": "-E4-BD-A0-E5-A5-BD",
    "https://blog.example/你好/": "-E4-BD-A0-E5-A5-BD",
    "https://blog.example/%e4%bd%a0%e5%a5%BD/": "-E4-BD-A0-E5-A5-BD",
    "https://blog.example/-e4-bd-a0/": "-E4-BD-A0",
    "https://blog.example/caf%c3%a9": "caf-C3-A9",
    "https://blog.example/cafe%cc%81": "caf-C3-A9",
    "https://blog.example/cafe\u0301": "caf-C3-A9",
    "https://blog.example/a%2fb/my-cafe": "a-2Fb~my-cafe",
    "https://blog.example/%c0%af%ed%a0%80%f5": "-C0-AF-ED-A0-80-F5",
    "https://blog.example/\u037e": "-3b",
    "https://blog.example/\U0001f331": "-F0-9F-8C-B1",
    "https://blog.example/two words": "two-20words",
    "https://blog.example/a!b'c(d)*e": "a-21b-27c-28d-29-2ae",
    "https://blog.example/~ann/x": "~ann~x",
    "https://blog.example/" + "x" * 300: "x" * 183 + "-970138f57f5ce0c9",
    "https://blog.example/" + "x" * 200: "x" * 200,
}


@pytest.mark.parametrize("url", KEYS)
def test_a_pages_key_is_its_path(url: str) -> None:
    assert key_of(url) == KEYS[url]


def test_a_page_without_a_path_is_known_by_its_query() -> None:
    assert key_of("https://blog.example/?p=12") == "p-3d12"
    assert key_of("https://blog.example/#!/topic/1") == "-23-21~topic~1" != key_of("https://blog.example/#!/topic/2")
    assert key_of("https://blog.example/a/#comment-1") == "a"
    assert key_of("") == key_of("http://[") == ""


@pytest.mark.parametrize(
    "url, key",
    {
        "/viewtopic.php?t=1": "viewtopic.php-3ft-3d1",
        "/viewtopic.php?utm_source=a&t=1&fbclid=b": "viewtopic.php-3ft-3d1",
        "/viewtopic.php?UTM_campaign=a#x": "viewtopic.php",
        "/p/?replytocom=7": "p",
        "/p/?m=1": "p",
        "/p/?m=5": "p-3fm-3d5",
        "/?p=12&utm_source=x": "p-3d12",
        "/?q=%e4%bd%a0": "q-3d-E4-BD-A0",
    }.items(),
)
def test_a_query_is_part_of_the_name_but_for_parameters_of_campaigns(url: str, key: str) -> None:
    assert key_of("https://blog.example" + url) == key


def test_two_long_names_are_two_keys() -> None:
    begins = "https://blog.example/2024/" + "%e4%bd%a0%e5%a5%bd" * 20
    one, other = key_of(begins + "/a"), key_of(begins + "/b")
    assert one != other and len(one) == len(other) == 200
    assert one == spelled(one) == key_of(begins.replace("%e4", "%E4") + "/a")


@given(st.text(st.characters(exclude_categories=[])))
def test_every_address_has_a_key_that_can_be_one(path: str) -> None:
    key = key_of("https://blog.example/" + path)
    assert key == "" or (is_article_key(key) and spelled(key) == key)


def test_the_embed_makes_the_same_keys(browser: Browser) -> None:
    source = (ROOT / "moderation" / "intake" / "element" / "dom.js").read_text("utf-8")
    function = re.search(r"function keyOf\(path\) \{.*?\n\}", source, re.DOTALL)
    assert function
    page = browser.new_page()
    made = page.evaluate(
        f"(urls) => {{ {function[0]}; return urls.map((url) => keyOf(new URL(url).pathname)); }}", list(KEYS)
    )
    assert dict(zip(KEYS, made, strict=True)) == KEYS
    # and of paths that nobody thought of
    dice, pieces = (
        random.Random(7),
        ["%e4%bd%a0", "%E4", "-c3-a9", "e\u0301", "-cc-81", "/", "x" * 40, "%2f", "~", "\U0001f331", "-", "你"],
    )
    paths = ["".join(dice.choices(pieces, k=dice.randint(1, 12))) for _ in range(400)]
    paths += ["x" * n + "-c3-a9" for n in range(180, 210)]
    made = page.evaluate(
        f"(paths) => {{ {function[0]}; return paths.map((path) => keyOf(new URL('https://blog.example/' + path).pathname)); }}",
        paths,
    )
    assert made == [key_of("https://blog.example/" + path) for path in paths]
