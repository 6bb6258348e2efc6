"""The site and the allowed origin (CORS) of a public request."""

from __future__ import annotations

import time

from starlette.requests import Request

from moderation.core.problem import Forbidden, NotFound
from moderation.core.urls import Links
from moderation.db.database import Database
from moderation.sites import store as sites
from moderation.sites.article_keys import spelled
from moderation.sites.model import Site, is_article_key, is_site_key
from moderation.web import bodies
from moderation.web.headers import header_of

SURE, FRESH = 0.05, 1.0
"""Seconds that a cached site may be old: without a look at the data version, which costs as much as a rule; and without a
data version. Comments are always judged by the stored rules."""


class Directory:
    def __init__(self, database: Database, links: Links) -> None:
        self.database, self.links = database, links
        self._known: dict[str, Site] = {}
        self._at = float("-inf")
        self._version: int | None = None
        self._sites_revision: tuple[int, int] | None = None

    async def site(self, key: str) -> Site:
        """The site with this key. Raises NotFound."""
        if time.monotonic() - self._at > SURE:
            await self._refresh()
        if not is_site_key(key) or key not in self._known:
            raise NotFound("There is no such site.")
        return self._known[key]

    async def _refresh(self) -> None:
        version, at = self.database.data_version(), time.monotonic()
        if version is None:
            if at - self._at <= FRESH:
                return
        elif self._sites_revision is not None and (
            version == self._version or self.database.sites_revision() == self._sites_revision
        ):  # no commit, or none that changed a site
            self._version, self._at = version, at
            return
        sites_revision = self.database.sites_revision()
        async with self.database.reading() as session:
            self._known = await sites.sites(session)
        self._at, self._version, self._sites_revision = at, version, sites_revision

    def forget(self) -> None:
        self._at, self._version, self._sites_revision = float("-inf"), None, None

    def allowed(self, site: Site, request: Request) -> str | None:
        """The Origin to allow, or None for a request without one. Raises Forbidden for an origin that is not allowed."""
        origin = header_of(request, b"origin")
        if origin is None or (origin == "null" and is_plain_form(request)):
            return None
        if origin in site.origins or self.links.is_own(origin):
            return origin
        raise Forbidden("This origin is not allowed to post here; the site's owner can add it.", code="origin")


def is_plain_form(request: Request) -> bool:
    """Whether a request is a form that a browser sends as it opens the answer, and not a script's (Fetch Metadata). From a
    page whose referrer policy hides its address it has the origin `null`. No cookie gives it more rights than a form without
    an origin."""
    is_followed = (header_of(request, b"sec-fetch-mode") or "navigate") == "navigate"
    return bodies.is_form(bodies.kind_of(request)) and is_followed


def article_key(key: str) -> str:
    """A valid article key in its one spelling. Raises NotFound for any other text."""
    if not is_article_key(key):
        raise NotFound("There is no such article: keys have 1 to 200 of A-Z a-z 0-9 . _ ~ -")
    return spelled(key)
