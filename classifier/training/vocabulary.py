"""The vocabulary: of all n-grams that hash into a bucket, the one that most texts have.

Without it a bucket sums the weights of some twenty n-grams, nearly all of them rare, and together they outweigh the common
one. Weinberger et al. (ICML 2009) bound the cost of hashing; a fingerprint of one byte removes it (docs/classifier.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier.hashing import BUCKETS, FINGERPRINTS, U8, U32, Hasher, Ints, cells, mixed
from classifier.progress import log

CHARS, WORDS = 10, 3
"""Texts of a large corpus that must have an n-gram. Words are rarer, and each is worth more."""
PER_CHAR, PER_WORD = 35_000, 120_000
"""Texts of a corpus for each such text: a small corpus keeps every n-gram."""
WORD_WORTH = 10
"""A word takes a bucket before characters that up to this many times as many texts have."""
_BATCH = 400

Counts = npt.NDArray[np.uint32]


class Cells(Hasher):
    """n-grams by their whole hash: negative numbers, which no row has."""

    def __init__(self, like: Hasher) -> None:
        super().__init__()
        self.identity = like.identity

    def _rows(self, h: U32) -> Ints:
        return -1 - mixed(h).astype(np.int64)

    def of(self, texts: Sequence[str]) -> tuple[Ints, Ints]:
        """bucket × FINGERPRINTS + fingerprint of every n-gram without identity terms, of characters and of words, once for each text
        that has it."""
        grams = self.grams(texts)
        starts = np.array(grams.offset, np.int64)
        of_chars = (starts - 1).searchsorted(np.arange(len(grams.chars)), side="right")
        of_words = starts.searchsorted(grams.word_start, side="right")
        found = []
        for rows, of in ((grams.chars, of_chars), (grams.words, of_words)):
            number = -1 - rows + (of << 32)[:, None]
            each = np.sort(number[rows < 0])  # np.unique hashes them, which takes twenty times as long
            each = each[np.diff(each, prepend=-1) > 0]
            found.append(np.sort(cells((each & 0xFFFFFFFF).astype(np.uint32))))
        return found[0], found[1]


def bucket_fingerprints(hasher: Hasher, views: Sequence[Sequence[str]], cut: int) -> U8:
    """[BUCKETS] fingerprints of the vocabulary. views: the prepared texts, view by view; cut: characters read of each."""
    chars, words = (np.zeros(BUCKETS * FINGERPRINTS, np.uint32) for _ in range(2))
    numbered = Cells(hasher)
    for texts in views:
        for low in range(0, len(texts), _BATCH):
            batch = [text[:cut].rstrip() for text in texts[low : low + _BATCH]]
            for counts, found in zip((chars, words), numbered.of(batch), strict=True):
                np.add.at(counts, found, 1)
    size = len(views[0])
    known = chosen(chars, words, min(CHARS, 1 + size // PER_CHAR), min(WORDS, 1 + size // PER_WORD))
    log(f"{np.count_nonzero(known)} n-grams known, of {np.count_nonzero(chars) + np.count_nonzero(words)}")
    return known


def chosen(chars: Counts, words: Counts, fewest_chars: int, fewest_words: int) -> U8:
    """[BUCKETS] fingerprints, from counts per bucket and fingerprint. A text counts once in each of two views, so the bounds are
    doubled."""
    used = np.flatnonzero(np.maximum(chars, words))
    of_chars, of_words = chars[used].astype(np.int64), words[used].astype(np.int64)
    of_chars[of_chars < 2 * fewest_chars - 1] = 0
    of_words[of_words < 2 * fewest_words - 1] = 0
    worth = np.maximum(of_chars, WORD_WORTH * of_words)
    bucket, fingerprint = np.divmod(used, FINGERPRINTS)
    order = np.lexsort((-worth, bucket))
    order = order[(worth[order] > 0) & (fingerprint[order] > 0)]
    first = np.diff(bucket[order], prepend=-1) > 0
    out = np.zeros(BUCKETS, np.uint8)
    out[bucket[order[first]]] = fingerprint[order[first]]
    return out
