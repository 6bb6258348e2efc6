"""Two articles as one: by hand, or because an earlier version gave one page two keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from moderation.articles import register
from moderation.articles import store as vectors
from moderation.articles import store_openings as openings
from moderation.comments import store as comments
from moderation.comments import store_submissions as submissions
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.intake import store as idempotency
from moderation.sites import store as sites
from moderation.sites.article_keys import AS_IN_PATHS, LONGEST, key_of, spelled
from moderation.sites.model import Article
from moderation.transfer import store as imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """An article that is gone, and how many comments went where."""

    site: str
    article: str
    into: str
    comments: int


async def merge(tx: Session, old: Article, key: str, now: int, actor: str = "operator") -> Merged:
    """Moves all rows of an article to `key`, which may be new. The other article's own values stay; its gaps are filled."""
    other = (await sites.articles(tx, old.site, [key])).get(key)
    await register.register(tx, filled(other, old) if other else replace(old, key=key))
    moved = await comments.move_article(tx, old.site, old.key, key)
    await submissions.move_article(tx, old.site, old.key, key)
    await openings.move_article(tx, old.site, old.key, key)
    await imports.move_article(tx, old.site, old.key, key)
    await idempotency.forget(tx, old.site, old.key)
    await vectors.forget(tx, old.site, old.key)
    await sites.remove_article(tx, old.site, old.key)
    await audit.note(
        tx, site=old.site, at=now, actor=actor, action="article:merge", subject=old.key, into=key, comments=moved
    )
    return Merged(site=old.site, article=old.key, into=key, comments=moved)


def filled(article: Article, other: Article) -> Article:
    return replace(
        article,
        title=article.title or other.title,
        url=article.url or other.url,
        text=article.text or other.text,
        published_at=other.published_at if article.published_at is None else article.published_at,
        created_at=min(article.created_at, other.created_at),
    )


async def respell(database: Database, now: int) -> list[Merged]:
    """Gives each article its key's one spelling. Keys of earlier versions differ in the case of escapes, in composed
    characters, and where a long key was cut. An article that has none is not touched, so it can be run at each start."""
    async with database.reading() as session:
        due = [(article, key) for article in await sites.of_escaped_keys(session) if (key := due_key(article))]
    merged = []
    for article, key in due:
        async with database.transaction() as tx:
            if here := (await sites.articles(tx, article.site, [article.key])).get(
                article.key
            ):  # no other process was first
                merged.append(await merge(tx, here, key, now, actor="upgrade"))
    return merged


def due_key(article: Article) -> str | None:
    """The key that an article must have instead of its own."""
    key = spelled(article.key)
    if article.url and len(article.key) == LONGEST and article.key == cut_key_of(article.url):
        key = key_of(article.url)
    return key if key != article.key else None


def cut_key_of(url: str) -> str:
    """The key that earlier versions derived from an address with a long path: cut at 200 characters."""
    try:
        path = quote(urlsplit(url.strip()).path, safe=AS_IN_PATHS).strip("/")
    except ValueError:
        return ""
    return re.sub(r"[^A-Za-z0-9._~-]", lambda m: {"/": "~", "%": "-"}.get(m[0], f"-{ord(m[0]):x}"), path)[:LONGEST]
