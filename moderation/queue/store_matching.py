"""All that match a view: their ids with revisions, and their number as far as it can be counted at little cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from moderation.comments import store_unread
from moderation.comments.store_unread import young
from moderation.db.database import Session
from moderation.queue import store_snoozes
from moderation.queue.store import View, conditions_of, filters_of, places_of, reasons_said
from moderation.queue.store_search import MANY, Filter, how_many


class Count(NamedTuple):
    """The number of comments that match; `is_exact`: or at least so many."""

    number: int
    is_exact: bool

    def __str__(self) -> str:
        """`12`, `12+`, or empty where nothing is known."""
        return str(self.number) if self.is_exact else f"{self.number}+" if self.number else ""


JUDGED = "JOIN submissions s ON s.site = c.site AND s.id = c.id AND s.revision = c.judged_revision"


async def count(session: Session, view: View, most: int = MANY) -> Count:
    """Counts to `most` and reads no more comments than that of each site and status, however many there are."""
    view, places = await places_of(session, view)
    found = [await _count_of(session, replace(view, status=status), site, most) for site, status in places]
    return Count(sum(one.number for one in found), all(one.is_exact for one in found))


async def _count_of(session: Session, view: View, site: str, most: int) -> Count:
    filters = await filters_of(session, view, site)
    if not (filters or view.article or view.author or view.sample or view.assigned):
        return Count(await _stored(session, view, site), True)
    numbers = [await how_many(session, one) for one in filters]
    if 0 in numbers:
        return Count(0, True)
    where, args = conditions_of(view, site)
    first = _first(filters, numbers)
    if first is not None and (numbers[first] is not None or not (view.article or view.author or view.sample)):
        ids, ids_args = filters[first].ids, filters[first].ids_args
    else:
        ids, ids_args, first = f"SELECT c.id FROM comments c WHERE {' AND '.join(where)}", args, None
    rest = [one for at, one in enumerate(filters) if at != first]
    said, said_args = reasons_said(view)
    held = " AND ".join([*where, *(one.condition for one in rest), *said])
    rows = await session.fetch(
        f"WITH few (id) AS (SELECT DISTINCT * FROM ({ids} LIMIT ?) AS chosen) SELECT (SELECT count(*) FROM few), "
        f"(SELECT count(*) FROM comments c {JUDGED if said else ''} WHERE c.site = ? AND c.id IN (SELECT id FROM few) AND {held})",
        *(*ids_args, most + 1, site, *args, *(arg for one in rest for arg in one.args), *said_args),
    )
    looked_at, number = rows[0]
    return Count(min(int(number), most), int(looked_at) <= most)


def _first(filters: list[Filter], numbers: list[int | None]) -> int | None:
    """The index of the filter with the fewest matches; of common ones the first that can be looked up."""
    few = [(number, at) for at, number in enumerate(numbers) if number is not None]
    if few:
        return min(few)[1]
    return next((at for at, one in enumerate(filters) if one.ids is not None), None)


async def _stored(session: Session, view: View, site: str) -> int:
    """The number that the database's triggers maintain, without what a view of pending comments leaves out."""
    row = await session.fetch_one("SELECT count FROM comment_counts WHERE site = ? AND status = ?", site, view.status)
    number = int(row[0]) if row else 0
    if view.at and number:
        number -= (await store_unread.counts(session, young(view.at))).get(site, 0)
        if not view.snoozed:
            number -= await store_snoozes.count(session, site, view.at)
    return max(0, number)


async def revisions(session: Session, view: View, most: int) -> dict[str, int]:
    """Comment id → its revision, of all that match, in the order of their ids; of more than `most`, any `most` and one."""
    view, places = await places_of(session, view)
    found: dict[str, int] = {}
    for site, status in places:
        found |= await _revisions_of(session, replace(view, status=status), site, most + 1 - len(found))
        if len(found) > most:
            break
    return dict(sorted(found.items()))


async def _revisions_of(session: Session, view: View, site: str, limit: int) -> dict[str, int]:
    filters = await filters_of(session, view, site)
    numbers = [await how_many(session, one) for one in filters]
    if 0 in numbers:
        return {}
    where, args = conditions_of(view, site)
    first = _first(filters, numbers)
    for at, one in enumerate(filters):
        # The fewest are looked up, unless an article or an author has its own index.
        is_first = at == first and (numbers[at] is not None or not (view.article or view.author))
        where.append(f"c.id IN ({one.ids})" if is_first else one.condition)
        args += one.ids_args if is_first else one.args
    said, said_args = reasons_said(view)
    rows: list[Any] = await session.fetch(
        f"SELECT c.id, c.revision FROM comments c {JUDGED if said else ''} WHERE {' AND '.join([*where, *said])} LIMIT ?",
        *(*args, *said_args, limit),
    )
    return {row[0]: int(row[1]) for row in rows}
