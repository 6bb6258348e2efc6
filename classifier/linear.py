"""The linear part: texts → log-odds per view and label, before the second stage. numpy only.

A row of the table is [weight × idf of the seven labels, idf²]. The eighth column gives the length of the vector in the same
sum, so TF-IDF with a norm costs as much as counting. Identity rows have idf² = 0, so that the other labels do not see the
length of an identity term.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.hashing import NOTHING, OUT_OF_VOCABULARY_ROWS, ROWS, SITE_BUCKETS, Grams, Hasher
from classifier.hidden import UNITS, Hidden
from classifier.labels import LABELS
from classifier.views import LONGEST

Floats = npt.NDArray[np.float32]

WORDS = 1.5
"""Weight of words beside characters, measured by the prototype on all toxicity sources."""
VIEWS = 2
WINDOW = 2
"""Segments of a window, about 200 characters: a short insult in long padding raises one window."""
CHANCE = 0.8
"""Times the logarithm of the number of segments: how far the highest window of a good text lies above the whole by chance. The
correction keeps long good comments from scoring higher than short ones; figures in docs/classifier.md."""
OUT_OF_VOCABULARY = 12.0
"""idf² of an n-gram out of vocabulary in a site's correction: that of the rarest n-gram of the vocabulary."""
FINGERPRINTS_FILE = "owners"
"""The name that format 1 of a model folder has for the bucket fingerprints."""
_COUNT = len(LABELS)
_CHUNK = 60_000
"""Characters of one view that are hashed at once."""


@dataclass(frozen=True, slots=True)
class Linear:
    """whole: [texts, views, labels] log-odds of the whole text.

    window_excess: [texts, labels] how far the highest window lies above it, beyond CHANCE (mean of the views; zeros for short
    texts). hidden: [texts, labels] log-odds by the hidden units. site: [texts, labels] log-odds of the site's correction
    (zeros without one)."""

    whole: Floats
    window_excess: Floats
    hidden: Floats
    site: Floats

    @classmethod
    def empty(cls, texts: int) -> Linear:
        shapes = (texts, VIEWS, _COUNT), (texts, _COUNT), (texts, _COUNT), (texts, _COUNT)
        return cls(*(np.zeros(shape, np.float32) for shape in shapes))

    def part(self, which: slice) -> Linear:
        """The rows `which`, as views into these arrays."""
        return Linear(self.whole[which], self.window_excess[which], self.hidden[which], self.site[which])

    def put(self, where: npt.NDArray[Any], other: Linear) -> None:
        """The rows of `other` at the places `where`."""
        self.whole[where], self.window_excess[where] = other.whole, other.window_excess
        self.hidden[where], self.site[where] = other.hidden, other.site


def norm(squares: float) -> float:
    """Length of a block from its sum of idf². The 1 damps texts of one or two n-grams."""
    return float((squares + 1.0) ** 0.5)


