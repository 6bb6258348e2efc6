"""The nearest texts of a collection, by their words: hashed stems, weighted by their rarity in the collection.

A text's vector depends on the text alone, so it is computed once and stored. The rarity of a stem depends on the collection, so
it is computed in memory.
"""

from __future__ import annotations

import base64
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import numpy.typing as npt

from classifier.streamsafe import normalize

VERSION = 1
"""Raised with every change of the vectors: stored vectors of another version are computed again."""
BUCKETS = 1 << 18
STEM = 5
"""Characters of a stem: *garden*, *gardens* and *gardening* share one, in every language alike."""
MOST = 512
"""Stems of one text, its most frequent ones."""
READ = 20_000
"""Characters of one text that are read."""

# Scripts without spaces between words, and Hangul, whose particles follow without a space: there pairs of characters are
# stems, and single ideographs too.
_RUN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_IDEOGRAPH = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Everything except spaces, punctuation and symbols. Combining marks belong to their words; `\w` excludes them.
_PIECE = re.compile(
    rf"([{_RUN}]+)|[^\s\x00-/:-@\[-`{{-\u00bf\u2000-\u206f\u20a0-\u2bff\u3000-\u303f\ufe30-\ufe4f\uff00-\uff0f{_RUN}]+"
)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vector:
    """buckets: of the text's stems, each once; counts: 1 + log of how often."""

    buckets: npt.NDArray[np.int32]
    counts: Floats

    def pack(self) -> str:
        """As ASCII text, for databases and backups."""
        both = self.buckets.astype("<i4").tobytes() + self.counts.astype("<f4").tobytes()
        return base64.b64encode(both).decode()

    @classmethod
    def unpack(cls, packed: str) -> Vector:
        both = base64.b64decode(packed)
        half = len(both) // 2
        return cls(np.frombuffer(both[:half], "<i4"), np.frombuffer(both[half:], "<f4"))


def stems(text: str) -> list[str]:
    """All stems, in the order of the text."""
    stems = []
    for piece in _PIECE.finditer(normalize("NFKC", text[:READ])[: 2 * READ].casefold()):
        if run := piece[1]:
            stems += [run[at : at + 2] for at in range(len(run) - 1)]
            stems += _IDEOGRAPH.findall(run)
        elif len(word := piece[0]) > 1:
            stems.append(word[:STEM] if len(word) != STEM or word[-1] != "s" else word[:-1])
    return stems


def vector(text: str, title: str = "") -> Vector:
    """A stem of the title counts as three of the text."""
    counted = Counter(stems(text))
    for stem in stems(title):
        counted[stem] += 3
    rows: dict[int, float] = {}
    for stem, count in counted.most_common(MOST):
        bucket = crc32(stem.encode("utf-8", "replace")) % BUCKETS
        rows[bucket] = rows.get(bucket, 0.0) + 1 + math.log(count)
    return Vector(np.fromiter(rows, np.int32, len(rows)), np.fromiter(rows.values(), np.float32, len(rows)))


NOTHING = vector("")


class Nearest:
    """A collection of vectors and their similarity to another."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._count = len(vectors)
        lengths = [len(v.buckets) for v in vectors]
        self._owner = np.repeat(np.arange(self._count), lengths)
        self._buckets = np.concatenate([NOTHING.buckets, *(v.buckets for v in vectors)])
        self._weights = np.concatenate([NOTHING.counts, *(v.counts for v in vectors)]) * self._rarity[self._buckets]
        self._norms = np.sqrt(np.bincount(self._owner, self._weights**2, self._count))

    @cached_property
    def _rarity(self) -> Floats:
        """[BUCKETS] idf; 0 for a stem that every text has."""
        have = np.bincount(self._buckets, minlength=BUCKETS)
        return np.log((1 + self._count) / (1 + have)).astype(np.float32)

    def similarity(self, to: Vector) -> npt.NDArray[np.float64]:
        """[vectors] cosine to each of the collection: 0 without common stems, 1 for the same stems."""
        weights = np.zeros(BUCKETS, np.float32)
        weights[to.buckets] = to.counts * self._rarity[to.buckets]
        dots = np.bincount(self._owner, self._weights * weights[self._buckets], self._count)
        lengths = self._norms * float(np.linalg.norm(weights))
        return np.divide(dots, lengths, out=np.zeros(self._count), where=lengths > 0)
