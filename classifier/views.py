"""Two views of one text: as written, and normalised, so that disguises of a word become the word. Standard library only.

A disguise is undone by one `str.translate` (case, NFKD, marks, zero-width characters, confusables) and a few substitutions
(spaced letters, letters written as digits, punctuation inside words, repeated letters). `Tracked` does the same more slowly and
keeps the code point of the original for every character, so that attributions can be underlined.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from classifier.streamsafe import normalize

LONGEST = 20_000
"""Characters that are read at once; `serving` reads a longer text in pieces."""

_SPACED = re.compile(r"(?<![a-z0-9])[a-z](?:[ ._*\-]{1,2}[a-z]){2,}(?![a-z0-9])")
_LEET = re.compile(r"[@$!013457]{1,3}(?=[a-z])|(?<=[a-z])[@$013457]{1,2}(?![a-z0-9@$])")
_REPEAT = re.compile(r"([a-z!?.])\1{2,}")
_INNER = re.compile(r"[.*_'’`~^|+\-]{1,3}(?=[a-z])")
_NOT_LETTER = re.compile(r"[^a-z]+")
_LEET_CHARS = "@$!013457"
_LEET_LETTERS = str.maketrans("@$!013457", "asioieast")


class Fold(dict[int, str]):
    """Code point → its folded form, computed once per code point. confusables: one character → Latin letters."""

    def __init__(self, confusables: Mapping[str, str]) -> None:
        super().__init__()
        self.confusables = dict(confusables)

    def __missing__(self, point: int) -> str:
        if len(self) > 50_000:  # texts may hold any code point; this bounds the cache
            self.clear()
        folded = self[point] = self._fold(chr(point))
        return folded

    def _fold(self, char: str) -> str:
        if char.isascii():
            return " " if char.isspace() or not char.isprintable() else char.lower()
        if "\uac00" <= char <= "\ud7a3":  # Hangul syllables stay whole
            return char
        plain = self.confusables.get(char)
        if plain is not None:
            return plain.lower()
        out = []
        for part in normalize("NFKD", char):
            if _is_mark(part):
                continue
            out.append(self.confusables.get(part, part).lower())
        return " " if out and "".join(out).isspace() else "".join(out)


def _is_mark(char: str) -> bool:
    """Accents and invisible characters, which are dropped. Vowel signs of Indic scripts, Arabic and Thai are letters and stay."""
    point = ord(char)
    return (
        0x300 <= point <= 0x36F
        or 0x1AB0 <= point <= 0x1AFF
        or 0x1DC0 <= point <= 0x1DFF
        or 0x20D0 <= point <= 0x20FF
        or 0xFE00 <= point <= 0xFE2F
        or unicodedata.category(char) == "Cf"
        or 0xE0100 <= point <= 0xE01EF
    )


def as_written(text: str) -> str:
    """Lower case, runs of white space as one space. Case is a structure feature, not a word."""
    return " ".join(text[:LONGEST].lower().split())


def normalised(text: str, fold: Fold) -> str:
    """The text without its disguises: `f.u.c.k`, `fυck`, `f u c k` and `fuuuck` are one word."""
    return " ".join(_undone(text[:LONGEST].translate(fold)).split())


def _undone(folded: str) -> str:
    folded = _SPACED.sub(_join, folded)
    if any(char in folded for char in _LEET_CHARS):
        folded = _LEET.sub(_unleet, folded)
    folded = _INNER.sub(_uninner, folded)
    return _REPEAT.sub(r"\1", folded)


def _join(match: re.Match[str]) -> str:
    return _NOT_LETTER.sub("", match[0])


def _unleet(match: re.Match[str]) -> str:
    return match[0].translate(_LEET_LETTERS)


def _uninner(match: re.Match[str]) -> str:
    # The look-behind is here: a pattern that starts with a set of characters is searched three times faster.
    at = match.start()
    return "" if at and "a" <= match.string[at - 1] <= "z" else match[0]


class Tracked:
    """A text under change, with the code-point offset in the original for each character."""

    def __init__(self, text: str) -> None:
        self.text = text[:LONGEST]
        self.origin = list(range(len(self.text)))

    def each(self, change: Callable[[str], str]) -> Tracked:
        """Replaces every character by `change` of it."""
        parts = [change(char) for char in self.text]
        self.origin = [where for where, part in zip(self.origin, parts, strict=True) for _ in part]
        self.text = "".join(parts)
        return self

    def sub(self, pattern: re.Pattern[str], keep: Callable[[re.Match[str]], list[tuple[int, str]]]) -> Tracked:
        """Replaces every match by (offset in the text, character) pairs."""
        out: list[str] = []
        origin: list[int] = []
        done = 0
        for match in pattern.finditer(self.text):
            out.append(self.text[done : match.start()])
            origin += self.origin[done : match.start()]
            for where, char in keep(match):
                out.append(char)
                origin.append(self.origin[where])
            done = match.end()
        out.append(self.text[done:])
        origin += self.origin[done:]
        self.text, self.origin = "".join(out), origin
        return self

    def collapse(self) -> Tracked:
        """Collapses white space as `" ".join(text.split())` does."""
        out: list[str] = []
        origin: list[int] = []
        for char, where in zip(self.text, self.origin, strict=True):
            if char.isspace():
                if out and out[-1] != " ":
                    out.append(" ")
                    origin.append(where)
            else:
                out.append(char)
                origin.append(where)
        if out and out[-1] == " ":
            out.pop()
            origin.pop()
        self.text, self.origin = "".join(out), origin
        return self


def track_written(text: str) -> Tracked:
    """`as_written`, with origins."""
    return Tracked(text).each(str.lower).collapse()


def track_normalised(text: str, fold: Fold) -> Tracked:
    """`normalised`, with origins."""
    tracked = Tracked(text).each(lambda char: fold[ord(char)])
    tracked.sub(_SPACED, lambda m: [(m.start() + i, c) for i, c in enumerate(m[0]) if "a" <= c <= "z"])
    tracked.sub(_LEET, lambda m: [(m.start() + i, c) for i, c in enumerate(_unleet(m))])
    tracked.sub(_INNER, lambda m: [(m.start() + i, c) for i, c in enumerate(_uninner(m))])
    tracked.sub(_REPEAT, lambda m: [(m.start(), m[1])])
    return tracked.collapse()
