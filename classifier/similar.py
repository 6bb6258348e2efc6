"""Near-duplicates: shingles of five characters, and MinHash keys under which similar texts are found.

The similarity of two texts is the share of their shingles that both have (Jaccard). For the search among many, each text has
twelve keys, each of three minima of fixed hashes (MinHash, in bands): 99 of 100 pairs with a similarity of 0.7 share a key, and
hardly any unrelated pair does. Keys are stored, so a change of the keys raises VERSION.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from classifier.streamsafe import normalize

VERSION = 1
LENGTH = 5
"""Characters of a shingle."""
BANDS, ROWS = 12, 3
SHARED = 4
"""Common keys from which two texts belong to one wave: what two texts with a similarity of 0.7 have on average (12 × 0.7³)."""
READ = 10_000
"""Characters of one text that are read."""

Shingles = npt.NDArray[np.uint64]
"""Hashed, sorted, each once."""

_LINK = re.compile(r"(?:https?://|www\.)([^\s/?#\"'<>()\[\]]+)[^\s\"'<>()\[\]]*", re.IGNORECASE)
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_GAP = re.compile(r"[\W_]+")
_FIGURE = re.compile(r"\d+")

_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mixed(values: Shingles) -> Shingles:
    """The finaliser of SplitMix64: every output bit depends on every input bit."""
    values = (values ^ (values >> np.uint64(30))) * _ONE
    values = (values ^ (values >> np.uint64(27))) * _TWO
    return values ^ (values >> np.uint64(31))


_SEEDS = _mixed(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))[:, None]
_PLACES = _mixed(np.arange(1001, 1001 + LENGTH, dtype=np.uint64))
_BANDS = _mixed(np.arange(2001, 2001 + BANDS, dtype=np.uint64))


def _rolled(text: str) -> Shingles:
    """One number for each run of LENGTH characters; one for a shorter text."""
    codes = np.frombuffer(text.ljust(LENGTH).encode("utf-32-le", "replace"), "<u4").astype(np.uint64)
    count = len(codes) - LENGTH + 1
    sums = np.zeros(count, np.uint64)
    for place in range(LENGTH):
        sums += codes[place : place + count] * _PLACES[place]
    return _mixed(sums)


def _named(kind: str, word: str) -> Shingles:
    """One number for a whole word outside the text: a link's host, a name."""
    return np.bitwise_xor.reduce(_rolled(f"\0{kind} {word}"), keepdims=True)


def shingles(text: str, name: str = "", url: str = "") -> Shingles:
    """Of the text without case, punctuation, digits and invisible characters. A link counts by its host, a name as a whole."""
    plain = _UNSEEN.sub("", normalize("NFKC", text[:READ])[: 2 * READ]).casefold()
    hosts = {match[1].removeprefix("www.") for match in _LINK.finditer(f"{plain} {url.casefold()}")}
    words = _FIGURE.sub("0", _GAP.sub(" ", _LINK.sub(" ", plain))).strip()
    parts = [_rolled(f" {words} ")] if words else []
    parts += [_named("link", host) for host in sorted(hosts)]
    if who := _GAP.sub(" ", _UNSEEN.sub("", normalize("NFKC", name)).casefold()).strip():
        parts.append(_named("name", who))
    return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)


def keys(of: Shingles) -> list[int]:
    """One key for each band, as signed 64-bit numbers; none for a text without shingles."""
    if not len(of):
        return []
    lowest = _mixed(of[None, :] ^ _SEEDS).min(axis=1).reshape(BANDS, ROWS)
    joined = _BANDS.copy()
    for row in range(ROWS):
        joined = _mixed(joined + lowest[:, row])
    return [int(key) for key in joined.view(np.int64)]


def first_of_wave(texts: Iterable[Iterable[int]]) -> list[int]:
    """For each text, given by its keys, the number of the first text of its wave: its own, where none before is like it."""
    having: dict[int, list[int]] = {}
    first: list[int] = []
    for number, mine in enumerate(texts):
        common = Counter(other for key in mine for other in having.get(key, ()))
        wave = min((other for other, count in common.items() if count >= SHARED), default=number)
        first.append(wave)
        if wave == number:
            for key in mine:
                having.setdefault(key, []).append(number)
    return first


def similarity(one: Shingles, other: Shingles) -> float:
    """0 without common shingles, 1 for the same shingles."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - both
    return both / either if either else 0.0


def similarities(one: Shingles, others: Iterable[Shingles]) -> list[float]:
    return [similarity(one, other) for other in others]
