"""Snoozes: pending comments set aside until a time. The comment's status and revision stay, so no decision is refused for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.comments.store_unread import IS_UNREAD, young
from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.queue.store_search import Filter

SNOOZES = Table(
    name="snoozes", columns=("site", "id", "until", "revision", "moderator", "act", "earlier", "created_at")
)
TABLES = (SNOOZES,)
HERE = "site IN (SELECT site FROM sites)"
IS_SNOOZED = (
    "EXISTS (SELECT 1 FROM snoozes z WHERE z.site = c.site AND z.id = c.id AND z.revision = c.revision AND z.until > ?)"
)
"""Of `comments c` at a time. Whatever changes a comment raises its revision, and ends its snooze."""
MOST_WOKEN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """until: the time from which the comment waits again; earlier: the time that stood there before this act."""

    site: str
    id: str
    until: int
    revision: int
    moderator: str
    act: str
    earlier: int | None
    created_at: int


snooze_of = reader(Snooze, SNOOZES.columns)


def snoozed_at(site: str, at: int) -> Filter:
    """The filter of the comments that are snoozed at a time."""
    return Filter(
        ids="SELECT z.id FROM snoozes z CROSS JOIN comments k WHERE z.site = ? AND z.until > ? AND k.site = z.site AND k.id = z.id "
        "AND k.revision = z.revision",
        ids_args=[site, at],
        condition=IS_SNOOZED,
        args=[at],
    )


async def put(tx: Session, made: Iterable[Snooze]) -> None:
    """Stores snoozes in place of those that stand on the same comments."""
    await tx.execute_many(
        f"{SNOOZES.insert} ON CONFLICT (site, id) DO UPDATE SET until = excluded.until, revision = excluded.revision, "
        "moderator = excluded.moderator, act = excluded.act, earlier = excluded.earlier, created_at = excluded.created_at",
        [tuple(getattr(one, name) for name in SNOOZES.columns) for one in made],
    )


async def of(session: Session, ids: Iterable[str]) -> dict[str, Snooze]:
    """Comment id → its latest snooze, be it over or not."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT {listed(SNOOZES.columns)} FROM snoozes WHERE {HERE} AND id IN ({placeholders(len(wanted))})", *wanted
    )
    return {row[1]: snooze_of(row) for row in rows}


async def of_act(session: Session, act: str) -> list[Snooze]:
    rows = await session.fetch(f"SELECT {listed(SNOOZES.columns)} FROM snoozes WHERE {HERE} AND act = ?", act)
    return [snooze_of(row) for row in rows]


async def counts(session: Session, at: int) -> dict[str, int]:
    """Site → the number of comments that are snoozed at a time, without those that are left out as unread."""
    rows = await session.fetch(
        "SELECT z.site, count(*) FROM snoozes z JOIN comments c ON c.site = z.site AND c.id = z.id WHERE "
        "z.site IN (SELECT site FROM sites) AND z.until > ? AND c.revision = z.revision AND c.status = 'pending' "
        f"AND NOT (c.id >= ? AND {IS_UNREAD}) GROUP BY z.site",
        *(at, young(at)),
    )
    return {row[0]: int(row[1]) for row in rows}


async def count(session: Session, site: str, at: int) -> int:
    """The same of one site, or of all."""
    return sum(number for key, number in (await counts(session, at)).items() if site in (EVERYWHERE, key))


async def woken(session: Session, since: int, until: int) -> list[tuple[str, int]]:
    """(comment id, time) of the snoozes that ended by their time within a period, on comments that nobody changed."""
    rows = await session.fetch(
        "SELECT z.id, z.until FROM snoozes z JOIN comments c ON c.site = z.site AND c.id = z.id WHERE z.site IN (SELECT site FROM sites) "
        "AND z.until > ? AND z.until <= ? AND c.revision = z.revision AND c.status = 'pending' ORDER BY z.until LIMIT ?",
        *(since, until, MOST_WOKEN),
    )
    return [(row[0], int(row[1])) for row in rows]


async def next_end(session: Session, at: int) -> int | None:
    """The next time at which a snooze ends."""
    row = await session.fetch_one(f"SELECT min(until) FROM snoozes WHERE {HERE} AND until > ?", at)
    return row[0] if row else None


async def remove(tx: Session, gone: Iterable[Snooze]) -> None:
    await tx.execute_many(
        "DELETE FROM snoozes WHERE site = ? AND id = ? AND act = ?", [(one.site, one.id, one.act) for one in gone]
    )


async def purge(tx: Session, site: str, before: int) -> int:
    """Deletes snoozes that ended before a time."""
    return await tx.execute("DELETE FROM snoozes WHERE site = ? AND until <= ?", site, before)
