"""Functions of all readers: text without tags, and a page's key."""

from __future__ import annotations

import html
import re

import nh3

from moderation.sites.article_keys import key_of

LONGEST = 200_000
_BLOCK = re.compile(r"<(?=/?(?:p|br|h[1-6]|li|ul|ol|div|tr|td|blockquote|pre)\b)", re.IGNORECASE)


def plain(text: str) -> str:
    """The text without tags and scripts; blocks are separated."""
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" <", text), tags=set())
    return " ".join(html.unescape(text).split())[:LONGEST]


def page_key(url: str) -> str:
    """The embed's key of a page; empty without an address."""
    try:
        return key_of(url) if url.strip() else ""
    except ValueError:  # as for http://[
        return ""
