"""Comments that the second reader has not read yet: their latest verdict has the reason `unread`, and they are pending."""

from __future__ import annotations

from collections.abc import Iterable

from moderation.comments.model import Comment
from moderation.comments.store import COLUMNS, COMMENT, HERE, comment_of, dumps
from moderation.comments.store_submissions import SUBMISSION, JudgedSubmission, submission_of
from moderation.comments.verdict import Verdict
from moderation.core.ids import first_id_at
from moderation.db.database import Session, placeholders

GRACE = 60_000
"""Milliseconds for which a comment that is merely unread asks no person: the reader takes seconds."""
REASON = "rule:unread"
IS_UNREAD = (
    f"EXISTS (SELECT 1 FROM comment_reasons u WHERE u.site = c.site AND u.reason = '{REASON}' AND u.status = c.status "
    "AND u.id = c.id)"
)
"""Of `comments c`; a comment whose edited text was read since may still be found."""


def young(now: int) -> str:
    """The id from which unread comments ask no person yet."""
    return first_id_at(max(0, now - GRACE))


async def ids(session: Session, until: str = "") -> list[tuple[str, str]]:
    """(site, id) of the unread comments, oldest first; `until`: of those before this id."""
    before, args = ("AND u.id < ?", (until,)) if until else ("", ())
    rows = await session.fetch(
        "SELECT u.site, u.id FROM comment_reasons u JOIN comments c ON c.site = u.site AND c.id = u.id "
        "JOIN submissions s ON s.site = c.site AND s.id = c.id AND s.revision = c.judged_revision "
        f"WHERE u.site IN (SELECT site FROM sites) AND u.reason = '{REASON}' AND u.status = 'pending' {before} "
        'AND s.reasons LIKE \'%"rule":"unread"%\' ORDER BY u.id',
        *args,
    )
    return [(row[0], row[1]) for row in rows]


async def counts(session: Session, since: str) -> dict[str, int]:
    """Site → the number of unread comments from an id on."""
    rows = await session.fetch(
        f"SELECT site, count(*) FROM comment_reasons WHERE site IN (SELECT site FROM sites) AND reason = '{REASON}' "
        "AND status = 'pending' AND id >= ? GROUP BY site",
        since,
    )
    return {row[0]: int(row[1]) for row in rows}


async def of(session: Session, wanted: Iterable[tuple[str, str]]) -> list[tuple[Comment, JudgedSubmission]]:
    """Comments with the text and the verdict of their latest judgement."""
    named = [id for _, id in wanted]
    rows = await session.fetch(
        f"SELECT {COMMENT}, {SUBMISSION} FROM comments c JOIN submissions s ON s.site = c.site AND s.id = c.id AND "
        f"s.revision = c.judged_revision WHERE {HERE} AND c.id IN ({placeholders(len(named))}) ORDER BY c.id",
        *named,
    )
    return [(comment_of(row), submission_of(row[len(COLUMNS) :])) for row in rows]


async def judged_anew(tx: Session, comment: Comment, verdict: Verdict) -> None:
    """Replaces the verdict on a comment's latest text, its reasons and its place in the queue's orders. The comment's status stays."""
    await tx.execute(
        "UPDATE submissions SET action = ?, scores = ?, model = ?, reasons = ?, facts = ? WHERE site = ? AND id = ? AND revision = ?",
        *(verdict.action, dumps(verdict.scores) if verdict.scores else None, verdict.model),
        *(dumps([reason.document() for reason in verdict.reasons]), dumps(verdict.facts)),
        *(comment.site, comment.id, comment.judged_revision),
    )
    await tx.execute(
        "UPDATE comments SET max_score = ?, margin = ?, rank = ? WHERE site = ? AND id = ?",
        *(verdict.max_score, verdict.margin, comment.created_at - verdict.priority_boost(comment.text)),
        *(comment.site, comment.id),
    )
    # The triggers follow new and deleted verdicts, and this one is neither.
    await tx.execute(
        "DELETE FROM comment_reasons WHERE site = ? AND reason = ? AND status = ? AND id = ?",
        *(comment.site, REASON, comment.status, comment.id),
    )
    named = {f"rule:{reason.rule}" for reason in verdict.reasons}
    named |= {f"label:{reason.label}" for reason in verdict.reasons if reason.label}
    await tx.execute_many(
        "INSERT INTO comment_reasons (site, reason, status, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(comment.site, reason, comment.status, comment.id) for reason in sorted(named)],
    )
