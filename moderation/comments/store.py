"""Comments and their judged submissions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from classifier.values import value
from moderation.comments import store_hosts as hosts
from moderation.comments.model import Comment
from moderation.comments.store_submissions import SUBMISSIONS
from moderation.comments.verdict import Reason, Verdict
from moderation.core.ids import ID_LENGTH, first_id_at, made_at, next_id
from moderation.core.times import LEEWAY
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

COMMENTS = Table(
    name="comments",
    columns=(
        *("site", "id", "article", "parent", "path", "status", "revision", "name", "email", "url", "body", "html"),
        *("notify", "author_key", "network_key", "body_key", "created_at", "edited_at", "judged_revision"),
        *("is_decided", "format", "max_score", "margin", "rank", "is_staff", "is_known", "external_id"),
    ),
    holds_text=True,
)
TABLES = (COMMENTS, Table(name="comment_counts"))
COLUMNS = (
    *("id", "site", "article", "parent", "path", "status", "revision", "name", "email", "url", "body", "html"),
    *("created_at", "edited_at", "judged_revision", "is_decided", "format", "is_staff", "is_known", "external_id"),
)
"""Of a Comment."""
COMMENT = listed(COLUMNS, "c")
comment_of = reader(Comment, COLUMNS, is_decided=bool, is_staff=bool, is_known=bool)
"""From a row that begins with COLUMNS."""
LIMITED = 60_000
"""Milliseconds: the longest period of a limit."""
LISTED = "NOT EXISTS (SELECT 1 FROM articles a WHERE a.site = c.site AND a.article = c.article AND a.is_listed = 0)"
HERE = "c.site IN (SELECT site FROM sites)"  # ids are globally unique, and every index begins with the site


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def reasons_of(stored: str) -> tuple[Reason, ...]:
    return tuple(map(Reason.of, orjson.loads(stored)))


def scores_of(stored: str | None) -> dict[str, float] | None:
    return orjson.loads(stored) if stored else None


VERDICT_COLUMNS = ("action", "reasons", "scores", "model", "facts")
VERDICT = listed(VERDICT_COLUMNS, "s")
verdict_of = reader(Verdict, VERDICT_COLUMNS, reasons=reasons_of, scores=scores_of, facts=orjson.loads)


@value(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys for comparing comments; never shown."""

    author: str
    network: str
    body: str


@value(frozen=True, slots=True, kw_only=True)
class JudgedComment:
    """A new comment with its verdict."""

    comment: Comment
    verdict: Verdict
    keys: Keys
    notify: bool
    email_domain: str
    link_hosts: tuple[str, ...] = ()
    """As of Submission."""
    source: str = "comment"
    """The origin: a reader's `comment`, an `import`, or `staff`, which has no verdict."""


async def add(tx: Session, judged: Iterable[JudgedComment]) -> None:
    """Stores comments and verdicts."""
    rows = list(judged)
    await add_comments(tx, rows)
    await add_verdicts(tx, rows)


async def add_comments(tx: Session, judged: Iterable[JudgedComment]) -> None:
    """Inserts new comments, counts them, and queues them for the full-text index, a batch at a time. The only insert."""
    rows = list(judged)
    await tx.execute_many(
        COMMENTS.insert,
        [
            (
                *(c.site, c.id, c.article, c.parent, c.path, c.status, c.revision, c.name, c.email, c.url, c.body),
                *(c.html, int(j.notify), j.keys.author, j.keys.network, j.keys.body, c.created_at, c.edited_at),
                *(
                    c.judged_revision,
                    int(c.is_decided),
                    c.format,
                    *orders(j),
                    int(c.is_staff),
                    int(c.is_known),
                    c.external_id,
                ),
            )
            for j in rows
            for c in (j.comment,)
        ],
    )

    await hosts.add(tx, host_rows(rows))
    statuses = Counter((j.comment.site, j.comment.status) for j in rows)
    await tx.execute_many(
        "INSERT INTO comment_counts (site, status, count) VALUES (?, ?, ?) ON CONFLICT (site, status) DO UPDATE SET "
        "count = comment_counts.count + excluded.count",
        [(*key, count) for key, count in sorted(statuses.items())],
    )
    shown = Counter((j.comment.site, j.comment.article) for j in rows if j.comment.status == "approved")
    await tx.execute_many(
        "UPDATE articles SET approved_count = approved_count + ? WHERE site = ? AND article = ?",
        [(count, *key) for key, count in sorted(shown.items())],
    )
    if tx.lists_texts:
        await tx.execute_many(
            "INSERT INTO comment_texts_unindexed (site, id) VALUES (?, ?)",
            [(j.comment.site, j.comment.id) for j in rows],
        )


