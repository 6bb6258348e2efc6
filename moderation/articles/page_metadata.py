"""A page's title and address, sent with a comment. Anybody can send them, so invalid values are ignored, never an error."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

from moderation.comments.submission import has_lone_surrogate
from moderation.core.urls import origin_if_any
from moderation.text.addresses import BIDI, checked_url

TITLE_LONGEST, URL_LONGEST = 300, 2_000


@dataclass(frozen=True, slots=True)
class Page:
    """Title and address. Date and text come only from the site (`PUT`): a date could close the article, and the text appears
    under other articles."""

    title: str = ""
    url: str | None = None

    @classmethod
    def of(cls, raw: Any) -> Page | None:
        """The metadata in a JSON comment's field `page`; None if nothing in it is valid."""
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
        """Whether the address is on one of the site's origins."""
        return self.url is not None and origin_if_any(self.url) in origins


def title(raw: Any) -> str:
    if not isinstance(raw, str) or has_lone_surrogate(raw):
        return ""
    shown = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in raw[:2_000] if c not in BIDI)
    return " ".join("".join(shown).split())[:TITLE_LONGEST].strip()


def url(raw: Any) -> str | None:
    """The address without its fragment."""
    if not isinstance(raw, str) or len(raw) > URL_LONGEST or has_lone_surrogate(raw):
        return None
    found = checked_url(raw.strip())
    return urldefrag(found).url if found else None
