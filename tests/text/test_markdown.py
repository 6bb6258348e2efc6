import time
from html.parser import HTMLParser
from unittest import mock

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.text import markdown
from moderation.text.markdown import ATTRIBUTES, REL, TAGS, count_links, excerpt, render
from tests.budget import daily

SHARP = [
    "<script>", "</script>", "<img src=x onerror=alert(1)>", "<a href=\"javascript:alert(1)\">", "javascript:",
    "JaVaScRiPt:", "&#106;avascript:", "java\tscript:", "data:text/html,", "[", "](", ")", "![", "*", "**", "~~", "`",
    "```\n", "> ", "- ", "1. ", "24. ", "09) ", "* * *\n", "# ", "\n", "\n\n", "    ", "http://", "https://a.example/", "<https://b.example>",
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
        assert set(found) == {"href", "rel"} if tag == "a" else set(found) <= ATTRIBUTES.get(tag, set()), found
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
        ("# ", "<p>#</p>"),
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
        ("(siehe »https://a.example/x«)", ["https://a.example/x"]),
        ("‹https://a.example/x›, „https://b.example/y“", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example/x… https://b.example/y...", ["https://a.example/x", "https://b.example/y"]),
        ("(https://a.example/x)and", ["https://a.example/x"]),
        ("(https://a.example/x)(https://b.example/y)", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example/Gate_(garden)x", ["https://a.example/Gate_(garden)x"]),
        ("見てhttps://a.example/x、そして〈https://b.example/y〉", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example/x—which is https://b.example/y–", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example/x؟ https://b.example/y।", ["https://a.example/x", "https://b.example/y"]),
        ("https://a.example's https://b.example/y❤️", ["https://a.example", "https://b.example/y"]),
        ("https://a.example/x\u200e", ["https://a.example/x"]),
        ("https://a.example/ä/你好", ["https://a.example/%C3%A4/%E4%BD%A0%E5%A5%BD"]),
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


def numbered(page: str) -> str:
    """The text that a browser shows, with the number of each item of an ordered list before it."""
    root, lines = BeautifulSoup(page, "html.parser"), []
    for item in root.select("ol > li"):
        above = item.parent
        assert above is not None
        place = above.find_all("li", recursive=False).index(item)
        item.insert(0, f"{int(str(above.get('start', 1))) + place}. ")
    for line in root.get_text().splitlines():
        lines += [line.strip()] if line.strip() else []
    return "\n".join(lines)


@pytest.mark.parametrize(
    "body",
    [
        "24. Dezember: da komme ich gern.",
        "1984. What a book.",
        "3. I disagree with your third point.\n4. And with the fourth.",
        "24. Dezember: ja\n26. Dezember: nein",
        "1. Mai\n1. Juni",
        "09. November\n10. November",
        "007. Bond",
        "1984. a\n1985. b",
        "0. zero\n1. one",
        "1.",
        "1. a\n2. b\n3. c",
        "99. a\n100. b",
        "2. b\n1. a",
        "text\n\n3. three\n\ntext\n\n4. four",
    ],
)
def test_a_number_is_content(body: str) -> None:
    assert numbered(render(body)) == "\n".join(line for line in body.split("\n") if line)


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ("> 24. Dezember\n> 26. Dezember", "<blockquote>\n<p>24. Dezember</p>\n<p>26. Dezember</p>\n</blockquote>"),
        ("- 24. Mai", "<ul>\n<li>\n<p>24. Mai</p>\n</li>\n</ul>"),
        ("7. seven\n   - below", "<p>7. seven</p>\n<ul>\n<li>below</li>\n</ul>"),
        ("7. # loud\n\n   more", "<p>7.</p>\n<p><strong>loud</strong></p>\n<p>more</p>"),
        ("1. a\n2. 24. Mai", "<ol>\n<li>a</li>\n<li>\n<p>24. Mai</p>\n</li>\n</ol>"),
        ("5. a\n\n6. b", '<ol start="5">\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ol>'),
        ("7. **bold** `x`", "<p>7. <strong>bold</strong> <code>x</code></p>"),
    ],
)
def test_a_number_within_other_blocks(body: str, out: str) -> None:
    assert render(body).strip() == out


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ("before\n\n* * *\n\nafter", "<p>before</p>\n<hr>\n<p>after</p>"),
        ("- - - - -", "<hr>"),
        ("_ _ _", "<hr>"),
        ("a\n---\nb", "<p>a</p>\n<hr>\n<p>b</p>"),
        ("*****", "<p>*****</p>"),
        ("Name: \n\n_____", "<p>Name:</p>\n<p>_____</p>"),
        ("* *", "<p>* *</p>"),
        ("+ + +", "<p>+ + +</p>"),
        ("-", "<p>-</p>"),
    ],
)
def test_a_rule_is_no_list(body: str, out: str) -> None:
    assert render(body).strip() == out


