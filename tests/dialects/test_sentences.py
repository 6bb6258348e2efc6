"""The sentences of a comment, and their places in UTF-16 code units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.dialects.sentences import in_utf16, sentences
from tests.growth import check_growth

PIECES = st.lists(st.sampled_from([*"aB. !?…。！\n\r\u2028 '\")]」👍🏽é", "Mr. ", "e.g. ", "3.14", "  "]), max_size=60)


def pieces(text: str, most: int = 100) -> list[str]:
    return [text[start:end] for start, end in sentences(text, most)]


@pytest.mark.parametrize(("text", "expected"), [
    ("You are dumb. Have a nice day!", ["You are dumb.", "Have a nice day!"]),
    ("Really?! Yes. ", ["Really?!", "Yes."]),
    ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
    ("It is 3.14 at example.org today.", ["It is 3.14 at example.org today."]),
    ("Mr. Smith met Dr. No and J. Doe. They talked.", ["Mr. Smith met Dr. No and J. Doe.", "They talked."]),
    ("Plants, e.g. Roses, like sun. So do I. You too.", ["Plants, e.g. Roses, like sun.", "So do I.", "You too."]),
    ("well ... that was it", ["well ... that was it"]),
    ("Just no. Really.", ["Just no.", "Really."]),
    ("你好。你真蠢！好吗？", ["你好。", "你真蠢！", "好吗？"]),
    ("「はい。」そうです。", ["「はい。」", "そうです。"]),
    ("first line\nsecond line\r\n\r\nthird", ["first line", "second line", "third"]),
    ("Das kostet ca. 5 Euro. Gut!", ["Das kostet ca. 5 Euro.", "Gut!"]),
    ("no end", ["no end"]),
    ("👍🏽", ["👍🏽"]),
    ("   ", ["   "]),
])  # fmt: skip
def test_a_text_is_cut_where_its_sentences_end(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_past_the_most_the_last_sentence_reaches_to_the_end() -> None:
    assert pieces("A one. B two. C three. D four.", 3) == ["A one.", "B two.", "C three. D four."]


def test_places_are_counted_as_javascript_counts_them() -> None:
    text = "Hi 👍🏽! Naïve, 你好. End"
    spans = sentences(text, 100)
    units = text.encode("utf-16-le")
    found = [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in in_utf16(text, spans)]
    assert found == ["Hi 👍🏽!", "Naïve, 你好.", "End"]
    assert in_utf16("👍🏽", [(0, 2)]) == [(0, 4)]


@given(PIECES.map("".join), st.integers(1, 9))
def test_sentences_are_in_order_and_leave_out_nothing_but_space(text: str, most: int) -> None:
    spans = sentences(text, most)
    assert 1 <= len(spans) <= most
    last = 0
    for start, end in spans:
        assert last <= start <= end <= len(text)
        assert not text[last:start].strip()
        last = end
    assert not text[last:].strip()
    units = in_utf16(text, spans)
    assert [text.encode("utf-16-le")[2 * a : 2 * b].decode("utf-16-le") for a, b in units] == [
        text[a:b] for a, b in spans
    ]


@pytest.mark.parametrize("unit", [".", "a.", ". ", ".'", "e.g. ", "\n", "。", "a. ", "Mr. A", "👍. "])
def test_the_time_grows_with_the_length_and_not_faster(unit: str) -> None:
    long, short = (unit * 200_000)[:200_000], (unit * 50_000)[:50_000]
    check_growth(lambda: in_utf16(long, sentences(long, 256)), lambda: in_utf16(short, sentences(short, 256)))
    check_growth(lambda: sentences(long, 10**9), lambda: sentences(short, 10**9))
