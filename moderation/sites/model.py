"""Site, its settings, and Article."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from moderation.core.problem import FieldError, Invalid
from moderation.text.wordlist import Listed

SITE_KEY = re.compile(r"[a-z0-9-]{1,64}")
ARTICLE_KEY = re.compile(r"[A-Za-z0-9._~-]{1,200}")
AS_IN_PATHS = "/%!$&'()*+,;=:@|[]"
"""Characters that browsers keep in a path, besides letters, digits and `-._~` (WHATWG URL, path percent-encode set)."""


DAY = 86_400_000
FEW = 50
"""Entries up to which a list is compiled at once."""


@dataclass(frozen=True)
class SiteSettings:
    """The settings of a site. The defaults are the policy of a new site; docs/defences.md explains each."""

    require_name: bool = True
    require_email: bool = True
    privacy_url: str = ""
    """The address of the site's privacy policy; every form of the site links to it."""
    max_body: int = 10_000
    """Code points, after trimming; in any case at most 65,525 bytes of UTF-8."""
    articles: str = "open"
    """`open`: an article exists from its first comment; `registered`: only registered articles take comments."""
    new_articles_an_hour: int = 100
    """New articles by comments of one network address. For the whole site, see the rule `new-article`."""
    disallowed: tuple[str, ...] = ()
    """Words, addresses (IP or CIDR), domains and email addresses; their comments are filed as spam."""
    blocked: tuple[str, ...] = ()
    """As `disallowed`; their comments are held."""
    max_links: int = 3
    """This many links or more hold a comment; 0 turns the rule off."""
    spam_at: float = 0.99
    hold_at: dict[str, float] = field(default_factory=dict)
    """Label → hold threshold, in place of the model card's."""
    per_author_a_minute: int = 10
    per_address_a_minute: int = 60
    """Comments of one author from one address, and of one address (an IPv6 /64), in any minute, refusals included; 0: no
    limit."""
    honeypot: str = "hold"
    """`hold`, `spam` or `off`, for a value in the form's hidden field."""
    form_youngest: int = 1
    form_oldest: int = 24 * 60
    """The valid age of a form token: at least so many seconds, at most so many minutes."""
    disposable: str = "off"
    """`off`, `hold` or `spam`, for an address of a disposable mail service."""
    close_after_days: int = 0
    """Days after an article's publication (or first comment) until comments close; 0: never."""
    hold_first: bool = False
    """Hold authors without proof (a receipt) of an earlier approved comment."""
    trust_skips: tuple[str, ...] = ("first-time", "stranger-with-link")
    """The rules that authors with proof skip."""

    @classmethod
    def of(cls, stored: dict[str, Any]) -> SiteSettings:
        """The settings of a stored JSON object; unknown settings of a newer version are ignored."""
        known = {f.name for f in fields(cls)}
        found: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
        return cls(**found)

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def are_compiled(self) -> bool:
        """Whether the lists are compiled; compiling takes a second for thousands of entries."""
        return {"disallows", "blocks"} <= self.__dict__.keys() or len(self.disallowed) + len(self.blocked) <= FEW

    def reading(self, length: int) -> int:
        """The number of characters that the lists read in a text of this length."""
        return length * (self.disallows.passes + self.blocks.passes)

    @cached_property
    def disallows(self) -> Listed:
        return Listed(self.disallowed)

    @cached_property
    def blocks(self) -> Listed:
        return Listed(self.blocked)


@dataclass(frozen=True, slots=True)
class Mute:
    """The muting of a rule: a rule that files as spam only holds. For a rule that holds, it is only reported."""

    why: str
    """`overturned`: moderators approve most of its hits; `sudden`: it began to catch everything."""
    since: int
    ended: int | None = None
    """The time at which a moderator ended the muting; the rule stays unmuted for a day."""


@dataclass(frozen=True, slots=True)
class Site:
    key: str
    name: str
    origins: tuple[str, ...] = ()
    settings: SiteSettings = SiteSettings()
    has_webhooks: bool = False
    """The site has a webhook."""
    mutes: Mapping[str, Mute] = field(default_factory=dict)
    duplicates_watched_until: int = 0
    """The time until which new comments are compared with waves filed as spam."""

    @property
    def muted(self) -> dict[str, Mute]:
        return {rule: mute for rule, mute in self.mutes.items() if mute.ended is None}


@dataclass(frozen=True, slots=True)
class Article:
    """A page that can be replied to. `revision` increases with every visible change."""

    site: str
    key: str
    title: str = ""
    url: str | None = None
    text: str = ""
    published_at: int | None = None
    comments_open: bool = True
    revision: int = 0
    created_at: int = 0

    def is_open(self, rules: SiteSettings, now: int) -> bool:
        """Whether the article takes comments: closed neither by a moderator nor by age."""
        if not self.comments_open or not rules.close_after_days:
            return self.comments_open
        since = self.created_at if self.published_at is None else self.published_at
        return now <= (since or now) + rules.close_after_days * DAY


def is_site_key(key: str) -> bool:
    return SITE_KEY.fullmatch(key) is not None


def is_article_key(key: str) -> bool:
    return ARTICLE_KEY.fullmatch(key) is not None and key not in (".", "..")


def key_of(url: str) -> str:
    """The key that the embed derives from a page's address (`keyOf` in dom.js). Empty for an invalid address.

    It is the path with `~` for inner slashes; `~` alone is the site's first page. A page without a path but with a query
    (`/?p=12`) gets its key from the query.
    """
    try:
        parts = urlsplit(url.strip())
        path = quote(parts.path, safe=AS_IN_PATHS).strip("/") or quote(parts.query, safe=AS_IN_PATHS)
    except ValueError:
        return ""
    if not url.strip():
        return ""
    key = re.sub(r"[^A-Za-z0-9._~-]", lambda m: {"/": "~", "%": "-"}.get(m[0], f"-{ord(m[0]):x}"), path)
    return "~" + key if key in ("", ".", "..") else key[:200]


def checked_origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454): scheme and host, no path. Raises Invalid."""
    parts = urlsplit(text.strip().rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or "@" in parts.netloc:
        raise Invalid(FieldError("origin", "invalid", "give an origin like https://blog.example.org"))
    return f"{parts.scheme}://{parts.netloc.lower()}"
