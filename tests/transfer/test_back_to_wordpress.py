"""Our WXR in the WordPress that the comments came from. Its importer is modelled by its two questions, `post_exists` (title,
date, type) and `comment_exists` (author, date), and by the tags that `wp_filter_kses` leaves."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest

from moderation.comments.model import Comment
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.text import body as formats
from moderation.transfer import exporting
from moderation.transfer.wxr import allowed
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import Row

pytestmark = pytest.mark.anyio
WP, CONTENT, DC = (
    "{http://wordpress.org/export/1.2/}",
    "{http://purl.org/rss/1.0/modules/content/}",
    "{http://purl.org/dc/elements/1.1/}",
)
KEPT = ["a", "abbr", "acronym", "b", "blockquote", "cite", "code", "del", "em", "i", "q", "s", "strike", "strong"]


@pytest.fixture
async def blog(service: Service) -> Service:
    """With a site without the demo's articles."""
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="blog", name="A blog"), 1)
    service.services.directory.forget()
    return service


def text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


@dataclass
class WordPress:
    posts: dict[tuple[str, str, str], str] = field(default_factory=dict)
    comments: dict[tuple[str, str], tuple[str, str, str]] = field(default_factory=dict)
    """(author, local date) → (number, post, parent)."""
    new: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)

    def take(self, data: bytes) -> None:
        self.new = []
        for item in ElementTree.fromstring(data).iter("item"):
            known = text(item, "title"), text(item, WP + "post_date"), text(item, WP + "post_type")
            if known not in self.posts:
                self.posts[known] = text(item, WP + "post_id")
                self.new.append(f"post {known[0]} by {text(item, DC + 'creator')}")
            numbers = {number: number for number, _, _ in self.comments.values()}
            for comment in sorted(item.iter(WP + "comment"), key=lambda c: int(text(c, WP + "comment_id"))):
                number, parent = text(comment, WP + "comment_id"), text(comment, WP + "comment_parent")
                key = text(comment, WP + "comment_author"), text(comment, WP + "comment_date")
                if key in self.comments:
                    continue
                numbers[number] = str(len(self.comments) + 5_000)
                self.comments[key] = (
                    numbers[number] if self.posts else number,
                    self.posts[known],
                    numbers.get(parent, parent),
                )
                self.new.append(f"comment by {key[0]} below {parent}")
                self.contents.append(text(comment, WP + "comment_content"))


async def wxr_of(service: Service, site: str = "blog") -> bytes:
    pieces = list[bytes]()
    async with service.services.database.reading() as session:
        record = (await sites.sites(session, [site]))[site]
    await exporting.write_wxr(service.services.database, record, service.services.links, pieces.append)
    return b"".join(pieces)


def original() -> bytes:
    """Two hours east of Greenwich, with a page, an author, entities in names, and a comment of a user's."""
    rows = [Row(1, name="Ann &amp; Bo"), Row(2, 1), Row(3, status="pending"), Row(4, status="spam")]
    data = foreign.wxr(
        foreign.wxr_post(rows, title="Hello &amp; <em>welcome</em>  back"),
        foreign.wxr_post([Row(7)], 13, type="page", title="About", link="https://blog.example/about/"),
    ).decode()
    data = re.sub(r"(<wp:comment_date><!\[CDATA\[2020-05-01 )(\d\d)", lambda m: f"{m[1]}{int(m[2]) + 2:02}", data)
    return data.replace("<wp:comment_user_id>0", "<wp:comment_user_id>3", 1).encode()


@pytest.mark.parametrize("name", ["Ann & Bo <b>", "O&#039;Neil &quot;Bo&quot;", "O'Neil &amp; &lt;Bo&gt;", "Ann"])
async def test_an_author_goes_back_in_the_spelling_that_came(blog: Service, bring: Bring, name: str) -> None:
    data = foreign.wxr(foreign.wxr_post([Row(1, name=name)]))
    there = WordPress()
    there.take(data)
    await bring(data, site="blog")
    there.take(await wxr_of(blog))
    assert there.new == []


@pytest.mark.parametrize("keys", ["id", "path"])
async def test_nothing_is_doubled_and_what_is_new_stands_where_it_belongs(
    blog: Service, bring: Bring, keys: str
) -> None:
    there = WordPress()
    there.take(original())
    assert len(there.new) == 7
    there.comments = {
        key: (number, post, parent)
        for (key, (_, post, parent)), number in zip(there.comments.items(), "12347", strict=True)
    }
    await bring(original(), keys=keys, site="blog")
    there.take(await wxr_of(blog))
    assert there.new == []
    key = "12" if keys == "id" else foreign.PATH_KEY
    (first,) = (await blog.thread(key, "blog"))["comments"]
    await blog.post(key, "blog", parent=first["id"], name="Cem", email="cem@example.org", body="A new reply")
    data = await wxr_of(blog)
    there.take(data)
    assert there.new == ["comment by Cem below 1"]
    assert there.comments["Cem", sorted(date for name, date in there.comments if name == "Cem")[0]][2] == "1"
    item = ElementTree.fromstring(data).find("channel/item")
    assert item is not None
    assert (text(item, WP + "post_name"), text(item, WP + "post_type"), text(item, DC + "creator")) == (
        "hello",
        "post",
        "owner",
    )
    assert [text(user, ".") for user in item.iter(WP + "comment_user_id")].count("3") == 1
    there.take(await wxr_of(blog))
    assert there.new == []  # and a second time


