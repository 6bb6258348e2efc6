"""The queue's own questions: what waits, in which order, and how much there is of each status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moderation.comment import SECOND_LOOK, Comment
from moderation.moderator import EVERYWHERE
from moderation.storage.comments import COMMENT, VERDICT, comment_of, verdict_of
from moderation.storage.database import Row, Session, marks
from moderation.storage.search import escaped, if_few, matching, words
from moderation.verdict import Verdict

ORDERS = {
    "oldest": ("id", "ASC"),
    "newest": ("id", "DESC"),
    "uncertain": ("doubt", "ASC"),
    "worst": ("worst", "DESC"),
    "useful": ("turn", "ASC"),
}
"""Which column each order reads, each the end of an index; the id breaks ties in the same direction."""

APPEAL = "appeal"
"""Where a rule is asked for: what an author has appealed."""


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
    sample: bool = False
    """Only the random second look at automatic decisions, and of it what nobody has decided."""
    rule: str = ""
    """Only what this rule spoke about."""
    author: str = ""
    """Only what is by the author of this comment, on its site."""
    without: tuple[str, ...] = ()
    """Not these: a row that is shown already stands for them."""


async def waiting(session: Session, view: View) -> list[tuple[Comment, Verdict, Any]]:
    """Comments with their latest verdicts and the value that each was sorted by.

    Every index leads with the site, so each site that holds any is asked for its first ones.
    """
    keys = [view.site]
    if view.site == EVERYWHERE:
        keys = [row[0] for row in await session.fetch(
            "SELECT site FROM comment_counts WHERE status = ? AND count > 0 AND site IN (SELECT site FROM sites)",
            view.status,
        )]  # fmt: skip
    found = [one for key in keys for one in await _of_site(session, view, key)]
    if len(keys) > 1:
        found.sort(key=lambda one: (one[2], one[0].id), reverse=ORDERS[view.order][1] == "DESC")
    return found[: view.limit]


async def _of_site(session: Session, view: View, site: str) -> list[tuple[Comment, Verdict, Any]]:
    by, direction = ORDERS[view.order]
    where, args = ["c.site = ?", "c.status = ?"], list[Any]([site, view.status])
    if view.article:
        # Every path is at least nothing. Said so that SQLite takes the index of the article's threads, and not the one of
        # authors, in which all that is asked for stands too, but for the whole site.
        where.append("c.article = ? AND c.path >= ''")
        args.append(view.article)
    if view.sample:
        # Spelled out, not given: it must be seen to be what the small indexes of the sample are of.
        where.append(f"c.decided = 0 AND substr(c.id, 26, 1) = '{SECOND_LOOK}'")
    if view.author:
        where.append("c.author_key = (SELECT a.author_key FROM comments a WHERE a.site = ? AND a.id = ?)")
        args += [site, view.author]
    said, said_args = list[str](), list[Any]()
    looked_up: list[list[str] | None] = []
    for kind, value in (("label", view.label), ("rule", view.rule)):
        if value == APPEAL:
            where.append("EXISTS (SELECT 1 FROM appeals p WHERE p.site = c.site AND p.id = c.id)")
            sql = "SELECT p.id FROM appeals p CROSS JOIN comments k WHERE p.site = ? AND k.site = p.site AND k.id = p.id AND "
            looked_up.append(await if_few(session, f"{sql}k.status = ? LIMIT ?", [site, view.status]))
        elif value:
            said.append("s.reasons LIKE ? ESCAPE '\\'")
            said_args.append(f'%"{kind}":"{escaped(value)}"%')
            having = "SELECT id FROM comment_reasons WHERE site = ? AND reason = ? AND status = ? LIMIT ?"
            looked_up.append(await if_few(session, having, [site, f"{kind}:{value}", view.status]))
    for found in await matching(session, site, view.status, wanted) if (wanted := words(view.q)) else ():
        looked_up.append(found.ids)
        if found.ids is None:
            where.append(found.condition)
            args += found.args
    few = [set(ids) for ids in looked_up if ids is not None]
    if few:
        only = sorted(set.intersection(*few))
        if not only:
            return []
        where.append(f"c.id IN ({marks(len(only))})")
        args += only
    if view.without:
        where.append(f"c.id NOT IN ({marks(len(view.without))})")
        args += view.without
    if view.after:
        beyond = ">" if direction == "ASC" else "<"
        value, last = view.after
        where.append(f"c.id {beyond} ?" if by == "id" else f"(c.{by}, c.id) {beyond} (?, ?)")
        args += [last] if by == "id" else [float(value) if by != "turn" else int(value), last]
    # Where few are meant, they are found and then sorted: walking along the order until twenty of them have come by would
    # read everything. The database cannot know it (SQLite keeps no figures unless asked to), so the index is hidden from it.
    # What is sorted is ids: with texts and verdicts, the few thousand would be copied for the sake of twenty.
    narrow = bool(view.article or view.author or few)
    first = f"coalesce(c.{by}, c.{by})" if narrow else f"c.{by}"
    ties = "" if by == "id" else f", c.id {direction}"
    order = f"ORDER BY {first} {direction}{ties} LIMIT ?"
    select = (
        f"SELECT {COMMENT}, {VERDICT}, c.{by} FROM comments c JOIN submissions s ON s.site = c.site AND s.id = c.id AND "
        "s.revision = c.judged WHERE"
    )
    rows: list[Row] = []
    if narrow:
        # Whether it is still so since an edit is read of the first ones: of as good as all it is.
        ahead = view.limit * 3 if said else view.limit
        chosen = f"c.site = ? AND c.id IN (SELECT c.id FROM comments c WHERE {' AND '.join(where)} {order})"
        asked = f"{select} {' AND '.join([chosen, *said])} {order}"
        rows = await session.fetch(asked, site, *args, ahead, *said_args, view.limit)
    if not narrow or (said and len(rows) < view.limit):
        asked = f"{select} {' AND '.join([*where, *said])} {order}"
        rows = await session.fetch(asked, *args, *said_args, view.limit)
    return [(comment_of(row), verdict_of(row[18:23]), row[23]) for row in rows]


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
