"""Texts → hashed n-grams, many texts in one numpy pass. Training calls this; serving does the same in `kernel.c`.

The n-grams are 3 to 5 characters inside white-space bounds (a bound counts as a character), 2 characters where a script writes
a syllable or a word with one, and 1 or 2 words, in 2^18 buckets. A bucket belongs to one n-gram, whose fingerprint stands in
`bucket_fingerprints`; every other n-gram of the bucket is out of vocabulary, and the base does not count it. n-grams that touch
an identity term have buckets of their own, where only `identity_attack` has weights. The other labels see one placeholder word
instead of the term, which adds no length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BUCKETS = 1 << 18
IDENTITY_BUCKETS = 1 << 13
NOTHING = BUCKETS + IDENTITY_BUCKETS
"""The row of an n-gram that does not exist (across a space or two texts): all zeros."""
ROWS = NOTHING + 1
"""Of the table."""
SITE_BUCKETS = 1 << 16
"""Of a site's correction. It has weights for n-grams out of vocabulary too: the words of a site are often new to the base."""
OUT_OF_VOCABULARY_ROWS = 5 * SITE_BUCKETS
"""The first row number of n-grams out of vocabulary. No table has these rows; a site's correction folds them into its buckets."""
COLUMNS = OUT_OF_VOCABULARY_ROWS + SITE_BUCKETS
FINGERPRINTS = 256
"""Of a bucket. Fingerprint 0 belongs to no n-gram, so one n-gram in 256 is always out of vocabulary."""
LONG = 600
"""Characters. A longer text is also scored in windows."""
SEGMENT = 100
"""Characters of one segment of a long text; windows are runs of neighbouring segments."""

Ints = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

SIZES = (2, 3, 4, 5)
"""Characters of an n-gram."""

