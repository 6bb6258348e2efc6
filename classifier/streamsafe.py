"""Normalising what anybody may have typed. The only caller of `unicodedata.normalize`, in both packages.

CPython sorts a run of combining marks by insertion and holds the interpreter's lock meanwhile: 64,000 marks behind one
letter take half a minute, and a thread is no help. So a copy is normalised in which no run is longer than 30, as the
Stream-Safe Text Format has it (UAX #15, section 13): no word of any language has nearly so many.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

LONGEST = 30
"""Non-starters in a row, once a text is decomposed (UAX #15, D3)."""
JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER: unseen, of class 0, and so the end of a run."""
FEW = 13
"""Marks of a run that need not be counted: each stands for at most two, and the letter before brings at most three."""
MARKS = range(0x300, 0x1F000)
"""Where every character lies that decomposes into marks alone; a test asks this Python's own tables."""
BEYOND = re.compile("[\U00010000-\U0001efff]")
"""Those of MARKS beyond the basic plane: a pattern that knows them takes forty times as long."""

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


@cache
def _runs(most: int) -> re.Pattern[str]:
    """Runs of marks up to a code point. Made when first asked for, since it takes some milliseconds."""
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
    return re.compile(f"{mark}{mark}{{{FEW - 1},}}")  # one that begins with a set is looked for faster


def stream_safe(text: str) -> str:
    """The text where no run of marks is too long, as every real one; else with joiners that break it (UAX #15, D4).

    For what others normalise too: `urlsplit`, `idna`.
    """
    if text.isascii():
        return text
    return _runs(MARKS.stop if BEYOND.search(text) else 0x10000).sub(_broken, text)


def normalize(form: Form, text: str) -> str:
    """In time that grows with the text's length, whatever it is."""
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
