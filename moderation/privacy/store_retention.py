"""Deletion of expired data: comments that are not published, network keys, and obsolete rows."""

from __future__ import annotations

from moderation.core.ids import first_id_at
from moderation.db.database import Session


async def expired(session: Session, site: str, status: str, before: int, limit: int, *, imported: bool) -> list[str]:
    """The ids of comments of this status whose arrival and last decision are before that time.

    Imported comments count from the import: `imported` says whether that is long enough ago too.
    """
    theirs = "" if imported else "AND NOT EXISTS (SELECT 1 FROM imported_ids i WHERE i.site = c.site AND i.id = c.id) "
    rows = await session.fetch(
        "SELECT c.id FROM comments c WHERE c.site = ? AND c.status = ? AND c.id < ? AND NOT EXISTS (SELECT 1 FROM "
        f"decisions d WHERE d.site = c.site AND d.submission = c.id AND d.created_at >= ?) {theirs}ORDER BY c.id LIMIT ?",
        *(site, status, first_id_at(before), before, limit),
    )
    return [row[0] for row in rows]


async def last_import(session: Session, site: str) -> int | None:
    row = await session.fetch_one("SELECT max(at) FROM audit WHERE site = ? AND action = 'site:import'", site)
    return int(row[0]) if row and row[0] is not None else None
