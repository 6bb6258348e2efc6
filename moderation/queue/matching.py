"""A decision on all comments that match filters: counted first, worked in batches under one decision id, and undone as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from moderation.comments import store_decisions as decisions
from moderation.core.ids import is_id, new_id
from moderation.core.problem import Conflict, FieldError, Invalid, NotFound
from moderation.db.database import Database
from moderation.queue import decide as queue
from moderation.queue import store_matching
from moderation.queue.decide import MOST, Moved
from moderation.queue.store import View
from moderation.team.model import Principal

MOST_MATCHED = 10_000
JOINS_FOR = 3_600_000
"""Milliseconds for which further batches may join a decision."""


async def matched(database: Database, principal: Principal, view: View) -> dict[str, int]:
    """Comment id → its revision, of all that match, in the order of their ids. Raises Forbidden, and Invalid for more than
    MOST_MATCHED."""
    view = queue.own(principal, view)
    if view.q:
        await queue.read_up(database, all_=True)
    async with database.reading() as session:
        found = await store_matching.revisions(session, view, MOST_MATCHED)
    if len(found) > MOST_MATCHED:
        raise Invalid(FieldError("match", "too_many", f"more than {MOST_MATCHED} match: narrow the filters"))
    return found


async def decide(
    database: Database,
    principal: Principal,
    view: View,
    expected: int,
    action: str,
    labels: tuple[str, ...],
    note: str,
    now: int,
    reason: str = "",
) -> tuple[str, list[Moved]]:
    """Decides on all that match, as they are now: what somebody changes meanwhile is left as it is. Raises Conflict with the `count`
    if these are not as many as expected; nothing changes then."""
    found = await matched(database, principal, replace(view, at=now))
    if len(found) != expected:
        raise Conflict(
            f"{len(found)} comments match now, not {expected}; nothing changed.",
            code="count",
            extra={"count": len(found)},
        )
    decision, moved = new_id(now), list[Moved]()
    ids = list(found)
    for low in range(0, len(ids), MOST):
        async with database.transaction() as tx:
            here = await queue.unchanged(tx, principal, {id: found[id] for id in ids[low : low + MOST]})
            if here:
                moved += await queue.act(tx, principal, here, decision, action, labels, note, now, reason)
    return decision, moved


async def batch(
    database: Database,
    principal: Principal,
    seen: Mapping[str, int],
    joins: str,
    action: str,
    labels: tuple[str, ...],
    note: str,
    now: int,
    reason: str = "",
) -> tuple[str, list[Moved]]:
    """Decides on the comments that still have the revision that was seen, and leaves the others as they are.

    joins: the id of an earlier batch's decision, so that all of them are undone as one; empty for the first batch. Raises NotFound if
    it is not the principal's own, Conflict if it is undone, over, or of another action.
    """
    if not 1 <= len(seen) <= MOST:
        raise Invalid(FieldError("comments", "invalid", f"give 1 to {MOST} comments"))
    async with database.transaction() as tx:
        if joins:
            first = await decisions.first_of(tx, joins) if is_id(joins) else None
            if first is None or first.moderator != principal.name or not principal.sees(first.site):
                raise NotFound("There is no such decision of yours.")
            if first.undone_at or first.action != action or now - first.created_at > JOINS_FOR:
                raise Conflict("This decision is undone, over, or of another action; nothing changed.", code="over")
        decision = joins or new_id(now)
        here = await queue.unchanged(tx, principal, seen)
        moved = await queue.act(tx, principal, here, decision, action, labels, note, now, reason) if here else []
    return decision, moved
