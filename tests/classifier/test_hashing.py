"""The vectorised hasher beside a slow one, letter by letter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.hashing import BUCKETS, LONG, NOTHING, Hasher, joined
from classifier.views import as_written

HASHER = Hasher({"gay", "muslim"})
WORDS = st.lists(st.sampled_from(["a", "abc", "gay", "muslim", "don't", "http://x.example", "日本語", "\ud800", "!!"]))


def slow_chars(text: str) -> int:
    """How many 3-, 4- and 5-grams lie within white space."""
    count = 0
    for word in text.split(" "):
        padded = f" {word} "
        count += sum(max(len(padded) - size + 1, 0) for size in (3, 4, 5)) if word else 0
    return count


@given(st.lists(st.one_of(st.text(max_size=60), WORDS.map(" ".join)), max_size=5))
def test_every_gram_once_whatever_stands_beside(texts: list[str]) -> None:
    prepared = [as_written(text) for text in texts]
    together = HASHER.grams(prepared)
    assert (together.chars != NOTHING).sum() == sum(map(slow_chars, prepared))
    for number, text in enumerate(prepared):
        alone = HASHER.grams([text])
        parts = [s for s, owner in zip(together.segments, together.owner, strict=True) if owner == number]
        low, high = parts[0][0], parts[-1][1]
        single = alone.chars[alone.segments[0][0] : alone.segments[-1][1]]
        assert (together.chars[low:high] == single).all()
        words = together.words[parts[0][2] : parts[-1][3]]
        assert (words[:, :2] == alone.words[:, :2]).all()


def test_identity_terms_look_the_same_outside_their_own_rows() -> None:
    def neutral(text: str) -> list[int]:
        grams = HASHER.grams([text])
        rows = np.concatenate([grams.chars.ravel(), grams.words.ravel()])
        return sorted(rows[rows < BUCKETS].tolist())

    assert neutral("i am a gay person!") == neutral("i am a muslim person!")
    assert neutral("i am a gay person!") != neutral("i am a tall person!")


def test_a_long_text_is_cut_into_segments_that_cover_it() -> None:
    text = "word " * LONG
    grams = HASHER.grams([text.strip()])
    assert len(grams.segments) > 2
    assert all(a[1] == b[0] and a[3] == b[2] for a, b in zip(grams.segments[:-1], grams.segments[1:], strict=True))


TOKENS = st.lists(
    st.one_of(
        st.text(min_size=1, max_size=20).map(lambda text: "".join(as_written(text).split()) or "-"),
        st.sampled_from(
            ["gay", "-muslim!", "a-gay-b", "don't", "--", "日本語", "\u2019", "\ud800", "http://x.example/?a=1"]
        ),
    ),
    min_size=1,
    max_size=30,
)


@given(TOKENS)
def test_tokens_one_by_one_have_the_rows_that_they_have_alone(tokens: list[str]) -> None:
    worth = np.random.default_rng(5).normal(size=NOTHING + 1)
    worth[NOTHING] = 0
    for found in (HASHER.pieces(tokens), HASHER._pieces_at_once(tokens)):
        sums = np.add.reduceat(worth[found.rows], found.begins)
        for number, token in enumerate(tokens):
            alone = HASHER.grams([token])
            assert sums[number] == pytest.approx(worth[alone.chars].sum())
            assert sums[len(tokens) + number] == pytest.approx(worth[alone.words].sum())
            assert (number in found.bare) == (not len(alone.words))


@given(TOKENS)
def test_a_few_tokens_are_what_many_at_once_are(tokens: list[str]) -> None:
    few, many = HASHER.pieces(tokens), HASHER._pieces_at_once(tokens)
    assert (few.words, few.bare, few.named) == (many.words, many.bare, many.named)


@given(st.lists(st.sampled_from(["abc", "gay", "muslims", "muslim", "x"]), min_size=2, max_size=2))
def test_pairs_over_two_tokens_are_the_pairs_of_one_text(pair: list[str]) -> None:
    found = HASHER.pieces(pair)
    last, first = np.array([found.words[1]], np.uint32), np.array([found.words[2]], np.uint32)
    words = HASHER.grams([" ".join(pair)]).words
    assert joined(last, first)[0] == words[0, 1]
    if found.named:
        own = [found.named.get(n, tuple(found.words[2 * n : 2 * n + 2])) for n in (0, 1)]
        row = joined(np.array([own[0][1]], np.uint32), np.array([own[1][0]], np.uint32), identity=True)
        assert row[0] == words[0, 3]