def host_rows(judged: Iterable[JudgedComment]) -> list[tuple[str, str, str, str, str]]:
    """The rows of `comment_hosts`. Nobody in particular, without a name and an address, vouches for no host."""
    return [
        (c.site, c.id, host, vouching(j), c.status if c.is_decided else "")
        for j in judged
        for c in (j.comment,)
        for host in sorted(set(j.link_hosts) - {""})
    ]


def vouching(judged: JudgedComment) -> str:
    """The author's key, as far as an approval of the comment says something about its hosts: for readers' comments, or for
    those that another system keeps."""
    comment = judged.comment
    if not (comment.email or comment.name):
        return ""
    return f"{hosts.ELSEWHERE}{judged.keys.author}" if comment.external_id else judged.keys.author


async def count_anew(tx: Session) -> None:
    """Recomputes the counts of `add_comments` after rows were inserted directly (`restore`)."""
    await tx.execute("DELETE FROM comment_counts")
    await tx.execute(
        "INSERT INTO comment_counts (site, status, count) SELECT site, status, count(*) FROM comments GROUP BY site, status"
    )
    await tx.execute(
        "UPDATE articles SET approved_count = (SELECT count(*) FROM comments c WHERE c.site = articles.site AND "
        "c.article = articles.article AND c.status = 'approved')"
    )
    if tx.lists_texts:
        await tx.execute("INSERT OR IGNORE INTO comment_texts_unindexed (site, id) SELECT site, id FROM comments")


def orders(j: JudgedComment) -> tuple[float, float, int]:
    """The sort values of the queue. Staff replies are neither bad nor uncertain."""
    if j.comment.is_staff:
        return 0.0, 0.5, j.comment.created_at
    return j.verdict.max_score, j.verdict.margin, j.comment.created_at - j.verdict.priority_boost(j.comment.text)


async def add_verdicts(tx: Session, rows: Iterable[JudgedComment]) -> None:
    await tx.execute_many(
        SUBMISSIONS.insert,
        [
            (
                *(c.site, c.id, c.judged_revision, j.source, c.article, c.body, c.name, c.url, j.email_domain),
                *(j.keys.author, v.action, dumps(v.scores) if v.scores else None, v.model),
                *(dumps([r.document() for r in v.reasons]), dumps(v.facts)),
                c.edited_at or c.created_at,
                c.format,
            )
            for j in rows
            for c, v in ((j.comment, j.verdict),)
        ],
    )


async def judged_already(session: Session, ids: Iterable[str]) -> set[str]:
    """The ids among these that are submissions, on any site."""
    wanted = list(ids)
    if not wanted:
        return set()
    sql = f"SELECT id FROM submissions WHERE site IN (SELECT site FROM sites) AND id IN ({placeholders(len(wanted))})"
    return {row[0] for row in await session.fetch(sql, *wanted)}


async def edit(tx: Session, judged: JudgedComment, seen: int) -> bool:
    """Stores the author's new text and its verdict; False if the comment's revision is no longer `seen`."""
    c = judged.comment
    changed = await tx.execute(
        "UPDATE comments SET body = ?, html = ?, name = ?, url = ?, body_key = ?, status = ?, edited_at = ?, judged_revision = ?, "
        "revision = ?, format = ?, max_score = ?, margin = ?, rank = ? WHERE site = ? AND id = ? AND revision = ?",
        *(
            c.body,
            c.html,
            c.name,
            c.url,
            judged.keys.body,
            c.status,
            c.edited_at,
            c.judged_revision,
            c.revision,
            c.format,
            *orders(judged),
        ),
        *(c.site, c.id, seen),
    )
    if changed:
        await add_verdicts(tx, [judged])
        await hosts.forget(tx, c.site, [c.id])
        await hosts.add(tx, host_rows([judged]))
    return changed == 1


async def move(tx: Session, comment: Comment, status: str, *, decided: bool) -> bool:
    """Changes the status if the revision is still the one seen. The condition is in the statement, so the row decides."""
    return (
        await tx.execute(
            "UPDATE comments SET status = ?, revision = revision + 1, is_decided = ? WHERE site = ? AND id = ? AND revision = ?",
            status,
            int(decided),
            comment.site,
            comment.id,
            comment.revision,
        )
        == 1
    )


