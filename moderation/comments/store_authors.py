"""Comments and judged texts of one author, and what is deleted of comments: at once for their author, or after a while."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from moderation.comments.model import Comment
from moderation.comments.store import COMMENT, comment_of, keys_of
from moderation.core.ids import first_id_at
from moderation.db.database import Session, placeholders


async def comments(session: Session, site: str, author_key: str) -> list[Comment]:
    """An author's comments of every status, oldest first."""
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.author_key = ? ORDER BY c.id", site, author_key
    )
    return [comment_of(row) for row in rows]


async def address(session: Session, site: str, author_key: str) -> tuple[str, str] | None:
    """The id and the email address of the newest comment that has one."""
    row = await session.fetch_one(
        "SELECT id, email FROM comments WHERE site = ? AND author_key = ? AND email <> '' ORDER BY id DESC LIMIT 1",
        *(site, author_key),
    )
    return (row[0], row[1]) if row else None


async def records(session: Session, site: str, shown: Iterable[Comment]) -> dict[str, dict[str, Any]]:
    """Comment id → its author's record on this site: a count per status, and the time of the first comment. Without an email
    address nobody is known, and the record is that of the one comment."""
    told = list(shown)
    found = {c.id: {**EMPTY, c.status: 1, "first_seen": c.created_at, "last_seen": c.created_at} for c in told}
    somebody = [c.id for c in told if is_somebody(c)]
    if not somebody:
        return found
    keys = {id: author for id, (author, _) in (await keys_of(session, site, somebody)).items()}
    # An author is counted once, however many of the comments are theirs, and from the index alone: of ten thousand comments
    # no row is read but the first and the last one.
    by_author: dict[str, dict[str, Any]] = {}
    wanted = sorted(set(keys.values()))
    rows = await session.fetch(
        "SELECT author_key, status, count(*), min(id), max(id) FROM comments WHERE site = ? AND "
        # `id > ''` is always true. It leads SQLite to the index of authors: for the grouping alone it would read the whole site.
        f"author_key IN ({placeholders(len(wanted))}) AND id > '' GROUP BY author_key, status",
        *(site, *wanted),
    )
    for key, status, count, first, last in rows:
        record = by_author.setdefault(key, {**EMPTY, "first_seen": first, "last_seen": last})
        record[status] = int(count)
        record["first_seen"], record["last_seen"] = min(record["first_seen"], first), max(record["last_seen"], last)
    ends = {record[end] for record in by_author.values() for end in ("first_seen", "last_seen")}
    times = await _times(session, site, ends)
    for record in by_author.values():
        record |= {end: times.get(record[end]) for end in ("first_seen", "last_seen")}
    return found | {id: by_author[key] for id, key in keys.items() if key in by_author}


EMPTY = {"approved": 0, "spam": 0, "rejected": 0, "pending": 0}


def is_somebody(comment: Comment) -> bool:
    """Whether its author is known by a key: without an email address, nobody wrote two comments."""
    return bool(comment.email) or comment.is_staff


async def _times(session: Session, site: str, ids: Iterable[str]) -> dict[str, int]:
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT id, created_at FROM comments WHERE site = ? AND id IN ({placeholders(len(wanted))})", site, *wanted
    )
    return {row[0]: row[1] for row in rows}


async def page(session: Session, site: str, author_key: str, before: str, limit: int) -> list[str]:
    """The ids of an author's comments of every status, newest first; `before` is the last one shown."""
    older, args = ("AND id < ? ", (before,)) if before else ("", ())
    rows = await session.fetch(
        f"SELECT id FROM comments WHERE site = ? AND author_key = ? {older}ORDER BY id DESC LIMIT ?",
        *(site, author_key, *args, limit),
    )
    return [row[0] for row in rows]


async def newest(session: Session, site: str, keys: Iterable[str], by: str = "author_key") -> dict[str, Comment]:
    """Author's key → the author's newest comment; or, by `network_key`, a network's."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT {by}, max(id) FROM comments WHERE site = ? AND {by} IN ({placeholders(len(wanted))}) AND id > '' GROUP BY {by}",
        *(site, *wanted),
    )
    latest = {row[1]: row[0] for row in rows}
    if not latest:
        return {}
    told = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.id IN ({placeholders(len(latest))})", site, *latest
    )
    return {latest[comment.id]: comment for comment in map(comment_of, told)}


async def judged_ids(session: Session, site: str, author_key: str) -> list[str]:
    """The ids of an author's judged texts, in order: of comments, which know their author, and of texts without a comment."""
    rows = await session.fetch(
        "SELECT id FROM comments WHERE site = ? AND author_key = ? UNION "
        "SELECT id FROM submissions WHERE site = ? AND author_key = ? AND source <> 'comment' ORDER BY 1",
        *(site, author_key) * 2,
    )
    return [row[0] for row in rows]


async def erase(tx: Session, site: str, author_key: str, ids: Sequence[str]) -> None:
    """Deletes an author's comments and judged texts; decisions on them stay, without their notes."""
    chosen = placeholders(len(ids))
    await forget_notes(tx, site, ids)
    for table in ("submissions", "comments"):
        await tx.execute(
            f"DELETE FROM {table} WHERE site = ? AND author_key = ? AND id IN ({chosen})", site, author_key, *ids
        )


async def forget(tx: Session, site: str, ids: Sequence[str], *, examples: bool) -> None:
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
    await forget_notes(tx, site, ids)
    await tx.execute(f"DELETE FROM comments WHERE site = ? AND id IN ({chosen})", site, *ids)


def without_words(reason: dict[str, object]) -> dict[str, object]:
    """A reason with rule or label and weight, without spans and words."""
    return {key: value for key, value in reason.items() if key in ("rule", "label", "weight")}


async def forget_notes(tx: Session, site: str, ids: Sequence[str]) -> None:
    await tx.execute(
        f"UPDATE decisions SET note = '' WHERE site = ? AND submission IN ({placeholders(len(ids))})", site, *ids
    )


async def forget_network_keys(tx: Session, site: str, before: int, limit: int) -> int:
    """Deletes the keys of comments older than a time. Returns how many."""
    return await tx.execute(
        "UPDATE comments SET network_key = '' WHERE site = ? AND id IN (SELECT id FROM comments WHERE site = ? AND "
        "network_key > '' AND id < ? LIMIT ?)",
        *(site, site, first_id_at(before), limit),
    )
