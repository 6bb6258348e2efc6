"""Threads however they are read: paging, fragment, feeds, counts; long ones as quickly as short ones."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from moderation.comments import store as comments
from moderation.comments.model import Comment, place
from moderation.comments.public_feeds import Feed, atom, json_feed
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.verdict import Verdict
from moderation.core.ids import is_id, new_id, next_id, uuid_of
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db.database import Database, Session
from moderation.sites import store as sites
from moderation.sites.model import Article, Site
from tests.conftest import Service

pytestmark = pytest.mark.anyio
ATOM = "{http://www.w3.org/2005/Atom}"
THR = "{http://purl.org/syndication/thread/1.0}"
HERE = "/sites/default/articles/post"
READINGS = [
    f"{HERE}/comments",
    f"{HERE}/fragment",
    f"{HERE}/feed",
    f"{HERE}/feed.json",
    "/sites/default/feed",
    "/sites/default/feed.json",
]


async def get(service: Service, path: str, **headers: str) -> Any:
    answer = await service.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


# --- what every reading has in common ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", READINGS)
async def test_each_has_a_strong_etag_that_moves_with_what_readers_see(service: Service, path: str) -> None:
    told = (await service.post()).json()
    first = await get(service, path)
    etag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]+"', etag) and first.headers["cache-control"] == "no-cache"
    for sent in (etag, f'"other", W/{etag}', "*"):
        again = await service.client.get(path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    await service.held()
    assert (await get(service, path)).headers["etag"] == etag, "nobody can read what waits"
    await service.client.patch(
        f"{HERE}/comments/{told['id']}", json={"body": "A better word."}, headers={"Edit-Token": told["edit_token"]}
    )
    second = await get(service, path, **{"If-None-Match": etag})
    assert second.headers["etag"] != etag and "A better word." in second.text
    await service.client.delete(f"{HERE}/comments/{told['id']}", headers={"Edit-Token": told["edit_token"]})
    assert "A better word." not in (await get(service, path)).text


@pytest.mark.parametrize("path", READINGS)
async def test_each_can_be_read_by_the_sites_own_pages_and_by_no_other(service: Service, path: str) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="Mine", origins=("https://blog.example",)), 1)
    service.services.directory.forget()
    mine = await get(service, path, Origin="https://blog.example")
    assert mine.headers["access-control-allow-origin"] == "https://blog.example"
    assert "ETag" in mine.headers["access-control-expose-headers"] and mine.headers["vary"] == "Origin"
    other = await get(service, path, Origin="https://elsewhere.example")
    assert "access-control-allow-origin" not in other.headers and other.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", READINGS)
async def test_what_does_not_exist_yet_is_empty_and_what_cannot_exist_is_not_found(service: Service, path: str) -> None:
    assert (await service.client.get(path)).status_code == 200
    assert (await service.client.get(path.replace("default", "nowhere"))).status_code == 404
    if "post" in path:
        assert (await service.client.get(path.replace("post", "a%20b"))).status_code == 404


@pytest.mark.parametrize("path", READINGS)
async def test_what_another_process_wrote_is_seen(service: Service, path: str) -> None:
    from moderation.db import connect

    told = (await service.post(body="Here today.")).json()
    assert "Here today." in (await get(service, path)).text
    other = connect(service.settings.database)
    await other.open()
    async with other.transaction() as tx:
        found = (await comments.find(tx, [told["id"]]))[told["id"]]
        assert await comments.move(tx, found, "deleted", decided=True)
        await sites.touch(tx, "default", ["post"])
    await other.close()
    assert "Here today." not in (await get(service, path)).text


# --- feeds -------------------------------------------------------------------------------------------------------------


def checked(feed: bytes) -> Element:
    """What RFC 4287 asks of a feed, and what readers of feeds rely on."""
    root = fromstring(feed)
    assert root.tag == ATOM + "feed"
    found = [root, *root.findall(ATOM + "entry")]
    ids = [one.findtext(ATOM + "id") or "" for one in found]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", id) for id in ids)
    for one in found:
        assert len(one.findall(ATOM + "title")) == len(one.findall(ATOM + "updated")) == 1
        for at in (one.findtext(ATOM + "updated"), one.findtext(ATOM + "published")):
            assert at is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)
        assert one is root or one.findtext(f"{ATOM}author/{ATOM}name")
        for link in one.findall(ATOM + "link"):
            assert urlsplit(link.attrib["href"]).scheme in ("http", "https")
    assert {link.attrib["rel"] for link in root.findall(ATOM + "link")} == {"self", "alternate"}
    return root


async def test_an_articles_feed_tells_of_the_newest_first_and_of_what_each_answers(service: Service) -> None:
    token = await service.token("articles")
    about = {"title": "Tea & <bread>", "url": "https://blog.example/tea"}
    await service.client.put(HERE, json=about, headers=token)
    first = (await service.post(name="Ann <x>", url="https://ann.example/?a=1&b=2")).json()
    second = (await service.post(parent=first["id"], body="I *agree*.")).json()
    third = (await service.post()).json()
    await service.decide(first["id"])
    answer = await get(service, HERE + "/feed")
    assert answer.headers["content-type"] == "application/atom+xml"
    root = checked(answer.content)
    assert root.findtext(ATOM + "title") == "Comments on: Tea & <bread>"
    entries = root.findall(ATOM + "entry")
    assert [e.findtext(ATOM + "id") for e in entries] == [
        f"urn:uuid:{uuid_of(told['id'])}" for told in (third, second, first)
    ]
    assert entries[2].findtext(f"{ATOM}author/{ATOM}name") == "Ann <x>"
    assert entries[2].findtext(f"{ATOM}author/{ATOM}uri") == "https://ann.example/?a=1&b=2"
    link = entries[1].find(ATOM + "link")
    assert link is not None and link.attrib["href"] == f"https://blog.example/tea#comment-{second['id']}"
    assert entries[1].findtext(ATOM + "content") == second["html"]
    to = entries[1].find(THR + "in-reply-to")
    assert to is not None and to.attrib["ref"] == entries[2].findtext(ATOM + "id")
    assert root.findtext(ATOM + "updated") == third["created_at"]


async def test_a_json_feed_tells_the_same(service: Service) -> None:
    first = (await service.post(url="https://ann.example/")).json()
    second = (await service.post("other")).json()
    await service.decide(first["id"])
    for path, shown in ((HERE, [first]), ("/sites/default", [second, first])):
        answer = await get(service, path + "/feed.json")
        assert answer.headers["content-type"] == "application/feed+json"
        feed = answer.json()
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == f"http://comments.test{path}/feed.json"
        assert [item["content_html"] for item in feed["items"]] == [told["html"] for told in shown]
        entries = checked((await get(service, path + "/feed")).content).findall(ATOM + "entry")
        assert [e.findtext(ATOM + "id") for e in entries] == [item["id"] for item in feed["items"]]
        assert feed["items"][-1]["authors"][0] | {"avatar": ""} == {
            "name": "Ann",
            "url": "https://ann.example/",
            "avatar": "",
        }


async def test_a_sites_feed_has_every_article_and_no_other_site(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="second", name="Second"), 1)
    service.services.directory.forget()
    for article in ("one", "two", "one"):
        await service.post(article)
    await service.post("three", site="second")
    titles = [
        e.findtext(ATOM + "title")
        for e in checked((await get(service, "/sites/default/feed")).content).findall(ATOM + "entry")
    ]
    assert titles == ["Comment on one by Ann", "Comment on two by Ann", "Comment on one by Ann"]
    assert len(checked((await get(service, "/sites/second/feed")).content).findall(ATOM + "entry")) == 1


async def test_an_empty_feed_is_valid_too(service: Service) -> None:
    for path in (HERE + "/feed", "/sites/default/feed"):
        assert not checked((await get(service, path)).content).findall(ATOM + "entry")


async def test_a_sites_new_name_is_in_its_feed(service: Service) -> None:
    await service.post()
    assert "My site" in (await get(service, "/sites/default/feed")).text
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="A new name"), 1)
    service.services.directory.forget()
    assert "A new name" in (await get(service, "/sites/default/feed")).text


def a_comment(number: int, parent: Comment | None = None, **more: Any) -> Comment:
    id = new_id(1_700_000_000_000 + number)
    above, path = place(id, parent)
    values: dict[str, Any] = {
        "id": id, "site": "default", "article": "post", "parent": above, "path": path, "status": "approved",
        "revision": 1, "name": "Ann", "email": "ann@example.org", "url": None, "body": "Text", "html": "<p>Text</p>",
        "created_at": 1_700_000_000_000 + number,
    }  # fmt: skip
    return Comment(**(values | more))


texts = st.text(st.characters(exclude_categories=[]), max_size=30)


@effort(max_examples=200, deadline=None)
@given(texts, texts, texts)
def test_whatever_characters_there_are_a_feed_can_be_read(name: str, html: str, title: str) -> None:
    links = Links("https://comments.example", Signer(b"0123456789abcdef"))
    article = Article(site="default", key="post", title=title, url='https://blog.example/?a="<\x01>')
    feed = Feed(links, Site(key="default", name=title), "post", [a_comment(1, name=name, html=html)], {"post": article})
    root = checked(atom(feed))
    shown = root.findtext(f"{ATOM}entry/{ATOM}content")
    if re.fullmatch(r"[\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+", html):
        assert shown == html
    if not re.search("[\ud800-\udfff]", name + html + title):  # half a pair is in no database and in no UTF-8
        assert json.loads(json_feed(feed))["items"][0]["content_html"] == html


def test_a_feeds_ids_stay_when_the_service_moves() -> None:
    one, article = a_comment(1), Article(site="default", key="post")

    def ids(base: str, key: bytes, **changes: Any) -> list[str | None]:
        feed = Feed(
            Links(base, Signer(key)), Site(key="default", name=""), "post", [replace(one, **changes)], {"post": article}
        )
        return [e.text for e in checked(atom(feed)).iter(ATOM + "id")]

    here = ids("https://one.example", b"0123456789abcdef")
    assert here == ids("https://two.example", b"0123456789abcdef", html="<p>Edited</p>", edited_at=2_000_000_000_000)
    other = ids("https://one.example", b"another secret key")
    assert other[0] != here[0], "another service's feed of the same name is another feed"


# --- the fragment ------------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Tags and their attributes; fails where they do not close as they open."""

    EMPTY = ("br",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str, name: str) -> list[str | None]:
        return [attrs[name] for found, attrs in self.tags if found == tag and name in attrs]


