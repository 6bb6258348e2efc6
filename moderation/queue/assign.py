"""Assigning: a comment is a member's of the team to decide on. It is a note for the team: anybody may still decide."""

from __future__ import annotations

from dataclasses import replace

from moderation.core.ids import EVERYWHERE, is_id, new_id
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.queue import decide as queue
from moderation.queue import store_assignments as assignments
from moderation.queue.decide import MOST
from moderation.queue.store_assignments import ME, Assignment
from moderation.team import store as moderators
from moderation.team.model import Moderator, Principal


async def members(session: Session, site: str) -> list[Moderator]:
    """Who moderates a site."""
    found = await moderators.of_site(session, site)
    everywhere = await moderators.of_site(session, EVERYWHERE) if site != EVERYWHERE else []
    return sorted(
        {one.id: one for one in [*found, *(one for one in everywhere if one.site == EVERYWHERE)]}.values(),
        key=lambda one: (one.email, one.id),
    )


async def assign(
    database: Database, principal: Principal, ids: list[str], to: str | None, now: int
) -> tuple[str, list[str]]:
    """Assigns comments to a member, to `me`, or to nobody. Returns the act's id and the comments. Raises NotFound, or Invalid for
    somebody who does not moderate their site; nothing changes then."""
    ids = list(dict.fromkeys(ids))
    if not 1 <= len(ids) <= MOST:
        raise Invalid(FieldError("comments", "invalid", f"give 1 to {MOST} comments"))
    act, moderator = new_id(now), (principal.name if to == ME else to) or ""
    async with database.transaction() as tx:
        found = await queue.seen_by(tx, principal, ids, {})
        if moderator:
            member = await moderators.of_id(tx, moderator)
            if member is None or not all(member.site in (EVERYWHERE, one.site) for one in found.values()):
                raise Invalid(FieldError("to", "invalid", "must be somebody who moderates the comment's site"))
        standing = await assignments.of(tx, ids)
        made = [
            Assignment(
                site=found[id].site,
                id=id,
                moderator=moderator,
                assigned_by=principal.name,
                act=act,
                earlier=standing[id].moderator if id in standing else "",
                created_at=now,
            )
            for id in ids
        ]
        await assignments.put(tx, made)
        await _note(tx, principal, made, {"act": act}, now)
    return act, ids


async def undo(database: Database, principal: Principal, act: str, now: int) -> list[str]:
    """Gives comments back to whose they were before the act. Those that were assigned again since keep that. Raises NotFound."""
    async with database.transaction() as tx:
        made = await assignments.of_act(tx, act) if is_id(act) else []
        if not made or not all(principal.sees(one.site) for one in made):
            raise NotFound("There is no such assignment, or another one stands in its place.")
        back = [replace(one, moderator=one.earlier, assigned_by=principal.name, act="", earlier="") for one in made]
        await assignments.put(tx, back)
        await _note(tx, principal, back, {"undone": act}, now)
    return [one.id for one in made]


async def _note(tx: Session, principal: Principal, made: list[Assignment], detail: dict[str, str], now: int) -> None:
    await audit.note_many(
        tx,
        [
            (
                *(one.site, now, principal.name, "comment:assign" if one.moderator else "comment:unassign", one.id),
                detail | ({"to": one.moderator} if one.moderator else {}),
            )
            for one in made
        ],
    )
