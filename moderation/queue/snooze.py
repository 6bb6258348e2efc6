"""Snoozing: pending comments are set aside until a time, and come back by themselves. The status and the revision of a comment stay:
it is as undecided as before, its author waits as before, and any decision on it is taken as ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from moderation.core.ids import is_id, new_id
from moderation.core.problem import Conflict, FieldError, Invalid, NotFound
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Database
from moderation.queue import decide as queue
from moderation.queue import store_snoozes as snoozes
from moderation.queue.decide import MOST
from moderation.queue.store_snoozes import Snooze
from moderation.team.model import Principal

CHOICES = {"evening": "This evening", "tomorrow": "Tomorrow", "week": "Next week"}
EVENING, MORNING = 18, 9
"""Hours of the day."""
LONGEST = 90 * 86_400_000
"""Milliseconds: a comment whose author waits for months is better decided."""


def chosen(choice: str, now: int) -> int | None:
    """The time that a choice means, by the clock of UTC; None for anything else. This evening, once that has begun, is three hours
    from now; next week begins on Monday."""
    today = datetime.fromtimestamp(now / 1000, UTC)
    morning = today.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    evening = morning.replace(hour=EVENING)
    moments = {
        "evening": evening if today < evening - timedelta(minutes=30) else today + timedelta(hours=3),
        "tomorrow": morning + timedelta(days=1),
        "week": morning + timedelta(days=7 - today.weekday()),
    }
    return int(moments[choice].timestamp() * 1000) if choice in moments else None


def moment(given: str | None, now: int) -> int | None:
    """A time as text, with its zone, in Unix milliseconds; None for none. Raises Invalid for one that is past or too far."""
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
        until = int(at.timestamp() * 1000) if at.tzinfo else 0
    except (ValueError, OverflowError):
        until = 0
    if not now < until <= now + LONGEST:
        raise Invalid(FieldError("until", "invalid", "must be a time with its zone, within the next 90 days"))
    return until


async def snooze(
    database: Database, principal: Principal, ids: list[str], until: int | None, now: int
) -> tuple[str, list[str]]:
    """Sets comments aside until a time; without one, brings them back. Returns the act's id and the comments. Raises NotFound, or
    Conflict for a comment that does not wait; nothing changes then."""
    ids = list(dict.fromkeys(ids))
    if not 1 <= len(ids) <= MOST:
        raise Invalid(FieldError("comments", "invalid", f"give 1 to {MOST} comments"))
    act = new_id(now)
    async with database.transaction() as tx:
        found = await queue.seen_by(tx, principal, ids, {})
        decided = [found[id] for id in ids if found[id].status != "pending"]
        if decided:
            newer = [{"id": c.id, "status": c.status, "revision": c.revision} for c in decided]
            raise Conflict(
                "Only what waits can be snoozed; nothing changed.", code="not_pending", extra={"comments": newer}
            )
        standing = await snoozes.of(tx, ids)
        made = []
        for comment in (found[id] for id in ids):
            before = standing.get(comment.id)
            is_on = before is not None and before.revision == comment.revision and before.until > now
            made.append(
                Snooze(
                    site=comment.site,
                    id=comment.id,
                    until=until or now,
                    revision=comment.revision,
                    moderator=principal.name,
                    act=act,
                    earlier=before.until if before and is_on else None,
                    created_at=now,
                )
            )
        await snoozes.put(tx, made)
        detail = {"act": act, "until": iso(until)} if until else {"act": act}
        verb = "comment:snooze" if until else "comment:unsnooze"
        await audit.note_many(tx, [(one.site, now, principal.name, verb, one.id, detail) for one in made])
    return act, ids


async def undo(database: Database, principal: Principal, act: str, now: int) -> list[str]:
    """Brings back what stood before the act. Comments that were snoozed again since keep that. Raises NotFound."""
    async with database.transaction() as tx:
        made = await snoozes.of_act(tx, act) if is_id(act) else []
        if not made or not all(principal.sees(one.site) for one in made):
            raise NotFound("There is no such snooze, or another one stands in its place.")
        back = [replace(one, until=one.earlier, earlier=None, act="") for one in made if one.earlier is not None]
        await snoozes.put(tx, back)
        await snoozes.remove(tx, [one for one in made if one.earlier is None])
        verb = {True: "comment:snooze", False: "comment:unsnooze"}
        await audit.note_many(
            tx,
            [(one.site, now, principal.name, verb[(one.earlier or 0) > now], one.id, {"undone": act}) for one in made],
        )
    return [one.id for one in made]
