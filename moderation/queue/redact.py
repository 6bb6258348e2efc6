"""Redaction: a piece of a comment, such as a telephone number, removed from the text, from all its copies, and from disk."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace

from moderation.comments import store_hosts as hosts
from moderation.comments.model import Comment
from moderation.comments.submission import body_key
from moderation.core.offload import WRITING
from moderation.core.problem import FieldError, Invalid
from moderation.db import audit, secure_delete
from moderation.db.database import Database
from moderation.duplicates import duplicates
from moderation.outbox import events
from moderation.queue import decide as queue
from moderation.queue import store_redact as redaction
from moderation.queue.decide import Moved
from moderation.sites import store as sites
from moderation.team.model import Principal
from moderation.text import body as formats

INSTEAD = "[removed]"
LONGEST = 1_000
VISIBLE = 2
"""The fewest letters or digits of a piece: a single one occurs everywhere."""


@dataclass(frozen=True, slots=True)
class Redacted:
    moved: Moved
    places: int


def pattern(piece: object) -> re.Pattern[str]:
    """A pattern for the piece, with any white space in place of its own. Raises Invalid."""
    words = piece.split() if isinstance(piece, str) and len(piece) <= LONGEST else []
    if sum(c.isalnum() for word in words for c in word) < VISIBLE or INSTEAD in words:
        raise Invalid(
            FieldError("text", "invalid", f"must be a piece of the comment, of {VISIBLE} to {LONGEST} characters")
        )
    return re.compile(r"\s+".join(map(re.escape, words)))


async def redact(
    database: Database, principal: Principal, id: str, piece: re.Pattern[str], seen: int | None, now: int
) -> Redacted:
    """Redacts a piece in every revision. There is no undo. Raises NotFound, Conflict, or Invalid if the comment does not
    contain the piece; nothing changes then."""
    async with database.transaction() as tx:
        old = (await queue.seen_by(tx, principal, [id], {} if seen is None else {id: seen}))[id]
        texts = await redaction.texts(tx, old.site, id)
        places = await WRITING.run(lambda: sum(len(piece.findall(text)) for text in texts))
        if not places:
            raise Invalid(FieldError("text", "invalid", "does not occur in this comment"))
        new, key = await WRITING.run(without, old, piece, now)
        if not await redaction.put(tx, new, old.revision, key):
            raise queue.changed_meanwhile([old])
        await redaction.elsewhere(tx, new, lambda text: piece.sub(INSTEAD, text), shift(piece))
        author_links = (await sites.sites(tx, [new.site]))[new.site].settings.author_links
        await redaction.told(tx, new, events.document(new, author_links))
        await hosts.forget(tx, new.site, [new.id])
        await duplicates.rekey(tx, new)
        await events.emit(tx, "comment.edited", [new], now)
        if new.status == "approved":
            await sites.touch(tx, new.site, [new.article])
        await audit.note(tx, site=new.site, at=now, actor=principal.name, action="comment:redact", subject=id)
        await secure_delete.request(tx, now)
    return Redacted(Moved(id=id, site=new.site, article=new.article, status=new.status, revision=new.revision), places)


def without(old: Comment, piece: re.Pattern[str], now: int) -> tuple[Comment, str]:
    """The remaining text, and its key."""
    body = piece.sub(INSTEAD, old.body)
    new = replace(
        old,
        name=piece.sub(INSTEAD, old.name),
        url=None if old.url and piece.search(old.url) else old.url,
        body=body,
        html=formats.render(body, old.format).html,
        revision=old.revision + 1,
        edited_at=now,
    )
    return new, body_key(new.body)


def shift(piece: re.Pattern[str]) -> Callable[[str, list[list[int]]], list[list[int]]]:
    """Spans of the former text as spans of the redacted one."""

    def now(text: str, spans: list[list[int]]) -> list[list[int]]:
        gone = [m.span() for m in piece.finditer(text)]
        ends, grown = [end for _, end in gone], [0]
        for start, end in gone:
            grown.append(grown[-1] + len(INSTEAD) - (end - start))
        kept = [(a, b) for a, b in spans if not any(a < end and start < b for start, end in gone)]
        return [[a + grown[bisect_right(ends, a)], b + grown[bisect_right(ends, a)]] for a, b in kept]

    return now