@pytest.mark.parametrize(
    ("body", "out"),
    [
        ("**注意：**请看", "<strong>注意：</strong>请看"),
        ("これは**太字（ふとじ）**です。", "これは<strong>太字（ふとじ）</strong>です。"),
        ("请**“看”**这里", "请<strong>“看”</strong>这里"),
        ("**스크립트(script)**라고", "<strong>스크립트(script)</strong>라고"),
        ("이것은 *강조(강)*입니다", "이것은 <em>강조(강)</em>입니다"),
        ("~~旧（价）~~新", "<del>旧（价）</del>新"),
        ("***注意！***请看", "<em><strong>注意！</strong></em>请看"),
        ("我**[看](https://a.example)**你", f'我<strong><a href="https://a.example" rel="{REL}">看</a></strong>你'),
        ("漢\U000e0100**(字)**漢", "漢\U000e0100<strong>(字)</strong>漢"),
        ("_注意：_请看", "_注意：_请看"),
        ("snake_案_case", "snake_案_case"),
        ("**a.**b", "**a.**b"),
        ("🎉**(a)**b", "🎉**(a)**b"),
        ("** 注意**", "** 注意**"),
    ],
)
def test_emphasis_in_scripts_without_spaces(body: str, out: str) -> None:
    assert render(body).strip() == f"<p>{out}</p>"


@pytest.mark.parametrize(
    "body", ["5*3*2 = 30", "2**10**3", "1_000_000 and 2_000_000", "10 * 3 * 2", "4~~5~~6", "３*４*５"]
)
def test_no_sign_between_digits_is_lost(body: str) -> None:
    assert render(body).strip() == f"<p>{body}</p>"


@pytest.mark.parametrize("mark", ["> ", "- ", "* ", "1. ", "7) ", "- > ", "> 1. "])
def test_words_below_any_nesting_are_shown(mark: str) -> None:
    assert "deepest words" in Reader(render(mark * 60 + "deepest words")).shown


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
    daily(["[", "*", "a*", "**a", "*a_ ", "![", "[a](", "](", "<", ">", "> ", "- ", "1. ", "7. a\n", "9. \n- ", "* * *\n", "注**", "`", "``` ", "&", "~~", "~a", "\\",
     "http://", "http://a ", "http://)", "http://a)", "<a href ", "<a href=", "<a ", "[url=", "[url= ", "a\n", ">\n", "[a][", "[]",
     "<http://", "(", "http://((", "#\n", "a: ", "* a\n * a\n  * a\n", "\u0301", "\x00"], 8),
)  # fmt: skip
def test_hostile_lengths_take_no_longer_than_their_length(ordinary: float, unit: str) -> None:
    for body in ("x" + unit * (LONG // len(unit)), unit * (LONG // len(unit))):
        assert min(seconds(body), seconds(body)) < 3 * ordinary  # only what is slow every time is slow


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
        long_way = markdown.rendered(text)
    assert markdown.rendered(text) == long_way
