"""Judged submissions: every revision of comments, and texts without a comment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from moderation.comments.model import Comment
from moderation.core.documents import document
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

SUBMISSIONS = Table(
    name="submissions",
    columns=(
        *("site", "id", "revision", "source", "article", "body", "author_name", "author_url", "email_domain"),
        *("author_key", "action", "scores", "model", "reasons", "facts", "created_at", "format"),
    ),
    key=3,
    holds_text=True,
)
TABLES = (SUBMISSIONS,)
SUBMISSION = listed(SUBMISSIONS.columns, "s")
"""Of a JudgedSubmission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSubmission:
    site: str
    id: str
    revision: int
    source: str
    article: str | None
    body: str
    author_name: str
    author_url: str | None
    email_domain: str
    author_key: str
    action: str
    scores: dict[str, float] | None
    model: str | None
    reasons: list[dict[str, Any]]
    facts: dict[str, Any]
    created_at: int
    format: str

    def exported(self, comment: Comment | None) -> dict[str, Any]:
        """Its row in an export, below its comment: without the fields that the comment has already."""
        without = ("site", "id", "article", "email_domain", "author_key", "body", "format", "author_name", "author_url")
        row = document(self, without=without)
        text = {"body": self.body, "format": self.format, "name": self.author_name, "url": self.author_url}
        return row | {name: value for name, value in text.items() if comment is None or getattr(comment, name) != value}


def scores_of(stored: str | None) -> dict[str, float] | None:
    return orjson.loads(stored) if stored else None


submission_of = reader(
    JudgedSubmission, SUBMISSIONS.columns, scores=scores_of, reasons=orjson.loads, facts=orjson.loads
)


async def of(session: Session, site: str, ids: Iterable[str]) -> dict[str, list[JudgedSubmission]]:
    """The judged submissions of a comment, oldest revision first."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT {SUBMISSION} FROM submissions s WHERE site = ? AND id IN ({placeholders(len(wanted))}) ORDER BY id, revision",
        *(site, *wanted),
    )
    found: dict[str, list[JudgedSubmission]] = {}
    for submission in map(submission_of, rows):
        found.setdefault(submission.id, []).append(submission)
    return found


async def recent(
    session: Session, site: str, since: str, before: tuple[str, int] | None, limit: int
) -> list[JudgedSubmission]:
    """Verdicts on comments from the id `since` on, newest first; `before` is (id, revision) of the last one read."""
    below = ("AND (id, revision) < (?, ?)", *before) if before else ("",)
    rows = await session.fetch(
        f"SELECT {SUBMISSION} FROM submissions s WHERE site = ? AND id >= ? AND source = 'comment' {below[0]} "
        "ORDER BY id DESC, revision DESC LIMIT ?",
        *(site, since, *below[1:], limit),
    )
    return [submission_of(row) for row in rows]


async def published(session: Session, site: str, since: str, limit: int) -> list[JudgedSubmission]:
    """What readers see, from the id `since` on, newest first, without staff replies: comments that no person decided on, or that a
    person approved and nobody objected to."""
    rows = await session.fetch(
        f"SELECT {SUBMISSION} FROM comments c JOIN submissions s ON s.site = c.site AND s.id = c.id AND s.revision = "
        "c.judged_revision WHERE c.site = ? AND c.status = 'approved' AND c.id >= ? AND c.is_staff = 0 AND s.body <> '' AND "
        "NOT EXISTS (SELECT 1 FROM decisions d WHERE d.site = c.site AND d.submission = c.id AND d.undone_at IS NULL AND "
        "d.action <> 'approve') ORDER BY c.id DESC LIMIT ?",
        *(site, since, limit),
    )
    return [submission_of(row) for row in rows]


async def alone(session: Session, site: str, after: str, limit: int) -> list[str]:
    """Ids of submissions with a text and without a comment, in order, after the id `after`."""
    rows = await session.fetch(
        "SELECT DISTINCT s.id FROM submissions s WHERE s.site = ? AND s.id > ? AND s.body <> '' AND NOT EXISTS "
        "(SELECT 1 FROM comments c WHERE c.site = s.site AND c.id = s.id) ORDER BY s.id LIMIT ?",
        *(site, after, limit),
    )
    return [row[0] for row in rows]


async def move_article(tx: Session, site: str, old: str, new: str) -> None:
    await tx.execute("UPDATE submissions SET article = ? WHERE site = ? AND article = ?", new, site, old)
