"""A decision on all comments that match filters: counted first, worked in batches under one decision id, and undone as one."""

from __future__ import annotations

from dataclasses import replace

from moderation.core.ids import new_id
from moderation.core.problem import Conflict, FieldError, Invalid
from moderation.db.database import Database
from moderation.queue import decide as queue
from moderation.queue import store as stored_queue
from moderation.queue.decide import MOST, Moved
from moderation.queue.store import View
from moderation.team.model import Principal

MOST_MATCHED = 10_000
PAGE = 500


async def matched(database: Database, principal: Principal, view: View) -> dict[str, int]:
    """Comment id → its revision, of all that match, in the order of their ids. Raises Forbidden, and Invalid for more than
    MOST_MATCHED."""
    view = queue.own(principal, view)
    if view.q:
        await queue.read_up(database, all_=True)
    found: dict[str, int] = {}
    async with database.reading() as session:
        after = None
        while True:
            page = await stored_queue.waiting(session, replace(view, order="oldest", limit=PAGE, after=after))
            found |= {comment.id: comment.revision for comment, _, _ in page}
            if len(found) > MOST_MATCHED:
                raise Invalid(FieldError("match", "too_many", f"more than {MOST_MATCHED} match: narrow the filters"))
            if len(page) < PAGE:
                return found
            after = page[-1][2], page[-1][0].id


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
