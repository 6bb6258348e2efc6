"""Export: all data of a site as JSON Lines, which can be imported, or as WXR for WordPress."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import escape

import orjson

from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_decisions as decisions
from moderation.comments import store_submissions as judged_submissions
from moderation.comments.model import Comment
from moderation.comments.store_decisions import Decision
from moderation.comments.store_submissions import JudgedSubmission
from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db.database import Database, Session
from moderation.sites import store as sites
from moderation.sites.model import Article, Site
from moderation.transfer import store as imports
from moderation.transfer.store import ARTICLE, COMMENT

PAGE = 500
Write = Callable[[bytes], object]


@dataclass
class ExportResult:
    """The numbers of written records."""

    articles: int = 0
    comments: int = 0
    submissions: int = 0
    decisions: int = 0


async def articles(session: Session, site: str) -> AsyncIterator[Article]:
    after = ""
    while found := await sites.page(session, site, after):
        for article in found:
            yield article
        after = found[-1].key


async def of_article(session: Session, site: str, article: str) -> AsyncIterator[list[Comment]]:
    """An article's comments of every status, a page at a time, each parent before its replies."""
    rows = await comments.places(session, site, article)
    ids = [id for id, _, _ in sorted(rows, key=lambda row: row[2])]
    for at in range(0, len(ids), PAGE):
        page = await comments.of_site(session, site, ids[at : at + PAGE])
        yield [page[id] for id in ids[at : at + PAGE]]


async def write_jsonl(
    database: Database, site: Site, now: int, write: Write, progress: Callable[[ExportResult], None] = lambda _: None
) -> ExportResult:
    """Everything but network addresses, of which only a keyed mark is kept. All from one moment."""
    gone = ExportResult()

    def line(row: dict[str, Any]) -> None:
        write(orjson.dumps(row) + b"\n")

    line({"format": "leave-a-reply", "version": 2, "site": site.key, "name": site.name, "exported_at": iso(now)})
    async with database.reading() as session:
        async for article in articles(session, site.key):
            ids = await imports.ids(session, site.key, ARTICLE, [article.key])
            line({"article": article.exported() | {"ids": ids.get(article.key, [])}})
            gone.articles += 1
            async for page in of_article(session, site.key, article.key):
                for row in await comment_rows(session, site.key, page):
                    line({"comment": row})
                    gone.decisions += len(row["decisions"])
                gone.comments += len(page)
                progress(gone)
        after = ""
        while alone := await judged_submissions.alone(session, site.key, after, PAGE):
            told, taken = (
                await judged_submissions.of(session, site.key, alone),
                await decisions.of(session, site.key, alone),
            )
            for id in alone:
                line({"submission": submission_row(told[id], taken.get(id, []))})
                gone.decisions += len(taken.get(id, []))
            gone.submissions += len(alone)
            after = alone[-1]
    line({"end": {"articles": gone.articles, "comments": gone.comments, "submissions": gone.submissions}})
    return gone


async def comment_rows(session: Session, site: str, page: list[Comment]) -> list[dict[str, Any]]:
    ids = [c.id for c in page]
    texts, taken = await judged_submissions.of(session, site, ids), await decisions.of(session, site, ids)
    known, notified = await imports.ids(session, site, COMMENT, ids), await comments.notified(session, site, ids)
    appealed = await appeals.of(session, site, ids)
    return [
        c.exported()
        | {
            "notify": c.id in notified,
            "ids": known.get(c.id, []),
            "verdicts": [text.exported(c) for text in texts.get(c.id, [])],
            "decisions": [decision.exported() for decision in taken.get(c.id, [])],
            "appeal": appealed.get(c.id),
        }
        for c in page
    ]


def submission_row(texts: list[JudgedSubmission], taken: list[Decision]) -> dict[str, Any]:
    first = texts[0]
    return {
        "id": first.id,
        "article": first.article,
        "email_domain": first.email_domain,
        "author_key": first.author_key,
        "verdicts": [text.exported(None) for text in texts],
        "decisions": [decision.exported() for decision in taken],
    }


