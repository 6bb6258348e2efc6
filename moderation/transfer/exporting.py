"""Export: all data of a site as JSON Lines, which can be imported, or as WXR for WordPress."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
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
from moderation.sites.model import Article, Site, is_checks_key
from moderation.transfer import store as imports
from moderation.transfer import wxr
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
    write(wxr.HEAD.format(title=escape(wxr.xml(site.name)), link=escape(wxr.xml(home))).encode())
    async with database.reading() as session:
        async for article in articles(session, site.key):
            if is_checks_key(article.key):  # another system keeps these
                continue
            ids = await imports.ids(session, site.key, ARTICLE, [article.key])
            posts += 1
            post = wxr.Post(article, ids.get(article.key, []), wxr.NUMBERED + posts)
            write(post.item().encode())
            async for page in of_article(session, site.key, article.key):
                theirs = await imports.ids(session, site.key, COMMENT, [comment.id for comment in page])
                for comment in page:
                    gone.comments += 1
                    write(post.comment(comment, theirs.get(comment.id, []), gone.comments).encode())
                progress(gone)
            write(b"</item>\n")
            gone.articles += 1
    write(wxr.TAIL.encode())
    return gone