async def test_the_fragment_is_the_thread_in_plain_html(service: Service) -> None:
    first = (await service.post(name="Ann <script>", body="**One** & <b>two</b>", url="https://ann.example/")).json()
    second = (await service.post(parent=first["id"])).json()
    await service.decide(first["id"])
    answer = await get(service, HERE + "/fragment")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    page = Reader(answer.text)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "style", "link", "img", "iframe", "html", "body"})
    assert not any(name.startswith("on") or name == "style" for _, attrs in page.tags for name in attrs)
    assert page.all("article", "id") == [f"comment-{first['id']}", f"comment-{second['id']}"]
    assert page.all("article", "itemtype") == ["https://schema.org/Comment"] * 2
    assert page.all("time", "datetime") == [first["created_at"], second["created_at"]]
    assert "Ann &lt;script&gt;" in answer.text and first["html"] in answer.text and "2 Comments" in answer.text
    assert ("a", {"itemprop": "url", "href": "https://ann.example/", "rel": "nofollow ugc noopener"}) in page.tags


async def test_the_fragment_can_be_paged_by_its_own_links(service: Service) -> None:
    ids = [(await service.post()).json()["id"] for _ in range(5)]
    for order, wanted in (("oldest", ids), ("newest", ids[::-1])):
        path, seen = f"{HERE}/fragment?order={order}&limit=2", list[str]()
        while path:
            page = Reader((await get(service, path)).text)
            seen += [str(id).removeprefix("comment-") for id in page.all("article", "id")]
            following = [attrs["href"] for tag, attrs in page.tags if attrs.get("rel") == "next"]
            path = (following[0] or "").removeprefix("http://comments.test") if following else ""
        assert seen == wanted
    assert (await service.client.get(f"{HERE}/fragment?limit=0&order=best")).status_code == 422


