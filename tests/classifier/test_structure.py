"""What a text looks like, in numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.examples import Author
from classifier.structure import NAMES, Structure


def number(name: str, text: str) -> float:
    return Structure().row(text, Author())[NAMES.index(name)]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("[url=https://a.example/x]lamps[/url]", True),
        ("[URL=a.example - lamps[/URL -", True),
        ("[url]https://a.example/[/url]", True),
        ("[link=https://a.example]lamps[/link]", True),
        ('see <a href="https://a.example">this</a>', True),
        ("see [this](https://a.example)", True),
        ("so says [USER] at [URL]", False),  # what collections of tweets put where something was
        ("an array [link] and a[url]", False),
        ("https://a.example/", False),
    ],
)
def test_a_link_in_brackets_is_one_and_a_placeholder_is_none(text: str, is_one: bool) -> None:
    assert number("markup link", text) == float(is_one)


@given(st.text(max_size=300))
def test_any_text_has_every_number_and_none_is_wild(text: str) -> None:
    row = Structure({"bit.example"}, {"junk.example"}).row(
        text, Author(name=text[:50], url="", email_domain="junk.example")
    )
    assert len(row) == len(NAMES)
    assert all(math.isfinite(value) and 0 <= value <= 6 for value in row), dict(zip(NAMES, row, strict=True))
