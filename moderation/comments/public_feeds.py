"""Feeds of the newest comments, of one article or of a whole site: Atom (RFC 4287) and JSON Feed 1.1."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NotRequired

import orjson
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.thread_cache import WHOLE_SITE, answer
from moderation.core.ids import uuid_of
from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db.database import Session
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.cache import article_key
from moderation.sites.model import Article, Site
from moderation.web.cors import preflight_of
from moderation.web.operations import Media, operation

ENTRIES = 50
ATOM, JSON_FEED = "application/atom+xml", "application/feed+json"
# XML 1.0 cannot contain these, not even as a reference.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Feed:
    """The contents of a feed in either format."""

    links: Links
    site: Site
    key: str | None
    """The article's key; None for a whole site's feed."""
    comments: list[Comment]
    articles: dict[str, Article]

    @property
    def title(self) -> str:
        if self.key is None:
            return f"Comments on: {self.site.name or self.site.key}"
        return f"Comments on: {self.title_of(self.key)}"

    @property
    def home(self) -> str:
        """The address of the feed's page."""
        if self.key is None:
            return self.site.origins[0] if self.site.origins else self.links.base
        return self.page(self.key)

    @property
    def updated(self) -> str | None:
        changed = [c.edited_at or c.created_at for c in self.comments]
        here = self.articles.get(self.key or "")
        return iso(max(changed, default=here.created_at if here else 0))

    def title_of(self, key: str) -> str:
        known = self.articles.get(key)
        return (known.title if known else "") or key

    def title_for(self, comment: Comment) -> str:
        name = comment.name or "Anonymous"
        return f"By: {name}" if self.key else f"Comment on {self.title_of(comment.article)} by {name}"

    def page(self, key: str) -> str:
        """The address of the thread: the article's page, or without a known one the HTML fragment."""
        known = self.articles.get(key)
        return (known.url if known else None) or self.links.fragment(self.site.key, key)

    def website(self, comment: Comment) -> str | None:
        return comment.website(self.site.settings.author_links)

    def address(self, comment: Comment) -> str:
        return f"{self.page(comment.article).split('#')[0]}#comment-{comment.id}"


async def gather(links: Links, site: Site, key: str | None, session: Session, article: Article | None) -> Feed:
    if key is None:
        newest = await comments.latest(session, site.key, None, ENTRIES)
        named = sorted({c.article for c in newest})
        return Feed(links, site, None, newest, await sites.articles(session, site.key, named) if named else {})
    if article is None:
        return Feed(links, site, key, [], {})
    return Feed(links, site, key, await comments.latest(session, site.key, key, ENTRIES), {key: article})


def xml(text: str | None) -> str:
    """Text escaped for elements and attributes."""
    return html.escape(NOT_XML.sub("\ufffd", text or ""))


def atom(feed: Feed) -> bytes:
    own, signer = feed.links.feed(feed.site.key, feed.key), feed.links.signer
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">\n'
        f"<id>urn:uuid:{signer.feed(feed.site.key, feed.key)}</id>\n<title>{xml(feed.title)}</title>\n"
        f'<updated>{feed.updated}</updated>\n<link rel="self" type="{ATOM}" href="{xml(own)}"/>\n'
        f'<link rel="alternate" type="text/html" href="{xml(feed.home)}"/>\n'
    ]
    for comment in feed.comments:
        website = feed.website(comment)
        uri = f"<uri>{xml(website)}</uri>" if website else ""
        to = f'<thr:in-reply-to ref="urn:uuid:{uuid_of(comment.parent)}"/>\n' if comment.parent else ""
        parts.append(
            f"<entry>\n<id>urn:uuid:{uuid_of(comment.id)}</id>\n<title>{xml(feed.title_for(comment))}</title>\n"
            f"<author><name>{xml(comment.name or 'Anonymous')}</name>{uri}</author>\n"
            f"<published>{iso(comment.created_at)}</published>\n"
            f"<updated>{iso(comment.edited_at or comment.created_at)}</updated>\n"
            f'<link rel="alternate" type="text/html" href="{xml(feed.address(comment))}"/>\n{to}'
            f'<content type="html">{xml(comment.html)}</content>\n</entry>\n'
        )
    return "".join([*parts, "</feed>\n"]).encode()


