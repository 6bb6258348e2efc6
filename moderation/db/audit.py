"""The audit log: actor, action, subject and time. It can be appended to and read; a trigger refuses changes."""

from __future__ import annotations

import json
from typing import Any

from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.times import iso
from moderation.db.database import Session
from moderation.db.tables import Table

AUDIT = Table(name="audit", columns=("site", "id", "at", "actor", "action", "subject", "detail"))
TABLES = (AUDIT,)


async def note(tx: Session, *, site: str, at: int, actor: str, action: str, subject: str, **detail: Any) -> None:
    """`action` has a grammar: noun, then verb (`comment:approve`, `decision:undo`). Ids only: never a text or address."""
    await note_many(tx, [(site, at, actor, action, subject, detail)])


async def note_many(tx: Session, entries: list[tuple[str, int, str, str, str, dict[str, Any]]]) -> None:
    await tx.execute_many(
        AUDIT.insert,
        [
            (site, new_id(at, order), at, actor, action, subject, json.dumps(detail))
            for order, (site, at, actor, action, subject, detail) in enumerate(entries)
        ],
    )


async def read(session: Session, site: str, *, before: str = "", limit: int = 100) -> list[dict[str, Any]]:
    """Newest first; `before` is the id of the last one shown."""
    where, args = [], list[Any]()
    if site != EVERYWHERE:
        where.append("site = ?")
        args.append(site)
    if before:
        where.append("id < ?")
        args.append(before)
    rows = await session.fetch(
        "SELECT id, site, at, actor, action, subject, detail FROM audit "
        f"{'WHERE ' + ' AND '.join(where) if where else ''} ORDER BY id DESC LIMIT ?",
        *(*args, limit),
    )
    return [
        {
            "id": row[0],
            "site": row[1],
            "at": iso(row[2]),
            "actor": row[3],
            "action": row[4],
            "subject": row[5],
            "detail": json.loads(row[6]),
        }
        for row in rows
    ]


async def newest(session: Session, action: str = "") -> int | None:
    """The time of the latest entry, or of the latest with this action, in Unix milliseconds."""
    where, args = ("WHERE action = ?", (action,)) if action else ("", ())
    row = await session.fetch_one(f"SELECT max(at) FROM audit {where}", *args)
    return row[0] if row else None
