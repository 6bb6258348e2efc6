"""What a text looks like, in numbers."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from classifier.examples import Author
from classifier.structure import NAMES, Structure


def number(name: str, text: str) -> float:
    return Structure().row(text, Author())[NAMES.index(name)]


def test_blank_lines_count_for_nothing() -> None:
    assert number("lines", "one\n\n\ntwo") == number("lines", "one\n \ntwo") == number("lines", "one\ntwo") > 0
    assert number("lines", "\n\none") == 0


@given(st.text(max_size=300))
def test_any_text_has_every_number_and_none_is_wild(text: str) -> None:
    row = Structure({"bit.example"}, {"junk.example"}).row(
        text, Author(name=text[:50], url="", email_domain="junk.example")
    )
    assert len(row) == len(NAMES)
    assert all(math.isfinite(value) and 0 <= value <= 6 for value in row), dict(zip(NAMES, row, strict=True))
