"""Site and Article."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from moderation.core.documents import document
from moderation.core.problem import FieldError, Invalid
from moderation.core.urls import origin_if_any, origin_of
from moderation.sites.site_settings import NEW_SITE, SiteSettings

SITE_KEY = re.compile(r"[a-z0-9-]{1,64}")
ARTICLE_KEY = re.compile(r"[A-Za-z0-9._~-]{1,200}")


DAY = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """The muting of a rule: a rule that files as spam only holds. For a rule that holds, it is only reported."""

    why: str
    """`overturned`: moderators approve most of its hits; `sudden`: it began to catch everything."""
    since: int
    ended: int | None = None
    """The time at which a moderator ended the muting; the rule stays unmuted for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    key: str
    name: str
    origins: tuple[str, ...] = ()
    settings: SiteSettings = NEW_SITE
    has_webhooks: bool = False
    """The site has a webhook."""
    mutes: Mapping[str, Mute] = field(default_factory=dict)
    duplicates_watched_until: int = 0
    """The time until which new comments are compared with waves filed as spam."""

    @property
    def muted(self) -> dict[str, Mute]:
        return {rule: mute for rule, mute in self.mutes.items() if mute.ended is None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A page that can be replied to. `revision` increases with every visible change."""

    site: str
    key: str
    title: str = ""
    url: str | None = None
    text: str = ""
    published_at: int | None = None
    comments_open: bool = True
    is_listed: bool = True
    """The page is known to be public. Without that, as for a list of comments alone, readers find no article here."""
    revision: int = 0
    created_at: int = 0

    def exported(self) -> dict[str, Any]:
        """Its row in an export."""
        return document(self, without=("site", "revision", "created_at"))

    def is_open(self, rules: SiteSettings, now: int) -> bool:
        """Whether the article takes comments: closed neither by a moderator nor by age."""
        if not self.comments_open or not rules.close_after_days:
            return self.comments_open
        since = self.created_at if self.published_at is None else self.published_at
        return now <= (since or now) + rules.close_after_days * DAY


CHECKS = "checks:"
"""The first characters of the article key of comments that are kept elsewhere; no key in a public path has a colon."""


def checks_key(page: str) -> str:
    """The article key of comments on a page that is kept elsewhere, from its name or address there."""
    page = page.strip()
    if not page:
        return CHECKS
    readable = re.sub(r"[^A-Za-z0-9._~-]+", "-", page.partition("://")[2] or page).strip("-")[:100]
    return f"{CHECKS}{readable}-{blake2b(page.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def is_checks_key(key: str) -> bool:
    return key.startswith(CHECKS) and (key == CHECKS or is_article_key(key[len(CHECKS) :]))


def is_site_key(key: str) -> bool:
    return SITE_KEY.fullmatch(key) is not None


def is_article_key(key: str) -> bool:
    return ARTICLE_KEY.fullmatch(key) is not None and key not in (".", "..")


def checked_origin(text: str) -> str:
    """An origin as browsers send it. Raises Invalid, also for an address with a path."""
    try:
        parts = urlsplit(text.strip())
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("give the origin alone, like https://blog.example.org, without a path")
        return origin_of(text.strip())
    except ValueError as error:  # in words
        raise Invalid(FieldError("origin", "invalid", str(error))) from None


def stored_origins(origins: Iterable[str]) -> tuple[str, ...]:
    """Stored origins as browsers send them: rows of earlier versions have them as they were typed. What is no origin stays as
    it is, and matches no page."""
    return tuple(dict.fromkeys(origin_if_any(text) or text for text in origins))
