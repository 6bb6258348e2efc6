"""Site and Article: who publishes, what can be replied to, and the house rules of each site."""

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
"""What browsers leave as it is in a path, beside letters, digits and `-._~` (WHATWG URL, path percent-encode set)."""


DAY = 86_400_000
FEW = 50
"""Entries of a list that are compiled in no time."""


@dataclass(frozen=True)
class SiteSettings:
    """What a site may set. The defaults are the policy of a fresh site; docs/defences.md says what each is for."""

    require_name: bool = True
    require_email: bool = True
    privacy_url: str = ""
    """Where the site says what becomes of what is typed; every form of the site links to it."""
    max_body: int = 10_000
    """Code points, after trimming; 65,525 bytes of UTF-8 at the most whatever this says."""
    articles: str = "open"
    """`open`: an article exists from its first reply; `registered`: only articles that were PUT."""
    new_articles_an_hour: int = 100
    """How many articles comments from one address may open. Of the whole site none is refused: see `new-article`."""
    disallowed: tuple[str, ...] = ()
    """Words, addresses (IP or CIDR), domains and email addresses whose comments are filed as spam."""
    blocked: tuple[str, ...] = ()
    """The same, but they hold a comment."""
    max_links: int = 3
    """This many links or more hold a comment; 0 turns the rule off."""
    spam_at: float = 0.99
    hold_at: dict[str, float] = field(default_factory=dict)
    """Label to hold threshold, over the ones in the model's card."""
    per_author_a_minute: int = 10
    per_address_a_minute: int = 60
    """How many comments one author from one address, or one address (an IPv6 /64), may send in any minute, refused ones
    counted; 0 turns it off."""
    honeypot: str = "hold"
    """`hold`, `spam` or `off`: our own form came back with the field filled that nobody can see."""
    form_youngest: int = 1
    form_oldest: int = 24 * 60
    """Our own form comes back no earlier than so many seconds, and no later than so many minutes, after it was served."""
    disposable: str = "off"
    """`off`, `hold` or `spam`: an email address of a service that lends them for minutes."""
    close_after_days: int = 0
    """Comments close so many days after an article was published (or first seen); 0: never."""
    hold_first: bool = False
    """Hold whoever does not prove, by a receipt, an earlier approved comment."""
    trust_skips: tuple[str, ...] = ("first-time", "stranger-with-link")
    """The rules that whoever does prove it is not asked."""

    @classmethod
    def of(cls, stored: dict[str, Any]) -> SiteSettings:
        """From a stored JSON object; settings of a newer version are passed over."""
        known = {f.name for f in fields(cls)}
        found: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items() if k in known}
        return cls(**found)

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def are_compiled(self) -> bool:
        """The lists are; each takes a second for thousands of entries."""
        return {"disallows", "blocks"} <= self.__dict__.keys() or len(self.disallowed) + len(self.blocked) <= FEW

    def reading(self, length: int) -> int:
        """How many characters the lists look at in all, in a text of so many."""
        return length * (self.disallows.passes + self.blocks.passes)

    @cached_property
    def disallows(self) -> Listed:
        return Listed(self.disallowed)

    @cached_property
    def blocks(self) -> Listed:
        return Listed(self.blocked)


@dataclass(frozen=True, slots=True)
class Mute:
    """A rule that files as spam and only holds for now; of a rule that holds anyway it is a mere remark."""

    why: str
    """`overturned`: moderators mostly approve what it caught; `sudden`: it began to catch everything."""
    since: int
    ended: int | None = None
    """When a moderator ended it: it is not muted again for a day."""


@dataclass(frozen=True, slots=True)
class Site:
    key: str
    name: str
    origins: tuple[str, ...] = ()
    settings: SiteSettings = SiteSettings()
    has_webhooks: bool = False
    """A webhook wants to hear of it."""
    mutes: Mapping[str, Mute] = field(default_factory=dict)
    duplicates_watched_until: int = 0
    """Until when newcomers are compared with what people have decided to be a wave of spam."""

    @property
    def muted(self) -> dict[str, Mute]:
        return {rule: mute for rule, mute in self.mutes.items() if mute.ended is None}


@dataclass(frozen=True, slots=True)
class Article:
    """A page that can be replied to. `revision` moves with every change that a reader could see."""

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
        """Neither closed by hand nor by age."""
        if not self.comments_open or not rules.close_after_days:
            return self.comments_open
        since = self.created_at if self.published_at is None else self.published_at
        return now <= (since or now) + rules.close_after_days * DAY


def is_site_key(key: str) -> bool:
    return SITE_KEY.fullmatch(key) is not None


def is_article_key(key: str) -> bool:
    return ARTICLE_KEY.fullmatch(key) is not None and key not in (".", "..")


def key_of(url: str) -> str:
    """The key that the embed gives a page that it is not told one of (`keyOf` in dom.js). Empty for no address.

    Its path, `~` for `/`, the same with and without slashes at its ends; `~` is the site's first page. A page that has
    no path but a query (`/?p=12`) is known by that.
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
