"""What the reader reads of a text: its normalised view without markup, with identity terms masked and each address as the word `link`
and its own words, in windows. Standard library only.

Identity terms become one placeholder, so that no label but `identity_attack` can tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from classifier.markup import plain
from classifier.views import LONGEST, Fold, normalised

PLACEHOLDER = "[MASK]"
"""BERT's own token for some word. A text cannot write it: the normalised view is in lower case."""
WINDOW = 126
"""Tokens of a window, beside the two that begin and end it."""
OVERLAP = 14
"""Tokens that two neighbours share, so that an insult on their border stands whole in one."""
MOST_WINDOWS = 4
FAMILIAR, FOREIGN = 1.4, 1.8
"""Tokens a word up to which a text counts as English wholly, and from which it counts as another language. Of texts in English one in
twenty has more than 1.5, of texts in French, Portuguese, German, Turkish, Indonesian and Russian nineteen in twenty have."""

_URL = re.compile(r"http://[^\s<>\"'\])]+")
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
        read = normalised(_URL.sub(_words_of, plain(text[:LONGEST])), self.fold)
        masked = _WORD.sub(self._masked, read)
        if masked == read:
            return read, None
        return _RUN.sub(PLACEHOLDER, masked), read

    def _masked(self, match: re.Match[str]) -> str:
        return PLACEHOLDER if match[0] in self.words else match[0]


def _words_of(match: re.Match[str]) -> str:
    return f" link {_NOT_WORD.sub(' ', match[0][len('http://') : URL_READ])} "


def known_script(text: str) -> bool:
    """Whether a normalised text has letters, most of them Latin or Cyrillic: the reader knows no other script, and no emoji."""
    letters = sum(map(str.isalpha, text))
    latin = sum(char.isascii() and char.isalpha() for char in text)
    return letters > 0 and 2 * (latin + len(_CYRILLIC.findall(text))) >= letters


def known_words(tokens: Iterable[str]) -> float:
    """0..1: 1 where words are whole tokens, as nearly all English ones are, 0 where they fall into pieces, as those of other languages
    do. The measure is a tokenizer's fertility, tokens a word (Rust et al., ACL 2021)."""
    words = pieces = 0
    for token in tokens:
        if token.startswith("##"):
            pieces += token[2:].isalpha()
        else:
            words += token.isalpha()
    if not words:
        return 1.0
    return min(max((FOREIGN - 1 - pieces / words) / (FOREIGN - FAMILIAR), 0.0), 1.0)


def windows(tokens: int) -> list[tuple[int, int]]:
    """(first, end) of each window of a text of so many tokens."""
    if tokens <= WINDOW:
        return [(0, tokens)]
    starts = [*range(0, tokens - WINDOW, WINDOW - OVERLAP), tokens - WINDOW]
    return [(start, start + WINDOW) for start in starts]
