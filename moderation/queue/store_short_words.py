"""The index of short words, which trigrams cannot find: words of one or two letters, characters of scripts without spaces,
and hosts of email addresses."""

from __future__ import annotations

import re

DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2190-\u2bff\u2e80-\u9fff\ua000-\ua4cf\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    "\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese, Japanese, Korean, and pictographs: indexed at every position, alone and in pairs."""
_DENSE = re.compile(f"[{DENSE}]")
_WORD = re.compile(r"\w+")
_HOST = re.compile(r"@([\w-]+(?:\.[\w-]+)+)")
_AROUND = ".,;:!?()[]{}<>\"'`*_~…“”‘’«»"


def is_short(word: str) -> bool:
    """Whether a word is looked up here, as a whole; other words are looked up by trigrams."""
    return len(word) < 3 or _HOST.fullmatch(word) is not None


def found_in(text: str) -> set[str]:
    """All short words of a text."""
    plain = text.lower()
    found = {piece for whole in plain.split() for piece in (whole, whole.strip(_AROUND)) if 0 < len(piece) < 3}
    found |= {word for word in _WORD.findall(plain) if len(word) < 3}
    found |= {f"@{host}" for host in _HOST.findall(plain)}
    for match in _DENSE.finditer(plain):
        at = match.start()
        found |= {pair for pair in (plain[at], plain[at : at + 2], plain[max(at - 1, 0) : at + 1]) if " " not in pair}
    return {word for word in found if word.isprintable()}


def spelled(words: set[str]) -> str:
    """A short word for SQLite's index, encoded in letters that the tokenizer does not split."""
    return " ".join(sorted(f"x{word.encode('utf-8', 'replace').hex()}" for word in words))
