"""A cache of rendered threads, fragments and feeds, valid while their revision is current."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from moderation.comments.shown import Shown
from moderation.core.urls import Links
from moderation.db.database import Database, Session
from moderation.sites import store as sites
from moderation.sites.model import Article
from moderation.web.headers import header_of

KEPT_BYTES = 64 * 1024 * 1024
WHOLE_SITE = ""
"""The article key of pages made from all articles of a site."""
REVALIDATE = "no-cache"
"""Cache-Control: store the answer, and revalidate it before each use."""

Make = Callable[[Session, Article | None], Awaitable[bytes]]


@dataclass(slots=True)
class Kept:
    body: bytes
    etag: str
    revision: int | None
    data_version: int | None
    """The data version at the last validation."""
    about: Article | None = None
    open: bool = True
    """Whether the article was open: comments close by age, without a commit."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A page that is being built."""

    data_version: int
    """The data version before it began: what is committed then is on the page."""
    task: asyncio.Task[Kept]


class Threads:
    """Least recently used articles are dropped first. Writes of other processes are noticed before serving."""

    def __init__(self, database: Database, links: Links, kept_bytes: int = KEPT_BYTES) -> None:
        self.database, self.shown = database, Shown(links)
        self._kept: OrderedDict[tuple[str, str], dict[str, Kept]] = OrderedDict()
        self._bytes, self._most = 0, kept_bytes
        self._flights: dict[tuple[str, str, str], Flight] = {}
        self.hits = self.builds = 0

    def drop(self, site: str, article: str) -> None:
        for key in (article, WHOLE_SITE):
            for kept in self._kept.pop((site, key), {}).values():
                self._bytes -= len(kept.body)

    async def read(
        self, site: str, article: str, name: str, make: Make, is_open: Callable[[Article], bool] | None = None
    ) -> Kept:
        """The cached page `name` of an article, or the result of `make` with the article (None if it does not exist).

        `is_open` says whether the article is open now; `make` receives it as `comments_open`.
        """
        data_version = self.database.data_version()
        known = self._kept.get((site, article))
        kept = known.get(name) if known else None
        if kept:
            if data_version is None or kept.data_version != data_version:
                revision = await self.database.article_revision(site, article)
                if revision is not None and revision == kept.revision:
                    kept.data_version = data_version
                else:
                    self.drop(site, article)
                    kept = None
            if kept and kept.about and is_open and is_open(kept.about) is not kept.open:
                self.drop(site, article)
                kept = None
            if kept:
                self.hits += 1
                self._kept.move_to_end((site, article))
                return kept
        if data_version is None:
            return await self._build(site, article, name, make, data_version, is_open)
        return await self._together(site, article, name, make, data_version, is_open)

    async def _together(
        self,
        site: str,
        article: str,
        name: str,
        make: Make,
        data_version: int,
        is_open: Callable[[Article], bool] | None,
    ) -> Kept:
        """One build for all who ask at one data version. Whoever asks after a commit does not join a build from before it: an
        author who was told that the comment is there finds it."""
        flight = self._flights.get((site, article, name))
        if flight is None or flight.data_version != data_version:
            task = asyncio.create_task(self._build(site, article, name, make, data_version, is_open))
            flight = self._flights[site, article, name] = Flight(data_version, task)
            task.add_done_callback(lambda _: self._landed((site, article, name), task))
        # shielded: a reader who leaves does not end the build of those who stay
        return await asyncio.shield(flight.task)

    def _landed(self, key: tuple[str, str, str], task: asyncio.Task[Kept]) -> None:
        flight = self._flights.get(key)
        if flight and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # whoever still waits has it; with nobody left it is not to be reported

    async def _build(
        self,
        site: str,
        key: str,
        name: str,
        make: Make,
        data_version: int | None,
        is_open: Callable[[Article], bool] | None,
    ) -> Kept:
        self.builds += 1
        async with self.database.reading() as session:
            article = None if key == WHOLE_SITE else (await sites.listed_articles(session, site, [key])).get(key)
            about = replace(article, text="") if article else None
            if article and is_open:
                article = replace(article, comments_open=is_open(article))
            body = await make(session, article)
        kept = Kept(body, etag_of(body), article.revision if article else None, data_version, about)
        kept.open = article is None or article.comments_open
        if article is None and (key != WHOLE_SITE or data_version is None):
            return kept  # not cached: any client can invent articles, and a missing one has no revision
        self._drop_if_older(site, key, kept)
        pages = self._kept.setdefault((site, key), {})
        same = pages.get(name)  # a concurrent request has built it too
        pages[name] = kept
        self._bytes += len(body) - (len(same.body) if same else 0)
        while self._bytes > self._most and len(self._kept) > 1:
            self.drop(*next(iter(self._kept)))
        return kept

    def _drop_if_older(self, site: str, article: str, new: Kept) -> None:
        known = self._kept.get((site, article))
        if known and any(kept.revision != new.revision for kept in known.values()):
            self.drop(site, article)
        if known and len(known) >= 64:  # many cursors of one long thread: not all are worth keeping
            self.drop(site, article)


def etag_of(body: bytes) -> str:
    """A strong ETag: equal only for equal bytes."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def answer(
    request: Request,
    body: bytes,
    etag: str,
    kind: str,
    cache: str = REVALIDATE,
    headers: dict[str, str] | None = None,
) -> Response:
    """200 with the body, or 304 if the client has it."""
    told = (headers or {}) | {"ETag": etag, "Cache-Control": cache}
    if is_known(header_of(request, b"if-none-match"), etag):
        return Response(status_code=304, headers=told)
    return Response(body, media_type=kind, headers=told)


def is_known(sent: str | None, etag: str) -> bool:
    """Whether If-None-Match contains the ETag, by weak comparison (RFC 9110, 13.1.2)."""
    if not sent:
        return False
    return sent.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in sent.split(",")]
