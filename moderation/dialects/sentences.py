"""The sentences of a text, as spans; a small part of UAX #29 that suits comments."""

from __future__ import annotations

import re

END = re.compile(r"""[.!?…]++["'”’»)\]]*+ | [。！？｡]++[」』”’）"')]*+ | [\n\r\v\f\x85\u2028\u2029]++""", re.VERBOSE)
"""The end of a sentence with its closing quotes, or of a line. Possessive, so that the search is linear."""
WIDE = frozenset("。！？｡")
"""These end a sentence without a space."""
NEXT_WORD = re.compile(r"\s*+[\"'“‘«(\[]*+(\S?)")
WORD_BEFORE = re.compile(r"[^\W\d_]+\Z")
LONGEST_WORD = 12
ABBREVIATIONS = {
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "al", "jr", "sr", "inc", "ltd", "approx", "dept", "fig", "gen", "gov", "rev", "sgt",
    "bzw", "ca", "evtl", "ggf", "inkl", "nr", "vgl",
}  # fmt: skip
"""Words before a full stop that seldom end a sentence."""
Span = tuple[int, int]


def sentences(text: str, most: int) -> list[Span]:
    """The sentences, as code points without the space around them, at most `most`: the last one then reaches to the end.
    A text without any is one sentence."""
    spans: list[Span] = []
    start = 0
    for end in END.finditer(text):
        if len(spans) == most - 1:
            break
        if is_end(text, end):
            spans += trimmed(text, start, end.end())
            start = end.end()
    spans += trimmed(text, start, len(text))
    return spans or [(0, len(text))]


def is_end(text: str, end: re.Match[str]) -> bool:
    """Whether a mark ends its sentence."""
    mark, after = end[0], text[end.end() : end.end() + 1]
    if mark.isspace() or mark[0] in WIDE:
        return True
    if after and not after.isspace():  # 3.14, example.org
        return False
    if "!" in mark or "?" in mark:
        return True
    following = NEXT_WORD.match(text, end.end())
    if following is not None and following[1].islower():
        return False
    word = WORD_BEFORE.search(text, max(0, end.start() - LONGEST_WORD), end.start())
    return mark != "." or word is None or not is_shortened(word[0])


def is_shortened(word: str) -> bool:
    """Whether a full stop after a word belongs to it, as in J. Smith and e.g.; `I` ends sentences."""
    return word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isascii() and word not in "Ii")


def trimmed(text: str, start: int, end: int) -> list[Span]:
    """The span without space at its ends, none if nothing is left."""
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    return [(left, right)] if left < right else []


def in_utf16(text: str, spans: list[Span]) -> list[Span]:
    """The same spans, which are in order, in UTF-16 code units, as JavaScript and Java count."""
    if text.isascii():
        return spans
    counted, units, found = 0, 0, list[Span]()
    for start, end in spans:
        begin = units + width(text[counted:start])
        units = begin + width(text[start:end])
        counted = end
        found.append((begin, units))
    return found


def width(text: str) -> int:
    """The UTF-16 code units of a text: two for a character beyond the basic plane."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
