import time
from html.parser import HTMLParser
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.text import markdown
from moderation.text.markdown import REL, TAGS, count_links, excerpt, render
from tests.budget import daily

SHARP = [
    "<script>", "</script>", "<img src=x onerror=alert(1)>", "<a href=\"javascript:alert(1)\">", "javascript:",
    "JaVaScRiPt:", "&#106;avascript:", "java\tscript:", "data:text/html,", "[", "](", ")", "![", "*", "**", "~~", "`",
    "```\n", "> ", "- ", "1. ", "# ", "\n", "\n\n", "    ", "http://", "https://a.example/", "<https://b.example>",
    "<", ">", "\"", "'", "&lt;", "&", "\\", "\x00", "\ud800", "\u202e", "[x]: javascript:alert(1)\n", "onclick=",
    "a", " ", "_", "://", "HTTP://", "(", "]", "[url=", "<svg/onload=alert(1)>", "<!--", "-->", "<![CDATA[",
]  # fmt: skip
hostile = st.one_of(st.text(st.characters()), st.lists(st.sampled_from(SHARP), max_size=40).map("".join))


class Reader(HTMLParser):
    """What a browser would find: only the tags and attributes that we promise."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.shown = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        found = dict(attrs)
        assert set(found) == ({"href", "rel"} if tag == "a" else set()), found
        if tag == "a":
            assert found["rel"] == REL
            self.hrefs.append(found["href"] or "")

    def handle_data(self, data: str) -> None:
        self.shown += data


@settings(max_examples=500)
@given(hostile)
def test_nothing_but_the_promised_tags_comes_out(body: str) -> None:
    out = render(body)
    read = Reader(out)
    assert all(href.lower().startswith(("http://", "https://")) for href in read.hrefs)
    assert "<script" not in out.lower()
    assert "<img" not in out.lower()


@given(hostile)
def test_the_count_is_never_below_the_links_shown(body: str) -> None:
    assert count_links(body) >= len(Reader(render(body)).hrefs)


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <del>d</del></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# Loud", "<p><strong>Loud</strong></p>"),
        ("<b>hi</b>", "<p>&lt;b&gt;hi&lt;/b&gt;</p>"),
        ("    indented", "<p>indented</p>"),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("[x](mailto:a@b.example)", "<p>[x](mailto:a@b.example)</p>"),
        ("[x](/local)", "<p>[x](/local)</p>"),
        ("[x](//host.example)", "<p>[x](//host.example)</p>"),
        ("[x](https://a.example)", f'<p><a href="https://a.example" rel="{REL}">x</a></p>'),
        ("![x](https://a.example)", f'<p>!<a href="https://a.example" rel="{REL}">x</a></p>'),
        ("> wise\n\n- so", "<blockquote>\n<p>wise</p>\n</blockquote>\n<ul>\n<li>so</li>\n</ul>"),
        ("<http://[>", "<p>http://[</p>"),
        ("", ""),
    ],
)
def test_the_subset(body: str, out: str) -> None:
    assert render(body).strip() == out


@pytest.mark.parametrize(
    ("body", "hrefs"),
    [
        ("see https://a.example/b_c_d.", ["https://a.example/b_c_d"]),
        ("(see http://a.example/x)", ["http://a.example/x"]),
        ("http://a.example/Gate_(garden)", ["http://a.example/Gate_(garden)"]),
        ("**https://a.example**", ["https://a.example"]),
        ("请看https://a.example/。谢谢", ["https://a.example/"]),
        ("<https://a.example>", ["https://a.example"]),
        ("[https://a.example](https://b.example)", ["https://b.example"]),
        ("`https://a.example`", []),
        ("xhttp://a.example", []),
        ("http://", []),
        ("http\\://a.example", []),
    ],
)
def test_addresses(body: str, hrefs: list[str]) -> None:
    assert Reader(render(body)).hrefs == hrefs


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ("none", 0),
        ("https://a.example and [b](https://b.example) and <https://c.example>", 3),
        ("[url=http://a.example]a[/url]", 1),
        ("[url]http://a.example[/url]", 1),
        ("[URL=a.example]a[/URL] [url='b.example']b[/url]", 2),
        ('<a href="http://a.example">a</a>', 1),
        ("<a class=x href=a.example>a</a> <A HREF = 'b.example'>b</A>", 2),
        ('`<a href="http://a.example">`', 0),
    ],
)
def test_counting_links(body: str, links: int) -> None:
    assert count_links(body) == links


LONG = 65_000


def seconds(body: str) -> float:
    """Of the processor, to read it in every way."""
    began = time.process_time()
    Reader(render(body))
    count_links(body)
    excerpt(body)
    return time.process_time() - began


@pytest.fixture(scope="module")
def ordinary() -> float:
    """The same for as long a text of which every word is emphasised: what is linear on this machine."""
    return seconds("*a* " * (LONG // 4))


@pytest.mark.parametrize(
    "unit",
    daily(["[", "*", "a*", "**a", "*a_ ", "![", "[a](", "](", "<", ">", "> ", "- ", "1. ", "`", "``` ", "&", "~~", "~a", "\\",
     "http://", "http://a ", "http://)", "<a href ", "<a href=", "<a ", "[url=", "[url= ", "a\n", ">\n", "[a][", "[]",
     "<http://", "(", "http://((", "#\n", "a: ", "* a\n * a\n  * a\n", "\u0301", "\x00"], 8),
)  # fmt: skip
def test_hostile_lengths_take_no_longer_than_their_length(ordinary: float, unit: str) -> None:
    for body in ("x" + unit * (LONG // len(unit)), unit * (LONG // len(unit))):
        assert seconds(body) < 3 * ordinary


@given(
    st.lists(
        st.sampled_from([*"[!()*_`<>a\\\n", "http://a.b ", "~~", "# ", "- ", "1. ", "&amp;", "<a href="]), max_size=40
    )
)
def test_where_nothing_closes_a_label_the_shorter_parser_makes_the_same(pieces: list[str]) -> None:
    body = markdown.whole("".join(pieces))
    assert markdown._WITHOUT_LABELS.render(body) == markdown._PARSER.render(body)


def test_excerpts() -> None:
    assert excerpt("a  b\nc") == "a b c"
    assert excerpt("one two, three", 2) == "one two…"
    assert excerpt("one two", 2) == "one two"
    assert excerpt("篱笆需要一扇门", 4) == "篱笆需要…"
    assert excerpt("", 3) == ""


@given(st.text(st.characters()), st.integers(0, 60))
def test_an_excerpt_is_one_encodable_line_of_so_many_words(text: str, words: int) -> None:
    cut = excerpt(text, words)
    cut.encode()
    assert len(cut.split()) <= max(words, 0)
    assert len(cut) <= len(text) + 1


PLAIN = st.text(alphabet="abÄé ,.!?'\"()-:/=+\n\n1", max_size=60)


@settings(max_examples=400, deadline=None)
@given(st.one_of(PLAIN, st.text(alphabet="ab .,<>&\n*_`[]()#-1:/hpt\\", max_size=60)))
def test_plain_text_takes_a_short_way_to_the_same_page(text: str) -> None:
    with mock.patch.object(markdown, "_is_plain", lambda body: False):  # everything looks marked up: the parser's way
        long_way = markdown.render_and_count(text)
    assert markdown.render_and_count(text) == long_way