async def test_a_new_comment_has_the_time_of_the_blog(blog: Service, bring: Bring) -> None:
    await bring(original(), site="blog")
    answer = await blog.post("12", "blog", name="Cem", email="cem@example.org", body="A new comment")
    made = answer.json()["created_at"]
    comment = next(
        c
        for c in ElementTree.fromstring(await wxr_of(blog)).iter(WP + "comment")
        if text(c, WP + "comment_author") == "Cem"
    )
    assert text(comment, WP + "comment_date_gmt") == made[:19].replace("T", " ")
    assert int(text(comment, WP + "comment_date")[11:13]) == (int(made[11:13]) + 2) % 24


async def test_two_of_one_author_in_one_second_stay_two(blog: Service, bring: Bring) -> None:
    for body in ("One thing to say", "And another thing"):
        assert (await blog.post("new", "blog", body=body)).status_code == 201
    there = WordPress()
    there.take(await wxr_of(blog))
    assert sum(line.startswith("comment") for line in there.new) == 2


async def test_the_way_back_goes_through_our_own_export_too(blog: Service, bring: Bring, tmp_path: Path) -> None:
    await bring(original(), site="blog")
    there = WordPress()
    there.take(original())
    pieces = list[bytes]()
    await exporting.write_jsonl(blog.services.database, Site(key="blog", name="x"), 1, pieces.append)
    async with blog.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="copy", name="Copy"), 1)
    await bring(b"".join(pieces), site="copy")
    there.take(await wxr_of(blog, "copy"))
    assert there.new == []


def through_kses(content: str) -> Iterator[str]:
    """The paragraphs that are left: other tags go, `wpautop` splits at blank lines."""
    kept = re.sub(rf"</?(?!(?:{'|'.join(KEPT)})\b)[a-z][^>]*>", "", content)
    for part in re.split(r"\n\s*\n|</?blockquote>", kept):
        if words := html.unescape(re.sub(r"<[^>]+>", "", part)).strip():
            yield words


@pytest.mark.parametrize(
    "body, paragraphs",
    [
        ("One.\n\nTwo,\nin two lines.\n\nThree.", ["One.", "Two,\nin two lines.", "Three."]),
        ("Before\n\n- a\n- b **bold**\n\nafter", ["Before", "- a\n- b bold", "after"]),
        ("1. a\n2. b", ["1. a\n2. b"]),
        ("3. a\n4. b", ["3. a\n4. b"]),
        ("24. Dezember: ja", ["24. Dezember: ja"]),
        ("before\n\n* * *\n\nafter", ["before", "* * *", "after"]),
        ("- a\n  - b\n- c", None),
        ("> Said.\n\nAnswer.", ["Said.", "Answer."]),
        ("```\na < b\n\nc\n```\n\nwords", None),
        ("See [this](https://a.example/?x=1&y=2) and `code`.", ["See this and code."]),
    ],
)
def test_no_paragraph_is_lost_to_the_tags_that_wordpress_allows(body: str, paragraphs: list[str] | None) -> None:
    comment = Comment(
        id="x", site="s", article="a", parent=None, path="x", status="approved", revision=1, name="", email="", url=None,
        body=body, html=formats.render(body, "markdown").html, created_at=1,
    )  # fmt: skip
    content = allowed(comment)
    assert set(re.findall(r"</?([a-z]+)", content)) <= set(KEPT)
    shown = list(through_kses(content))
    if paragraphs is not None:
        assert shown == paragraphs
    for word in re.findall(r"\w+", body):
        assert word in " ".join(shown) or word in ("https", "example", "x", "y", "1", "2")


def test_the_numbers_of_a_list_are_kept() -> None:
    source = '<ol start="5"><li>five</li><li>six</li><li value="9">nine</li></ol><ol reversed><li>b</li><li>a</li></ol>'
    comment = Comment(
        id="x", site="s", article="a", parent=None, path="x", status="approved", revision=1, name="", email="", url=None,
        body=source, html=formats.render(source, "html").html, created_at=1,
    )  # fmt: skip
    assert list(through_kses(allowed(comment))) == ["5. five\n6. six\n9. nine", "2. b\n1. a"]
