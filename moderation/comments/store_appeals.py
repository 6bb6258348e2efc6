"""Authors' appeals: one for each comment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moderation.core.times import iso
from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

TABLES = (Table(name="appeals", columns=("site", "id", "body", "created_at"), holds_text=True),)


async def add(tx: Session, site: str, id: str, body: str, now: int) -> None:
    await tx.execute("INSERT INTO appeals (site, id, body, created_at) VALUES (?, ?, ?, ?)", site, id, body, now)


async def of(session: Session, site: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Comment id → the appeal, if any."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT id, body, created_at FROM appeals WHERE site = ? AND id IN ({placeholders(len(wanted))})",
        site,
        *wanted,
    )
    return {row[0]: {"body": row[1], "created_at": iso(row[2])} for row in rows}
