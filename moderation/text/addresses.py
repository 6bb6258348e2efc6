"""Email and web addresses: checked and normalised. The only caller of email-validator."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import idna
from email_validator import EmailNotValidError, validate_email

from classifier.streamsafe import stream_safe
from moderation.text.wordlist import HOST_LONGEST

EMAIL_LONGEST = 254
ADDRESS_LONGEST = 2_000
"""Characters: the longest web address that is stored (of an article, a page or a webhook)."""
# Explicit direction marks, embeddings, overrides and isolates (UAX #9): a name with one can turn the page's text around.
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
PLAIN_EMAIL = re.compile(r"([a-z0-9]{1,32}(?:[._+-][a-z0-9]{1,31})?)@([a-z0-9.-]{1,100})")


def checked_email(text: str) -> str | None:
    """The normalised address (RFC 5321, 6531; NFC, domain in lower case and Unicode), or None. Sends no DNS query."""
    if len(text) > EMAIL_LONGEST or stream_safe(text) != text:  # before anything normalises it
        return None
    plain = PLAIN_EMAIL.fullmatch(text)
    if plain is None:
        return validated(text)
    known = known_domain(plain[2])  # nothing about such a local part depends on the domain, and domains repeat
    return f"{plain[1]}@{known}" if known else None


@lru_cache(4096)
def known_domain(domain: str) -> str | None:
    found = validated(f"a@{domain}")
    return found and found[2:]


def validated(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


MARKS = "".join(sorted(BIDI))
BARE_HOST = re.compile(r"[^\s/?#:@\\]+\.[^\s/?#:@\\]{2,}(:\d+)?([/?#].*)?", re.DOTALL)


def trimmed(text: str) -> str:
    """Without white space and directional marks at its ends: phones leave these around a pasted name."""
    while (shorter := text.strip().strip(MARKS)) != text:
        text = shorter
    return text


def with_scheme(text: str) -> str:
    """`example.org/me` as WordPress keeps it, with `http://` in front; anything else as it is."""
    return f"http://{text}" if BARE_HOST.fullmatch(text) else text


def checked_url(text: str) -> str | None:
    """An absolute http(s) address with its host in ASCII, so that a look-alike letter shows as `xn--`; or None."""
    if len(text) > ADDRESS_LONGEST or stream_safe(text) != text or "\\" in text:  # before anything normalises it
        return None
    if any(c in BIDI or c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in text):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    try:
        if len(host) > HOST_LONGEST:
            return None
        shown = host if host.isascii() else idna.encode(host, uts46=True).decode()
        shown = f"[{host}]" if ":" in host else shown
    except (idna.IDNAError, UnicodeError):
        return None
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", shown):
        return None
    netloc = shown if port is None else f"{shown}:{port}"
    return urlunsplit((parts.scheme.lower(), netloc, parts.path, parts.query, parts.fragment))
