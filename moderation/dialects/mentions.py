"""Mentions and hashtags of the fediverse: links in HTML that name a person or a subject, not a page."""

from __future__ import annotations

import re

_LINK = re.compile(r"<a\b([^<>]{0,1000})>(.{0,300}?)</a>", re.IGNORECASE | re.DOTALL)
_HREF = re.compile(r"""\bhref\s*=\s*["']?([^"'\s<>]{1,500})""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,200}>")
_NAMED = re.compile(r"[@#](\w[\w.-]{0,99})")
_PLAIN = re.compile(r"(?<![\w@/.])@([\w.-]{1,100})@([\w-]{1,63}(?:\.[\w-]{1,63}){1,9})")
"""`@user@host` in a text (ActivityPub's WebFinger handle, RFC 7565)."""


def without_mentions(body: str) -> str:
    """A body, HTML or text, with each mention and hashtag as its words alone."""
    return _PLAIN.sub(r"@\1", _LINK.sub(_as_words, body))


def _as_words(link: re.Match[str]) -> str:
    """The words of a link that shows `@name` or `#subject` and whose address ends in the same; any other link as it is."""
    words = _TAG.sub("", link[2]).strip()
    named, href = _NAMED.match(words), _HREF.search(link[1])
    if named and href and href[1].rstrip("/").lower().endswith(named[1].lower()):
        return words
    return link[0]