async def test_a_closed_article_offers_no_form(service: Service) -> None:
    assert "Leave a Reply" in (await get(service, HERE + "/fragment")).text
    await service.client.put(HERE, json={"comments_open": False}, headers=await service.token("articles"))
    text = (await get(service, HERE + "/fragment")).text
    assert "Leave a Reply" not in text and "Comments are closed." in text


# --- paging, counting ---------------------------------------------------------------------------------------------------


def judged(comment: Comment) -> JudgedComment:
    return JudgedComment(
        comment=comment,
        verdict=Verdict(action="publish", reasons=(), scores=None, model=None, facts={}),
        keys=Keys(author="author", network="", body=comment.id),
        notify=False,
        email_domain="example.org",
    )


def a_thread(shape: list[int]) -> list[Comment]:
    """Each number says below which of the comments before it one hangs; 0 for none."""
    made: list[Comment] = []
    for number, above in enumerate(shape):
        made.append(a_comment(number, made[above - 1] if 0 < above <= len(made) else None))
    return made


async def store(database: Database, made: list[Comment], article: str = "post") -> None:
    async with database.transaction() as tx:
        if not await sites.sites(tx, ["default"]):
            await sites.put_site(tx, Site(key="default", name="Mine"), 1)
        await sites.put_article(tx, Article(site="default", key=article, created_at=1))
        await comments.add(tx, [judged(replace(c, article=article)) for c in made])


