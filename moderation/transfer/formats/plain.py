"""What every reader needs of a page: its title or text without tags, and its key."""

from __future__ import annotations

import html
import re

import nh3

from moderation.sites.model import key_of

LONGEST = 200_000
_BLOCK = re.compile(r"<(?=/?(?:p|br|h[1-6]|li|ul|ol|div|tr|td|blockquote|pre)\b)", re.IGNORECASE)


def plain(text: str) -> str:
    """Without tags and the words of scripts; what stood in blocks of its own is kept apart."""
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" <", text), tags=set())
    return " ".join(html.unescape(text).split())[:LONGEST]


def page_key(url: str) -> str:
    """The key that the embed gives the page; empty where there is no address."""
    try:
        return key_of(url) if url.strip() else ""
    except ValueError:  # as for http://[
        return ""
