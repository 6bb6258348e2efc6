"""Unicode normalisation of untrusted text in linear time. The only caller of `unicodedata.normalize` in both packages.

CPython sorts a run of combining marks by insertion and holds the interpreter's lock meanwhile: 64,000 marks behind one letter
take half a minute, in a thread too. So runs are first bounded at 30 marks, as in the Stream-Safe Text Format (UAX #15,
section 13). Words of natural languages stay far below this bound.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

LONGEST = 30
"""Non-starters in a row, once a text is decomposed (UAX #15, D3)."""
JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER: invisible and of class 0, so it ends a run."""
FEW = 13
"""Marks of a run that stay within LONGEST: each decomposes into at most two, and the letter before into at most three."""
MARKS = range(0x300, 0x1F000)
"""The range of all characters that decompose into marks alone; a test checks it against Python's tables."""
BEYOND = re.compile("[\U00010000-\U0001efff]")
"""Those of MARKS beyond the basic plane. A pattern that includes them takes forty times as long."""

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


@cache
def _runs(most: int) -> re.Pattern[str]:
    """A pattern for runs of marks up to a code point. Compiled on first use, which takes some milliseconds."""
    spans, last = list[list[int]](), -1
    for point in range(MARKS.start, most):
        char = chr(point)
        if unicodedata.combining(char) or (
            unicodedata.decomposition(char) and unicodedata.combining(unicodedata.normalize("NFKD", char)[0])
        ):
            if point != last + 1:
                spans.append([point, point])
            spans[-1][1] = last = point
    mark = f"[{''.join(f'{chr(first)}-{chr(end)}' for first, end in spans)}]"
    return re.compile(f"{mark}{mark}{{{FEW - 1},}}")  # a pattern that begins with a set is searched faster


def stream_safe(text: str) -> str:
    """The text, with joiners in runs of marks that are too long (UAX #15, D4). Ordinary texts come back unchanged.

    For text that libraries normalise: `urlsplit`, `idna`.
    """
    if text.isascii():
        return text
    return _runs(MARKS.stop if BEYOND.search(text) else 0x10000).sub(_broken, text)


def normalize(form: Form, text: str) -> str:
    """As `unicodedata.normalize` of the stream-safe text, in time proportional to its length."""
    return text if text.isascii() else unicodedata.normalize(form, stream_safe(text))


def _broken(run: re.Match[str]) -> str:
    before = unicodedata.normalize("NFKD", run.string[max(run.start() - 1, 0) : run.start()])
    row = len(before) - max((at for at, c in enumerate(before, 1) if not unicodedata.combining(c)), default=0)
    out = []
    for char in run[0]:
        marks = len(unicodedata.normalize("NFKD", char))
        if row + marks > LONGEST:
            out.append(JOINER)
            row = 0
        row += marks
        out.append(char)
    return "".join(out)
