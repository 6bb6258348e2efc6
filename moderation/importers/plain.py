"""HTML → the plain text of a title or an article."""

from __future__ import annotations

import html
import re

import nh3

LONGEST = 200_000
_BLOCK = re.compile(r"<(?=/?(?:p|br|h[1-6]|li|ul|ol|div|tr|td|blockquote|pre)\b)", re.IGNORECASE)


def plain(text: str) -> str:
    """Without tags and the words of scripts; what stood in blocks of its own is kept apart."""
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" <", text), tags=set())
    return " ".join(html.unescape(text).split())[:LONGEST]
