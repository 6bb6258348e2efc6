"""Every form of writing the same comment is one text for the classifier."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.markup import Piece, pieces, plain
from tests.growth import check_growth

TAGS = [
    "<b>",
    "</b>",
    "<a href=",
    "'http://a.example/'",
    ">",
    "</a>",
    "<!--",
    "-->",
    "[url=",
    "]",
    "[/url]",
    "<",
    "![",
    "[",
]
MARKS = [
    "](",
    ")",
    "**",
    "_",
    "*",
    "`",
    "https://www.b.example/x_y",
    "&amp;",
    "&#60;",
    "\n> ",
    "\n- ",
    " ",
    "word",
    "\n",
    "é",
    "😀",
]
PARTS = st.sampled_from([*TAGS, *MARKS])


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    "written",
    [
        "see **my** [garden & shed](https://www.shed.example/tour/) today",
        "see __my__ [garden & shed](<http://shed.example/tour> 'a tour') today",
        'see <strong>my</strong> <a href="https://shed.example/tour" rel="nofollow">garden &amp; shed</a> today',
        "<p>see <em>my</em> <a href=http://www.shed.example/tour>garden &#38; shed</a> today</p>",
        "see my garden & shed [https://shed.example/tour] today",
        "see my garden & shed (https://shed.example/tour) today",
        "see [b]my[/b] [url=http://shed.example/tour]garden & shed[/url] today",
        "see my garden & shed http://shed.example/tour today",
        "see my garden & shed www.shed.example/tour/ today",
        "> see `my` garden & shed <https://shed.example/tour> today",
    ],
)
def test_all_forms_of_a_comment_are_one(written: str) -> None:
    assert words(plain(written)) == "see my garden & shed http://shed.example/tour today"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[https://a.example](https://a.example/)", "http://a.example"),
        ("<a href='http://a.example/'>www.a.example</a>", "http://a.example"),
        ("[url]http://a.example[/url]", "http://a.example"),
        ("look at http://a.example/x_y_z.", "look at http://a.example/x_y_z."),
        ("![a cat](https://a.example/cat.png)", "a cat http://a.example/cat.png"),
        ("<img src='https://a.example/cat.png' alt='a cat'>", "http://a.example/cat.png"),
        ("[mail me](mailto:me@a.example)", "mail me me@a.example"),
        ("back to [the top](#top) or [home](/)", "back to the top or home"),
        ("- one\n- two\n# three", "one two three"),
        ("<!-- hidden -->seen<br>below", "seen below"),
        ("f<b>u</b>n", "fun"),
        ("[**bold** words](http://a.example)", "bold words http://a.example"),
        ("an unclosed <a href=http://a.example>link", "an unclosed link http://a.example"),
    ],
)
def test_links_stand_behind_their_words(written: str, said: str) -> None:
    assert words(plain(written)) == said


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "[sic] 2*3*4",
        "x <3 you",
        "List<String> f",
        "snake_case s**t f*ck",
        "a * b",
        "5 > 4",
        "AT&T; R&D",
    ],
)
def test_what_is_no_markup_stays(text: str) -> None:
    assert plain(text) == text


@settings(max_examples=300, deadline=None)
@given(st.lists(PARTS, max_size=30).map("".join))
def test_pieces_say_where_each_character_stood(text: str) -> None:
    found = pieces(text)
    assert plain(text) in ("".join(piece.text for piece in found), text)
    for piece in found:
        assert isinstance(piece, Piece)
        assert 0 <= piece.at <= len(text)
        if piece.each:
            assert text[piece.at : piece.at + len(piece.text)] == piece.text


@pytest.mark.parametrize(
    "piece",
    [
        "[a](",
        "*_",
        "<a ",
        "&#",
        "](",
        "[",
        "*a ",
        "<!--",
        "[url=",
        "a](b(c",
        "> ",
        "<b>",
        "[x](http://a.b) ",
        "http://",
    ],
)
def test_the_time_is_in_proportion_to_the_length(piece: str) -> None:
    whole = piece * (20_000 // len(piece))
    check_growth(lambda: plain(whole), lambda: plain(whole[: len(whole) // 4]))
