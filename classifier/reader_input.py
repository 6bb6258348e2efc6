"""What the reader reads of a text: its normalised view with identity terms masked and markup made neutral, in
windows. Standard library only.

Identity terms become one placeholder, so that no label but `identity_attack` can tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from classifier.views import LONGEST, Fold, normalised

PLACEHOLDER = "[MASK]"
"""BERT's own token for some word. A text cannot write it: the normalised view is in lower case."""
WINDOW = 126
"""Tokens of a window, beside the two that begin and end it."""
OVERLAP = 14
"""Tokens that two neighbours share, so that an insult on their border stands whole in one."""
MOST_WINDOWS = 4

_ADDRESS_OF = re.compile(
    r"""<a\b[^<>]{0,200}?href\s*=\s*["']?([^"'<>\s]{1,500})[^<>]{0,300}>|\[(?:url|link)=["']?([^\[\]"'\s]{1,500})["']?\]""",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"</?[a-z][^<>]{0,300}>|\[/?(?:url|link|b|i|u|s|img|quote|code|size|color)(?:=[^\[\]]{0,60})?\]|\*\*|__|~~|`",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'\])]+", re.IGNORECASE)
_NOT_WORD = re.compile(r"[\W_]+")
URL_READ = 80
"""Characters of an address that are read: words of its host and path say what it sells."""
_WORD = re.compile(r"\w+")
_RUN = re.compile(r"\[MASK\](?:[\s,/&-]+\[MASK\])+")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")


class Masker:
    """Texts as the reader reads them. terms: identity terms; fold: of the normalised view."""

    def __init__(self, terms: Iterable[str], fold: Fold) -> None:
        self.fold = fold
        self.words = frozenset(word for term in terms for word in _WORD.findall(normalised(term, fold)))

    def read(self, text: str) -> tuple[str, str | None]:
        """(the text with masked terms, the text with its terms: None where it has none)."""
        plain = normalised(without_markup(text), self.fold)
        masked = _WORD.sub(self._masked, plain)
        if masked == plain:
            return plain, None
        return _RUN.sub(PLACEHOLDER, masked), plain

    def _masked(self, match: re.Match[str]) -> str:
        return PLACEHOLDER if match[0] in self.words else match[0]


def without_markup(text: str) -> str:
    """The text without tags, BBCode and Markdown's emphasis, and with each address as the word `link` and its own words: what a
    comment says is the same in every form of writing it."""
    text = text[:LONGEST]
    text = _ADDRESS_OF.sub(r" \1\2 ", text)
    return _URL.sub(_words_of, _TAG.sub(" ", text))


def _words_of(match: re.Match[str]) -> str:
    address = match[0][:URL_READ].partition("://")
    return f" link {_NOT_WORD.sub(' ', (address[2] or address[0]).removeprefix('www.'))} "


def known_script(plain: str) -> bool:
    """Whether most letters of a normalised text are Latin or Cyrillic: the reader knows no other script."""
    letters = sum(map(str.isalpha, plain))
    latin = sum(char.isascii() and char.isalpha() for char in plain)
    return 2 * (latin + len(_CYRILLIC.findall(plain))) >= letters


def windows(tokens: int) -> list[tuple[int, int]]:
    """(first, end) of each window of a text of so many tokens."""
    if tokens <= WINDOW:
        return [(0, tokens)]
    starts = [*range(0, tokens - WINDOW, WINDOW - OVERLAP), tokens - WINDOW]
    return [(start, start + WINDOW) for start in starts]
