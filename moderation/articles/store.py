"""Articles' vectors."""

from __future__ import annotations

from dataclasses import dataclass

from moderation.db.database import Session
from moderation.db.tables import Table
from moderation.sites.model import Article
from moderation.sites.store import ARTICLE, article_of

VECTORS = Table(name="article_vectors", columns=("site", "article", "sequence", "version", "vector"))
TABLES = (VECTORS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleVector:
    article: str
    vector: str
    is_linked: bool
    """The page's address is known, so other articles can link to it."""
    at: int
    """The time of publication, or of the first comment."""


async def keep(tx: Session, site: str, article: str, version: int, vector: str) -> None:
    await tx.execute(
        "INSERT INTO article_vectors (site, article, sequence, version, vector) "
        "SELECT ?, ?, coalesce(max(sequence), 0) + 1, ?, ? FROM article_vectors WHERE site = ? "
        "ON CONFLICT (site, article) DO UPDATE SET sequence = excluded.sequence, version = excluded.version, "
        "vector = excluded.vector",
        *(site, article, version, vector, site),
    )


async def newest(session: Session, site: str) -> int:
    """The number of the site's last change; 0 without any."""
    row = await session.fetch_one("SELECT max(sequence) FROM article_vectors WHERE site = ?", site)
    return int(row[0] or 0) if row else 0


async def since(session: Session, site: str, sequence: int) -> list[ArticleVector]:
    """The vectors changed after that number."""
    rows = await session.fetch(
        "SELECT v.article, v.vector, a.url, a.published_at, a.created_at FROM article_vectors v JOIN articles a "
        "ON a.site = v.site AND a.article = v.article AND a.is_listed = 1 WHERE v.site = ? AND v.sequence > ?",
        *(site, sequence),
    )
    return [
        ArticleVector(article=row[0], vector=row[1], is_linked=bool(row[2]), at=row[4] if row[3] is None else row[3])
        for row in rows
    ]


async def missing(session: Session, site: str, version: int, limit: int) -> list[Article]:
    """Articles with an address or a text, and without a vector of this version."""
    rows = await session.fetch(
        f"SELECT {ARTICLE} FROM articles WHERE site = ? AND (url IS NOT NULL OR title <> '' OR text <> '') "
        "AND article NOT IN (SELECT article FROM article_vectors WHERE site = ? AND version = ?) LIMIT ?",
        *(site, site, version, limit),
    )
    return [article_of(row) for row in rows]


async def forget(tx: Session, site: str, article: str) -> None:
    """Deletes the vector of an article that is no more."""
    await tx.execute("DELETE FROM article_vectors WHERE site = ? AND article = ?", site, article)
