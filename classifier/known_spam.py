"""A memory of known spam: hashes of runs of letters that several spam comments have and no good one. numpy only.

Spam comes from templates, and a template whose single letters, digits, addresses and punctuation were changed is still the same to
a reader. So a text is the share of its runs of ten letters that are known; a quarter of all runs is looked at, chosen by their
hashes, so that the same runs are looked at in every text (Broder, 1997). No text is stored, and none can be had back.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from classifier.markup import plain
from classifier.views import Fold, normalised

FILE = "known_spam"
READ = 4_000
"""Characters of a text that are looked at: templates are short."""
LENGTH = 10
"""Letters of a run."""
SAMPLED = 4
"""Of so many runs one is looked at."""
FEWEST = 8
"""Runs of a text that are looked at. Of fewer nothing is said: some forty letters."""
SHARE = 0.5
"""Of a text's runs, from which it is known: a comment that quotes spam has words of its own, and quoted lines do not count."""
LOG_ODDS, ASKED_FROM = 6.0, -4.0
"""What a known text's spam is raised to, and from which log-odds on the memory is asked: the words of most good comments say so
plainly that they are no spam that looking is time lost."""

Hashes = npt.NDArray[np.uint32]
_URL = re.compile(r"http://\S+")
_QUOTED = re.compile(r"^[ \t]{0,3}>.*$", re.MULTILINE)
_TIMES, _ODD = np.uint64(1_000_003), np.uint64(0x9E3779B97F4A7C15)


def runs(text: str, fold: Fold) -> Hashes:
    """The hashes of the runs that are looked at, sorted, each once. text: plain."""
    letters = "".join(filter(str.isalpha, normalised(_URL.sub(" ", text), fold)))
    count = len(letters) - LENGTH + 1
    if count < FEWEST:
        return np.zeros(0, np.uint32)
    codes = np.frombuffer(letters.encode("utf-32-le", "replace"), "<u4").astype(np.uint64)
    rolled = np.zeros(count, np.uint64)
    for place in range(LENGTH):
        rolled *= _TIMES
        rolled += codes[place : place + count]
    mixed = ((rolled * _ODD) >> np.uint64(32)).astype(np.uint32)
    return np.unique(mixed[mixed % SAMPLED == 0])


class KnownSpam:
    """hashes: of known runs, sorted. Raises ValueError for an array of another shape."""

    def __init__(self, hashes: Hashes, fold: Fold) -> None:
        if hashes.ndim != 1 or hashes.dtype != np.uint32 or (np.diff(hashes.astype(np.int64)) <= 0).any():
            raise ValueError(f"{FILE}.npy is not of the shape this program reads")
        self._hashes, self._fold = np.array(hashes), fold

    def share(self, text: str) -> float:
        """0..1: of the text's runs that are looked at, those known; 0 for a text with too few."""
        if not len(self._hashes):
            return 0.0
        found = runs(plain(_QUOTED.sub("", text[:READ])), self._fold)
        if len(found) < FEWEST:
            return 0.0
        places = np.searchsorted(self._hashes, found)
        places[places == len(self._hashes)] = 0
        return float((self._hashes[places] == found).mean())

    def knows(self, text: str) -> bool:
        return self.share(text) >= SHARE
