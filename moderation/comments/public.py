"""Threads, as JSON and as a fragment of HTML, and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import orjson
from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from moderation.comments import avatar
from moderation.comments import store as comments
from moderation.comments.model import DEEPEST, tree
from moderation.comments.shown import Shown
from moderation.comments.thread_cache import answer, etag_of
from moderation.core.ids import is_id
from moderation.core.problem import NotFound
from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db.database import Session
from moderation.intake.texts import Words
from moderation.services import services_of
from moderation.sites.cache import article_key
from moderation.sites.model import Article, Site
from moderation.web.cors import preflight_of
from moderation.web.operations import Media, operation
from moderation.web.params import Cursor, OneOf, Query, Says, limited
from moderation.web.templating import Pages

LIMIT, MOST = 50, 200
THREAD = "/sites/{site}/articles/{article}/comments"
FRAGMENT = "/sites/{site}/articles/{article}/fragment"
COUNTS = "/sites/{site}/counts"


def _a_place(value: str) -> str:
    if value and (len(value) > 140 or not all(is_id(part) for part in value.split("/"))):
        raise ValueError
    return value


class PageQuery(Query):
    """A page of a thread: `limit` counts comments in the order of the tree."""

    order: Annotated[str, OneOf(("oldest", "newest"))] = "oldest"
    limit: limited(MOST) = LIMIT  # type: ignore[valid-type]
    cursor: Annotated[Cursor, AfterValidator(_a_place)] = ""


class ThreadQuery(PageQuery):
    view: Annotated[str, OneOf(("tree", "flat"))] = "tree"


class CountsQuery(Query):
    article: Annotated[
        list[str], Field(min_length=1, max_length=200), Says("give 1 to 200 articles: ?article=a&article=b")
    ]


class PublicAuthor(TypedDict):
    name: str
    url: str | None
    avatar: str
    mark: Literal["known", "staff"] | None


class PublicComment(TypedDict):
    """A published comment as readers see it. It contains nothing derived from an email or network address."""

    id: str
    parent: str | None
    depth: int
    author: PublicAuthor
    html: str
    text: str
    created_at: str
    edited_at: str | None
    replies: list[PublicComment]


class ThreadArticle(TypedDict):
    key: str
    title: str
    url: str | None
    published_at: str | None
    comments_open: bool


class Thread(TypedDict):
    article: ThreadArticle
    count: int
    comments: list[PublicComment]
    next: str | None


@dataclass(frozen=True, slots=True)
class View:
    newest: bool
    limit: int
    after: tuple[str, str] | None
    flat: bool

    @property
    def name(self) -> str:
        """The cache key: equal for equal queries."""
        return f"{self.newest:d}.{self.limit}.{self.flat:d}.{self.after[1] if self.after else ''}"

    @classmethod
    def of(cls, asked: ThreadQuery) -> View:
        cursor = asked.cursor
        after = (cursor.split("/")[0], cursor) if cursor else None
        return cls(asked.order == "newest", asked.limit, after, asked.view == "flat")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a thread."""

    count: int
    comments: list[tuple[str, dict[str, Any]]]
    """(path, public comment)."""
    following: str | None
    """The cursor of the page after this one."""


async def page_of(shown: Shown, session: Session, article: Article | None, view: View, author_links: str) -> Page:
    if article is None:
        return Page(0, [], None)
    places = await comments.thread(
        session, article.site, article.key, newest=view.newest, limit=view.limit + 1, after=view.after
    )
    count = (await comments.approved(session, article.site, [article.key]))[article.key]
    page = places[: view.limit]
    documents = await shown.documents(session, article.site, author_links, page)
    return Page(count, documents, page[-1].path if len(places) > view.limit else None)


async def document(
    shown: Shown, key: str, view: View, author_links: str, session: Session, article: Article | None
) -> bytes:
    page = await page_of(shown, session, article, view, author_links)
    about = {
        "key": key,
        "title": article.title if article else "",
        "url": article.url if article else None,
        "published_at": iso(article.published_at) if article else None,
        "comments_open": article.comments_open if article else True,
    }
    nested = [c for _, c in page.comments] if view.flat else tree(page.comments)
    return orjson.dumps({"article": about, "count": page.count, "comments": nested, "next": page.following})


