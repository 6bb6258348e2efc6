"""Deletion of expired data: comments that are not published, network keys, and obsolete rows."""

from __future__ import annotations

import json

import orjson

from moderation.core.ids import EVERYWHERE, first_id_at
from moderation.db.database import Session, placeholders


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


async def forget(tx: Session, site: str, ids: list[str], *, examples: bool) -> None:
    """Deletes comments. Verdicts stay without words of the text, and decisions without their notes.

    With `examples`, texts with a standing decision stay too, without their author.
    """
    chosen = placeholders(len(ids))
    rows = await tx.fetch(
        f"SELECT revision, id, reasons FROM submissions WHERE site = ? AND id IN ({chosen})", site, *ids
    )
    bare = [
        (orjson.dumps([without_words(r) for r in json.loads(row[2])]).decode(), site, row[1], row[0]) for row in rows
    ]
    await tx.execute_many("UPDATE submissions SET reasons = ? WHERE site = ? AND id = ? AND revision = ?", bare)
    await tx.execute(
        "UPDATE submissions SET author_name = '', author_url = NULL, email_domain = '', author_key = id "
        f"WHERE site = ? AND id IN ({chosen})",
        *(site, *ids),
    )
    taught = (
        "AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.site = submissions.site AND d.submission = submissions.id "
        "AND d.judged_revision = submissions.revision AND d.undone_at IS NULL)"
    )
    await tx.execute(
        f"UPDATE submissions SET body = '' WHERE site = ? AND id IN ({chosen}) {taught if examples else ''}",
        *(site, *ids),
    )
    await tx.execute(f"UPDATE decisions SET note = '' WHERE site = ? AND submission IN ({chosen})", site, *ids)
    await tx.execute(f"DELETE FROM outbox WHERE site = ? AND subject IN ({chosen})", site, *ids)
    await tx.execute(f"DELETE FROM comments WHERE site = ? AND id IN ({chosen})", site, *ids)


def without_words(reason: dict[str, object]) -> dict[str, object]:
    """A reason with rule or label and weight, without spans and words."""
    return {key: value for key, value in reason.items() if key in ("rule", "label", "weight")}


async def forget_network_keys(tx: Session, site: str, before: int, limit: int) -> int:
    return await tx.execute(
        "UPDATE comments SET network_key = '' WHERE site = ? AND id IN (SELECT id FROM comments WHERE site = ? AND "
        "network_key > '' AND id < ? LIMIT ?)",
        *(site, site, first_id_at(before), limit),
    )


async def tidy(tx: Session, now: int, day: int) -> None:
    """First answers and failed sign-ins of yesterday, who opened which article, links that are over, and mails of long ago."""
    here = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"
    await tx.execute(f"DELETE FROM idempotency_keys WHERE {here} AND created_at <= ?", now - day)
    await tx.execute(
        f"UPDATE article_openings SET network_key = '' WHERE {here} AND network_key > '' AND opened_at <= ?", now - day
    )
    await tx.execute(
        f"DELETE FROM article_openings WHERE {here} AND title = '' AND url IS NULL AND opened_at <= ?", now - day
    )
    await tx.execute("DELETE FROM failed_attempts WHERE site = ? AND failed_at <= ?", EVERYWHERE, now - day)
    await tx.execute("DELETE FROM data_subject_links WHERE site = ? AND created_at <= ?", EVERYWHERE, now - 2 * day)
    for state, days in (("delivered", 90), ("failed", 30)):
        await tx.execute(f"DELETE FROM outbox WHERE {here} AND state = ? AND created_at <= ?", state, now - days * day)
