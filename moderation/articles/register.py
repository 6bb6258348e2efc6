"""Registration of articles: by PUT, by an import, or by a moderator's approval of a comment with page metadata."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from classifier import nearest
from classifier.examples import Asked, Author
from moderation.articles import store as vectors
from moderation.articles import store_openings as openings
from moderation.articles.page_metadata import Page
from moderation.articles.store_openings import Opening
from moderation.comments.submission import Submission
from moderation.core.offload import WRITING
from moderation.db.database import Session
from moderation.policy import rules as policy
from moderation.policy.scorer import Scorer
from moderation.sites import store as sites
from moderation.sites.model import Article, Site
from moderation.text import markdown


async def register(tx: Session, article: Article) -> None:
    """Stores an article or its change, with its vector. The given values replace a comment's proposal."""
    await sites.put_article(tx, article)
    if article.title or article.url:
        await openings.settle(tx, article.site, article.key)
    if article.title or article.text or article.url:
        await keep_vector(tx, article)


async def keep_vector(tx: Session, article: Article) -> None:
    vector = await asyncio.to_thread(nearest.vector, article.text, article.title)
    await vectors.keep(tx, article.site, article.key, nearest.VERSION, vector.pack())


async def proposed(opening: Opening, page: Page | None, site: Site, scorer: Scorer) -> Opening:
    """Stores a page's proposal. Anybody can send one, so it is not public before `settle` finds a moderator's approval.

    A title that the site's rules would hold as a comment is dropped.
    """
    if page is None:
        return opening
    if not page.title:
        return replace(opening, url=page.url)
    (answer,) = await scorer.score([Asked(page.title, Author("", "", ""), site.key)])
    case = policy.Case(
        submission=Submission.of(page.title),
        settings=site.settings.in_force(opening.opened_at),
        scores=answer.scores if answer else None,
        thresholds=answer.thresholds if answer else {},
        links=(links := await WRITING.run(markdown.count_links, page.title, here=markdown.is_light(page.title))),
        strange_links=links,
    )
    is_fit = (await WRITING.run(policy.judge, case, here=policy.is_quick(case))).status == "approved"
    return replace(opening, title=page.title if is_fit else "", url=page.url)


async def settle(tx: Session, site_key: str, keys: Iterable[str]) -> None:
    """After a decision on comments of these articles: adopts a proposal if its address is on one of the site's origins and a
    moderator has approved a comment there, and withdraws it after an undo."""
    found = await openings.proposals(tx, site_key, sorted(set(keys)))
    if not found:
        return
    origins = (await sites.sites(tx, [site_key]))[site_key].origins
    articles = await sites.articles(tx, site_key, [one.article for one in found])
    for one in found:
        article = articles[one.article]
        is_theirs = (article.title, article.url) == (one.title, one.url)
        is_due = one.approved and Page(one.title, one.url).is_on(origins)
        if is_due and not article.title and not article.url:
            article = replace(article, title=one.title, url=one.url)
        elif is_theirs and not is_due:
            article = replace(article, title="", url=None)
        else:
            continue
        await sites.put_article(tx, article)
        await keep_vector(tx, article)
