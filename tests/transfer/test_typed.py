"""Texts come in as their authors typed them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.text import body as formats
from moderation.transfer.typed import imported_html, imported_markdown, markdown_of, untracked
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import Row

pytestmark = pytest.mark.anyio
CASES = Path(__file__).parent / "cases"


def database(tmp_path: Path, script: str) -> Path:
    file = tmp_path / "comments.db"
    connection = sqlite3.connect(file)
    connection.executescript(script)
    connection.close()
    return file


async def test_isso_s_html_and_markdown(service: Service, bring: Bring, tmp_path: Path) -> None:
    result = await bring(database(tmp_path, (CASES / "isso-html.sql").read_text()))
    assert result["comments"] == {"approved": 3}
    first, third = (await service.thread("2012~beans"))["comments"]
    (second,) = first["replies"]
    assert first["html"] == (
        '<p>We sowed beans,<br>\nand <a href="https://garden.example/" rel="nofollow ugc noopener">wrote of it</a>.</p>\n'
    )
    assert "<em>words</em>" in second["html"] and "a &lt; b" in second["html"]
    assert "<code>List&lt;String&gt;</code>" in second["html"]
    assert third["html"] == "<p>Mixed with <strong>stars</strong></p>\n"


@pytest.mark.parametrize(
    "written, shown",
    [
        ("<p>One.</p><p>Two.</p>", "<p>One.</p>\n<p>Two.</p>\n"),
        ("a &amp; b &lt;i&gt; <b>c</b>", "<p>a &amp; b &lt;i&gt; <strong>c</strong></p>\n"),
        (
            "<blockquote><p>Said.</p></blockquote><p>Answer.</p>",
            "<blockquote>\n<p>Said.</p>\n</blockquote>\n<p>Answer.</p>\n",
        ),
        ("<ol><li>one</li><li>two</li></ol>", "<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"),
        ('<ol start="5"><li>five</li><li>six</li></ol>', '<ol start="5">\n<li>five</li>\n<li>six</li>\n</ol>\n'),
        ('<ol><li>one</li><li value="24">Dec</li></ol>', "<p>1. one</p>\n<p>24. Dec</p>\n"),
        ("<ul><li>one</li><li>two</li></ul>", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
        ("<p>x</p> `<b>` and List<String>", "<p>x</p>\n<p><code>&lt;b&gt;</code> and List&lt;string&gt;</p>\n"),
        ('<p><a href="javascript:x()">y</a></p>', "<p>y</p>\n"),
        ("<p>1</p><style>p{}</style><script>alert(1)</script>", "<p>1</p>\n"),
        ("<pre><code>a < b</code></pre>", None),
        ("<pre><code>a &lt; b</code></pre>", None),
        ("<code>a &lt; b</code>", "<p><code>a &lt; b</code></p>\n"),
        ("one<br />\ntwo<br>three", "<p>one<br>\ntwo<br>\nthree</p>\n"),
        ("<div>one</div><div>two</div>", "<p>one<br>\ntwo</p>\n"),
        ("<b>bold </b>word, <em> thin</em>", "<p><strong>bold</strong> word,  <em>thin</em></p>\n"),
        ("<b>never ends", "<p>never ends</p>\n"),
        ("the <script> tag is <b>old</b>", "<p>the &lt;script&gt; tag is <strong>old</strong></p>\n"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "<p>a b</p>\n"),
        ("if a < b and b > c", "<p>if a &lt; b and b &gt; c</p>\n"),
    ],
)
def test_html_within_markdown_is_what_it_means(written: str, shown: str | None) -> None:
    html = formats.render(markdown_of(written), "markdown").html
    if shown is None:
        assert "a &lt; b" in html and "&lt;pre" not in html
    else:
        assert html.lower() == shown.lower()


@given(st.text(max_size=300) | st.text("<>/abip`*\n\"'=& ", max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_a_safe_text(text: str) -> None:
    for made, format in (
        (markdown_of(text), "markdown"),
        (imported_html(text), "html"),
        (imported_markdown(text), "markdown"),
    ):
        assert "<script" not in formats.render(made, format).html


async def test_old_schemas_of_isso(service: Service, bring: Bring, tmp_path: Path) -> None:
    script = """CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE);
    CREATE TABLE comments (tid, id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT, mode INTEGER, text VARCHAR, author VARCHAR);
    INSERT INTO threads VALUES (1, '/a/');
    INSERT INTO comments VALUES (1, 1, NULL, 1351405924, 1, 'First', 'Ann'), (1, 2, 1, NULL, 1, 'Without a date', 'Bo');"""
    assert (await bring(database(tmp_path, script)))["comments"] == {"approved": 2}
    (first,) = (await service.thread("a"))["comments"]
    assert first["replies"][0]["created_at"] == first["created_at"]


async def test_the_first_schema_of_isso_counts_on_each_page(service: Service, bring: Bring, tmp_path: Path) -> None:
    script = """CREATE TABLE comments (path VARCHAR(255) NOT NULL, id INTEGER NOT NULL, created FLOAT NOT NULL, modified FLOAT,
    text VARCHAR, author VARCHAR(64), hash VARCHAR(32), website VARCHAR(64), parent INTEGER, mode INTEGER, PRIMARY KEY (id, path));
    INSERT INTO comments VALUES ('/a/', 1, 1351405924, NULL, 'On a', 'Ann', '', NULL, NULL, 1),
    ('/b/', 1, 1351405924, NULL, 'On b', 'Ann', '', NULL, NULL, 1), ('/b/', 2, 1351405925, NULL, 'Reply', 'Bo', '', NULL, 1, 2);"""
    file = database(tmp_path, script)
    assert (await bring(file))["comments"] == {"approved": 2, "pending": 1}
    assert (await bring(file))["here_already"] == 3
    assert [(await service.thread(key))["count"] for key in ("a", "b")] == [1, 1]


async def test_a_link_through_disqus_leads_to_its_aim(service: Service, bring: Bring) -> None:
    await bring(CASES / "disqus-tracked-links.xml")
    (comment,) = (await service.thread("a"))["comments"]
    assert 'href="https://garden.example/x?a=1"' in comment["html"]
    assert "disq.us" not in comment["html"] + comment["text"]


@pytest.mark.parametrize(
    "url, aim",
    [
        ("https://disq.us/url?url=https%3A%2F%2Fa.example%2Fx%3Aq1w2e3r4t5y6u7i8o9p&cuid=1", "https://a.example/x"),
        ("http://disq.us/url?impression=1&url=http%3A%2F%2Fa.example%2F", "http://a.example/"),
        ("https://disq.us/url?url=javascript%3Ax", "https://disq.us/url?url=javascript%3Ax"),
        ("https://disq.us/p/1abc", "https://disq.us/p/1abc"),
        (
            "https://disq.us.evil.example/url?url=https%3A%2F%2Fa.example",
            "https://disq.us.evil.example/url?url=https%3A%2F%2Fa.example",
        ),
        ("http://[", "http://["),
    ],
)
def test_only_what_is_known_is_unwrapped(url: str, aim: str) -> None:
    assert untracked(url) == aim


async def test_bare_addresses_are_whole(service: Service, bring: Bring) -> None:
    await bring(CASES / "wxr-bare-address-with-amp.xml")
    first, second = (await service.thread("1"))["comments"]
    assert 'href="https://video.example/watch?v=abc&amp;list=def"' in first["html"]
    assert 'href="https://video.example/watch?v=abc&amp;t=9"' in second["html"]


def test_addresses_in_code_and_links_stay_as_they_are() -> None:
    text = '<code>https://a.example/?x=1&amp;copy=2</code> <a href="https://a.example/?x=1&amp;copy=2">y</a>'
    assert imported_html(text) == text


async def test_a_picture_alone_keeps_its_address(service: Service, bring: Bring) -> None:
    bodies = [
        '<img src="https://a.example/p.png">',
        "<p><img alt='A bean' class=x src=\"//a.example/b.png?a=1&amp;b=2\" /></p>",
        'Well <img class="wp-smiley" alt=":-)" src="https://a.example/s.gif"> done',
        '<iframe src="https://v.example/embed/1"></iframe>',
    ]
    await bring(foreign.wxr(foreign.wxr_post([Row(n, body=body) for n, body in enumerate(bodies, 1)])))
    shown = [comment["html"] for comment in (await service.thread("12"))["comments"]]
    assert 'href="https://a.example/p.png"' in shown[0]
    assert 'href="https://a.example/b.png?a=1&amp;b=2"' in shown[1] and "A bean" in shown[1]
    assert ":-)" in shown[2] and "s.gif" not in shown[2]
    assert 'href="https://v.example/embed/1"' in shown[3]
    assert imported_markdown("![](//a.example/p.png) [@Ann](#1): yes") == "https://a.example/p.png @Ann: yes"
    address = "https://a.example/?x=1&amp;y=2"
    assert imported_markdown(f"{address} `{address}` <{address}>") == (
        f"https://a.example/?x=1&y=2 `{address}` <https://a.example/?x=1&y=2>"
    )
    assert markdown_of('<img src="//a.example/p.png?a=1&amp;b=2">') == "https://a.example/p.png?a=1&b=2"
    assert markdown_of('Yes <img class="emoji" src="//a.example/p.png" alt="smile">') == "Yes smile"
    linked = '<a href="https://a.example/big.jpg"><img src="https://a.example/small.jpg" alt="A bean"></a>'
    for text, format in ((imported_html(linked), "html"), (markdown_of(linked), "markdown")):
        assert formats.render(text, format).html.count("<a ") == 1
        assert (
            'href="https://a.example/big.jpg" rel="nofollow ugc noopener">A bean</a>'
            in formats.render(text, format).html
        )
    assert imported_html('<img src="/p/a.png">') == markdown_of('<img src="/p/a.png">') == "/p/a.png"
    assert 'href="https://v.example/1.swf"' in imported_html('<object data="https://v.example/1.swf"></object>')
    assert imported_html('<img src="javascript:x">') == markdown_of('<img src="data:image/png;base64,x">') == ""
    assert markdown_of('<iframe src="https://v.example/1"></iframe>') == "https://v.example/1"
    assert imported_markdown("![](https://a.example/p.png) ![x](https://a.example/q.png 't')") == (
        "https://a.example/p.png [x](<https://a.example/q.png>)"
    )


async def test_without_a_date_it_has_that_of_what_it_answers_or_of_its_article(service: Service, bring: Bring) -> None:
    data = foreign.wxr(foreign.wxr_post([Row(1), Row(2, 1, at=1), Row(3, 2, at=1), Row(4, at=1)]))
    result = await bring(data.replace(b"1970-01-01 00:00:01", b"0000-00-00 00:00:00"))
    assert (result["comments"], result["skipped"]) == ({"approved": 4}, {})
    fourth, first = sorted((await service.thread("12"))["comments"], key=lambda comment: str(comment["created_at"]))
    assert fourth["created_at"] == "2020-05-01T09:00:00.000Z"  # its post's
    second = first["replies"][0]
    assert first["created_at"] == second["created_at"] == second["replies"][0]["created_at"]
    again = await bring(data.replace(b"1970-01-01 00:00:01", b"0000-00-00 00:00:00"))
    assert (again["comments"], again["here_already"]) == ({}, 4)
