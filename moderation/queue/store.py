"""The queue's own questions: what waits, in which order, and how much there is of each status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from moderation.comments.model import AUDIT_SAMPLE, STATUSES, Comment
from moderation.comments.store import COMMENT, VERDICT, comment_of, verdict_of
from moderation.comments.verdict import Verdict
from moderation.core.ids import EVERYWHERE
from moderation.db.database import Row, Session, placeholders
from moderation.queue.store_search import Filter, escaped, how_many, matching, words

ORDERS = {
    "oldest": ("id", "ASC"),
    "newest": ("id", "DESC"),
    "uncertain": ("margin", "ASC"),
    "worst": ("max_score", "DESC"),
    "useful": ("rank", "ASC"),
}
"""Which column each order reads, each the end of an index; the id breaks ties in the same direction."""

FAR = 2_000
"""So many comments of an order are read in the hope that what many of them are meets a page of its own there."""

APPEAL = "appeal"
"""Where a rule is asked for: what an author has appealed."""


@dataclass(frozen=True, slots=True)
class View:
    """Which comments to list. Empty texts filter nothing; `site` is `*` for all that the principal may see."""

    status: str = "pending"
    """One, several with commas between them, or `any`."""
    site: str = EVERYWHERE
    article: str = ""
    label: str = ""
    q: str = ""
    order: str = "oldest"
    limit: int = 20
    after: tuple[Any, str] | None = None
    """(sort value, id) of the last one shown."""
    sample: bool = False
    """Only the audit sample of automatic decisions, and of it what nobody has decided."""
    rule: str = ""
    """Only what this rule spoke about."""
    author: str = ""
    """Only what is by the author of this comment, on its site."""
    without: tuple[str, ...] = ()
    """Not these: a row that is shown already stands for them."""


Found = tuple[Comment, Verdict, Any]
"""A comment with its latest verdict, and the value that it was sorted by."""


async def waiting(session: Session, view: View) -> list[Found]:
    """What the view shows, in its order.

    Every index leads with the site and the status, so each pair of them that holds any is asked for its first ones.
    """
    statuses = statuses_of(view.status)
    places = [(view.site, status) for status in statuses]
    if view.site == EVERYWHERE:
        rows = await session.fetch(
            f"SELECT site, status FROM comment_counts WHERE status IN ({placeholders(len(statuses))}) AND count > 0 AND "
            "site IN (SELECT site FROM sites)",
            *statuses,
        )
        places = [(row[0], row[1]) for row in rows]
    found = [one for site, status in places for one in await _of_site(session, replace(view, status=status), site)]
    if len(places) > 1:
        found.sort(key=lambda one: (one[2], one[0].id), reverse=ORDERS[view.order][1] == "DESC")
    return found[: view.limit]


def statuses_of(asked: str) -> tuple[str, ...]:
    """`any`, or some with commas between them."""
    return STATUSES if asked == "any" else tuple(dict.fromkeys(asked.split(",")))


async def _of_site(session: Session, view: View, site: str) -> list[Found]:
    filters = await _filters(session, view, site)
    found_of = [await how_many(session, one) for one in filters]
    if 0 in found_of:
        return []
    few = [count is not None for count in found_of]
    if any(few) or view.article or view.author:
        return await _sorted(session, view, site, filters, few)
    if not filters:
        return await _walked(session, view, site, filters)
    # Each is in many comments: then twenty of them come by soon. Where they do not (they seldom meet, or they are at the
    # other end of this order), all are looked up after all.
    end = await _far(session, view, site)
    found = await _walked(session, view, site, filters, end)
    if end is None or len(found) == view.limit:
        return found
    return await _sorted(session, view, site, filters, [one.ids is not None for one in filters])


def _wanted(view: View, site: str) -> tuple[list[str], list[Any]]:
    """What is asked of each row, whatever is looked up."""
    by, direction = ORDERS[view.order]
    where, args = ["c.site = ?", "c.status = ?"], list[Any]([site, view.status])
    if view.article:
        # Every path is at least nothing. Said so that SQLite takes the index of the article's threads, and not the one of
        # authors, in which all that is asked for stands too, but for the whole site.
        where.append("c.article = ? AND c.path >= ''")
        args.append(view.article)
    if view.sample:
        # Spelled out, not given: it must be seen to be what the small indexes of the sample are of.
        where.append(f"c.is_decided = 0 AND substr(c.id, 26, 1) = '{AUDIT_SAMPLE}'")
    if view.author:
        where.append("c.author_key = (SELECT a.author_key FROM comments a WHERE a.site = ? AND a.id = ?)")
        args += [site, view.author]
    if view.without:
        where.append(f"c.id NOT IN ({placeholders(len(view.without))})")
        args += view.without
    if view.after:
        beyond = ">" if direction == "ASC" else "<"
        value, last = view.after
        where.append(f"c.id {beyond} ?" if by == "id" else f"(c.{by}, c.id) {beyond} (?, ?)")
        args += [last] if by == "id" else [float(value) if by != "rank" else int(value), last]
    return where, args


async def _filters(session: Session, view: View, site: str) -> list[Filter]:
    filters = list[Filter]()
    for kind, value in (("label", view.label), ("rule", view.rule)):
        if value == APPEAL:
            appealed = (
                "SELECT p.id FROM appeals p CROSS JOIN comments k WHERE p.site = ? AND k.site = p.site AND k.id = p.id"
            )
            asked = "EXISTS (SELECT 1 FROM appeals p WHERE p.site = c.site AND p.id = c.id)"
            filters.append(Filter(f"{appealed} AND k.status = ?", [site, view.status], asked, []))
        elif value:
            reason = f"{kind}:{value}"
            having = "SELECT r.id FROM comment_reasons r WHERE r.site = ? AND r.reason = ? AND r.status = ?"
            asked = "EXISTS (SELECT 1 FROM comment_reasons r WHERE r.site = c.site AND r.reason = ? AND r.status = c.status AND r.id = c.id)"
            filters.append(Filter(having, [site, reason, view.status], asked, [reason]))
    if wanted := words(view.q):
        filters += await matching(session, site, view.status, wanted)
    return filters


def _said(view: View) -> tuple[list[str], list[Any]]:
    """Whether what was ever a reason is one of the latest verdict."""
    kinds = {"label": view.label, "rule": view.rule if view.rule != APPEAL else ""}
    likes = [f'%"{kind}":"{escaped(value)}"%' for kind, value in kinds.items() if value]
    return ["s.reasons LIKE ? ESCAPE '\\'" for _ in likes], list(likes)


async def _far(session: Session, view: View, site: str) -> tuple[Any, str] | None:
    """The sort value and id of the comment FAR along the order; None where it ends before."""
    by, _ = ORDERS[view.order]
    where, args = _wanted(replace(view, without=()), site)
    asked = f"SELECT c.{by}, c.id FROM comments c WHERE {' AND '.join(where)} ORDER BY {_order(view.order)} LIMIT 1 OFFSET ?"
    rows = await session.fetch(asked, *args, FAR)
    return (rows[0][0], rows[0][1]) if rows else None


async def _walked(
    session: Session, view: View, site: str, filters: list[Filter], end: tuple[Any, str] | None = None
) -> list[Found]:
    """The first ones along the order that each filter lets through, looked for until `end`."""
    by, direction = ORDERS[view.order]
    where, args = _wanted(view, site)
    if end is not None:
        until = "<=" if direction == "ASC" else ">="
        where.append(f"c.id {until} ?" if by == "id" else f"(c.{by}, c.id) {until} (?, ?)")
        args += [end[1]] if by == "id" else end
    for one in filters:
        where.append(one.condition)
        args += one.args
    said, said_args = _said(view)
    asked = f"{_select(by)} {' AND '.join([*where, *said])} ORDER BY {_order(view.order)} LIMIT ?"
    return [_found(row) for row in await session.fetch(asked, *args, *said_args, view.limit)]


async def _sorted(session: Session, view: View, site: str, filters: list[Filter], looked_up: list[bool]) -> list[Found]:
    """All that is meant, and of it the first ones.

    The database cannot know that they are few (SQLite keeps no figures unless asked to), so the index of the order is hidden
    from it. What is sorted is ids: with texts and verdicts, the few thousand would be copied for the sake of twenty.
    """
    by, _ = ORDERS[view.order]
    where, args = _wanted(view, site)
    for one, is_looked_up in zip(filters, looked_up, strict=True):
        where.append(f"c.id IN ({one.ids})" if is_looked_up else one.condition)
        args += one.ids_args if is_looked_up else one.args
    said, said_args = _said(view)
    order = f"ORDER BY {_order(view.order, hidden=True)} LIMIT ?"
    # Whether it is still so since an edit is read of the first ones: of as good as all it is.
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
    """`hidden`: in words that no index answers."""
    by, direction = ORDERS[order]
    first = f"coalesce(c.{by}, c.{by})" if hidden else f"c.{by}"
    return f"{first} {direction}" if by == "id" else f"{first} {direction}, c.id {direction}"


def _select(by: str) -> str:
    return (
        f"SELECT {COMMENT}, {VERDICT}, c.{by} FROM comments c JOIN submissions s ON s.site = c.site AND s.id = c.id AND "
        "s.revision = c.judged_revision WHERE"
    )


def _found(row: Row) -> Found:
    return comment_of(row), verdict_of(row[18:23]), row[23]


async def counts(session: Session, site: str = EVERYWHERE) -> dict[str, int]:
    """How many comments each status holds, as the database itself keeps it."""
    found = dict.fromkeys(("pending", "approved", "spam", "rejected", "deleted"), 0)
    one, args = ("", ()) if site == EVERYWHERE else ("WHERE site = ?", (site,))
    for status, count in await session.fetch(
        f"SELECT status, sum(count) FROM comment_counts {one} GROUP BY status", *args
    ):
        found[status] = int(count)
    return found


async def pending(session: Session, site: str = EVERYWHERE) -> dict[str, int]:
    """How many wait on each site where anything does."""
    one, args = ("site IN (SELECT site FROM sites)", ()) if site == EVERYWHERE else ("site = ?", (site,))
    rows = await session.fetch(
        f"SELECT site, count FROM comment_counts WHERE {one} AND status = 'pending' AND count > 0 ORDER BY site", *args
    )
    return {row[0]: int(row[1]) for row in rows}


async def longest_waiting(session: Session, site: str, limit: int) -> list[Comment]:
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.status = 'pending' ORDER BY c.id LIMIT ?", site, limit
    )
    return [comment_of(row) for row in rows]
