"""Sites and articles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.sites.model import Article, Mute, Site, is_checks_key, stored_origins
from moderation.sites.site_settings import SiteSettings

SITES = Table(
    name="sites",
    columns=("site", "name", "origins", "settings", "created_at", "mutes", "revision", "duplicates_watched_until"),
    key=1,
)
ARTICLES = Table(
    name="articles",
    columns=(
        *("site", "article", "title", "url", "text", "published_at", "comments_open", "revision", "created_at"),
        "is_listed",
    ),
)
"""Without the count of approved comments, which is counted anew."""
TABLES = (SITES, ARTICLES)
ARTICLE = listed(ARTICLES.columns)
"""Of an Article."""


@lru_cache(256)
def site_of(
    key: str, name: str, origins: str, settings: str, mutes: str, duplicates_watched_until: int, has_webhooks: int
) -> Site:
    """A site from its row. Cached by the row's contents: every batch needs the same few sites, and a change is a new row."""
    muted = {rule: Mute(**told) for rule, told in json.loads(mutes).items()}
    return Site(
        key=key,
        name=name,
        origins=stored_origins(json.loads(origins)),
        settings=SiteSettings.of(json.loads(settings)),
        has_webhooks=bool(has_webhooks),
        mutes=muted,
        duplicates_watched_until=duplicates_watched_until,
    )


article_of = reader(Article, ("site", "key", *ARTICLES.columns[2:]), comments_open=bool, is_listed=bool)


async def put_site(tx: Session, site: Site, now: int) -> None:
    """Adds or changes a site."""
    await tx.execute(
        "INSERT INTO sites (site, name, origins, settings, created_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (site) DO UPDATE SET name = excluded.name, origins = excluded.origins, settings = excluded.settings, "
        "revision = sites.revision + 1",
        site.key,
        site.name,
        json.dumps(site.origins),
        json.dumps(site.settings.stored()),
        now,
    )


async def sites(session: Session, keys: Iterable[str] | None = None) -> dict[str, Site]:
    """Key → site, for the existing ones of these keys, or for all sites."""
    # whether a webhook exists comes along, so that comments of other sites need no further query
    sql = (
        "SELECT site, name, origins, settings, mutes, duplicates_watched_until, EXISTS (SELECT 1 FROM webhooks w WHERE w.site IN ('*', sites.site) "
        "AND w.disabled_at IS NULL) FROM sites"
    )
    if keys is None:
        rows = await session.fetch(sql + " ORDER BY site")
    else:
        wanted = list(keys)
        rows = await session.fetch(f"{sql} WHERE site IN ({placeholders(len(wanted))})", *wanted)
    return {row[0]: site_of(*row) for row in rows}


async def articles(session: Session, site: str, keys: Iterable[str]) -> dict[str, Article]:
    wanted = list(keys)
    rows = await session.fetch(
        f"SELECT {ARTICLE} FROM articles WHERE site = ? AND article IN ({placeholders(len(wanted))})", site, *wanted
    )
    return {row[1]: article_of(row) for row in rows}


async def listed_articles(session: Session, site: str, keys: Iterable[str]) -> dict[str, Article]:
    """The articles that readers may know of: an unlisted one is to them as one that does not exist."""
    return {key: article for key, article in (await articles(session, site, keys)).items() if article.is_listed}


async def unlisted(session: Session, site: str) -> dict[str, int]:
    """Key of each unlisted article → its number of approved comments."""
    rows = await session.fetch(
        "SELECT article, approved_count FROM articles WHERE site = ? AND is_listed = 0 AND article NOT LIKE 'checks:%' "
        "ORDER BY article",
        site,
    )
    return {row[0]: int(row[1]) for row in rows}


async def count_articles(session: Session, site: str) -> int:
    row = await session.fetch_one("SELECT count(*) FROM articles WHERE site = ?", site)
    return int(row[0]) if row else 0


async def put_article(tx: Session, article: Article) -> None:
    """Adds an article, or changes it and increases its revision."""
    a = article
    await tx.execute_many(
        f"{ARTICLES.insert} ON CONFLICT (site, article) DO UPDATE SET "
        "title = excluded.title, url = excluded.url, text = excluded.text, published_at = excluded.published_at, "
        "comments_open = excluded.comments_open, is_listed = excluded.is_listed, revision = articles.revision + 1",
        [
            (
                *(
                    a.site,
                    a.key,
                    a.title,
                    a.url,
                    a.text,
                    a.published_at,
                    int(a.comments_open),
                    a.revision,
                    a.created_at,
                ),
                int(a.is_listed and not is_checks_key(a.key)),  # of checks no command and no file makes a page
            )
        ],
    )


async def touch(tx: Session, site: str, keys: Iterable[str]) -> None:
    """Increases the revision of articles after a visible change, so that cached threads are rebuilt."""
    await tx.execute_many(
        "UPDATE articles SET revision = revision + 1 WHERE site = ? AND article = ?",
        [(site, key) for key in sorted(set(keys))],
    )


async def page(session: Session, site: str, after: str, limit: int = 200) -> list[Article]:
    """The site's articles after the key `after`, in the order of keys."""
    rows = await session.fetch(
        f"SELECT {ARTICLE} FROM articles WHERE site = ? AND article > ? ORDER BY article LIMIT ?", site, after, limit
    )
    return [article_of(row) for row in rows]


async def remove_article(tx: Session, site: str, key: str) -> None:
    """Removes an article without comments."""
    await tx.execute("DELETE FROM articles WHERE site = ? AND article = ?", site, key)


async def of_escaped_keys(session: Session) -> list[Article]:
    """The articles of all sites whose key has escapes or the greatest length, without those of checks."""
    rows = await session.fetch(
        f"SELECT {ARTICLE} FROM articles WHERE (article LIKE '%-__-__%' OR length(article) = 200) "
        "AND article NOT LIKE 'checks:%' ORDER BY site, article"
    )
    return [article_of(row) for row in rows]
