"""Related articles by content, computed once for each state of the site."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from classifier.nearest import NOTHING, VERSION, Nearest, Vector
from moderation.articles import register
from moderation.articles import store as vectors
from moderation.articles.store import ArticleVector
from moderation.core.problem import NotFound
from moderation.db.database import Database
from moderation.sites import store as sites
from moderation.sites.model import Article

MOST = 10
KEPT = 2_000
"""Articles of a site with cached results."""
PAGE = 100


class SiteVectors:
    """The vectors of one site's articles at one state, with cached results."""

    def __init__(self, sequence: int, known: Iterable[tuple[ArticleVector, Vector]]) -> None:
        self.sequence = sequence
        self.known = {one.article: (one, vector) for one, vector in known}
        self._linked = [one for one, _ in self.known.values() if one.is_linked]
        self._all = Nearest([vector for one, vector in self.known.values() if one.is_linked])
        self._found: OrderedDict[str, list[str]] = OrderedDict()

    def nearest(self, key: str) -> list[str]:
        """The MOST most similar articles, without the article itself; among equals the newest first."""
        if key not in self._found:
            _, vector = self.known.get(key, (None, NOTHING))
            similarity = self._all.similarity(vector).round(6)
            order = sorted(range(len(self._linked)), key=lambda at: (-similarity[at], -self._linked[at].at))
            self._found[key] = [name for at in order[: MOST + 1] if (name := self._linked[at].article) != key][:MOST]
            if len(self._found) > KEPT:
                self._found.popitem(last=False)
        return self._found[key]


def updated(sequence: int, before: SiteVectors | None, new: list[ArticleVector]) -> SiteVectors:
    """The vectors after changes: takes some milliseconds for a hundred articles, half a second for ten thousand."""
    known = dict(before.known) if before else {}
    known |= {one.article: (one, Vector.unpack(one.vector)) for one in new}
    return SiteVectors(sequence, known.values())


class Related:
    """The vectors of each requested site, current with the database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._by_site: dict[str, SiteVectors] = {}
        self._lock = asyncio.Lock()

    async def nearest(self, site: str, key: str, limit: int) -> list[Article]:
        """The related articles. Raises NotFound for an unknown article."""
        held = await self._of_site(site)
        keys = (await asyncio.to_thread(held.nearest, key))[:limit]
        async with self.database.reading() as session:
            found = await sites.listed_articles(session, site, [key, *keys])
        if key not in found:
            raise NotFound("There is no such article.")
        return [found[name] for name in keys if name in found]

    async def _of_site(self, site: str) -> SiteVectors:
        async with self.database.reading() as session:
            sequence = await vectors.newest(session, site)
        held = self._by_site.get(site)
        if held and held.sequence == sequence:
            return held
        async with self._lock:  # one of several concurrent requests computes
            held = self._by_site.get(site)
            if held is None:
                await self._catch_up(site)
            async with self.database.reading() as session:
                sequence = await vectors.newest(session, site)
                new = await vectors.since(session, site, held.sequence if held else 0)
            if held is None or held.sequence != sequence:
                held = await asyncio.to_thread(updated, sequence, held, new)
                self._by_site[site] = held
            return held

    async def _catch_up(self, site: str) -> None:
        """Computes missing vectors, of articles older than vectors or than their current version."""
        while True:
            async with self.database.reading() as session:
                missing = await vectors.missing(session, site, VERSION, PAGE)
            if not missing:
                return
            async with self.database.transaction() as tx:
                for article in missing:
                    await register.keep_vector(tx, article)
