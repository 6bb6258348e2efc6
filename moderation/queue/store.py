"""Queries of the queue: filtered and ordered pages, and counts by status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from moderation.comments import store_unread
from moderation.comments.model import AUDIT_SAMPLE, STATUSES, Comment
from moderation.comments.store import COLUMNS, COMMENT, VERDICT, comment_of, verdict_of
from moderation.comments.store_unread import IS_UNREAD, young
from moderation.comments.verdict import Verdict
from moderation.core.ids import EVERYWHERE
from moderation.db.database import Row, Session, placeholders
from moderation.queue import store_snoozes
from moderation.queue.store_assignments import IS_ASSIGNED, NOBODY, assigned_to
from moderation.queue.store_search import Filter, escaped, how_many, matching, words
from moderation.queue.store_snoozes import IS_SNOOZED, snoozed_at

ORDERS = {
    "oldest": ("id", "ASC"),
    "newest": ("id", "DESC"),
    "uncertain": ("margin", "ASC"),
    "worst": ("max_score", "DESC"),
    "useful": ("rank", "ASC"),
}
"""Order → its column, the last one of an index, and direction; the id breaks ties in the same direction."""

FAR = 2_000
"""Comments that are read along an order to fill a page with common matches, before all matches are looked up."""

APPEAL, REPORT = "appeal", "report"
"""The filter `rule` with these values selects appealed comments, and those with open reports of readers."""
_STANDING = {APPEAL: ("appeals", ""), REPORT: ("reports", " AND p.outcome IS NULL")}
"""Value → its table, and the condition on a row, `p`."""


@dataclass(frozen=True, slots=True)
class View:
    """Filters and order of a page. Empty texts filter nothing; `site` is `*` for all sites of the principal."""

    status: str = "pending"
    """One status, several with commas, or `any`."""
    site: str = EVERYWHERE
    article: str = ""
    label: str = ""
    q: str = ""
    order: str = "oldest"
    limit: int = 20
    after: tuple[Any, str] | None = None
    """(sort value, id) of the last one shown."""
    sample: bool = False
    """Only undecided comments of the audit sample."""
    rule: str = ""
    """Only comments on which this rule fired."""
    author: str = ""
    """Only comments by the author of this comment, on its site."""
    without: tuple[str, ...] = ()
    """Excluded ids: another row already shows their wave."""
    at: int = 0
    """The time of asking: of the pending ones, those that are snoozed, or merely unread and arrived shortly before it, are left
    out. 0: they are not."""
    assigned: str = ""
    """Only comments assigned to this moderator, or to nobody: `none`."""
    snoozed: str = ""
    """`only`: instead of the pending comments that wait, those that are snoozed; `any`: both."""


Found = tuple[Comment, Verdict, Any]
"""A comment with its latest verdict and its sort value."""


async def waiting(session: Session, view: View) -> list[Found]:
    """The comments of a view, in its order.

    Every index begins with site and status, so each non-empty pair of them is queried for its first comments.
    """
    view, places = await places_of(session, view)
    found = [one for site, status in places for one in await _of_site(session, replace(view, status=status), site)]
    if len(places) > 1:
        found.sort(key=lambda one: (one[2], one[0].id), reverse=ORDERS[view.order][1] == "DESC")
    return found[: view.limit]


async def places_of(session: Session, view: View) -> tuple[View, list[tuple[str, str]]]:
    """The view as it is asked, and the (site, status) pairs to ask it of."""
    statuses = statuses_of(view.status)
    if view.snoozed == "only":  # whatever changes a comment ends its snooze, so that it is pending still
        statuses = tuple(status for status in statuses if status == "pending")
    elif statuses != ("pending",):
        view = replace(view, at=0)
    places = [(view.site, status) for status in statuses]
    if view.site == EVERYWHERE and statuses:
        rows = await session.fetch(
            f"SELECT site, status FROM comment_counts WHERE status IN ({placeholders(len(statuses))}) AND count > 0 AND "
            "site IN (SELECT site FROM sites)",
            *statuses,
        )
        places = [(row[0], row[1]) for row in rows]
    return view, places


def statuses_of(asked: str) -> tuple[str, ...]:
    """The statuses of `any`, or of a list with commas."""
    return STATUSES if asked == "any" else tuple(dict.fromkeys(asked.split(",")))


async def _of_site(session: Session, view: View, site: str) -> list[Found]:
    filters = await filters_of(session, view, site)
    found_of = [await how_many(session, one) for one in filters]
    if 0 in found_of:
        return []
    few = [count is not None for count in found_of]
    if any(few) or view.article or view.author:
        return await _sorted(session, view, site, filters, few)
    if not filters:
        return await _walked(session, view, site, filters)
    # All filters are common: a walk along the order soon fills a page. If it does not (they seldom occur together, or only at
    # the other end of the order), all matches are looked up.
    end = await _far(session, view, site)
    found = await _walked(session, view, site, filters, end)
    if end is None or len(found) == view.limit:
        return found
    return await _sorted(session, view, site, filters, [one.ids is not None for one in filters])


def conditions_of(view: View, site: str) -> tuple[list[str], list[Any]]:
    """The conditions on each row, besides the looked-up filters."""
    by, direction = ORDERS[view.order]
    where, args = ["c.site = ?", "c.status = ?"], list[Any]([site, view.status])
    if view.article:
        # Always true. It makes SQLite use the index of the article's threads instead of the index of authors, which covers the
        # query too, but for the whole site.
        where.append("c.article = ? AND c.path >= ''")
        args.append(view.article)
    if view.sample:
        # A literal, not a parameter: the planner must see that it matches the condition of the sample's partial indexes.
        where.append(f"c.is_decided = 0 AND substr(c.id, 26, 1) = '{AUDIT_SAMPLE}'")
    if view.author:
        where.append("c.author_key = (SELECT a.author_key FROM comments a WHERE a.site = ? AND a.id = ?)")
        where.append("(c.email <> '' OR c.is_staff <> 0 OR c.id = ?)")  # without an address, nobody wrote two comments
        args += [site, view.author, view.author]
    if view.at and view.rule != "unread":
        where.append(f"NOT (c.id >= ? AND {IS_UNREAD})")
        args.append(young(view.at))
    if view.at and not view.snoozed:
        where.append(f"NOT {IS_SNOOZED}")
        args.append(view.at)
    if view.assigned == NOBODY:
        where.append(f"NOT {IS_ASSIGNED}")
    if view.without:
        where.append(f"c.id NOT IN ({placeholders(len(view.without))})")
        args += view.without
    if view.after:
        beyond = ">" if direction == "ASC" else "<"
        value, last = view.after
        where.append(f"c.id {beyond} ?" if by == "id" else f"(c.{by}, c.id) {beyond} (?, ?)")
        args += [last] if by == "id" else [float(value) if by != "rank" else int(value), last]
    return where, args


async def filters_of(session: Session, view: View, site: str) -> list[Filter]:
    """The filters that are looked up: by label, rule, words, member of the team, and of snoozed ones."""
    filters = list[Filter]()
    for kind, value in (("label", view.label), ("rule", view.rule)):
        if value in _STANDING:
            table, standing = _STANDING[value]
            having = (
                f"SELECT p.id FROM {table} p CROSS JOIN comments k WHERE p.site = ? AND k.site = p.site AND k.id = p.id{standing} "
                "AND k.status = ?"
            )
            asked = f"EXISTS (SELECT 1 FROM {table} p WHERE p.site = c.site AND p.id = c.id{standing})"
            filters.append(Filter(ids=having, ids_args=[site, view.status], condition=asked, args=[]))
        elif value:
            reason = f"{kind}:{value}"
            having = "SELECT r.id FROM comment_reasons r WHERE r.site = ? AND r.reason = ? AND r.status = ?"
            asked = "EXISTS (SELECT 1 FROM comment_reasons r WHERE r.site = c.site AND r.reason = ? AND r.status = c.status AND r.id = c.id)"
            filters.append(Filter(ids=having, ids_args=[site, reason, view.status], condition=asked, args=[reason]))
    if view.assigned and view.assigned != NOBODY:
        filters.append(assigned_to(site, view.status, view.assigned))
    if view.snoozed == "only":
        filters.append(snoozed_at(site, view.at))
    if wanted := words(view.q):
        filters += await matching(session, site, view.status, wanted)
    return filters


def reasons_said(view: View) -> tuple[list[str], list[Any]]:
    """Whether a reason of any verdict is one of the latest verdict."""
    kinds = {"label": view.label, "rule": "" if view.rule in _STANDING else view.rule}
    likes = [f'%"{kind}":"{escaped(value)}"%' for kind, value in kinds.items() if value]
    return ["s.reasons LIKE ? ESCAPE '\\'" for _ in likes], list(likes)


async def _far(session: Session, view: View, site: str) -> tuple[Any, str] | None:
    """The sort value and id of the comment FAR along the order; None if the order is shorter."""
    by, _ = ORDERS[view.order]
    where, args = conditions_of(replace(view, without=()), site)
    asked = f"SELECT c.{by}, c.id FROM comments c WHERE {' AND '.join(where)} ORDER BY {_order(view.order)} LIMIT 1 OFFSET ?"
    rows = await session.fetch(asked, *args, FAR)
    return (rows[0][0], rows[0][1]) if rows else None


async def _walked(
    session: Session, view: View, site: str, filters: list[Filter], end: tuple[Any, str] | None = None
) -> list[Found]:
    """The first comments along the order that pass all filters, up to `end`."""
    by, direction = ORDERS[view.order]
    where, args = conditions_of(view, site)
    if end is not None:
        until = "<=" if direction == "ASC" else ">="
        where.append(f"c.id {until} ?" if by == "id" else f"(c.{by}, c.id) {until} (?, ?)")
        args += [end[1]] if by == "id" else end
    for one in filters:
        where.append(one.condition)
        args += one.args
    said, said_args = reasons_said(view)
    asked = f"{_select(by)} {' AND '.join([*where, *said])} ORDER BY {_order(view.order)} LIMIT ?"
    return [_found(row) for row in await session.fetch(asked, *args, *said_args, view.limit)]


async def _sorted(session: Session, view: View, site: str, filters: list[Filter], looked_up: list[bool]) -> list[Found]:
    """Looks up all matches and sorts them.

    The database cannot know that the matches are few (SQLite has no statistics unless asked to), so the index of the order is
    hidden from it. Only ids are sorted: with texts and verdicts, a few thousand rows would be copied for twenty.
    """
    by, _ = ORDERS[view.order]
    where, args = conditions_of(view, site)
    for one, is_looked_up in zip(filters, looked_up, strict=True):
        where.append(f"c.id IN ({one.ids})" if is_looked_up else one.condition)
        args += one.ids_args if is_looked_up else one.args
    said, said_args = reasons_said(view)
    order = f"ORDER BY {_order(view.order, hidden=True)} LIMIT ?"
    # Only the first ones are checked for edits: for nearly all, the reason still holds.
    ahead = view.limit * 3 if said else view.limit
    chosen = f"c.site = ? AND c.id IN (SELECT c.id FROM comments c WHERE {' AND '.join(where)} {order})"
    rows = await session.fetch(
        f"{_select(by)} {' AND '.join([chosen, *said])} {order}", site, *args, ahead, *said_args, view.limit
    )
    if said and len(rows) < view.limit:
        rows = await session.fetch(
            f"{_select(by)} {' AND '.join([*where, *said])} {order}", *args, *said_args, view.limit
        )
    return [_found(row) for row in rows]


def _order(order: str, hidden: bool = False) -> str:
    """The ORDER BY clause; `hidden`: in a form that no index matches."""
    by, direction = ORDERS[order]
    first = f"coalesce(c.{by}, c.{by})" if hidden else f"c.{by}"
    return f"{first} {direction}" if by == "id" else f"{first} {direction}, c.id {direction}"


def _select(by: str) -> str:
    return (
        f"SELECT {COMMENT}, {VERDICT}, c.{by} FROM comments c JOIN submissions s ON s.site = c.site AND s.id = c.id AND "
        "s.revision = c.judged_revision WHERE"
    )


def _found(row: Row) -> Found:
    return comment_of(row), verdict_of(row[len(COLUMNS) : -1]), row[-1]


async def counts(session: Session, site: str = EVERYWHERE, at: int = 0) -> dict[str, int]:
    """Status → the number of comments, as maintained by the database's triggers. `at`: as in View."""
    found = dict.fromkeys(("pending", "approved", "spam", "rejected", "deleted"), 0)
    one, args = ("", ()) if site == EVERYWHERE else ("WHERE site = ?", (site,))
    for status, count in await session.fetch(
        f"SELECT status, sum(count) FROM comment_counts {one} GROUP BY status", *args
    ):
        found[status] = int(count)
    if at and found["pending"]:
        unread = await store_unread.counts(session, young(at))
        snoozed = await store_snoozes.counts(session, at)
        found["pending"] -= sum((unread[key] for key in unread if site in (EVERYWHERE, key)), 0)
        found["pending"] -= sum((snoozed[key] for key in snoozed if site in (EVERYWHERE, key)), 0)
    return found


async def pending(session: Session, site: str = EVERYWHERE, at: int = 0) -> dict[str, int]:
    """Site → the number of pending comments, for sites with any; `at`: as in View."""
    one, args = ("site IN (SELECT site FROM sites)", ()) if site == EVERYWHERE else ("site = ?", (site,))
    rows = await session.fetch(
        f"SELECT site, count FROM comment_counts WHERE {one} AND status = 'pending' AND count > 0 ORDER BY site", *args
    )
    unread = await store_unread.counts(session, young(at)) if rows and at else {}
    snoozed = await store_snoozes.counts(session, at) if rows and at else {}
    waiting = {row[0]: int(row[1]) - unread.get(row[0], 0) - snoozed.get(row[0], 0) for row in rows}
    return {key: count for key, count in waiting.items() if count > 0}


async def longest_waiting(session: Session, site: str, limit: int, at: int) -> list[Comment]:
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.status = 'pending' AND NOT (c.id >= ? AND {IS_UNREAD}) "
        f"AND NOT {IS_SNOOZED} ORDER BY c.id LIMIT ?",
        *(site, young(at), at, limit),
    )
    return [comment_of(row) for row in rows]
