"""What is held on one author, by the author's key."""

from __future__ import annotations

import json
from typing import Any

from moderation.comment import Comment, iso
from moderation.storage.comments import COMMENT, comment_of
from moderation.storage.database import Session

HERE = "site IN (SELECT site FROM sites)"


async def comments(session: Session, author: str) -> list[Comment]:
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.{HERE} AND c.author_key = ? ORDER BY c.id", author
    )
    return [comment_of(row) for row in rows]


async def submissions(session: Session, author: str) -> list[dict[str, Any]]:
    rows = await session.fetch(
        "SELECT site, id, revision, source, body, action, scores, model, created_at, format FROM submissions "
        f"WHERE {HERE} AND author_key = ? ORDER BY id, revision",
        author,
    )
    return [
        {
            "site": r[0], "id": r[1], "revision": r[2], "source": r[3], "body": r[4], "action": r[5],
            "scores": json.loads(r[6]) if r[6] else None, "model": r[7], "created_at": iso(r[8]), "format": r[9],
        }
        for r in rows
    ]  # fmt: skip


async def erase(tx: Session, author: str) -> None:
    """Their comments and judged texts, moderators' notes on them, and kept first answers of the same articles."""
    theirs = f"SELECT id FROM submissions WHERE {HERE} AND author_key = ?"
    await tx.execute(f"UPDATE decisions SET note = '' WHERE {HERE} AND submission IN ({theirs})", author)
    rows = await tx.fetch(f"SELECT site, article FROM comments WHERE {HERE} AND author_key = ?", author)
    for site, article in {(row[0], row[1]) for row in rows}:
        await tx.execute("DELETE FROM retries WHERE site = ? AND article = ?", site, article)
    await tx.execute(f"DELETE FROM comments WHERE {HERE} AND author_key = ?", author)
    await tx.execute(f"DELETE FROM submissions WHERE {HERE} AND author_key = ?", author)
