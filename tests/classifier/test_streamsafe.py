"""Normalising what anybody may have typed: the same as Unicode's own for real texts, and never slow."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.streamsafe import FEW, JOINER, LONGEST, MARKS, Form, normalize, stream_safe
from tests.growth import check_growth

FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")
ALL = [chr(p) for p in range(sys.maxunicode + 1) if not 0xD800 <= p <= 0xDFFF]


def marks_at_the_end(decomposed: str) -> int:
    return next((n for n, c in enumerate(reversed(decomposed)) if not unicodedata.combining(c)), len(decomposed))


def longest_run(text: str) -> int:
    """Of non-starters, in what the text decomposes into."""
    longest = row = 0
    for char in unicodedata.normalize("NFKD", text):
        row = row + 1 if unicodedata.combining(char) else 0
        longest = max(longest, row)
    return longest


def test_what_is_counted_on_holds_for_this_pythons_unicode() -> None:
    """Where the marks are, and how many a character stands for."""
    decomposed = {char: unicodedata.normalize("NFKD", char) for char in ALL}
    marks = [char for char, parts in decomposed.items() if unicodedata.combining(parts[0])]
    assert all(ord(char) in MARKS for char in marks)
    assert all(unicodedata.combining(c) for char in marks for c in decomposed[char])
    most = max(len(decomposed[char]) for char in marks)
    before = max(marks_at_the_end(parts) for parts in decomposed.values())
    assert before + (FEW - 1) * most <= LONGEST
    assert unicodedata.combining(JOINER) == 0 and unicodedata.normalize("NFKC", JOINER) == JOINER


@given(st.text(), st.sampled_from(FORMS))
def test_a_real_text_is_normalised_as_ever(text: str, form: Form) -> None:
    assert stream_safe(text) == text or longest_run(text) > LONGEST
    if longest_run(text) <= LONGEST:
        assert normalize(form, text) == unicodedata.normalize(form, text)


BUILT = st.lists(st.sampled_from("aé\u1f82\u0301\u0323\u0344\u0f73\uff9e\U0001d165\U0001e94a"), max_size=200).map(
    "".join
)


@given(BUILT)
def test_no_run_of_marks_is_longer_than_the_format_allows(text: str) -> None:
    safe = stream_safe(text)
    assert safe.replace(JOINER, "") == text
    assert longest_run(safe) <= LONGEST
    assert (safe == text) == (longest_run(text) <= LONGEST)


@pytest.mark.parametrize("unit", ["\u0323\u0301", "\u0344", "\uff9e", "\U0001d165\u0301", "\u0f73\u0f71", "\ufdfa"])
@pytest.mark.parametrize("form", FORMS)
def test_four_times_the_marks_take_four_times_as_long(unit: str, form: Form) -> None:
    text = "a" + unit * 32_000
    check_growth(lambda: normalize(form, text[:32_000]), lambda: normalize(form, text[:8_000]))