async def of_site(session: Session, site: str, ids: Iterable[str]) -> dict[str, Comment]:
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.id IN ({placeholders(len(wanted))})", site, *wanted
    )
    return {row[0]: comment_of(row) for row in rows}


async def find(session: Session, ids: Iterable[str]) -> dict[str, Comment]:
    """Comments by id, on any site."""
    wanted = list(ids)
    sql = f"SELECT {COMMENT} FROM comments c WHERE {HERE} AND c.id IN ({placeholders(len(wanted))})"
    return {row[0]: comment_of(row) for row in await session.fetch(sql, *wanted)}


async def by_external_id(session: Session, site: str, ids: Iterable[str]) -> dict[str, Comment]:
    """The keeper's id → the comment that is kept elsewhere."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.external_id IN ({placeholders(len(wanted))})",
        *(site, *wanted),
    )
    return {str(comment.external_id): comment for comment in map(comment_of, rows)}


class Posting(NamedTuple):
    """The keys of a stored comment: author, body, parent and network."""

    author: str
    article: str
    body: str
    parent: str | None
    network: str
    id: str


async def postings(
    session: Session, site: str, authors: Iterable[str], bodies: Iterable[str], *, elsewhere: bool = False
) -> set[Posting]:
    """Stored comments with these author and body keys, of any status except `deleted`; `elsewhere`: of any status, and only
    those that another system keeps."""
    who, what = list(authors), list(bodies)
    which = "external_id IS NOT NULL" if elsewhere else "status <> 'deleted'"
    rows = await session.fetch(
        "SELECT author_key, article, body_key, parent, network_key, id FROM comments WHERE site = ? "
        f"AND {which} AND author_key IN ({placeholders(len(who))}) AND body_key IN ({placeholders(len(what))})",
        *(site, *who, *what),
    )
    return {Posting(*row) for row in rows}


def until(since: str) -> str:
    """The id at the end of a limit's period that begins at `since`: a minute later at most."""
    return first_id_at(made_at(since) + LIMITED + LEEWAY)


async def recent(session: Session, site: str, addresses: Iterable[str], since: str) -> dict[str, tuple[int, str]]:
    """Network → its number of comments since the id `since`, in a minute at most, and the last one's id."""
    wanted = list(addresses)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT network_key, count(*), max(id) FROM comments WHERE site = ? AND network_key IN ({placeholders(len(wanted))}) "
        "AND id > ? AND id < ? GROUP BY network_key",
        *(site, *wanted, since, until(since)),
    )
    return {row[0]: (int(row[1]), row[2]) for row in rows}


async def recent_by_author(
    session: Session, site: str, authors: Iterable[str], since: str
) -> dict[tuple[str, str], tuple[int, str]]:
    """As `recent`, by (author, network): anybody can type an author's address, but not from the author's network."""
    wanted = list(authors)
    rows = await session.fetch(
        "SELECT author_key, network_key, count(*), max(id) FROM comments WHERE site = ? "
        f"AND author_key IN ({placeholders(len(wanted))}) AND id > ? AND id < ? GROUP BY author_key, network_key",
        *(site, *wanted, since, until(since)),
    )
    return {(row[0], row[1]): (int(row[2]), row[3]) for row in rows}


async def places(session: Session, site: str, article: str) -> list[tuple[str, str | None, str]]:
    """(id, parent, path) of every comment of an article, whatever its status."""
    rows = await session.fetch("SELECT id, parent, path FROM comments WHERE site = ? AND article = ?", site, article)
    return [(row[0], row[1], row[2]) for row in rows]


async def notified(session: Session, site: str, ids: Iterable[str]) -> set[str]:
    """The ids of comments whose authors asked for mails about replies."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT id FROM comments WHERE site = ? AND id IN ({placeholders(len(wanted))}) AND notify <> 0", site, *wanted
    )
    return {row[0] for row in rows}


async def silence(tx: Session, site: str, id: str) -> bool:
    """Ends mails about replies to a comment; False if there were none. Its revision stays, since moderators do not see this."""
    return await tx.execute("UPDATE comments SET notify = 0 WHERE site = ? AND id = ? AND notify <> 0", site, id) == 1


async def replace(tx: Session, site: str, moved: Iterable[tuple[str, str | None, str]]) -> None:
    """Moves comments in the tree: (id, parent, path)."""
    await tx.execute_many(
        "UPDATE comments SET parent = ?, path = ? WHERE site = ? AND id = ?",
        [(parent, path, site, id) for id, parent, path in moved],
    )


class Placed(NamedTuple):
    """A comment's place in its thread, without its words."""

    path: str
    id: str
    revision: int
    parent: str | None


