"""The queue's own questions: what waits, in which order, and how much there is of each status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moderation.comment import Comment
from moderation.moderator import EVERYWHERE
from moderation.storage.comments import COMMENT, HERE, VERDICT, comment_of, verdict_of
from moderation.storage.database import Session
from moderation.verdict import Verdict

ORDERS = {
    "oldest": ("c.id", "ASC"),
    "newest": ("c.id", "DESC"),
    "uncertain": ("abs(coalesce(s.worst, 0.5) - 0.5)", "ASC"),
    "worst": ("coalesce(s.worst, 1.0)", "DESC"),
}
"""What each order sorts by; the id breaks ties. Unscored comments are the most uncertain, and the worst."""


@dataclass(frozen=True, slots=True)
class View:
    """Which comments to list. Empty texts filter nothing; `site` is `*` for all that the asker may see."""

    status: str = "pending"
    site: str = EVERYWHERE
    article: str = ""
    label: str = ""
    q: str = ""
    order: str = "oldest"
    limit: int = 20
    after: tuple[Any, str] | None = None
    """(sort value, id) of the last one shown."""
    sample: str = ""
    """Only what nobody has decided, and whose id ends in this: the random second look at automatic decisions."""


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def waiting(session: Session, view: View) -> list[tuple[Comment, Verdict, Any]]:
    """Comments with their latest verdicts and the value that each was sorted by."""
    by, direction = ORDERS[view.order]
    where, args = ["c.status = ?"], list[Any]([view.status])
    if view.site == EVERYWHERE:
        where.append(HERE)
    else:
        where.append("c.site = ?")
        args.append(view.site)
    if view.article:
        where.append("c.article = ?")
        args.append(view.article)
    if view.sample:
        where.append("c.decided = 0 AND substr(c.id, 26, 1) = ?")
        args.append(view.sample)
    if view.label:
        where.append("s.reasons LIKE ? ESCAPE '\\'")
        args.append(f'%"label":"{escaped(view.label)}"%')
    if view.q:
        like = f"%{escaped(view.q.lower())}%"
        where.append(
            "(lower(c.body) LIKE ? ESCAPE '\\' OR lower(c.name) LIKE ? ESCAPE '\\' OR lower(c.email) LIKE ? ESCAPE '\\')"
        )
        args += [like, like, like]
    if view.after:
        beyond = ">" if direction == "ASC" else "<"
        value, last = view.after
        if by == "c.id":
            where.append(f"c.id {beyond} ?")
            args.append(last)
        else:
            where.append(f"({by} {beyond} ? OR ({by} = ? AND c.id > ?))")
            args += [float(value), float(value), last]
    ties = "" if by == "c.id" else ", c.id ASC"
    rows = await session.fetch(
        f"SELECT {COMMENT}, {VERDICT}, {by} FROM comments c JOIN submissions s ON s.site = c.site AND s.id = c.id AND "
        f"s.revision = c.judged WHERE {' AND '.join(where)} ORDER BY {by} {direction}{ties} LIMIT ?",
        *(*args, view.limit),
    )
    return [(comment_of(row), verdict_of(row[17:22]), row[22]) for row in rows]


async def counts(session: Session, site: str = EVERYWHERE) -> dict[str, int]:
    """How many comments each status holds: counted, never kept as a number that could drift."""
    found = dict.fromkeys(("pending", "approved", "spam", "rejected", "deleted"), 0)
    one, args = ("", ()) if site == EVERYWHERE else ("WHERE site = ?", (site,))
    for status, count in await session.fetch(f"SELECT status, count(*) FROM comments {one} GROUP BY status", *args):
        found[status] = int(count)
    return found


async def pending(session: Session, site: str = EVERYWHERE) -> dict[str, int]:
    """How many wait on each site where anything does."""
    one, args = ("site IN (SELECT site FROM sites)", ()) if site == EVERYWHERE else ("site = ?", (site,))
    rows = await session.fetch(
        f"SELECT site, count(*) FROM comments WHERE {one} AND status = 'pending' GROUP BY site ORDER BY site", *args
    )
    return {row[0]: int(row[1]) for row in rows}


async def longest_waiting(session: Session, site: str, limit: int) -> list[Comment]:
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.status = 'pending' ORDER BY c.id LIMIT ?", site, limit
    )
    return [comment_of(row) for row in rows]
