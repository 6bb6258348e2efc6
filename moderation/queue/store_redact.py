"""Redaction of a comment's text in all tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson

from moderation.comments.model import Comment
from moderation.db.database import Session
from moderation.intake import store as idempotency

Replace = Callable[[str], str]
Shift = Callable[[str, list[list[int]]], list[list[int]]]
"""(former text, its spans) → the spans in the redacted text, without those that touch the redacted piece."""


async def texts(session: Session, site: str, id: str) -> list[str]:
    """Every stored text of a comment: the current one, the judged ones, its appeal, reports and notes on it."""
    rows = await session.fetch(
        "SELECT body, author_name, author_url FROM submissions WHERE site = ? AND id = ? "
        "UNION ALL SELECT body, name, url FROM comments WHERE site = ? AND id = ? "
        "UNION ALL SELECT body, '', '' FROM appeals WHERE site = ? AND id = ? "
        "UNION ALL SELECT note, '', '' FROM reports WHERE site = ? AND id = ? "
        "UNION ALL SELECT body, '', '' FROM notes WHERE site = ? AND comment = ? "
        "UNION ALL SELECT note, '', '' FROM decisions WHERE site = ? AND submission = ?",
        *(site, id) * 6,
    )
    return [text for row in rows for text in row if text]


async def put(tx: Session, c: Comment, seen: int, body_key: str) -> bool:
    """Stores the redacted comment; False if its revision is no longer `seen`. It counts as decided, so the author's edit cannot
    publish the piece again."""
    return (
        await tx.execute(
            "UPDATE comments SET body = ?, html = ?, name = ?, url = ?, body_key = ?, revision = ?, edited_at = ?, is_decided = 1 "
            "WHERE site = ? AND id = ? AND revision = ?",
            *(c.body, c.html, c.name, c.url, body_key, c.revision, c.edited_at, c.site, c.id, seen),
        )
        == 1
    )


async def elsewhere(tx: Session, c: Comment, replace: Replace, shift: Shift) -> None:
    """Redacts judged texts with their reasons, the appeal, reports, notes, and stored first answers."""
    here = (c.site, c.id)
    judged = await tx.fetch(
        "SELECT revision, body, author_name, author_url, reasons FROM submissions WHERE site = ? AND id = ?", *here
    )
    for revision, body, name, url, reasons in judged:
        told = [moved(reason, body, replace, shift) for reason in json.loads(reasons)]
        await tx.execute(
            "UPDATE submissions SET body = ?, author_name = ?, author_url = ?, reasons = ? WHERE site = ? AND id = ? AND "
            "revision = ?",
            *(replace(body), replace(name), url if url is None or replace(url) == url else None),
            *(orjson.dumps(told).decode(), *here, revision),
        )
    for row in await tx.fetch("SELECT body FROM appeals WHERE site = ? AND id = ?", *here):
        await tx.execute("UPDATE appeals SET body = ? WHERE site = ? AND id = ?", replace(row[0]), *here)
    for row in await tx.fetch("SELECT reporter, note FROM reports WHERE site = ? AND id = ? AND note <> ''", *here):
        await tx.execute(
            "UPDATE reports SET note = ? WHERE site = ? AND id = ? AND reporter = ?", replace(row[1]), *here, row[0]
        )
    for row in await tx.fetch("SELECT id, body FROM notes WHERE site = ? AND comment = ?", *here):
        await tx.execute("UPDATE notes SET body = ? WHERE site = ? AND id = ?", replace(row[1]), c.site, row[0])
    for row in await tx.fetch("SELECT id, note FROM decisions WHERE site = ? AND submission = ? AND note <> ''", *here):
        await tx.execute(
            "UPDATE decisions SET note = ? WHERE site = ? AND id = ? AND submission = ?",
            *(replace(row[1]), c.site, row[0], c.id),
        )
    await idempotency.forget(tx, c.site, c.article)


def moved(reason: dict[str, Any], body: str, replace: Replace, shift: Shift) -> dict[str, Any]:
    """A reason without the redacted word, with its spans moved."""
    found = reason | {"spans": shift(body, reason.get("spans", []))}
    if "note" in found and replace(found["note"]) != found["note"]:
        del found["note"]
    return found


async def told(tx: Session, c: Comment, document: dict[str, Any]) -> None:
    """Redacts waiting webhook messages about the comment."""
    rows = await tx.fetch(
        "SELECT id, content FROM outbox WHERE site = ? AND subject = ? AND destination <> 'mail'", c.site, c.id
    )
    for id, content in rows:
        kept = json.loads(content)
        if "data" in kept:
            kept["data"] |= {k: document[k] for k in ("author", "html", "text") if k in kept["data"]}
            await tx.execute(
                "UPDATE outbox SET content = ? WHERE site = ? AND id = ?", orjson.dumps(kept).decode(), c.site, id
            )
