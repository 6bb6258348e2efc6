"""Threads and counts. A finished thread stays in memory, and is served only while its article's revision stands."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from moderation.comment import iso, public, tree
from moderation.links import Links
from moderation.problem import FieldError, Invalid
from moderation.public.sites import Directory, article_key
from moderation.site import Article
from moderation.storage import comments, sites
from moderation.storage.database import Database

LIMIT, MOST = 50, 200
KEPT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Kept:
    body: bytes
    etag: str
    revision: int | None
    mark: int | None
    """The database's mark when this was last known to be true."""


class Threads:
    """Finished threads, the least lately read dropped first. What another process wrote is seen before serving."""

    def __init__(self, database: Database, links: Links, kept_bytes: int = KEPT_BYTES) -> None:
        self.database, self.links = database, links
        self._kept: OrderedDict[tuple[str, str], dict[str, Kept]] = OrderedDict()
        self._bytes, self._most = 0, kept_bytes
        self.hits = self.builds = 0

    def drop(self, site: str, article: str) -> None:
        for kept in self._kept.pop((site, article), {}).values():
            self._bytes -= len(kept.body)

    async def read(self, site: str, article: str, query: Query) -> Kept:
        """The finished thread. Raises nothing for an article that does not exist yet: it is empty."""
        mark = self.database.mark()
        known = self._kept.get((site, article))
        kept = known.get(query.name) if known else None
        if known and kept:
            if mark is None or kept.mark != mark:
                revision = await self.database.article_revision(site, article)
                if revision == kept.revision:
                    kept.mark = mark
                else:
                    self.drop(site, article)
                    kept = None
            if kept:
                self.hits += 1
                self._kept.move_to_end((site, article))
                return kept
        return await self._build(site, article, query, mark)

    async def _build(self, site: str, key: str, query: Query, mark: int | None) -> Kept:
        self.builds += 1
        async with self.database.reading() as session:
            article = (await sites.articles(session, site, [key])).get(key)
            if article is None:
                return Kept(document(None, key, 0, [], None), '"none"', None, mark)
            found = await comments.thread(
                session, site, key, newest=query.newest, limit=query.limit + 1, after=query.after
            )
            count = (await comments.approved(session, site, [key]))[key]
        page = found[: query.limit]
        following = None
        if len(found) > query.limit:
            following = f"{page[-1].path}"
        shown = [(c.path, public(c, self.links.avatar(c.name))) for c in page]
        nested = [c for _, c in shown] if query.flat else tree(shown)
        body = document(article, key, count, nested, following)
        etag = f'"{article.created_at:x}-{article.revision:x}-{query.name}"'
        kept = Kept(body, etag, article.revision, mark)
        self.drop_if_older(site, key, article.revision)
        self._kept.setdefault((site, key), {})[query.name] = kept
        self._bytes += len(body)
        while self._bytes > self._most and len(self._kept) > 1:
            self.drop(*next(iter(self._kept)))
        return kept

    def drop_if_older(self, site: str, article: str, revision: int) -> None:
        known = self._kept.get((site, article))
        if known and any(kept.revision != revision for kept in known.values()):
            self.drop(site, article)
        if known and len(known) >= 64:  # many cursors of one long thread: no reason to keep them all
            self.drop(site, article)


@dataclass(frozen=True, slots=True)
class Query:
    newest: bool
    limit: int
    after: tuple[str, str] | None
    flat: bool

    @property
    def name(self) -> str:
        """Short and the same for the same question."""
        asked = f"{self.newest}{self.limit}{self.after}{self.flat}"
        return blake2b(asked.encode(), digest_size=6).hexdigest()

    @classmethod
    def of(cls, request: Request) -> Query:
        """Raises Invalid, naming what is wrong."""
        asked = request.query_params
        if not asked:
            return FIRST
        wrong = []
        order, view, cursor = asked.get("order", "oldest"), asked.get("view", "tree"), asked.get("cursor", "")
        if order not in ("oldest", "newest"):
            wrong.append(FieldError("order", "invalid", "must be oldest or newest"))
        if view not in ("tree", "flat"):
            wrong.append(FieldError("view", "invalid", "must be tree or flat"))
        if cursor and (len(cursor) > 140 or not all(len(part) == 26 and part.isalnum() for part in cursor.split("/"))):
            wrong.append(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
        limit = whole(asked.get("limit"), LIMIT, MOST)
        if limit is None:
            wrong.append(FieldError("limit", "invalid", f"must be a whole number from 1 to {MOST}"))
        if wrong or limit is None:
            raise Invalid(*wrong)
        return cls(order == "newest", limit, (cursor.split("/")[0], cursor) if cursor else None, view == "flat")


FIRST = Query(False, LIMIT, None, False)


def whole(text: str | None, otherwise: int, most: int) -> int | None:
    if text is None:
        return otherwise
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return number if 1 <= number <= most else None


def document(
    article: Article | None, key: str, count: int, shown: list[dict[str, Any]], following: str | None
) -> bytes:
    about = {
        "key": key,
        "title": article.title if article else "",
        "url": article.url if article else None,
        "published_at": iso(article.published_at) if article else None,
        "comments_open": article.comments_open if article else True,
    }
    return orjson.dumps({"article": about, "count": count, "comments": shown, "next": following})


async def read_thread(request: Request) -> Response:
    """The published comments of an article, as a tree or flat, a page at a time."""
    state = request.app.state
    site = await directory(request).site(request.path_params["site"])
    article = article_key(request.path_params["article"])
    threads: Threads = state.threads
    kept = await threads.read(site.key, article, Query.of(request))
    headers = {"ETag": kept.etag, "Cache-Control": "no-cache"}
    if is_known(request.headers.get("if-none-match"), kept.etag):
        return Response(status_code=304, headers=headers)
    return Response(kept.body, media_type="application/json", headers=headers)


def is_known(sent: str | None, etag: str) -> bool:
    """If-None-Match, compared weakly (RFC 9110, 13.1.2)."""
    if not sent:
        return False
    return sent.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in sent.split(",")]


async def read_counts(request: Request) -> Response:
    """How many published comments each named article has."""
    site = await directory(request).site(request.path_params["site"])
    keys = list(dict.fromkeys(request.query_params.getlist("article")))
    if not 1 <= len(keys) <= 200:
        raise Invalid(FieldError("article", "invalid", "give 1 to 200 articles: ?article=a&article=b"))
    keys = [article_key(key) for key in keys]
    database: Database = request.app.state.database
    async with database.reading() as session:
        counts = await comments.approved(session, site.key, keys)
    body = orjson.dumps(counts)
    etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def directory(request: Request) -> Directory:
    found: Directory = request.app.state.directory
    return found
