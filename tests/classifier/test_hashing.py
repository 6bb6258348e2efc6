"""The vectorised hasher beside a slow one, letter by letter."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.hashing import BUCKETS, FINGERPRINTS, LONG, NOTHING, OUT_OF_VOCABULARY_ROWS, SITE_BUCKETS, Hasher
from classifier.training.vocabulary import Cells
from classifier.views import as_written

HASHER = Hasher({"gay", "muslim"})
WORDS = st.lists(st.sampled_from(["a", "abc", "gay", "muslim", "don't", "http://x.example", "日本語", "\ud800", "!!"]))


def slow_chars(text: str) -> int:
    """How many 3-, 4- and 5-grams lie within white space, and 2-grams with a dense letter."""
    count = 0
    for word in text.split(" "):
        padded = f" {word} "
        count += sum(max(len(padded) - size + 1, 0) for size in (3, 4, 5)) if word else 0
        count += sum(any(map(is_dense, padded[at : at + 2])) for at in range(len(padded) - 1)) if word else 0
    return count


def is_dense(letter: str) -> bool:
    return "\u1100" <= letter <= "\u11ff" or letter >= "\u2e80"


@given(st.lists(st.one_of(st.text(max_size=60), WORDS.map(" ".join)), max_size=5))
def test_every_gram_once_whatever_stands_beside(texts: list[str]) -> None:
    prepared = [as_written(text) for text in texts]
    together = HASHER.grams(prepared)
    assert (together.chars != NOTHING).sum() == sum(map(slow_chars, prepared))
    for number, text in enumerate(prepared):
        alone = HASHER.grams([text])
        parts = [s for s, owner in zip(together.segments, together.text_of, strict=True) if owner == number]
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


def test_a_bucket_counts_its_owner_and_no_other() -> None:
    text = "garden bread 日本 gay"
    cells = np.concatenate(Cells(HASHER).of([text]))
    fingerprints = np.zeros(BUCKETS, np.uint8)
    fingerprints[cells[::2] // FINGERPRINTS] = cells[::2] % FINGERPRINTS
    every, some = HASHER.grams([text]), HASHER.with_fingerprints(fingerprints).grams([text])
    for before, after in ((every.chars, some.chars), (every.words, some.words)):
        before, after = before.ravel(), after.ravel()
        unknown = after >= OUT_OF_VOCABULARY_ROWS
        assert unknown.any()
        assert (after[~unknown] == before[~unknown]).all()
        assert (after[unknown] % SITE_BUCKETS == before[unknown] % SITE_BUCKETS).all()
        assert (before[unknown] < BUCKETS).all()
    known = set((cells[::2][cells[::2] % FINGERPRINTS > 0] // FINGERPRINTS).tolist())
    rows = np.concatenate([some.chars.ravel(), some.words.ravel()])
    assert (
        known
        <= set(rows.tolist())
        <= known | {NOTHING} | set(range(BUCKETS, NOTHING)) | set(rows[rows >= OUT_OF_VOCABULARY_ROWS])
    )


def test_each_text_counts_an_n_gram_once() -> None:
    chars, words = Cells(HASHER).of(["bread bread", "bread", "gay"])
    assert np.unique(chars, return_counts=True)[1].max() == 2
    assert sorted(np.unique(words, return_counts=True)[1].tolist()) == [1, 1, 2]  # a pair, the placeholder, the word
