"""A site's list of pages: a sitemap, or a feed (RSS 2.0 or Atom) with titles and texts. The reader fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.core.problem import BadRequest
from moderation.core.times import moment
from moderation.sites.article_keys import key_of
from moderation.text.addresses import checked_url
from moderation.transfer.formats.file import File
from moderation.transfer.formats.markup import Element, elements
from moderation.transfer.formats.plain import plain
from moderation.transfer.formats.wordpress import COMMENT, is_wxr
from moderation.transfer.records import ImportedArticle, Record, Skipped

SOURCE = "pages"
URL, INDEXED = "sm:urlset/sm:url", "sm:sitemapindex/sm:sitemap"
ITEM, ENTRY = "rss/channel/item", "atom:feed/atom:entry"
IN_SITEMAP = frozenset({"sm:loc", "news:news/news:title", "news:news/news:publication_date"})
IN_FEED = frozenset(
    {
        *("title", "link", "guid", "guid@isPermaLink", "pubDate", "description", "content:encoded"),
        *("atom:title", "atom:link@href", "atom:published", "atom:updated", "atom:summary", "atom:content"),
    }
)


def is_sitemap(head: bytes) -> bool:
    return re.search(rb"<(?:\w+:)?(?:urlset|sitemapindex)[\s>]", head) is not None and b"sitemaps.org/schemas/" in head


def is_feed(head: bytes) -> bool:
    is_atom = re.search(rb"<(?:\w+:)?feed[\s>]", head) is not None and b"//www.w3.org/2005/Atom" in head
    return (is_atom or re.search(rb"<rss[\s>]", head) is not None) and not is_wxr(head)


def read_sitemap(file: File, keys: str) -> Iterator[Record]:
    for element in elements(file, frozenset({URL, INDEXED}), IN_SITEMAP):
        if isinstance(element, Skipped):
            yield element
            continue
        fields = element.fields
        if element.name == "sm:sitemap":
            raise BadRequest(
                f"Line {element.line}: this is a list of sitemaps ({fields.get('sm:loc', '').strip()[:200]}, …). Download "
                "each of them, and import those files."
            )
        title, at = fields.get("news:news/news:title", ""), moment(fields.get("news:news/news:publication_date"))
        yield page(element, fields.get("sm:loc", ""), title, "", at)


def read_feed(file: File, keys: str) -> Iterator[Record]:
    for element in elements(file, frozenset({ITEM, ENTRY, COMMENT}), IN_FEED):
        if isinstance(element, Skipped):
            yield element
            continue
        if element.name == "wp:comment":
            yield Skipped(
                f"line {element.line}", "a comment of WordPress in a feed: import the file with --from wordpress"
            )
            continue
        fields = element.fields
        if element.name == "item":
            guid = fields.get("guid", "") if fields.get("guid@isPermaLink", "true") == "true" else ""
            text = fields.get("content:encoded") or fields.get("description", "")
            yield page(
                element, fields.get("link") or guid, fields.get("title", ""), text, moment(fields.get("pubDate"))
            )
        else:
            text = fields.get("atom:content") or fields.get("atom:summary", "")
            at = moment(fields.get("atom:published")) or moment(fields.get("atom:updated"))
            yield page(element, fields.get("atom:link@href", ""), fields.get("atom:title", ""), text, at)


def page(element: Element, link: str, title: str, text: str, at: int | None) -> Record:
    link = link.strip()
    if checked_url(link) is None:
        return Skipped(f"line {element.line}", "no web address of a page")
    return ImportedArticle(
        foreign=link, key=key_of(link), title=plain(title), url=link, text=plain(text), published_at=at
    )
