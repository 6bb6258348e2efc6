"""Threads, as JSON and as a fragment of HTML, and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.comments import avatar
from moderation.comments import store as comments
from moderation.comments.model import DEEPEST, Comment, public, tree
from moderation.comments.thread_cache import answer, etag_of
from moderation.core.ids import is_id
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db.database import Session
from moderation.services import services_of
from moderation.sites.cache import Directory, article_key
from moderation.sites.model import Article, Site
from moderation.web.cors import readable, shared
from moderation.web.templating import Pages

LIMIT, MOST = 50, 200


@dataclass(frozen=True, slots=True)
class Query:
    newest: bool
    limit: int
    after: tuple[str, str] | None
    flat: bool

    @property
    def name(self) -> str:
        """The same for the same question."""
        return f"{self.newest:d}.{self.limit}.{self.flat:d}.{self.after[1] if self.after else ''}"

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
        if cursor and (len(cursor) > 140 or not all(is_id(part) for part in cursor.split("/"))):
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


@dataclass(frozen=True, slots=True)
class Page:
    """What one reading shows of a thread."""

    count: int
    comments: list[Comment]
    following: str | None
    """The cursor of the page after this one."""


async def page_of(session: Session, article: Article | None, query: Query) -> Page:
    if article is None:
        return Page(0, [], None)
    found = await comments.thread(
        session, article.site, article.key, newest=query.newest, limit=query.limit + 1, after=query.after
    )
    count = (await comments.approved(session, article.site, [article.key]))[article.key]
    page = found[: query.limit]
    return Page(count, page, page[-1].path if len(found) > query.limit else None)


async def document(links: Links, key: str, query: Query, session: Session, article: Article | None) -> bytes:
    page = await page_of(session, article, query)
    shown = [(c.path, public(c, links.avatar(c.name))) for c in page.comments]
    about = {
        "key": key,
        "title": article.title if article else "",
        "url": article.url if article else None,
        "published_at": iso(article.published_at) if article else None,
        "comments_open": article.comments_open if article else True,
    }
    nested = [c for _, c in shown] if query.flat else tree(shown)
    return orjson.dumps({"article": about, "count": page.count, "comments": nested, "next": page.following})


def open_now(site: Site, now: int) -> Callable[[Article], bool]:
    return lambda article: article.is_open(site.rules, now)


async def read_thread(request: Request) -> Response:
    """The published comments of an article, as a tree or flat, a page at a time."""
    services = services_of(request)
    site = await directory(request).site(request.path_params["site"])
    key, query = article_key(request.path_params["article"]), Query.of(request)
    threads = services.threads
    kept = await threads.read(
        site.key, key, query.name, partial(document, services.links, key, query), open_now(site, services.clock())
    )
    return answer(request, kept.body, kept.etag, "application/json")


FRAGMENT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    # It belongs into the article's page, and is to be found there.
    "X-Robots-Tag": "noindex",
}


async def fragment(
    links: Links, pages: Pages, site: str, key: str, query: Query, session: Session, article: Article | None
) -> bytes:
    page = await page_of(session, article, query)
    shown = [(c.path, public(c, "")) for c in page.comments]
    more = {"order": "newest" if query.newest else "oldest", "limit": query.limit, "cursor": page.following}
    form = links.form(site, key)
    return pages.text(
        "comments/fragment.html",
        count=page.count,
        comments=[c for _, c in shown] if query.flat else tree(shown),
        form=form if article is None or article.comments_open else None,
        following=f"{links.fragment(site, key)}?{urlencode(more, safe='/')}" if page.following else None,
        deepest=DEEPEST,
    ).encode("utf-8", "replace")


async def read_fragment(request: Request) -> Response:
    """The thread as a ready piece of HTML for the article's page: no script, no style, microdata for search engines."""
    services = services_of(request)
    site = await directory(request).site(request.path_params["site"])
    key, query = article_key(request.path_params["article"]), Query.of(request)
    threads = services.threads
    make = partial(fragment, services.links, services.pages, site.key, key, query)
    kept = await threads.read(site.key, key, f"fragment {query.name}", make, open_now(site, services.clock()))
    return answer(request, kept.body, kept.etag, "text/html", headers=FRAGMENT_HEADERS)


async def read_counts(request: Request) -> Response:
    """How many published comments each named article has."""
    site = await directory(request).site(request.path_params["site"])
    keys = list(dict.fromkeys(request.query_params.getlist("article")))
    if not 1 <= len(keys) <= 200:
        raise Invalid(FieldError("article", "invalid", "give 1 to 200 articles: ?article=a&article=b"))
    keys = [article_key(key) for key in keys]
    database = services_of(request).database
    async with database.reading() as session:
        counts = await comments.approved(session, site.key, keys)
    body = orjson.dumps(counts)
    return answer(request, body, etag_of(body), "application/json")


def directory(request: Request) -> Directory:
    found = services_of(request).directory
    return found


async def draw_avatar(request: Request) -> Response:
    """A picture drawn from the keyed hash of a shown name."""
    token = request.path_params["token"]
    if len(token) != 16 or not all(c in "0123456789abcdef" for c in token):
        raise NotFound("There is no such avatar.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
               "Content-Security-Policy": "default-src 'none'", "Access-Control-Allow-Origin": "*",
               "Cross-Origin-Resource-Policy": "cross-origin"}  # fmt: skip
    return Response(avatar.draw(token), media_type="image/svg+xml", headers=headers)


routes = [
    Route("/sites/{site}/articles/{article}/comments", shared(read_thread), methods=["GET"], name="read a thread"),
    *readable("/sites/{site}/articles/{article}/fragment", read_fragment),
    *readable("/sites/{site}/counts", read_counts),
    Route("/avatars/{token}.svg", draw_avatar, methods=["GET"]),
]
