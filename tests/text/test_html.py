"""WordPress's HTML: what comes out, what is counted, and that what is scored is what is shown."""

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.comments.submission import UNWANTED
from moderation.text import html as hypertext
from moderation.text.html import BLOCKS, INLINE, read
from moderation.text.markdown import ATTRIBUTES, REL
from tests.text.test_markdown import SHARP, Reader

TAGS = [*INLINE, *BLOCKS, "p", "br", "hr", "div", "script", "img", "List", "h2"]
PIECES = [
    *SHARP,
    *(f"<{tag}>" for tag in TAGS),
    *(f"</{tag}>" for tag in TAGS),
    '<a href="http://a.example/?a=1&amp;b">', "<a href='https://b.example' title='hidden'>", "<a href=foo.example>", "&nbsp;",
    "&#8217;", "&#x202e;", "&#0;", "&#13;", "&bogus;", "words ", "<b class='x' onclick=y>", "<br />",
    "<ol start=5>", "<ol reversed type='A'>", "<li value=\"7\">", "https://a.example/?b&amp;c=", "https://b.example&quot;", "<!-- more -->",
]  # fmt: skip
hostile = st.one_of(st.text(st.characters()), st.lists(st.sampled_from(PIECES), max_size=60).map("".join))


class Page(Reader):
    """What a browser would find, by the tags of this format, and each of them closed."""

    def __init__(self, text: str) -> None:
        self.open: list[str] = []
        super().__init__(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in INLINE | BLOCKS | {"p", "br", "hr"}, tag
        found = dict(attrs)
        assert set(found) == {"href", "rel"} if tag == "a" else set(found) <= ATTRIBUTES.get(tag, set()), found
        if tag == "a":
            assert found["rel"] == REL
            self.hrefs.append(found["href"] or "")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("source", "page", "text"),
    [
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>", "one\ntwo\n\nthree"),
        ("<p>a</p><p>b<br />\nc</p>", "<p>a</p>\n<p>b<br>\nc</p>", "a\n\nb\nc"),
        ("a<br>\n\nb", "<p>a</p>\n<p>b</p>", "a\n\n\nb"),
        ("<b>bold</b> <i>it</i> <q>q</q>", "<p><b>bold</b> <i>it</i> <q>q</q></p>", "bold it q"),
        ("x <em>a\n\nb</em> y", "<p>x <em>a</em></p>\n<p><em>b</em> y</p>", "x a\n\nb y"),
        ("<b><i>x</b>y</i>", "<p><b><i>x</i></b>y</p>", "xy"),
        ("a < b & c <3 &lt;b&gt; &amp;", "<p>a &lt; b &amp; c &lt;3 &lt;b&gt; &amp;</p>", "a < b & c <3 <b> &"),
        ("List<String> of <http://a b>", "<p>List&lt;String&gt; of &lt;http://a b&gt;</p>", None),
        ("<script>alert(1)</script><img src=x onerror=y>", "<p>alert(1)</p>", "alert(1)"),
        ("<div>a</div><div>b</div>", "<p>a</p>\n<p>b</p>", "a\n\nb"),
        ("<!-- wp:paragraph -->a<!-- /wp:paragraph -->", "<p>a</p>", "a"),
        ("<blockquote>a\n\nb</blockquote>c", "<blockquote><p>a</p>\n<p>b</p>\n</blockquote>\n<p>c</p>", "a\n\nb\n\nc"),
        ("<ul><li>a<li>b</ul>", "<ul><li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>", "a\nb"),
        ("<pre>  a\n\n b</pre>", "<pre>  a\n\n b</pre>", "  a\n\n b"),
        ("<b class=x onclick='y'>z</b>", "<p><b>z</b></p>", "z"),
        ("<a href='javascript:alert(1)'>x</a>", "<p>x</p>", "x"),
        ("<a href='/here'>x</a>", "<p>x</p>", "x"),
        (
            '<ol start="5"><li>five</li><li>six</li></ol>',
            '<ol start="5"><li><p>five</p>\n</li>\n<li><p>six</p>\n</li>\n</ol>',
            "five\nsix",
        ),
        (
            "<ol class=x reversed TYPE=a><li value='9' onclick=y>nine</ol>",
            '<ol reversed="" type="a"><li value="9"><p>nine</p>\n</li>\n</ol>',
            "nine",
        ),
        ("a<hr>b<hr />c", "<p>a</p>\n<hr>\n<p>b</p>\n<hr>\n<p>c</p>", "a\n\nb\n\nc"),
        ("<ol start=x type=disc><li value=>a</ol>", "<ol><li><p>a</p>\n</li>\n</ol>", "a"),
        ("", "", ""),
    ],
)
def test_what_comes_out(source: str, page: str, text: str | None) -> None:
    found = read(source)
    if "http://a" in source:
        page = page.replace("http://a b", f'<a href="http://a" rel="{REL}">http://a</a> b')
    assert found.html.strip() == page
    assert found.text == (html.unescape(source) if text is None else text)


