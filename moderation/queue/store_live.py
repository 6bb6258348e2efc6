"""Changes since a time, for the live queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from moderation.comments.store_unread import IS_UNREAD
from moderation.db.database import Session

HERE = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An entry of the audit log about a comment."""

    id: str
    comment: str
    action: str
    actor: str


async def acts(session: Session, since: str, until: str, limit: int) -> list[Act]:
    """Acts on comments after that entry and before `until`, oldest first; later times are in the future."""
    rows = await session.fetch(
        f"SELECT id, action, actor, subject, detail FROM audit WHERE {HERE} AND id > ? AND id < ? AND (action LIKE 'comment:%' OR "
        "action = 'decision:undo') ORDER BY id LIMIT ?",
        *(since, until, limit),
    )
    found = []
    for id, action, actor, subject, detail in rows:
        told: dict[str, Any] = json.loads(detail)
        found.append(Act(id=id, comment=str(told.get("comment") or subject), action=action, actor=actor))
    return found


async def actors(session: Session, since: str, until: str) -> set[str]:
    """The actors on comments since that entry."""
    rows = await session.fetch(
        f"SELECT DISTINCT actor FROM audit WHERE {HERE} AND id > ? AND id < ? AND (action LIKE 'comment:%' OR "
        "action = 'decision:undo')",
        *(since, until),
    )
    return {row[0] for row in rows}


async def arrived(session: Session, since: str, until: str, limit: int) -> list[str]:
    """Ids of comments since that one, oldest first. A comment that is merely unread has not arrived before it is read."""
    rows = await session.fetch(
        f"SELECT c.id FROM comments c WHERE c.{HERE} AND c.id > ? AND c.id < ? AND NOT (c.status = 'pending' AND {IS_UNREAD}) "
        "ORDER BY c.id LIMIT ?",
        *(since, until, limit),
    )
    return [row[0] for row in rows]
