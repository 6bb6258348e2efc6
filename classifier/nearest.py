"""The texts most alike, from their words alone: hashed stems, weighted by how rare they are among the texts compared.

A text's vector depends on nothing but the text, so it is worked out once and kept; how rare a stem is depends on the
collection, so that is worked out in memory.
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
"""To be raised with every change of what a vector is: what is kept of another version is worked out again."""
BUCKETS = 1 << 18
STEM = 5
"""Characters of a word that count: *garden*, *gardens*, *gardening*, and as well in languages that we know nothing of."""
MOST = 512
"""Stems of one text, its most frequent ones."""
READ = 20_000
"""Characters of one text that are looked at."""

# Scripts that leave no space between words, and Hangul, which leaves none before its particles: pairs of characters
# stand for words there, and ideographs for themselves too.
_RUN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_IDEOGRAPH = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Anything but spaces, punctuation and symbols; combining marks belong to their words, which `\w` does not know.
_PIECE = re.compile(
    rf"([{_RUN}]+)|[^\s\x00-/:-@\[-`{{-\u00bf\u2000-\u206f\u20a0-\u2bff\u3000-\u303f\ufe30-\ufe4f\uff00-\uff0f{_RUN}]+"
)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Vector:
    """Which buckets a text touches, each once, and how often (damped)."""

    buckets: npt.NDArray[np.int32]
    counts: Floats

    def pack(self) -> str:
        """As text, so that every database and every backup holds it alike."""
        both = self.buckets.astype("<i4").tobytes() + self.counts.astype("<f4").tobytes()
        return base64.b64encode(both).decode()

    @classmethod
    def unpack(cls, packed: str) -> Vector:
        both = base64.b64decode(packed)
        half = len(both) // 2
        return cls(np.frombuffer(both[:half], "<i4"), np.frombuffer(both[half:], "<f4"))


def stems(text: str) -> list[str]:
    """In the order of the text; a stem as often as it stands there."""
    found = []
    for piece in _PIECE.finditer(normalize("NFKC", text[:READ])[: 2 * READ].casefold()):
        if run := piece[1]:
            found += [run[at : at + 2] for at in range(len(run) - 1)]
            found += _IDEOGRAPH.findall(run)
        elif len(word := piece[0]) > 1:
            found.append(word[:STEM] if len(word) != STEM or word[-1] != "s" else word[:-1])
    return found


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
    """A collection of vectors, to be asked which are most like one."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._count = len(vectors)
        lengths = [len(v.buckets) for v in vectors]
        self._owner = np.repeat(np.arange(self._count), lengths)
        self._buckets = np.concatenate([NOTHING.buckets, *(v.buckets for v in vectors)])
        self._weights = np.concatenate([NOTHING.counts, *(v.counts for v in vectors)]) * self._rarity[self._buckets]
        self._norms = np.sqrt(np.bincount(self._owner, self._weights**2, self._count))

    @cached_property
    def _rarity(self) -> Floats:
        """0 for what every text has."""
        have = np.bincount(self._buckets, minlength=BUCKETS)
        return np.log((1 + self._count) / (1 + have)).astype(np.float32)

    def similarity(self, to: Vector) -> npt.NDArray[np.float64]:
        """To each of the collection, in its order: 0 for nothing in common, 1 for the same stems."""
        asked = np.zeros(BUCKETS, np.float32)
        asked[to.buckets] = to.counts * self._rarity[to.buckets]
        dots = np.bincount(self._owner, self._weights * asked[self._buckets], self._count)
        lengths = self._norms * float(np.linalg.norm(asked))
        return np.divide(dots, lengths, out=np.zeros(self._count), where=lengths > 0)
