"""Near-duplicates: found for a moderator, one row in the queue, and filed as they come once people have decided on the wave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from classifier import alike
from moderation.comment import Comment, is_id
from moderation.moderator import Asker
from moderation.problem import NotFound
from moderation.storage import alike as stored
from moderation.storage import comments
from moderation.storage.comments import Judged
from moderation.storage.database import Database, Session

LIKE = 0.7
"""From this likeness two comments are nearly one."""
MOST = 200
CANDIDATES = 1_000
RECENT = 500
"""How many comments without keys one is compared with, the newest."""


def looks(comment: Comment) -> alike.Shingles:
    return alike.shingles(comment.text, comment.name, comment.url or "")


async def keep(tx: Session, judged: Iterable[Judged]) -> None:
    """The keys of what may belong to a wave. What is published at once without a link costs nothing."""
    rows = [
        (c.site, c.id, alike.keys(looks(c)))
        for c, links in ((j.comment, j.verdict.facts.get("links")) for j in judged)
        if c.status != "approved" or links or c.url
    ]
    if rows:
        await stored.keep(tx, rows)


async def keep_anew(tx: Session, judged: Judged) -> None:
    """Those of a text that its author has changed."""
    await stored.drop(tx, judged.comment.site, judged.comment.id)
    await keep(tx, [judged])


def compared(with_: Comment, others: list[Comment]) -> list[tuple[Comment, float]]:
    """Those alike, best first."""
    found = alike.likenesses(looks(with_), map(looks, others))
    near = [(c, p) for c, p in zip(others, found, strict=True) if p >= LIKE and c.id != with_.id]
    return sorted(near, key=lambda pair: (-pair[1], pair[0].id))


async def similar(database: Database, asker: Asker, id: str) -> list[dict[str, Any]]:
    """Near-duplicates of one comment on its site, of any status, best first. Raises NotFound."""
    async with database.reading() as session:
        comment = (await comments.find(session, [id])).get(id) if is_id(id) else None
        if comment is None or not asker.sees(comment.site):
            raise NotFound("There is no such comment.")
        keys = await asyncio.to_thread(lambda: alike.keys(looks(comment)))
        others = await stored.sharing(session, comment.site, keys, CANDIDATES)
        others += await stored.keyless(session, comment.site, RECENT)
    near = await asyncio.to_thread(compared, comment, others)
    return [{"id": c.id, "status": c.status, "likeness": round(p, 4)} for c, p in near[:MOST]]
