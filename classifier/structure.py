"""What a text looks like, as two dozen numbers. Only `spam` reads them.

They enter the second stage, fitted on rows whose words no fit saw, so that a number earns its weight beside the words.
How often each is not zero is not reported yet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from classifier.examples import Author
from classifier.views import LONGEST

NAMES: tuple[str, ...] = (
    "link",
    "links",
    "link share",
    "link hosts",
    "shortener",
    "markup link",
    "bare domain",
    "phone",
    "messenger",
    "capitals",
    "shouting words",
    "digits",
    "exclamation",
    "money",
    "not ascii",
    "styled letters",
    "length",
    "short",
    "repetition",
    "lines",
    "author url",
    "author name long",
    "author name digits",
    "author mail disposable",
)

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"\]]+", re.I)
_MARKUP = re.compile(r"<a\s|\[url|\[link|href=|\]\(http")
_DOMAIN = re.compile(r"\.(?:com|net|org|info|biz|ru|cn|xyz|top|online|site|shop|club|io|co|me|ly|tk|example)\b")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d{1,4}\)?(?:[ .\-]?\d){7,12}(?!\w)")
_MESSENGER = (
    *("whatsapp", "whats app", "telegram", "t.me/", "wa.me/", "viber", "wechat", "skype:", "skype :"),
    *("@gmail", "@outlook", "@yahoo"),
)
_SHOUT = re.compile(r"\b[A-Z]{4,}\b")
_MONEY = re.compile(r"[$€£]\s?\d|\d\s?[$€£%]|\busd\b")
_MONEY_SIGNS = ("$", "€", "£", "%", "usd")
_UPPER = bytes(range(65, 91))
_LOWER = bytes(range(97, 123))
_DIGITS = bytes(range(48, 58))
_CAPITALS = bytes(65 if byte in _UPPER else 32 for byte in range(256))


class Structure:
    """`shorteners` and `disposable`: host names that the model folder brings along."""

    def __init__(self, shorteners: Collection[str] = (), disposable: Collection[str] = ()) -> None:
        self.shorteners = frozenset(shorteners)
        self.disposable = frozenset(disposable)

    def row(self, text: str, author: Author) -> list[float]:
        """One number per name in `NAMES`, each within about 0..3."""
        text = text[:LONGEST]
        size = max(len(text), 1)
        low = text.lower()
        plain = text.encode("ascii", "ignore")
        upper = len(plain) - len(plain.translate(None, _UPPER))
        lower = len(plain) - len(plain.translate(None, _LOWER))
        digits = len(plain) - len(plain.translate(None, _DIGITS))
        links = _LINK.findall(text) if "://" in text or "www." in low else []
        hosts = {host_of(link) for link in links}
        words = text.split()
        styled = 0
        if len(plain) != len(text):
            styled = sum(0x1D400 <= ord(c) <= 0x1D7FF or 0xFF21 <= ord(c) <= 0xFF5A for c in text)
        name = author.name
        return [
            float(bool(links)),
            math.log1p(len(links)),
            min(sum(map(len, links)) / size, 1.0),
            math.log1p(max(len(hosts) - 1, 0)),
            float(not hosts.isdisjoint(self.shorteners)),
            float(("<" in low or "[" in low or "=" in low) and _MARKUP.search(low) is not None),
            float(not links and any(low[m.start() - 1].isalnum() for m in _DOMAIN.finditer(low) if m.start())),
            float(digits >= 8 and _PHONE.search(text) is not None),
            float(_any_in(_MESSENGER, low)),
            upper / (upper + lower + 10),
            min(math.log1p(len(_SHOUT.findall(text))), 3.0) if b"AAAA" in plain.translate(_CAPITALS) else 0.0,
            digits / size,
            min(math.log1p(text.count("!")), 3.0),
            float(digits > 0 and _any_in(_MONEY_SIGNS, low) and _MONEY.search(low) is not None),
            (len(text) - len(plain)) / size,
            min(math.log1p(styled), 3.0),
            min(math.log1p(size) / 3, 3.0),
            float(len(words) < 4),
            1.0 - len(set(words)) / len(words) if words else 0.0,
            min(math.log1p(text.count("\n")), 3.0),
            float(bool(author.url)),
            float(len(name.split()) > 3),
            float(any(map(str.isdigit, name))),
            float(bool(author.email_domain) and author.email_domain.lower() in self.disposable),
        ]

    def rows(self, texts: Collection[str], authors: Collection[Author]) -> npt.NDArray[np.float32]:
        """[texts, names]"""
        rows = [self.row(text, author) for text, author in zip(texts, authors, strict=True)]
        return np.array(rows, np.float32).reshape(len(rows), len(NAMES))


def _any_in(parts: Iterable[str], text: str) -> bool:
    for part in parts:  # noqa: SIM110 - a third of what `any` with a generator costs, and this is asked of every comment
        if part in text:
            return True
    return False


def host_of(link: str) -> str:
    """`https://www.a.example/x` → `a.example`; "" where there is none."""
    try:
        host = urlsplit(link if "://" in link else f"//{link}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.").lower()
