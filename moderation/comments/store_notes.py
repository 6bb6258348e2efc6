"""Moderators' notes on a comment or an author. Only the team reads them: no public answer has one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from moderation.comments.model import Comment
from moderation.comments.store import keys_of
from moderation.comments.store_authors import is_somebody
from moderation.core.times import iso
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

NOTES = Table(
    name="notes",
    columns=("site", "id", "comment", "author_key", "moderator", "body", "created_at", "edited_at"),
    holds_text=True,
)
TABLES = (NOTES,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Either on a comment, with its id, or on an author, with the author's key."""

    site: str
    id: str
    comment: str | None
    author_key: str | None
    moderator: str
    body: str
    created_at: int
    edited_at: int | None = None

    def document(self) -> dict[str, Any]:
        """For moderators. The author's key is shown to nobody."""
        return {
            "id": self.id,
            "on": "author" if self.comment is None else "comment",
            "body": self.body,
            "moderator": self.moderator,
            "created_at": iso(self.created_at),
            "edited_at": iso(self.edited_at),
        }


NOTE = listed(NOTES.columns)
note_of = reader(Note, NOTES.columns)


async def add(tx: Session, note: Note) -> None:
    await tx.execute(NOTES.insert, *(getattr(note, name) for name in NOTES.columns))


async def one(session: Session, id: str) -> Note | None:
    row = await session.fetch_one(f"SELECT {NOTE} FROM notes WHERE site IN (SELECT site FROM sites) AND id = ?", id)
    return note_of(row) if row else None


async def of_comments(session: Session, site: str, ids: Iterable[str]) -> dict[str, list[Note]]:
    """Comment id → the notes on it, oldest first."""
    return await _by(session, site, "comment", ids)


async def of_authors(session: Session, site: str, keys: Iterable[str]) -> dict[str, list[Note]]:
    """Author's key → the notes on the author, oldest first."""
    return await _by(session, site, "author_key", sorted(set(keys)))


async def _by(session: Session, site: str, column: str, keys: Iterable[str]) -> dict[str, list[Note]]:
    wanted, found = list(keys), dict[str, list[Note]]()
    if not wanted:
        return found
    rows = await session.fetch(
        f"SELECT {NOTE} FROM notes WHERE site = ? AND {column} IN ({placeholders(len(wanted))}) ORDER BY id",
        *(site, *wanted),
    )
    for note in map(note_of, rows):
        found.setdefault(getattr(note, column), []).append(note)
    return found


async def on_each(session: Session, site: str, shown: list[Comment]) -> dict[str, list[dict[str, Any]]]:
    """Comment id → the documents of the notes on it and on its author, oldest first."""
    told = await of_comments(session, site, [c.id for c in shown])
    somebody = [c.id for c in shown if is_somebody(c)]
    keys = await keys_of(session, site, somebody) if somebody else {}
    on_authors = await of_authors(session, site, [author for author, _ in keys.values()])
    found: dict[str, list[dict[str, Any]]] = {}
    for c in shown:
        theirs = on_authors.get(keys[c.id][0], []) if c.id in keys else []
        found[c.id] = [note.document() for note in sorted([*told.get(c.id, []), *theirs], key=lambda note: note.id)]
    return found


async def change(tx: Session, note: Note, body: str, now: int) -> None:
    await tx.execute(
        "UPDATE notes SET body = ?, edited_at = ? WHERE site = ? AND id = ?", body, now, note.site, note.id
    )


async def delete(tx: Session, note: Note) -> None:
    await tx.execute("DELETE FROM notes WHERE site = ? AND id = ?", note.site, note.id)


async def erase(tx: Session, site: str, author_key: str) -> None:
    """Deletes the notes on an author; those on comments go with the comments."""
    await tx.execute("DELETE FROM notes WHERE site = ? AND author_key = ?", site, author_key)


async def purge(tx: Session, site: str) -> int:
    """Deletes the notes on authors of whom no comment is left. Returns the number."""
    return await tx.execute(
        "DELETE FROM notes WHERE site = ? AND author_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM comments c WHERE "
        "c.site = notes.site AND c.author_key = notes.author_key)",
        site,
    )
