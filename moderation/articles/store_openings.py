"""Articles opened by comments: their number, their networks, and the proposals of their pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moderation.core.times import LEEWAY
from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

OPENINGS = Table(
    name="article_openings",
    columns=("site", "article", "opened_at", "network_key", "comment", "title", "url"),
)
TABLES = (OPENINGS,)
SITES = "site IN (SELECT site FROM sites)"
HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """`comment` is the first one; `title` and `url` are its page metadata, for moderators."""

    site: str
    article: str
    opened_at: int
    network_key: str
    comment: str
    title: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    article: str
    title: str
    url: str | None
    approved: bool
    """A moderator has approved a comment there, and the comment with the proposal is not refused."""


async def add(tx: Session, rows: Iterable[Opening]) -> None:
    await tx.execute_many(
        f"{OPENINGS.insert} ON CONFLICT (site, article) DO NOTHING",
        [(o.site, o.article, o.opened_at, o.network_key, o.comment, o.title, o.url) for o in rows],
    )


async def by_network(session: Session, site: str, addresses: Iterable[str], since: int) -> dict[str, int]:
    """Network → articles opened in the hour since then."""
    wanted = list(addresses)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT network_key, count(*) FROM article_openings WHERE site = ? AND network_key IN ({placeholders(len(wanted))}) AND opened_at > ? "
        "AND opened_at < ? GROUP BY network_key",
        *(site, *wanted, since, since + HOUR + LEEWAY),
    )
    return {row[0]: int(row[1]) for row in rows}


async def count(session: Session, site: str, since: int, most: int) -> int:
    """Articles opened in the hour since then, counted up to `most`."""
    row = await session.fetch_one(
        "SELECT count(*) FROM (SELECT 1 FROM article_openings WHERE site = ? AND opened_at > ? AND opened_at < ? LIMIT ?) AS o",
        *(site, since, since + HOUR + LEEWAY, most),
    )
    return int(row[0]) if row else 0


async def proposals(session: Session, site: str, articles: Iterable[str]) -> list[Proposal]:
    """The proposals for these articles."""
    wanted = list(articles)
    rows = await session.fetch(
        "SELECT o.article, o.title, o.url, EXISTS (SELECT 1 FROM comments f WHERE f.site = o.site AND f.id = o.comment "
        "AND f.status IN ('approved', 'pending')) AND EXISTS (SELECT 1 FROM comments c WHERE c.site = o.site AND "
        "c.article = o.article AND c.status = 'approved' AND c.is_decided <> 0 AND c.is_staff = 0) FROM article_openings o "
        f"WHERE o.site = ? AND o.article IN ({placeholders(len(wanted))}) AND (o.title <> '' OR o.url IS NOT NULL)",
        *(site, *wanted),
    )
    return [Proposal(article=row[0], title=row[1], url=row[2], approved=bool(row[3])) for row in rows]


async def settle(tx: Session, site: str, article: str) -> None:
    """Deletes proposals that a registration has replaced."""
    await tx.execute("UPDATE article_openings SET title = '', url = NULL WHERE site = ? AND article = ?", site, article)


async def forget(tx: Session, site: str, comments: Sequence[str]) -> None:
    """Deletes the openings by these comments."""
    await tx.execute(
        f"DELETE FROM article_openings WHERE site = ? AND comment IN ({placeholders(len(comments))})", site, *comments
    )


async def purge(tx: Session, before: int) -> None:
    """Deletes the network keys of openings before a time, and those that propose nothing."""
    await tx.execute(
        f"UPDATE article_openings SET network_key = '' WHERE {SITES} AND network_key > '' AND opened_at <= ?", before
    )
    await tx.execute(
        f"DELETE FROM article_openings WHERE {SITES} AND title = '' AND url IS NULL AND opened_at <= ?", before
    )


async def move_article(tx: Session, site: str, old: str, new: str) -> None:
    """Another article's own opening stays."""
    await tx.execute(
        "UPDATE article_openings SET article = ? WHERE site = ? AND article = ? "
        "AND NOT EXISTS (SELECT 1 FROM article_openings o WHERE o.site = article_openings.site AND o.article = ?)",
        *(new, site, old, new),
    )
    await tx.execute("DELETE FROM article_openings WHERE site = ? AND article = ?", site, old)
