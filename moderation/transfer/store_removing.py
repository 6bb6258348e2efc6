"""All rows of one site, in every table, deleted for good."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.db.database import Session, placeholders
from moderation.transfer.store_tables import DECLARED

STAY = frozenset(("audit", "leases", "secure_deletes", "sites"))
"""The audit log is append-only and holds ids alone; the site's own row goes last."""


async def tables(session: Session) -> list[str]:
    """The tables with rows of sites, those that refer to others first."""
    sql = (
        "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'site'"
        if session.kind == "sqlite"
        else "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'site'"
    )
    there = {row[0] for row in await session.fetch(sql)} - STAY
    return [table.name for table in reversed(DECLARED) if table.name in there]


async def next_comments(session: Session, site: str, limit: int) -> list[str]:
    rows = await session.fetch("SELECT id FROM comments WHERE site = ? ORDER BY id LIMIT ?", site, limit)
    return [row[0] for row in rows]


async def count(session: Session, site: str) -> int:
    row = await session.fetch_one("SELECT count(*) FROM comments WHERE site = ?", site)
    return int(row[0]) if row else 0


async def remove_comments(tx: Session, site: str, ids: Sequence[str]) -> None:
    """Comments with their judged texts and the decisions on them."""
    chosen = placeholders(len(ids))
    await tx.execute(f"DELETE FROM comments WHERE site = ? AND id IN ({chosen})", site, *ids)
    await tx.execute(f"DELETE FROM submissions WHERE site = ? AND id IN ({chosen})", site, *ids)
    await tx.execute(f"DELETE FROM decisions WHERE site = ? AND submission IN ({chosen})", site, *ids)


async def remove_rest(tx: Session, site: str) -> None:
    for table in await tables(tx):
        await tx.execute(f"DELETE FROM {table} WHERE site = ?", site)
    await tx.execute("DELETE FROM sites WHERE site = ?", site)
