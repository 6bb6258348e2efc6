"""What a page says of itself along with a comment. Anybody can send it, so it is taken or left, and never a mistake."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urlsplit

from moderation.comments.submission import has_lone_surrogate
from moderation.text.addresses import BIDI, checked_url

TITLE_LONGEST, URL_LONGEST = 300, 2_000


@dataclass(frozen=True, slots=True)
class Page:
    """What it is called and where it stands. Its date and its text are the site's to say (`PUT`): they would close it, and
    stand under other articles."""

    title: str = ""
    url: str | None = None

    @classmethod
    def of(cls, raw: Any) -> Page | None:
        """From the field `page` of a comment in JSON. None where nothing of it can be used."""
        if not isinstance(raw, Mapping):
            return None
        page = cls(title(raw.get("title")), url(raw.get("url")))
        return page if page.title or page.url else None

    @classmethod
    def of_form(cls, typed: Mapping[str, str]) -> Page | None:
        if not typed.get("page_title") and not typed.get("page_url"):
            return None
        return cls.of({"title": typed.get("page_title"), "url": typed.get("page_url")})

    def is_on(self, origins: tuple[str, ...]) -> bool:
        """Its address is one of the site's own."""
        parts = urlsplit(self.url or "")
        return f"{parts.scheme}://{parts.netloc.lower()}" in origins


def title(raw: Any) -> str:
    if not isinstance(raw, str) or has_lone_surrogate(raw):
        return ""
    shown = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in raw[:2_000] if c not in BIDI)
    return " ".join("".join(shown).split())[:TITLE_LONGEST].strip()


def url(raw: Any) -> str | None:
    """Without what stands behind `#`: that is a place on the page."""
    if not isinstance(raw, str) or len(raw) > URL_LONGEST or has_lone_surrogate(raw):
        return None
    found = checked_url(raw.strip())
    return urldefrag(found).url if found else None