@pytest.mark.parametrize(
    ("source", "text", "links"),
    [
        ("<a href='http://a.example/?x=1&amp;y'>here</a>", "here (http://a.example/?x=1&y)", 1),
        ('<a href="http://a.example/">http://a.example</a>', "http://a.example", 1),
        ("http://a.example and https://b.example.", "http://a.example and https://b.example.", 2),
        ("<code>http://a.example</code>", "http://a.example", 0),
        ("<a href=pills.example>x</a> [url=pills.example]y[/url]", "x [url=pills.example]y[/url]", 2),
        (
            "<a href='http://a.example'>a <a href='http://b.example'>b</a>",
            "a (http://a.example)b (http://b.example)",
            2,
        ),
    ],
)
def test_links_are_counted_and_the_text_says_where_they_lead(source: str, text: str, links: int) -> None:
    found = read(source)
    assert (found.text, len(found.link_hosts)) == (text, links)


@pytest.mark.parametrize(
    ("source", "hrefs"),
    [
        ("Here: https://a.example/watch?v=abc&amp;list=def it is.", ["https://a.example/watch?v=abc&list=def"]),
        ("https://a.example/?a=1&#038;b=2", ["https://a.example/?a=1&b=2"]),
        ("https://a.example/?a=1&#x26;b=2&amp;c=3.", ["https://a.example/?a=1&b=2&c=3"]),
        ("&quot;https://a.example/x&quot; &lt;https://b.example/y&gt;", ["https://a.example/x", "https://b.example/y"]),
        (
            "&laquo;https://a.example/x&raquo; https://b.example/y&#8230;",
            ["https://a.example/x", "https://b.example/y"],
        ),
        ("https://a.example/x&nbsp;y", ["https://a.example/x"]),
        ("https://a.example/?a=1&copy=2", ["https://a.example/?a=1&copy=2"]),
        ('<a href="https://a.example/?a=1&copy=2&amp;b=3">x</a>', ["https://a.example/?a=1&copy=2&b=3"]),
        ("(https://a.example/x)(https://b.example/y)", ["https://a.example/x", "https://b.example/y"]),
    ],
)
def test_a_bare_address_is_whole(source: str, hrefs: list[str]) -> None:
    found = read(source)
    page = Page(found.html)
    assert page.hrefs == hrefs
    if "<a" not in source:
        assert all(href in page.shown for href in hrefs)
        assert found.text == html.unescape(source).replace("\xa0", " ").replace("©=", "&copy=")


@settings(max_examples=600, deadline=None)
@given(hostile)
def test_nothing_but_the_promised_tags_comes_out_and_nothing_is_shown_that_is_not_scored(source: str) -> None:
    found = read(source)
    page = Page(found.html)
    assert all(href.lower().startswith(("http://", "https://")) for href in page.hrefs)
    assert len(found.link_hosts) >= len(page.hrefs)
    if not re.search(r"<a\s", source, re.IGNORECASE):
        text = "".join(UNWANTED.sub("", found.text).split())
        assert text == "".join(UNWANTED.sub("", page.shown).split())


@settings(max_examples=600, deadline=None)
@given(hostile)
def test_every_character_of_the_text_stands_where_its_span_says(source: str) -> None:
    found = read(source)
    whole = source.encode("utf-8", "replace").decode()
    for place, character in enumerate(found.text):
        start, end = found.in_source(place, place + 1)
        assert 0 <= start <= end <= len(source)
        piece = source[start:end]
        if character not in (whole[start:end], piece) and not character.isspace() and character not in "()":
            assert character in html.unescape(piece) or "http" in piece.lower() or character == "\ufffd", (
                character,
                piece,
            )


def test_a_word_that_tags_interrupt_is_found_whole() -> None:
    source = "cheap via<b>gra</b> &amp; more"
    found = read(source)
    assert found.text == "cheap viagra & more"
    for word, stands in (("viagra", "via<b>gra"), ("viagra &", "via<b>gra</b> &amp;"), ("more", "more")):
        start, end = found.in_source(found.text.index(word), found.text.index(word) + len(word))
        assert source[start:end] == stands


LONG = 65_000
CROWD = "<b><i><s><strong><em><acronym><abbr><cite><q><del>"


@pytest.mark.parametrize(
    "unit",
    ["<b>", "<b a=1>", "<a href=http://a>x", "<a '", "<a \"<a '", "<", "<p>", "\n\na", "<b>a\n\n", "<blockquote>", "<ul>", "<li>",
     "<ul><li>a", "&amp;", "&", "<!--", "<!-- --", "<br>", "http://a ", "<a href=http://a.example/>b</a> ", "<pre>", "</b>", "<x",
     "<code>http://", "http://&lt;", "http://a&amp;", "http://a)", "<ol start=5><li value=7>", "&#1;", " \n", "<br> ", "<a href=\"", "x<b>", "<i></b>"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", CROWD])
def test_hostile_lengths_take_no_longer_than_their_length_and_grow_no_further(before: str, unit: str) -> None:
    source = before + unit * (LONG // len(unit))
    began = time.process_time()
    found = hypertext.read.__wrapped__(source)
    found.in_source(0, len(found.text))
    assert time.process_time() - began < 4
    assert len(found.html) < 16 * LONG
