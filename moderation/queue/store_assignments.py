"""Assignments: which member of the team is to decide on a comment. They refuse nobody else's decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.queue.store_search import Filter

ASSIGNMENTS = Table(
    name="assignments", columns=("site", "id", "moderator", "assigned_by", "act", "earlier", "created_at")
)
TABLES = (ASSIGNMENTS,)
HERE = "site IN (SELECT site FROM sites)"
NOBODY, ME = "none", "me"
"""Values of the filter `assigned` beside a moderator's id."""
IS_ASSIGNED = "EXISTS (SELECT 1 FROM assignments n WHERE n.site = c.site AND n.id = c.id AND n.moderator <> '')"
"""Of `comments c`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """moderator: an id, or empty for nobody; earlier: who it was before this act."""

    site: str
    id: str
    moderator: str
    assigned_by: str
    act: str
    earlier: str
    created_at: int


assignment_of = reader(Assignment, ASSIGNMENTS.columns)


def assigned_to(site: str, status: str, moderator: str) -> Filter:
    """The filter of the comments that are a moderator's."""
    return Filter(
        ids="SELECT n.id FROM assignments n CROSS JOIN comments k WHERE n.site = ? AND n.moderator = ? AND k.site = n.site AND "
        "k.id = n.id AND k.status = ?",
        ids_args=[site, moderator, status],
        condition="EXISTS (SELECT 1 FROM assignments n WHERE n.site = c.site AND n.id = c.id AND n.moderator = ?)",
        args=[moderator],
    )


async def put(tx: Session, made: Iterable[Assignment]) -> None:
    """Stores assignments in place of those that stand on the same comments."""
    await tx.execute_many(
        f"{ASSIGNMENTS.insert} ON CONFLICT (site, id) DO UPDATE SET moderator = excluded.moderator, "
        "assigned_by = excluded.assigned_by, act = excluded.act, earlier = excluded.earlier, created_at = excluded.created_at",
        [tuple(getattr(one, name) for name in ASSIGNMENTS.columns) for one in made],
    )


async def of(session: Session, ids: Iterable[str]) -> dict[str, Assignment]:
    """Comment id → its assignment."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT {listed(ASSIGNMENTS.columns)} FROM assignments WHERE {HERE} AND id IN ({placeholders(len(wanted))})",
        *wanted,
    )
    return {row[1]: assignment_of(row) for row in rows}


async def of_act(session: Session, act: str) -> list[Assignment]:
    rows = await session.fetch(f"SELECT {listed(ASSIGNMENTS.columns)} FROM assignments WHERE {HERE} AND act = ?", act)
    return [assignment_of(row) for row in rows]


async def count(session: Session, site: str, moderator: str) -> int:
    """The number of pending comments that are a moderator's, on one site or all; snoozed ones too, since they are theirs."""
    one, args = ("n.site IN (SELECT site FROM sites)", ()) if site == EVERYWHERE else ("n.site = ?", (site,))
    row = await session.fetch_one(
        f"SELECT count(*) FROM assignments n JOIN comments c ON c.site = n.site AND c.id = n.id WHERE {one} AND n.moderator = ? "
        "AND c.status = 'pending'",
        *(*args, moderator),
    )
    return int(row[0]) if row else 0
