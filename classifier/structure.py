"""The look of a plain text as two dozen numbers, read by `spam` only.

They enter the second stage, which is fitted on rows whose words no fit saw, so that each number gets its weight beside the
words. `evaluate` reports how often each is not zero.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from math import log1p
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from classifier.examples import Author
from classifier.streamsafe import stream_safe
from classifier.views import LONGEST

NAMES: tuple[str, ...] = (
    "link",
    "links",
    "link share",
    "link hosts",
    "shortener",
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
_DOMAIN = re.compile(r"\.(?:com|net|org|info|biz|ru|cn|xyz|top|online|site|shop|club|io|co|me|ly|tk|example)\b")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d{1,4}\)?(?:[ .\-]?\d){7,12}(?!\w)")
_MESSENGER = ("whatsapp", "whats app", "telegram", "viber", "wechat")
_MESSENGER_MARKED = (
    ("@", ("@gmail", "@outlook", "@yahoo")),
    (".me/", ("t.me/", "wa.me/")),
    ("skype", ("skype:", "skype :")),
)
_LINES = re.compile(r"\S[^\S\n]*\n")
"""Ends of lines that say something: blank ones are how some markup parts paragraphs."""
_STYLED = re.compile("[\U0001d400-\U0001d7ff\uff21-\uff5a]")
_SHOUT = re.compile(r"\b[A-Z]{4,}\b")
_MONEY = re.compile(r"[$€£]\s?\d|\d\s?[$€£%]|\busd\b")
_MONEY_SIGNS = ("$", "€", "£", "%", "usd")
_UPPER = bytes(range(65, 91))
_LOWER = bytes(range(97, 123))
_DIGITS = bytes(range(48, 58))
_CAPITALS = bytes(65 if byte in _UPPER else 32 for byte in range(256))


class Structure:
    """shorteners, disposable: host names from the model folder."""

    def __init__(self, shorteners: Collection[str] = (), disposable: Collection[str] = ()) -> None:
        self.shorteners = frozenset(shorteners)
        self.disposable = frozenset(disposable)

    def row(self, text: str, author: Author) -> list[float]:
        """One number per name in `NAMES`, each within about 0..3."""
        text = text[:LONGEST]
        size = len(text) or 1
        low = text.lower()
        plain = text.encode("ascii", "ignore")
        ascii_size = len(plain)
        upper = ascii_size - len(plain.translate(None, _UPPER))
        lower = ascii_size - len(plain.translate(None, _LOWER))
        digits = ascii_size - len(plain.translate(None, _DIGITS))
        links = _LINK.findall(text) if "://" in text or "www." in low else []
        words = text.split()
        name = author.name
        row = [
            *(0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            1.0 if digits >= 8 and _PHONE.search(text) else 0.0,
            1.0 if _names_messenger(low) else 0.0,
            upper / (upper + lower + 10),
            _damped(len(_SHOUT.findall(text))) if upper > 3 and b"AAAA" in plain.translate(_CAPITALS) else 0.0,
            digits / size,
            _damped(text.count("!")),
            1.0 if digits and _any_in(_MONEY_SIGNS, low) and _MONEY.search(low) else 0.0,
            (len(text) - ascii_size) / size,
            0.0,
            min(log1p(size) / 3, 3.0),
            1.0 if len(words) < 4 else 0.0,
            1.0 - len(set(words)) / len(words) if words else 0.0,
            _damped(len(_LINES.findall(text.strip()))),
            1.0 if author.url else 0.0,
            1.0 if name and len(name.split()) > 3 else 0.0,
            1.0 if name and any(map(str.isdigit, name)) else 0.0,
            1.0 if author.email_domain and author.email_domain.lower() in self.disposable else 0.0,
        ]
        if links:
            hosts = {host_of(link) for link in links}
            shortened = 0.0 if hosts.isdisjoint(self.shorteners) else 1.0
            row[:5] = 1.0, log1p(len(links)), min(sum(map(len, links)) / size, 1.0), log1p(len(hosts) - 1), shortened
        elif "." in low:
            row[5] = float(any(low[m.start() - 1].isalnum() for m in _DOMAIN.finditer(low) if m.start()))
        if ascii_size != len(text):
            row[14] = _damped(len(_STYLED.findall(text)))
        return row

    def rows(self, texts: Collection[str], authors: Collection[Author]) -> npt.NDArray[np.float32]:
        """[texts, names]"""
        rows = [self.row(text, author) for text, author in zip(texts, authors, strict=True)]
        return np.array(rows, np.float32).reshape(len(rows), len(NAMES))


def _damped(count: int) -> float:
    return min(log1p(count), 3.0) if count else 0.0


def _names_messenger(low: str) -> bool:
    if _any_in(_MESSENGER, low):
        return True
    return any(mark in low and _any_in(parts, low) for mark, parts in _MESSENGER_MARKED)


def _any_in(parts: Iterable[str], text: str) -> bool:
    for part in parts:  # noqa: SIM110 - a third of the time of `any` with a generator, for every comment
        if part in text:
            return True
    return False


def host_of(link: str) -> str:
    """`https://www.a.example/x` → `a.example`; "" without a host."""
    try:
        link = stream_safe(link)  # `urlsplit` normalises the host
        host = urlsplit(link if "://" in link else f"//{link}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.").lower()