CONSTANTS = {
    "HASH_STEP": 0x9E3779B1,
    "WORD_SALT": 0x5BD1E995,
    "BIGRAM": 0x27D4EB2F,
    "PLACEHOLDER": 0x1B873593,
    "MIX_FIRST": 0x85EBCA6B,
    "MIX_SECOND": 0xC2B2AE35,
}
"""Of the hash. The mixing is MurmurHash3's finaliser without its last steps."""
_P = CONSTANTS["HASH_STEP"]
_WORD_SALT, _BIGRAM, _PLACEHOLDER, _MIX_FIRST, _MIX_SECOND = (
    np.uint32(CONSTANTS[name]) for name in ("WORD_SALT", "BIGRAM", "PLACEHOLDER", "MIX_FIRST", "MIX_SECOND")
)


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of `texts` laid end to end.

    chars: [positions, 4] row numbers of the 2-, 3-, 4-, 5-gram that starts at each character;
    words: [words, 2 or 4] rows of word and word pair, then (only where a text has identity terms) their identity rows.
    Numbers from OUT_OF_VOCABULARY_ROWS on are n-grams out of vocabulary.
    segments: [segments, 4] first and last+1 position, first and last+1 word; text_of: [segments] number of the text.
    word_start, word_end: [words] positions; offset: [texts] position of each text's first character.
    hashes: [words] of the words; seen: the same with the placeholder's hash instead of identity terms; masked: which words are
    identity terms, or None.
    """

    chars: Ints
    words: Ints
    segments: list[tuple[int, int, int, int]]
    text_of: list[int]
    word_start: Ints
    word_end: Ints
    offset: list[int]
    hashes: U32
    seen: U32
    masked: Bools | None


def mixed(h: U32) -> U32:
    h = h * _MIX_FIRST
    h ^= h >> np.uint32(15)
    h *= _MIX_SECOND
    return h


def _identity_rows(h: U32) -> Ints:
    return (mixed(h) >> np.uint32(19)).astype(np.int64) + BUCKETS


def cells(mixed: U32) -> Ints:
    """bucket × FINGERPRINTS + fingerprint of each n-gram; the fingerprint is of bits that do not choose the bucket."""
    return (mixed >> np.uint32(6)).astype(np.int64)


def is_dense(points: U32) -> Bools:
    """Hangul, kana, Han and the blocks after them: one or two characters are a word, and spaces are few."""
    return (points >= 0x2E80) | ((points >= 0x1100) & (points <= 0x11FF))


class Hasher:
    """Hashes texts that `views` has prepared.

    identity: lower-case words; bucket_fingerprints: [BUCKETS] the fingerprint of the n-gram that has each bucket, or None: then
    every n-gram of a bucket counts."""

    def __init__(self, identity: Iterable[str] = (), bucket_fingerprints: U8 | None = None) -> None:
        self._powers(1 << 12)
        self._word_table = np.array([chr(i).isalnum() for i in range(128)] + [True], dtype=bool)
        terms = sorted(set(identity))
        self.identity = np.zeros(0, np.uint32)
        """[words] sorted hashes of the words of identity terms."""
        if terms:
            self.identity = np.unique(np.concatenate([self.word_hashes(term) for term in terms]))
        self.bucket_fingerprints = bucket_fingerprints

    def with_fingerprints(self, bucket_fingerprints: U8) -> Hasher:
        """The same hasher, where each bucket belongs to one n-gram."""
        other = copy(self)
        other.bucket_fingerprints = bucket_fingerprints
        return other

    def _rows(self, h: U32) -> Ints:
        bucket, fingerprint = np.divmod(cells(mixed(h)), FINGERPRINTS)
        if self.bucket_fingerprints is None:
            return bucket
        is_known = (self.bucket_fingerprints.take(bucket) == fingerprint) & (fingerprint != 0)
        return np.where(is_known, bucket, bucket % SITE_BUCKETS + OUT_OF_VOCABULARY_ROWS)

    def _powers(self, size: int) -> None:
        power = np.full(size, _P, np.uint32)
        power[0] = 1
        self._power = np.multiply.accumulate(power)
        inverse = np.full(size, pow(_P, -1, 1 << 32), np.uint32)
        inverse[0] = 1
        self._inverse = np.multiply.accumulate(inverse)

    def word_hashes(self, text: str) -> U32:
        """The hashes of the words of one text, in order."""
        points = _points(f" {text} ")
        start, end = self._word_bounds(points)
        return self._hash_words(points, start, end)

    def _word_bounds(self, points: U32) -> tuple[Ints, Ints]:
        word = self._word_table[np.minimum(points, np.uint32(128))]
        if (points > 127).any():
            general = ((points >= 0x2000) & (points <= 0x206F)) | ((points >= 0x3000) & (points <= 0x303F))
            word &= ~general
        edge = np.flatnonzero(word[1:] != word[:-1]) + 1  # texts begin and end with a space, so edges pair up
        return edge[0::2], edge[1::2]

    def _hash_words(self, points: U32, start: Ints, end: Ints) -> U32:
        if len(points) > len(self._power):
            self._powers(2 * len(points))
        total = np.add.accumulate(points * self._power[: len(points)], dtype=np.uint32)
        return np.asarray((total[end - 1] - total[start - 1]) * self._inverse[start] + _WORD_SALT, dtype=np.uint32)

    def grams(self, texts: Sequence[str]) -> Grams:
        """Prepared texts (single spaces, no spaces around) → their n-grams. Cost follows the total length."""
        points = _points(f" {'  '.join(texts)} ")
        size = len(points)
        offset: list[int] = []
        at = 1
        for text in texts:
            offset.append(at)
            at += len(text) + 2
        start, end = self._word_bounds(points)
        hashes = self._hash_words(points, start, end)
        first = np.array(offset, np.int64)
        of = first.searchsorted(start, side="right")
        masked = self._masked(hashes)
        seen = hashes if masked is None else np.where(masked, _PLACEHOLDER, hashes)
        touched = None
        if masked is not None:
            change = np.zeros(size + 1, np.int64)
            change[start[masked]] = 1
            change[end[masked]] -= 1
            touched = np.add.accumulate(change)[:size] > 0
        return Grams(
            self._chars(points, touched),
            self._words(hashes, seen, of, masked),
            *_segments(texts, offset, start),
            start,
            end,
            offset,
            hashes,
            seen,
            masked,
        )

    def _masked(self, hashes: U32) -> Bools | None:
        if not len(self.identity) or not len(hashes):
            return None
        place = self.identity.searchsorted(hashes)
        place[place == len(self.identity)] = 0
        masked = self.identity[place] == hashes
        return masked if masked.any() else None

    def _chars(self, points: U32, touched: Bools | None) -> Ints:
        size = len(points)
        hashes, valid = _char_hashes(points)
        rows = self._rows(hashes)
        if touched is not None:
            wide = np.concatenate([touched, np.zeros(4, bool)])
            near = wide[:size]
            special = np.empty((size, len(SIZES)), bool)
            for column, length in enumerate(SIZES):
                near = near | wide[length - 1 : length - 1 + size]
                special[:, column] = near
            rows = np.where(special, _identity_rows(hashes), rows)
        rows[~valid] = NOTHING
        return rows

    def _words(self, hashes: U32, seen: U32, of: Ints, masked: Bools | None) -> Ints:
        count = len(hashes)
        words = np.full((count, 2 if masked is None else 4), NOTHING, np.int64)
        if not count:
            return words
        follows = of[1:] == of[:-1]
        words[:, 0] = self._rows(seen)
        words[:-1, 1] = np.where(follows, self._rows(_pairs(seen)), NOTHING)
        if masked is not None:
            words[:, 2] = np.where(masked, _identity_rows(hashes), NOTHING)
            either = (masked[1:] | masked[:-1]) & follows
            words[:-1, 3] = np.where(either, _identity_rows(_pairs(hashes)), NOTHING)
        return words


def _pairs(hashes: U32) -> U32:
    return hashes[:-1] * _BIGRAM + hashes[1:]


def _char_hashes(points: U32) -> tuple[U32, Bools]:
    """[positions, SIZES] hashes of the n-grams that start at each character, and which of them exist."""
    size = len(points)
    padded = np.concatenate([points, np.full(4, 32, np.uint32)])
    solid, dense = padded != 32, is_dense(padded)
    p = np.uint32(_P)
    h = points
    inside = np.ones(size, bool)
    out = np.empty((size, len(SIZES)), np.uint32)
    valid = np.empty((size, len(SIZES)), bool)
    for column, length in enumerate(SIZES):
        h = h * p + padded[length - 1 : length - 1 + size]
        out[:, column] = h
        if length == 2:
            valid[:, column] = dense[:size] | dense[1 : 1 + size]
        else:
            inside &= solid[length - 2 : length - 2 + size]
            valid[:, column] = inside
    return out, valid


def _segments(
    texts: Sequence[str], offset: Sequence[int], start: Ints
) -> tuple[list[tuple[int, int, int, int]], list[int]]:
    bounds: list[tuple[int, int]] = []
    text_of: list[int] = []
    for number, (text, at) in enumerate(zip(texts, offset, strict=True)):
        length = len(text) + 1
        begin = at - 1  # the space before belongs to the text
        step = length if length <= LONG else SEGMENT
        for low in range(0, length, step):
            bounds.append((begin + low, begin + min(low + step, length)))
            text_of.append(number)
    low_words = start.searchsorted([low for low, _ in bounds])
    high_words = start.searchsorted([high for _, high in bounds])
    segments = [
        (low, high, int(first), int(last))
        for (low, high), first, last in zip(bounds, low_words, high_words, strict=True)
    ]
    return segments, text_of


def _points(text: str) -> U32:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
