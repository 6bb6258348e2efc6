"""An article is registered: by PUT, by an import, or by what its page said of itself along with its first comment."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from classifier import nearest
from classifier.examples import Asked, Author
from moderation import markdown, policy
from moderation.metadata import Page
from moderation.scorer import Scorer
from moderation.site import Article, Site
from moderation.storage import sites, vectors
from moderation.storage.database import Session
from moderation.submission import Submission


async def register(tx: Session, article: Article) -> None:
    """Store it, or its change, together with what it is about."""
    await sites.put_article(tx, article)
    if article.title or article.text or article.url:
        await keep_vector(tx, article)


async def keep_vector(tx: Session, article: Article) -> None:
    vector = await asyncio.to_thread(nearest.vector, article.text, article.title)
    await vectors.keep(tx, article.site, article.key, nearest.VERSION, vector.pack())


async def introduced(article: Article, page: Page, site: Site, scorer: Scorer, now: int) -> Article:
    """A new article as its page describes it.

    Anybody can say so, and the words will stand under other articles, where no moderator looks: those that would have
    held a comment are left out, and so is an address that is not on the site's own pages.
    """
    published = page.published_at if page.published_at is not None and page.published_at <= now else None
    article = replace(article, url=page.url if page.is_on(site.origins) else None, published_at=published)
    said = f"{page.title}\n\n{markdown.excerpt(page.text)}".strip()
    if not said:
        return article
    (score,) = await scorer.score([Asked(said, Author("", "", ""), site.key)])
    case = policy.Case(
        Submission("", "", None, said, None, False),
        site.rules,
        score.scores if score else None,
        thresholds=scorer.thresholds(),
        links=markdown.count_links(said),
    )
    if policy.judge(case).status != "approved":
        return article
    return replace(article, title=page.title, text=page.text)
