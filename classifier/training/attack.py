"""Disguises of a text, to train the second stage and to measure their cost: dots, spaces, leet, repeats, look-alikes,
zero-width characters, swapped letters, benign padding."""

from __future__ import annotations

import random
from collections.abc import Callable

_LEET = str.maketrans("aeiost", "4310$7")
_ALIKE = str.maketrans("aeiocpxy", "аеіосрху")
PADDING = (
    "Thank you for the article, I read it on the train this morning and sent it to my sister. "
    "We have been growing vegetables for a few years and the weather has been kind to us. "
)


def _inside(text: str, rng: random.Random, change: Callable[[str], str]) -> str:
    words = text.split(" ")
    for number, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and rng.random() < 0.7:
            words[number] = change(word)
    return " ".join(words)


def _swapped(word: str, at: int) -> str:
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def disguise(text: str, kind: str, rng: random.Random) -> str:
    """The text in a disguise of KINDS."""
    match kind:
        case "dots":
            return _inside(text, rng, ".".join)
        case "spaces":
            return _inside(text, rng, " ".join)
        case "leet":
            return _inside(text, rng, lambda w: w.translate(_LEET))
        case "repeats":
            return _inside(text, rng, lambda w: w[:2] + w[1] * rng.randint(2, 5) + w[2:])
        case "look-alikes":
            return _inside(text, rng, lambda w: w.translate(_ALIKE))
        case "zero-width":
            return _inside(text, rng, "\u200b".join)
        case "swaps":
            return _inside(text, rng, lambda w: _swapped(w, rng.randrange(len(w) - 1)))
        case "padding":
            return PADDING * 3 + text + " " + PADDING * 3
    raise ValueError(kind)


KINDS = ("dots", "spaces", "leet", "repeats", "look-alikes", "zero-width", "swaps", "padding")