PLACED = listed(Placed._fields, "c")


async def thread(
    session: Session, site: str, article: str, *, newest: bool, limit: int, after: tuple[str, str] | None
) -> list[Placed]:
    """The approved comments in tree order: roots oldest or newest first, each followed by its replies, oldest first.

    `after` is (root, path) of the last one shown. At most twice `limit` rows are read, for a thread of any length.
    """

    async def some(where: str, *args: Any) -> list[Placed]:
        sql = f"SELECT {PLACED} FROM comments c WHERE c.site = ? AND c.article = ? AND c.status = 'approved' {where}"
        return [Placed(*row) for row in await session.fetch(sql, site, article, *args)]

    if not newest:
        if after:
            return await some("AND c.path > ? ORDER BY c.path LIMIT ?", after[1], limit)
        return await some("ORDER BY c.path LIMIT ?", limit)
    found: list[Placed] = []
    if after:  # the rest of the branch in which the last page ended
        found = await some("AND c.path > ? AND c.path < ? ORDER BY c.path LIMIT ?", after[1], next_id(after[0]), limit)
    if (wanted := limit - len(found)) <= 0:
        return found
    # The end of the paths, read backwards: the newest branches, all complete except the last one.
    below = ("AND c.path < ?", after[0]) if after else ("",)
    ends = await some(f"{below[0]} ORDER BY c.path DESC LIMIT ?", *below[1:], wanted)
    branches = [list(branch)[::-1] for _, branch in groupby(ends, lambda c: c.path[:ID_LENGTH])]
    if len(ends) == wanted:
        cut = branches.pop()
        root = cut[0].path[:ID_LENGTH]
        branches.append(
            await some("AND c.path >= ? AND c.path < ? ORDER BY c.path LIMIT ?", root, next_id(root), len(cut))
        )
    return found + [placed for branch in branches for placed in branch]


async def latest(session: Session, site: str, article: str | None, limit: int) -> list[Comment]:
    """Approved comments of an article or of a site's listed articles, newest first, from anywhere in the tree."""
    if article is None:
        sql = f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND c.status = 'approved' AND {LISTED} ORDER BY c.id DESC LIMIT ?"
        return [comment_of(row) for row in await session.fetch(sql, site, limit)]
    # A path ends in its comment's id, so the thread's index alone has the newest ones; no comment is loaded for it.
    ends = await session.fetch(
        f"SELECT substr(path, length(path) - {ID_LENGTH - 1}) AS id FROM comments WHERE site = ? AND article = ? "
        "AND status = 'approved' ORDER BY id DESC LIMIT ?",
        *(site, article, limit),
    )
    found = await of_site(session, site, (row[0] for row in ends)) if ends else {}
    return [found[row[0]] for row in ends]


async def approved(session: Session, site: str, articles: Iterable[str]) -> dict[str, int]:
    """Article → its number of approved comments; 0 for an unlisted one."""
    wanted = list(articles)
    rows = await session.fetch(
        f"SELECT article, approved_count FROM articles WHERE site = ? AND is_listed = 1 AND article IN ({placeholders(len(wanted))})",
        site,
        *wanted,
    )
    return dict.fromkeys(wanted, 0) | {row[0]: int(row[1]) for row in rows}


async def keys_of(session: Session, site: str, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Comment id → the keys of its author and its network; the latter is empty after its retention period."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT id, author_key, network_key FROM comments WHERE site = ? AND id IN ({placeholders(len(wanted))})",
        *(site, *wanted),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


async def verdicts(session: Session, site: str, ids: Iterable[str]) -> dict[str, Verdict]:
    """Comment id → the latest verdict."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT {VERDICT}, s.id FROM submissions s JOIN comments c ON c.site = s.site AND c.id = s.id AND "
        f"c.judged_revision = s.revision WHERE s.site = ? AND s.id IN ({placeholders(len(wanted))})",
        *(site, *wanted),
    )
    return {row[5]: verdict_of(row) for row in rows}


async def move_article(tx: Session, site: str, old: str, new: str) -> int:
    """Moves an article's comments to another, with their threads, and returns their number."""
    row = await tx.fetch_one("SELECT count(*) FROM comments WHERE site = ? AND article = ?", site, old)
    await tx.execute("UPDATE comments SET article = ? WHERE site = ? AND article = ?", new, site, old)
    return int(row[0]) if row else 0
