"""Near-duplicates: found for moderators, shown as one row in the queue, and filed on arrival after a decision on their wave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from classifier import similar as similarity
from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment
from moderation.comments.submission import Submission
from moderation.core.ids import first_id_at, is_id
from moderation.core.offload import WRITING
from moderation.core.problem import NotFound
from moderation.db.database import Database, Session
from moderation.duplicates import store as stored
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.team.model import Principal
from moderation.text import body as formats

LIKE = 0.7
"""The similarity from which two comments are duplicates."""
MOST = 200
CANDIDATES = 1_000
RECENT = 500
"""The newest comments without keys that a comment is compared with."""
AT_ONCE = 500
"""Comments read at a time when missing keys are added: a new comment waits at most for these."""
WAVE = 3
"""The number of duplicates that make a wave."""
LASTS = 6 * 3_600_000
"""Milliseconds for which new comments follow a wave filed as spam."""
ENOUGH = 40
"""The fewest shingles of a new comment: several people can write the same few words."""
LOOKED_AT = 60
"""The comments of a wave that a new comment is compared with."""


def shingles(comment: Comment) -> similarity.Shingles:
    return similarity.shingles(comment.text, comment.name, comment.url or "")


def shingles_of(sent: Submission) -> similarity.Shingles:
    return similarity.shingles(sent.text, sent.name, sent.url or "")


QUICK = 2_000
"""Characters up to which shingles are computed on the event loop."""


def is_quick(body: str, format: str) -> bool:
    return len(body) <= QUICK and formats.is_light(body, format)


def has_keys(comment: Comment, *, links: bool) -> bool:
    """Whether a comment can belong to a wave: not if it is published at once and without a link."""
    return comment.status != "approved" or links or comment.url is not None


def keys_of(comment: Comment, *, links: bool) -> list[int]:
    """The keys of a comment that can belong to a wave; else none."""
    return similarity.keys(shingles(comment)) if has_keys(comment, links=links) else []


async def keep(tx: Session, judged: Iterable[JudgedComment]) -> None:
    """Stores the keys of comments that can belong to a wave."""
    rows = []
    for j in judged:
        c, links = j.comment, bool(j.verdict.facts.get("links"))
        if not has_keys(c, links=links):  # most comments: their text is not even looked at
            continue
        if keys := await WRITING.run(keys_of, c, links=links, here=is_quick(c.body, c.format)):
            rows.append((c.site, c.id, keys))
    if rows:
        await stored.keep(tx, rows)


async def keep_imported(tx: Session, site: str, keys: Iterable[tuple[str, list[int]]]) -> None:
    """Stores (id, keys) of imported comments, which are folded and found like posted ones."""
    rows = [(site, id, found) for id, found in keys if found]
    if rows:
        await stored.keep(tx, rows)


async def keep_anew(tx: Session, judged: JudgedComment) -> None:
    """Replaces the keys of an edited text."""
    await stored.drop(tx, judged.comment.site, judged.comment.id)
    await keep(tx, [judged])


async def catch_up(database: Database) -> int:
    """Adds keys to pending comments without any: older than keys, or published at once and held again. Returns the number
    of comments, AT_ONCE at most."""
    given = 0
    async with database.reading() as session:
        known = list(await sites.sites(session))
    for site in known:
        after, more = "", True
        while more:
            async with database.reading() as session:
                ids = await stored.waiting_after(session, site, after, AT_ONCE)
                bare = sorted(await stored.without_keys(session, site, ids)) if ids else []
                found = await comments.of_site(session, site, bare) if bare else {}
            keys = await asyncio.to_thread(
                lambda some: {c.id: similarity.keys(shingles(c)) for c in some}, found.values()
            )
            if any(keys.values()):
                async with database.transaction() as tx:
                    now = await comments.of_site(tx, site, bare)
                    rows = [(site, id, keys[id]) for id, c in now.items() if c.text == found[id].text]
                    await stored.keep(tx, rows)
                given += sum(bool(row[2]) for row in rows)
            after, more = ids[-1] if ids else "", len(ids) == AT_ONCE
    return given


async def rekey(tx: Session, comment: Comment) -> None:
    """Replaces a comment's keys, if it has any, by those of its current text."""
    if not await stored.without_keys(tx, comment.site, [comment.id]):
        await stored.drop(tx, comment.site, comment.id)
        keys = await WRITING.run(keys_of, comment, links=True, here=is_quick(comment.body, comment.format))
        await stored.keep(tx, [(comment.site, comment.id, keys)])


