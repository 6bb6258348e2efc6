"""The ids that articles and comments had in the system that they came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.storage.database import Session, marks

ARTICLE, COMMENT = "article", "comment"


@dataclass(frozen=True, slots=True)
class Known:
    """`source` is whose id it is (`wordpress`, `disqus`, …). `parent` is set while a reply waits for a parent that has not come."""

    site: str
    source: str
    kind: str
    foreign: str
    id: str
    parent: str | None = None


async def add(tx: Session, known: Iterable[Known]) -> None:
    """One that is there already stays as it is."""
    await tx.execute_many(
        f"INSERT INTO imports (site, source, kind, foreign_id, id, parent) VALUES ({marks(6)}) ON CONFLICT DO NOTHING",
        [(k.site, k.source, k.kind, k.foreign, k.id, k.parent) for k in known],
    )


async def found(session: Session, site: str, source: str, kind: str, foreign: Iterable[str]) -> dict[str, str]:
    """Foreign id → our comment's id or article's key. The comment may be gone: an erased one is still known."""
    wanted = list(foreign)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT foreign_id, id FROM imports WHERE site = ? AND source = ? AND kind = ? AND foreign_id IN ({marks(len(wanted))})",
        *(site, source, kind, *wanted),
    )
    return {row[0]: row[1] for row in rows}
