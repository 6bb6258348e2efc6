from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.views import LONGEST, Fold, as_written, normalised, track_normalised, track_written

FOLD = Fold({"υ": "u", "а": "a", "е": "e"})


@pytest.mark.parametrize(
    "text",
    ["f.u.c.k", "fυck", "f u c k", "fuuuck", "F-U-C-K", "f\u200bu\u200bck", "ｆｕｃｋ", "𝐟𝐮𝐜𝐤", "f*u*c*k", "fúck"],
)
def test_disguises_meet(text: str) -> None:
    assert normalised(text, FOLD) == "fuck"


@pytest.mark.parametrize(
    ("text", "plain"), [("y0u 1d1ot", "you idiot"), ("a$$hole", "asshole"), ("in 2011, 5 of 7", "in 2011, 5 of 7")]
)
def test_digits_inside_words_are_letters(text: str, plain: str) -> None:
    assert normalised(text, FOLD) == plain


def test_only_the_first_part_is_read() -> None:
    assert len(as_written("a b" * LONGEST)) <= LONGEST
    assert len(normalised("a b" * LONGEST, FOLD)) <= LONGEST


@given(st.text(st.characters(exclude_characters="Σ")))
def test_written_view_with_origins_is_the_same(text: str) -> None:
    tracked = track_written(text)
    assert tracked.text == as_written(text)
    assert len(tracked.origin) == len(tracked.text)


TRICKY = st.lists(st.sampled_from([*"ab1$.*- \n'oυ", "f.u.c.k", "\u200b", "ﬀ", "İ", "\ud800", "가"])).map("".join)


@given(st.one_of(st.text(), TRICKY))
def test_normalised_view_with_origins_is_the_same(text: str) -> None:
    tracked = track_normalised(text, FOLD)
    assert tracked.text == normalised(text, FOLD)
    assert tracked.origin == sorted(tracked.origin)
    assert all(0 <= where < len(text) for where in tracked.origin)
