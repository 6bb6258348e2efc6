"""Moderators' notes on a comment or its author: written, changed and deleted by who wrote them, read by the team alone."""

from __future__ import annotations

from moderation.comments import store as comments
from moderation.comments import store_authors as authors
from moderation.comments import store_notes as notes
from moderation.comments.store_notes import Note
from moderation.core.ids import is_id, new_id
from moderation.core.problem import FieldError, Forbidden, Invalid, NotFound
from moderation.db import audit, secure_delete
from moderation.db.database import Database, Session
from moderation.queue import decide as queue
from moderation.team.model import Principal

LONGEST = 1_000
"""Characters of a note."""


async def add(database: Database, principal: Principal, id: str, on: str, body: str, now: int) -> Note:
    """A new note on a comment or its author. Raises NotFound or Invalid."""
    text = checked(body)
    async with database.transaction() as tx:
        comment = (await queue.seen_by(tx, principal, [id], {}))[id]
        key = (await comments.keys_of(tx, comment.site, [id]))[id][0] if on == "author" else None
        if on == "author" and not authors.is_somebody(comment):
            raise Invalid(FieldError("on", "invalid", "without an email address, the author is known by nothing"))
        note = Note(
            site=comment.site,
            id=new_id(now),
            comment=None if key else id,
            author_key=key,
            moderator=principal.name,
            body=text,
            created_at=now,
        )
        await notes.add(tx, note)
        await _audit(tx, principal, note, "add", now)
    return note


async def change(database: Database, principal: Principal, id: str, body: str, now: int) -> Note:
    """Another text, by who wrote the note. Raises NotFound, Forbidden or Invalid."""
    text = checked(body)
    async with database.transaction() as tx:
        note = await own(tx, principal, id)
        await notes.change(tx, note, text, now)
        await secure_delete.request(tx, now)
        await _audit(tx, principal, note, "change", now)
        changed = await notes.one(tx, id)
    assert changed
    return changed


async def delete(database: Database, principal: Principal, id: str, now: int) -> None:
    """Raises NotFound or Forbidden."""
    async with database.transaction() as tx:
        note = await own(tx, principal, id)
        await notes.delete(tx, note)
        await secure_delete.request(tx, now)
        await _audit(tx, principal, note, "delete", now)


async def own(session: Session, principal: Principal, id: str) -> Note:
    """A note that the principal has written. Raises NotFound, or Forbidden for somebody else's."""
    note = await notes.one(session, id) if is_id(id) else None
    if note is None or not principal.sees(note.site):
        raise NotFound("There is no such note.")
    if note.moderator != principal.name:
        raise Forbidden("Only who wrote a note may change or delete it.", code="note")
    return note


def checked(body: str) -> str:
    """Raises Invalid."""
    text = body.replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST or "\0" in text:
        raise Invalid(
            FieldError("body", "too_long" if len(text) > LONGEST else "required", f"give 1 to {LONGEST} characters")
        )
    return text


async def _audit(tx: Session, principal: Principal, note: Note, act: str, now: int) -> None:
    """Without the text, and without what names the author."""
    subject = note.comment or note.id
    await audit.note(tx, site=note.site, at=now, actor=principal.name, action=f"note:{act}", subject=subject)
