"""The author's name and website, each judged alone: the base with a correction of its own. numpy only.

Spammers leave their message in these fields: *Cheap Jordans* as a name, a casino's address as the website. The base reads
sentences, so two things are added to its log-odds here: weights of n-grams for `spam`, fitted on the link texts and addresses of
spam beside people's names and websites, and a shift of every label, which holds the share of real names above a threshold
(docs/classifier.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

from classifier.linear import Floats
from classifier.streamsafe import stream_safe

NAME_READ, WEBSITE_READ = 200, 160
"""Characters that are read."""
KEPT = 4_096
"""Texts whose scores are kept: names return, and a site's regulars are few."""
_NO_WORD = re.compile(r"[\W_]+")


def website_words(url: str) -> str:
    """`https://www.best-casino.example/win?id=1` → `best casino example win id 1`; "" without a host."""
    url = stream_safe(url[: 2 * WEBSITE_READ])
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host = parts.hostname or ""
    except ValueError:
        return ""
    shown = ".".join(map(_as_shown, host.removeprefix("www.").split(".")))
    words = _NO_WORD.sub(" ", unquote(f"{shown} {parts.path} {parts.query}"))
    return " ".join(words.split())[:WEBSITE_READ] if host else ""


def _as_shown(label: str) -> str:
    """`xn--mller-kva` → `müller` (RFC 3492)."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label


class AuthorReader:
    """Log-odds per label of short texts by `score`, the latest kept. A version's scores never change, so neither do kept ones."""

    def __init__(self, score: Callable[[Sequence[str]], Floats]) -> None:
        self._score = score
        self._kept: dict[str, Floats] = {}

    def log_odds(self, texts: Sequence[str]) -> list[Floats]:
        """[labels] for each text, in order."""
        kept = self._kept
        if new := [text for text in dict.fromkeys(texts) if text not in kept]:
            if len(kept) + len(new) > KEPT:
                kept = self._kept = {text: kept[text] for text in texts if text in kept}
            kept |= zip(new, self._score(new), strict=True)
        return [kept[text] for text in texts]