def open_now(site: Site, now: int) -> Callable[[Article], bool]:
    return lambda article: article.is_open(site.settings, now)


@operation("GET", THREAD, query=ThreadQuery, answers={200: Thread, 304: None}, headers=("If-None-Match",), tag="comments",
           shared=True)  # fmt: skip
async def list_thread(request: Request, asked: ThreadQuery) -> Response:
    """The published comments of an article, as a tree or flat, a page at a time."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    key, view = article_key(request.path_params["article"]), View.of(asked)
    threads = services.threads
    author_links = site.settings.author_links
    make = partial(document, threads.shown, key, view, author_links)
    # A change of the site's settings raises no article's revision.
    kept = await threads.read(site.key, key, f"{author_links} {view.name}", make, open_now(site, services.clock()))
    return answer(request, kept.body, kept.etag, "application/json")


FRAGMENT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    # Search engines should index it on the article's page, not here.
    "X-Robots-Tag": "noindex",
}


async def fragment(
    links: Links,
    shown: Shown,
    pages: Pages,
    site: Site,
    key: str,
    view: View,
    session: Session,
    article: Article | None,
) -> bytes:
    page = await page_of(shown, session, article, view, site.settings.author_links)
    more = {"order": "newest" if view.newest else "oldest", "limit": view.limit, "cursor": page.following}
    form = links.form(site.key, key)
    return pages.text(
        "comments/fragment.html",
        t=Words(),
        count=page.count,
        comments=[c for _, c in page.comments] if view.flat else tree(page.comments),
        form=form if article is None or article.comments_open else None,
        reports=form.removesuffix("form") + "comments",
        following=f"{links.fragment(site.key, key)}?{urlencode(more, safe='/')}" if page.following else None,
        deepest=DEEPEST,
    ).encode("utf-8", "replace")


@operation("GET", FRAGMENT, query=ThreadQuery, answers={200: Media("text/html"), 304: None}, headers=("If-None-Match",),
           tag="comments", shared=True)  # fmt: skip
async def get_fragment(request: Request, asked: ThreadQuery) -> Response:
    """The thread as an HTML fragment for the article's page: no script, no style, microdata for search engines."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    key, view = article_key(request.path_params["article"]), View.of(asked)
    threads = services.threads
    make = partial(fragment, services.links, threads.shown, services.pages, site, key, view)
    name = f"fragment {site.settings.author_links} {view.name}"
    kept = await threads.read(site.key, key, name, make, open_now(site, services.clock()))
    return answer(request, kept.body, kept.etag, "text/html", headers=FRAGMENT_HEADERS)


@operation("GET", COUNTS, query=CountsQuery, answers={200: dict[str, int], 304: None}, headers=("If-None-Match",),
           tag="comments", shared=True)  # fmt: skip
async def get_counts(request: Request, asked: CountsQuery) -> Response:
    """The number of published comments of each named article."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    keys = {key: article_key(key) for key in asked.article}
    async with services.database.reading() as session:
        counts = await comments.approved(session, site.key, set(keys.values()))
    body = orjson.dumps({key: counts[spelled] for key, spelled in keys.items()})
    return answer(request, body, etag_of(body), "application/json")


@operation("GET", "/avatars/{token}.svg", answers={200: Media("image/svg+xml")}, tag="comments")
async def get_avatar(request: Request) -> Response:
    """A picture drawn from the keyed hash of a shown name."""
    token = request.path_params["token"]
    if len(token) != 16 or not all(c in "0123456789abcdef" for c in token):
        raise NotFound("There is no such avatar.")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
               "Content-Security-Policy": "default-src 'none'", "Access-Control-Allow-Origin": "*",
               "Cross-Origin-Resource-Policy": "cross-origin"}  # fmt: skip
    return Response(avatar.draw(token), media_type="image/svg+xml", headers=headers)


routes = [
    list_thread,  # its OPTIONS are with posting, in moderation/intake/public.py
    get_fragment,
    preflight_of(FRAGMENT, "GET"),
    get_counts,
    preflight_of(COUNTS, "GET"),
    get_avatar,
]
