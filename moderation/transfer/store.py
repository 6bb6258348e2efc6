"""Foreign ids: the ids of articles and comments in another system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

IDS = Table(
    name="imported_ids",
    columns=("site", "source", "kind", "foreign_id", "id", "missing_parent", "origin"),
    key=4,
)
TABLES = (IDS,)
ARTICLE, COMMENT = "article", "comment"
PINGBACK = ""
"""The id of a published pingback of another system, which is no comment here: replies to it stand at the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedId:
    """`source` is the id's system (`wordpress`, `disqus`, …). `parent` is set while a reply's parent is missing."""

    site: str
    source: str
    kind: str
    foreign_id: str
    id: str
    missing_parent: str | None = None
    origin: str = ""
    """What an export to that system needs, as JSON."""


async def add(tx: Session, known: Iterable[ImportedId]) -> None:
    """Adds foreign ids; existing ones are unchanged."""
    await tx.execute_many(
        f"{IDS.insert} ON CONFLICT DO NOTHING",
        [(k.site, k.source, k.kind, k.foreign_id, k.id, k.missing_parent, k.origin) for k in known],
    )


async def found(session: Session, site: str, source: str, kind: str, foreign: Iterable[str]) -> dict[str, str]:
    """Foreign id → comment's id or article's key. Erased comments are included."""
    wanted = list(foreign)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT foreign_id, id FROM imported_ids WHERE site = ? AND source = ? AND kind = ? AND foreign_id IN ({placeholders(len(wanted))})",
        *(site, source, kind, *wanted),
    )
    return {row[0]: row[1] for row in rows}


async def tell(tx: Session, site: str, source: str, keys: Mapping[str, str]) -> None:
    """Stores foreign article id → key, empty for unpublished articles. An existing key stays."""
    await tx.execute_many(
        "INSERT INTO imported_ids (site, source, kind, foreign_id, id) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (site, source, kind, foreign_id) DO UPDATE SET id = excluded.id WHERE imported_ids.id = ''",
        [(site, source, ARTICLE, foreign, key) for foreign, key in keys.items()],
    )


async def reunited(session: Session, site: str, source: str) -> list[str]:
    """Articles with waiting replies whose parent has arrived."""
    rows = await session.fetch(
        "SELECT DISTINCT c.article FROM imported_ids i JOIN imported_ids p ON p.site = i.site AND p.source = i.source AND "
        "p.kind = i.kind AND p.foreign_id = i.missing_parent JOIN comments c ON c.site = i.site AND c.id = i.id "
        "WHERE i.site = ? AND i.source = ? AND i.kind = 'comment' AND i.missing_parent IS NOT NULL ORDER BY c.article",
        *(site, source),
    )
    return [row[0] for row in rows]


async def parents(session: Session, site: str, source: str, article: str) -> dict[str, str]:
    """These replies of one article, and their parents."""
    # CROSS JOIN keeps SQLite to this order: otherwise it would scan all waiting replies for each article.
    rows = await session.fetch(
        "SELECT i.id, p.id FROM comments c CROSS JOIN imported_ids i CROSS JOIN imported_ids p WHERE c.site = ? AND c.article = ? "
        "AND i.site = c.site AND i.id = c.id AND i.source = ? AND i.kind = 'comment' AND i.missing_parent IS NOT NULL "
        "AND p.site = i.site AND p.source = i.source AND p.kind = 'comment' AND p.foreign_id = i.missing_parent",
        *(site, article, source),
    )
    return {row[0]: row[1] for row in rows}


async def settle(tx: Session, site: str, source: str, replies: Iterable[str]) -> None:
    """Ends the waiting of replies."""
    await tx.execute_many(
        "UPDATE imported_ids SET missing_parent = NULL WHERE site = ? AND source = ? AND kind = 'comment' AND id = ?",
        [(site, source, id) for id in replies],
    )


async def orphans(session: Session, site: str, source: str) -> int:
    """The number of replies that still wait: their parent was in no file."""
    row = await session.fetch_one(
        "SELECT count(*) FROM imported_ids WHERE site = ? AND source = ? AND missing_parent IS NOT NULL", site, source
    )
    return int(row[0]) if row else 0


async def describe(tx: Session, site: str, source: str, origins: Mapping[str, str]) -> None:
    """Foreign article id → its origin, for known articles."""
    await tx.execute_many(
        "UPDATE imported_ids SET origin = ? WHERE site = ? AND source = ? AND kind = ? AND foreign_id = ? AND origin <> ?",
        [(origin, site, source, ARTICLE, foreign, origin) for foreign, origin in origins.items()],
    )


async def ids(session: Session, site: str, kind: str, ours: Iterable[str]) -> dict[str, list[tuple[str, ...]]]:
    """Id or key → (system, foreign id), with the origin if there is one, for imported ones."""
    wanted = list(ours)
    rows = await session.fetch(
        f"SELECT id, source, foreign_id, origin FROM imported_ids WHERE site = ? AND kind = ? AND id IN ({placeholders(len(wanted))}) "
        "ORDER BY source, foreign_id",
        *(site, kind, *wanted),
    )
    known: dict[str, list[tuple[str, ...]]] = {}
    for row in rows:
        known.setdefault(row[0], []).append((row[1], row[2], row[3]) if row[3] else (row[1], row[2]))
    return known


async def move_article(tx: Session, site: str, old: str, new: str) -> None:
    """The ids of an article in other systems lead to another one."""
    await tx.execute("UPDATE imported_ids SET id = ? WHERE site = ? AND kind = 'article' AND id = ?", new, site, old)