def in_order(made: list[Comment], newest: bool) -> list[str]:
    """Tree order, written down a second time."""
    paths = sorted(c.path for c in made)
    roots = sorted({path[:26] for path in paths}, reverse=newest)
    return [path for root in roots for path in paths if path[:26] == root]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_in_either_order_are_the_whole_thread_in_tree_order(database: Database, limit: int) -> None:
    shape = [0, 1, 1, 2, 0, 5, 5, 6, 5, 6, 7, 0, 0, 13, 14, 15, 16, 17, 13, 0]
    made = a_thread(shape)
    gone = made[4]  # a root that is no longer shown: its replies stay where they stood
    await store(database, [replace(c, status="deleted") if c is gone else c for c in made])
    for newest in (False, True):
        seen, after = list[str](), None
        async with database.reading() as session:
            while page := await comments.thread(
                session, "default", "post", newest=newest, limit=limit, after=after and (after[:26], after)
            ):
                seen += [c.path for c in page]
                after = page[-1].path
                assert len(page) <= limit
        assert seen == in_order([c for c in made if c is not gone], newest)


@given(st.integers(0, 2**47), st.integers(0, 4095))
def test_every_path_of_a_branch_is_below_the_next_id(now: int, order: int) -> None:
    id = new_id(now, order)
    assert is_id(id) and id < f"{id}/{id}" < f"{id}/zzz" < next_id(id) <= new_id(now + 1)


async def test_the_count_is_what_is_there_whatever_happens_to_comments(service: Service) -> None:
    """The number kept with the article is compared with a count of its comments after each thing that can be done."""
    moderator = await service.token("moderate,privacy")

    async def right(expected: int) -> None:
        async with service.services.database.reading() as session:
            rows = await session.fetch(
                "SELECT approved_count, (SELECT count(*) FROM comments c WHERE c.site = a.site AND c.article = a.article "
                "AND c.status = 'approved') FROM articles a WHERE site = 'default' AND article = 'post'"
            )
        assert [tuple(row) for row in rows] == [(expected, expected)]
        counted = await service.client.get("/sites/default/counts?article=post&article=none")
        assert counted.json() == {"post": expected, "none": 0}
        assert (await service.thread())["count"] == expected

    async def decide(ids: list[str], action: str) -> str:
        told = await service.client.post(
            "/api/v1/decisions", json={"comments": ids, "action": action}, headers=moderator
        )
        assert told.status_code == 200
        return str(told.json()["id"])

    told = [(await service.post(email="ann@example.org")).json() for _ in range(3)]
    held = await service.held()
    await right(3)
    taken = await decide([held, told[0]["id"]], "approve")
    await right(4)
    await service.client.post(f"/api/v1/decisions/{taken}/undo", headers=moderator)
    await right(3)
    await decide([told[0]["id"], held], "spam")
    await right(2)
    await service.client.delete(f"{HERE}/comments/{told[1]['id']}", headers={"Edit-Token": told[1]["edit_token"]})
    await right(1)
    await service.client.patch(
        f"{HERE}/comments/{told[2]['id']}",
        json={"body": "See https://blog.example/now"},
        headers={"Edit-Token": told[2]["edit_token"]},
    )
    await right(0)
    await decide([t["id"] for t in told], "approve")
    await right(3)
    await service.client.post("/api/v1/privacy/erase", json={"email": "ann@example.org"}, headers=moderator)
    await right(0)


# --- ten thousand -------------------------------------------------------------------------------------------------------

LONG, SHORT, LIMIT = 3_000, 10, 50


class Watching(Session):
    """Asks the database how it goes about each question, and counts what it answers."""

    def __init__(self, session: Session, kind: str) -> None:
        self.session, self.kind = session, kind
        self.plans: list[str] = []
        self.rows = 0

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        explain = "EXPLAIN QUERY PLAN " if self.kind == "sqlite" else "EXPLAIN "
        self.plans += [str(row[-1]) for row in await self.session.fetch(explain + sql, *args)]
        found = await self.session.fetch(sql, *args)
        self.rows += len(found)
        return found

    async def execute(self, sql: str, *args: Any) -> int:
        raise AssertionError("a reading writes nothing")

    async def execute_many(self, sql: str, rows: Any) -> None:
        raise AssertionError("a reading writes nothing")


def scans(plan: str) -> bool:
    """Reads a whole table, or sorts what it has read."""
    words = ("SCAN c", "USE TEMP B-TREE", "Seq Scan on comments", "Sort", "Bitmap Heap Scan on comments")
    return any(word in plan for word in words)