class Table:
    """weights: [views, ROWS, 8] float16 or float32; bias: [views, labels]."""

    def __init__(self, weights: npt.NDArray[np.floating], bias: Floats, hasher: Hasher, hidden: Hidden) -> None:
        self.weights = weights
        self.bias = bias
        self.hasher = hasher
        self.hidden = hidden
        # Serving keeps a row's two views side by side, so that one access to memory finds both; training does not.
        rows = weights.swapaxes(0, 1)
        self._apart = not rows.flags.c_contiguous
        self._flat = (weights if self._apart else rows).reshape(-1, weights.shape[-1])
        self._ones = np.ones(4 * (_CHUNK + LONGEST), np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """In the format of a model folder."""
        assert self.hasher.bucket_fingerprints is not None, "a fitted table has a vocabulary"
        weights = self.weights.astype(np.float16)
        return {
            "weights": weights,
            "bias": self.bias,
            FINGERPRINTS_FILE: self.hasher.bucket_fingerprints,
            **self.hidden.arrays(),
        }

    def both(self) -> Floats:
        """[ROWS, views × 8]"""
        rows = self.weights.swapaxes(0, 1).reshape(ROWS, -1)
        return np.ascontiguousarray(rows, np.float32)

    def score(self, views: Sequence[Sequence[str]], sites: Sequence[npt.NDArray[np.floating] | None] = ()) -> Linear:
        """views: one list of prepared texts per view. sites: per text its correction [SITE_BUCKETS, labels] or None."""
        count = len(views[0])
        linear = Linear.empty(count)
        for low, high in _chunks(views[0]):
            # Both views go through the hasher as one run of texts: numpy's fixed cost per call is most of a lone comment.
            grams = self.hasher.grams([text for view in views for text in view[low:high]])
            self._chunk(grams, linear.part(slice(low, high)), sites[low:high] if sites else ())
        return linear

    def unit_sums(self, text: str) -> Floats:
        """[UNITS] the hidden units' sums over one normalised text."""
        grams = self.hasher.grams([text])
        blocks = grams.chars, grams.words
        squares = [float(self.weights[-1, np.minimum(rows, NOTHING), -1].sum(dtype=np.float64)) for rows in blocks]
        return self._units(grams, _span(grams, 0), squares)

    def _chunk(
        self,
        grams: Grams,
        into: Linear,
        sites: Sequence[npt.NDArray[np.floating] | None],
    ) -> None:
        whole, window_excess, hidden, site = into.whole, into.window_excess, into.hidden, into.site
        count, size, width = len(whole), grams.chars.shape[1], grams.words.shape[1]
        second = grams.text_of.index(count)
        step, view = (1, ROWS) if self._apart else (VIEWS, 1)
        char_rows, word_rows = np.minimum(grams.chars, NOTHING) * step, np.minimum(grams.words, NOTHING) * step
        char_rows[grams.segments[second][0] :] += view
        word_rows[grams.segments[second][2] :] += view
        chars = self._flat.take(char_rows.ravel(), axis=0).astype(np.float32, copy=False)
        words = self._flat.take(word_rows.ravel(), axis=0).astype(np.float32, copy=False)
        sums: list[list[tuple[Floats, Floats]]] = [[] for _ in range(VIEWS * count)]
        for (low, high, first, last), number in zip(grams.segments, grams.text_of, strict=True):
            of_chars = self._ones[: size * (high - low)] @ chars[size * low : size * high]
            of_words = self._ones[: width * (last - first)] @ words[width * first : width * last]
            sums[number].append((of_chars, of_words))
        for number, parts in enumerate(sums):
            view, text = divmod(number, count)
            bias = self.bias[view]
            if view == VIEWS - 1:
                lengths = [sum(float(part[block][_COUNT]) for part in parts) for block in range(2)]
                hidden[text] = self.hidden.log_odds(self._units(grams, _span(grams, number), lengths))
            if len(parts) == 1:
                whole[text, view] = log_odds(*parts[0]) + bias
                continue
            # Running sums of float64, so that the difference of two of them is a window's sum to the last bit that counts.
            chars_to, words_to = (
                np.cumsum([np.zeros(_COUNT + 1), *block], axis=0) for block in zip(*parts, strict=True)
            )
            total = log_odds(chars_to[-1], words_to[-1])
            whole[text, view] = total + bias
            runs = log_odds(chars_to[WINDOW:] - chars_to[:-WINDOW], words_to[WINDOW:] - words_to[:-WINDOW])
            beyond = runs.max(axis=0) - total - CHANCE * math.log(len(parts))
            window_excess[text] += np.maximum(beyond, 0) / VIEWS
        for text, correction in enumerate(sites):
            if correction is None:
                continue
            for number in range(text, VIEWS * count, count):
                low, high, first, last = _span(grams, number)
                for part, rows, one, two, scale in (
                    (chars, grams.chars, size * low, size * high, 1.0),
                    (words, grams.words, width * first, width * last, WORDS),
                ):
                    squares = part[one:two, _COUNT].astype(np.float64)
                    squares[rows.ravel()[one:two] >= OUT_OF_VOCABULARY_ROWS] = OUT_OF_VOCABULARY
                    values = np.sqrt(squares) * (scale * SITE_SCALE / norm(float(squares.sum())))
                    site[text] += values @ correction.take(rows.ravel()[one:two] % SITE_BUCKETS, axis=0)

    def _units(self, grams: Grams, span: tuple[int, int, int, int], squares: Sequence[float]) -> Floats:
        """[UNITS] of one text; squares: the sums of idf² of its characters and of its words."""
        low, high, first, last = span
        out = np.zeros(UNITS, np.float32)
        blocks = (grams.chars[low:high], 1.0), (grams.words[first:last], WORDS)
        for (numbers, scale), square in zip(blocks, squares, strict=True):
            every = np.minimum(numbers.ravel(), NOTHING)
            rows = self.hidden.rows.take(every, axis=0).astype(np.float32, copy=False)
            out += self._ones[: len(every)] @ rows * (scale / norm(square))
        return out * self.hidden.scale


def _span(grams: Grams, number: int) -> tuple[int, int, int, int]:
    """Where the characters and the words of one text stand, over all its segments."""
    mine = [segment for segment, of in zip(grams.segments, grams.text_of, strict=True) if of == number]
    return mine[0][0], mine[-1][1], mine[0][2], mine[-1][3]


SITE_SCALE = float((VIEWS * (1 + WORDS**2)) ** -0.5)
"""Makes the vector of a text, as corrections see it, about one long."""


def log_odds(chars: Floats, words: Floats) -> Floats:
    """Sums of rows, [..., labels + 1] each, to log-odds [..., labels] before the bias."""
    of_chars = chars[..., :_COUNT] / np.sqrt(chars[..., _COUNT:] + 1)
    return np.asarray(of_chars + words[..., :_COUNT] * (WORDS / np.sqrt(words[..., _COUNT:] + 1)), dtype=np.float32)


def _chunks(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of texts of at most about _CHUNK characters together, so that memory stays bounded."""
    out: list[tuple[int, int]] = []
    low = size = 0
    for number, text in enumerate(texts):
        if size + len(text) > _CHUNK and number > low:
            out.append((low, number))
            low, size = number, 0
        size += len(text)
    if low < len(texts):
        out.append((low, len(texts)))
    return out