# --- WXR: what WordPress writes and reads ------------------------------------------------------------------------------

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" \
xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>{title}</title>
<link>{link}</link>
<wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>{link}</wp:base_site_url>
<wp:base_blog_url>{link}</wp:base_blog_url>
"""
TAIL = "</channel>\n</rss>\n"
APPROVED = {"approved": "1", "pending": "0", "spam": "spam", "rejected": "trash", "deleted": "trash"}
NUMBERED = 1_000_000_000
"""The first post number of articles whose key is not a number."""
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def write_wxr(
    database: Database,
    site: Site,
    links: Links,
    write: Write,
    progress: Callable[[ExportResult], None] = lambda _: None,
) -> ExportResult:
    """Articles as posts with their comments, spam included. WXR has no place for verdicts and decisions."""
    gone, posts = ExportResult(), 0
    home = site.origins[0] if site.origins else links.base
    write(HEAD.format(title=escape(xml(site.name)), link=escape(xml(home))).encode())
    async with database.reading() as session:
        async for article in articles(session, site.key):
            number = (
                article.key if re.fullmatch(r"[1-9][0-9]{0,8}", article.key) else str(NUMBERED + (posts := posts + 1))
            )
            write(post(article, number).encode())
            numbers: dict[str, int] = {}
            async for page in of_article(session, site.key, article.key):
                for c in page:
                    gone.comments += 1
                    numbers[c.id] = gone.comments
                    write(wxr_comment(c, gone.comments, numbers.get(c.parent or "", 0)).encode())
                progress(gone)
            write(b"</item>\n")
            gone.articles += 1
    write(TAIL.encode())
    return gone


def xml(text: str | None) -> str:
    """The text without characters that XML 1.0 forbids."""
    return _FORBIDDEN.sub("", text or "")


def cdata(name: str, text: str | None) -> str:
    return f"<{name}><![CDATA[{xml(text).replace(']]>', ']]]]><![CDATA[>')}]]></{name}>\n"


def sql_date(at: int | None) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}" if at is not None else "0000-00-00 00:00:00"


def post(article: Article, number: str) -> str:
    at = article.published_at if article.published_at is not None else article.created_at
    return "".join(
        (
            "<item>\n",
            cdata("title", article.title or article.key),
            f"<link>{escape(xml(article.url))}</link>\n",
            f"<pubDate>{format_datetime(datetime.fromtimestamp(at / 1000, UTC))}</pubDate>\n",
            cdata("content:encoded", escape(article.text)),
            f"<wp:post_id>{number}</wp:post_id>\n",
            cdata("wp:post_date", sql_date(at)),
            cdata("wp:post_date_gmt", sql_date(at)),
            cdata("wp:comment_status", "open" if article.comments_open else "closed"),
            cdata("wp:post_name", article.key.strip("~").rpartition("~")[2] or article.key),
            cdata("wp:status", "publish"),
            cdata("wp:post_type", "post"),
            cdata("wp:post_password", ""),
        )
    )


def wxr_comment(c: Comment, number: int, parent: int) -> str:
    return "".join(
        (
            "<wp:comment>\n",
            f"<wp:comment_id>{number}</wp:comment_id>\n",
            cdata("wp:comment_author", escape(c.name)),
            cdata("wp:comment_author_email", c.email),
            f"<wp:comment_author_url>{escape(xml(c.url))}</wp:comment_author_url>\n",
            cdata("wp:comment_author_IP", ""),
            cdata("wp:comment_date", sql_date(c.created_at)),
            cdata("wp:comment_date_gmt", sql_date(c.created_at)),
            cdata("wp:comment_content", c.html),
            cdata("wp:comment_approved", APPROVED[c.status]),
            cdata("wp:comment_type", "comment"),
            f"<wp:comment_parent>{parent}</wp:comment_parent>\n",
            "<wp:comment_user_id>0</wp:comment_user_id>\n",
            "</wp:comment>\n",
        )
    )