Ask = Callable[[Session, str], Any]
FIRST_SCREENS: dict[str, Ask] = {
    "oldest": lambda s, a: comments.thread(s, "default", a, newest=False, limit=LIMIT + 1, after=None),
    "newest": lambda s, a: comments.thread(s, "default", a, newest=True, limit=LIMIT + 1, after=None),
    "count": lambda s, a: comments.approved(s, "default", [a]),
    "site's feed": lambda s, a: comments.latest(s, "default", None, LIMIT),
}


async def test_a_long_threads_first_screen_reads_an_index_and_little_of_it(database: Database) -> None:
    shape = [n - n % 7 if n % 7 else 0 for n in range(LONG)]
    made = a_thread(shape)
    await store(database, made, "long")
    await store(database, [a_comment(LONG + n) for n in range(SHORT)], "short")
    async with database.transaction() as tx:
        await tx.execute("ANALYZE")
    for what, ask in FIRST_SCREENS.items():
        async with database.reading() as session:
            watching = Watching(session, database.kind)
            await ask(watching, "long")
        assert watching.plans and not [p for p in watching.plans if scans(p)], (what, watching.plans)
        assert any("USING INDEX" in p or "Index Scan" in p or "articles" in p for p in watching.plans), (
            what,
            watching.plans,
        )
        assert watching.rows <= 2 * (LIMIT + 1), what
    async with database.reading() as session:  # a page from the middle, in both orders
        for newest in (False, True):
            watching = Watching(session, database.kind)
            after = made[LONG // 2].path
            await comments.thread(watching, "default", "long", newest=newest, limit=51, after=(after[:26], after))
            assert not [p for p in watching.plans if scans(p)], watching.plans
            assert watching.rows <= 3 * (LIMIT + 1)


async def test_an_articles_feed_loads_only_what_it_shows(database: Database) -> None:
    made = a_thread([0] * LONG)
    await store(database, made)
    async with database.transaction() as tx:
        await tx.execute("ANALYZE")
    async with database.reading() as session:
        watching = Watching(session, database.kind)
        found = await comments.latest(watching, "default", "post", LIMIT)
    assert [c.id for c in found] == [c.id for c in made[: -LIMIT - 1 : -1]]
    assert watching.rows == 2 * LIMIT


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_readers_at_one_moment_wait_for_one_page_and_whoever_asks_later_has_the_later_comment(
    service: Service,
) -> None:
    threads = service.services.threads
    await service.post()
    before = threads.builds
    pages = await asyncio.gather(*(service.thread() for _ in range(20)))
    assert threads.builds == before + 1 and {page["count"] for page in pages} == {1}
    for n in range(2, 12):  # each reads what was acknowledged, though a page from before it is being built
        early = [asyncio.create_task(service.thread()) for _ in range(3)]
        await asyncio.sleep(0)
        assert (await service.post()).status_code == 201
        assert (await service.thread())["count"] == n
        await asyncio.gather(*early)


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_a_reader_who_leaves_takes_the_page_from_nobody(service: Service) -> None:
    await service.post()
    leaving = asyncio.create_task(service.thread())
    staying = [asyncio.create_task(service.thread()) for _ in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    leaving.cancel()
    assert [page["count"] for page in await asyncio.gather(*staying)] == [1, 1, 1]


async def test_a_comment_is_shown_as_of_its_revision(service: Service) -> None:
    """What is kept of a comment is of its revision: an edit, a decision and the site's setting each show at once."""
    made = (await service.post(url="https://ann.example/")).json()
    assert (await service.thread())["comments"][0]["author"]["url"] is None
    await service.decide(made["id"])
    assert (await service.thread())["comments"][0]["author"]["url"] == "https://ann.example/"
    async with service.services.database.transaction() as tx:
        site = (await sites.sites(tx, ["default"]))["default"]
        settings = site.settings.model_copy(update={"author_links": "never"})
        await sites.put_site(tx, replace(site, settings=settings), service.clock())
    service.services.directory.forget()
    assert (await service.thread())["comments"][0]["author"]["url"] is None


async def test_what_is_kept_of_comments_stays_within_its_bound(service: Service) -> None:
    shown = service.services.threads.shown
    shown._most = 400
    for _ in range(30):
        await service.post()
    page = await service.thread(limit=200)
    assert len(page["comments"]) == page["count"] and shown._size <= 400
    assert [c["id"] for c in (await service.thread(limit=200))["comments"]] == [c["id"] for c in page["comments"]]