def compared(with_: Comment, others: list[Comment]) -> list[tuple[Comment, float]]:
    """(comment, similarity) of the similar ones, the most similar first."""
    found = similarity.similarities(shingles(with_), map(shingles, others))
    near = [(c, p) for c, p in zip(others, found, strict=True) if p >= LIKE and c.id != with_.id]
    return sorted(near, key=lambda pair: (-pair[1], pair[0].id))


async def similar(database: Database, principal: Principal, id: str) -> list[dict[str, Any]]:
    """Near-duplicates of a comment on its site, of any status, the most similar first. Raises NotFound."""
    async with database.reading() as session:
        comment = (await comments.find(session, [id])).get(id) if is_id(id) else None
        if comment is None or not principal.sees(comment.site):
            raise NotFound("There is no such comment.")
    keys = await asyncio.to_thread(lambda: similarity.keys(shingles(comment)))
    async with database.reading() as session:
        others = await stored.sharing(session, comment.site, keys, CANDIDATES)
        others += await stored.keyless(session, comment.site, RECENT)
    near = await asyncio.to_thread(compared, comment, others)
    return [{"id": c.id, "status": c.status, "similarity": round(p, 4)} for c, p in near[:MOST]]


async def decided(tx: Session, spam: list[Comment], now: int) -> None:
    """After a spam decision: makes new comments be compared with these, if they can be a wave."""
    by_site: dict[str, list[Comment]] = {}
    for comment in spam:
        by_site.setdefault(comment.site, []).append(comment)
    for site, here in by_site.items():
        if len(here) >= WAVE:
            bare = await stored.without_keys(tx, site, [c.id for c in here])
            without = [c for c in here if c.id in bare]
            keys = await WRITING.run(lambda some: [keys_of(c, links=True) for c in some], without, here=not without)
            await stored.keep(tx, [(site, c.id, found) for c, found in zip(without, keys, strict=True)])
            await stored.watch(tx, site, now + LASTS)


async def filed(session: Session, sent: list[tuple[Site, Submission]], now: int) -> list[str]:
    """For each new comment, the spam decision on its wave, or an empty text.

    Only comments that moderators decided are compared, not those filed after them, so a wave does not drift.
    """
    found = [""] * len(sent)
    seen: dict[str, similarity.Shingles] = {}
    for at, (site, submission) in enumerate(sent):
        if site.duplicates_watched_until <= now:
            continue
        quick = is_quick(submission.body, submission.format)
        mine = await WRITING.run(shingles_of, submission, here=quick)
        if len(mine) < ENOUGH:
            continue
        near: dict[str, set[str]] = {}
        for comment, decision in await stored.filed(
            session, site.key, similarity.keys(mine), first_id_at(now - LASTS), LOOKED_AT
        ):
            if comment.id not in seen:
                seen[comment.id] = await WRITING.run(shingles, comment, here=is_quick(comment.body, comment.format))
            if similarity.similarity(mine, seen[comment.id]) >= LIKE:
                near.setdefault(decision, set()).add(comment.id)
        found[at] = max((d for d, ids in near.items() if len(ids) >= WAVE), default="")
    return found


async def waiting_with(database: Database, comment: Comment, most: int) -> list[Comment]:
    """Pending comments similar to a pending one, oldest first. They are compared without a database connection, because
    hundreds of long texts take seconds."""
    keys = await asyncio.to_thread(lambda: similarity.keys(shingles(comment)))
    async with database.reading() as session:
        others = await stored.sharing(session, comment.site, keys, most, "pending")
    near = await asyncio.to_thread(compared, comment, others)
    return sorted((c for c, _ in near), key=lambda c: c.id)