def json_feed(feed: Feed) -> bytes:
    links = feed.links
    items = [
        {
            "id": f"urn:uuid:{uuid_of(comment.id)}",
            "url": feed.address(comment),
            "title": feed.title_for(comment),
            "content_html": comment.html,
            "date_published": iso(comment.created_at),
            "date_modified": iso(comment.edited_at or comment.created_at),
            "authors": [
                {"name": comment.name or "Anonymous", "avatar": links.avatar(comment.name)}
                | ({"url": website} if (website := feed.website(comment)) else {})
            ],
        }
        for comment in feed.comments
    ]
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.home,
            "feed_url": links.feed(feed.site.key, feed.key, "feed.json"),
            "items": items,
        }
    )


async def read_feed(request: Request, kind: str, write: Callable[[Feed], bytes]) -> Response:
    services = services_of(request)
    directory = services.directory
    threads = services.threads
    site = await directory.site(request.path_params["site"])
    key = article_key(request.path_params["article"]) if "article" in request.path_params else None

    async def make(session: Session, article: Article | None) -> bytes:
        return write(await gather(services.links, site, key, session, article))

    # A feed contains the site's name and first origin; changes of the site do not increase an article's revision.
    about = "" if key else f"{site.name} {site.origins[:1]}"
    name = f"{kind} {site.settings.author_links} {about}"
    kept = await threads.read(site.key, key or WHOLE_SITE, name, make)
    return answer(request, kept.body, kept.etag, kind)


class FeedAuthor(TypedDict):
    name: str
    avatar: str
    url: NotRequired[str]


class FeedItem(TypedDict):
    id: str
    url: str
    title: str
    content_html: str
    date_published: str
    date_modified: str
    authors: list[FeedAuthor]


class JsonFeed(TypedDict):
    """JSON Feed 1.1 (jsonfeed.org)."""

    version: str
    title: str
    home_page_url: str
    feed_url: str
    items: list[FeedItem]


ARTICLE, SITE = "/sites/{site}/articles/{article}/feed", "/sites/{site}/feed"
KNOWN = ("If-None-Match",)


@operation("GET", ARTICLE, answers={200: Media(ATOM), 304: None}, headers=KNOWN, tag="feeds", shared=True)
async def get_article_atom(request: Request) -> Response:
    """The newest published comments of an article as an Atom feed."""
    return await read_feed(request, ATOM, atom)


@operation(
    "GET",
    ARTICLE + ".json",
    answers={200: Media(JSON_FEED, JsonFeed), 304: None},
    headers=KNOWN,
    tag="feeds",
    shared=True,
)
async def get_article_json_feed(request: Request) -> Response:
    """The newest published comments of an article as a JSON Feed 1.1."""
    return await read_feed(request, JSON_FEED, json_feed)


@operation("GET", SITE, answers={200: Media(ATOM), 304: None}, headers=KNOWN, tag="feeds", shared=True)
async def get_site_atom(request: Request) -> Response:
    """The newest published comments of a site as an Atom feed."""
    return await read_feed(request, ATOM, atom)


@operation(
    "GET", SITE + ".json", answers={200: Media(JSON_FEED, JsonFeed), 304: None}, headers=KNOWN, tag="feeds", shared=True
)
async def get_site_json_feed(request: Request) -> Response:
    """The newest published comments of a site as a JSON Feed 1.1."""
    return await read_feed(request, JSON_FEED, json_feed)


routes = [
    get_article_atom,
    get_article_json_feed,
    get_site_atom,
    get_site_json_feed,
    *(preflight_of(path + kind, "GET") for path in (ARTICLE, SITE) for kind in ("", ".json")),
]
