"""The linear part: texts → per label and view one number before the second stage. numpy only.

A row of the table is [weight × idf of the seven labels, idf²]. The eighth column makes the length of the vector come
out of the same sum, so that TF-IDF with a norm costs no more than counting. Identity rows have idf² = 0: they lengthen
nothing, so the other labels cannot even see how long such a word is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.hashing import Grams, Hasher
from classifier.labels import LABELS

Floats = npt.NDArray[np.float32]

WORDS = 1.5
"""Words count half as much again as characters: light but steady, measured by the prototype on all toxicity sources."""
VIEWS = 2
SITE_BUCKETS = 1 << 16
_COUNT = len(LABELS)
_CHUNK = 120_000


@dataclass(frozen=True, slots=True)
class Linear:
    """whole, worst: [texts, views, labels] log-odds of the whole text and of its highest window.

    site: [texts, labels] what the sites' corrections add (zeros without one)."""

    whole: Floats
    worst: Floats
    site: Floats


def norm(squares: float) -> float:
    """Length of a block from its sum of idf². The 1 keeps a lone n-gram from shouting."""
    return float((squares + 1.0) ** 0.5)


class Table:
    """weights: [views, ROWS, 8] float16 or float32; bias: [views, labels]."""

    def __init__(self, weights: npt.NDArray[np.floating], bias: Floats, hasher: Hasher) -> None:
        self.weights = weights
        self.bias = bias
        self.hasher = hasher
        self._ones = np.ones(4 * _CHUNK, np.float32)

    def score(self, views: Sequence[Sequence[str]], sites: Sequence[npt.NDArray[np.floating] | None] = ()) -> Linear:
        """views: one list of prepared texts per view. sites: per text its correction [SITE_BUCKETS, labels] or None."""
        count = len(views[0])
        whole = np.empty((count, VIEWS, _COUNT), np.float32)
        worst = np.empty((count, VIEWS, _COUNT), np.float32)
        site = np.zeros((count, _COUNT), np.float32)
        for low, high in _chunks(views[0]):
            for view in range(VIEWS):
                grams = self.hasher.grams(views[view][low:high])
                corrections = sites[low:high] if sites else ()
                self._view(grams, view, whole[low:high], worst[low:high], site[low:high], corrections)
        return Linear(whole, worst, site)

    def _view(
        self,
        grams: Grams,
        view: int,
        whole: Floats,
        worst: Floats,
        site: Floats,
        sites: Sequence[npt.NDArray[np.floating] | None],
    ) -> None:
        table = self.weights[view]
        chars = table.take(grams.chars.ravel(), axis=0).astype(np.float32, copy=False)
        words = table.take(grams.words.ravel(), axis=0).astype(np.float32, copy=False)
        wide = grams.words.shape[1]
        count = len(whole)
        sums: list[list[tuple[Floats, Floats]]] = [[] for _ in range(count)]
        for (low, high, first, last), owner in zip(grams.segments, grams.owner, strict=True):
            of_chars = self._ones[: 3 * (high - low)] @ chars[3 * low : 3 * high]
            of_words = self._ones[: wide * (last - first)] @ words[wide * first : wide * last]
            sums[owner].append((of_chars, of_words))
        bias = self.bias[view]
        for number, parts in enumerate(sums):
            if len(parts) == 1:
                whole[number, view] = worst[number, view] = _log_odds(*parts[0]) + bias
                continue
            whole[number, view] = _log_odds(sum(c for c, _ in parts), sum(w for _, w in parts)) + bias  # type: ignore[arg-type]
            pairs = [_log_odds(a[0] + b[0], a[1] + b[1]) + bias for a, b in zip(parts[:-1], parts[1:], strict=True)]
            worst[number, view] = np.maximum(np.max(pairs, axis=0), whole[number, view])
        for number, correction in enumerate(sites):
            if correction is not None:
                segments = [s for s, o in zip(grams.segments, grams.owner, strict=True) if o == number]
                low, high, first, last = segments[0][0], segments[-1][1], segments[0][2], segments[-1][3]
                for part, rows, one, two, scale in (
                    (chars, grams.chars, 3 * low, 3 * high, 1.0),
                    (words, grams.words, wide * first, wide * last, WORDS),
                ):
                    squares = part[one:two, _COUNT]
                    values = np.sqrt(squares) * (scale * SITE_SCALE / norm(float(squares.sum())))
                    site[number] += values @ correction.take(rows.ravel()[one:two] % SITE_BUCKETS, axis=0)


SITE_SCALE = float((VIEWS * (1 + WORDS**2)) ** -0.5)
"""Makes the vector of a text, as corrections see it, about one long."""


def _log_odds(chars: Floats, words: Floats) -> Floats:
    chars_norm, words_norm = norm(float(chars[_COUNT])), norm(float(words[_COUNT]))
    return chars[:_COUNT] / np.float32(chars_norm) + words[:_COUNT] * np.float32(WORDS / words_norm)


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
