"""Decisions: moderators' acts on judged submissions. Undone decisions and those on erased texts are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from moderation.core.documents import document
from moderation.core.times import iso
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

DECISIONS = Table(
    name="decisions",
    columns=(
        *("site", "id", "submission", "judged_revision", "action", "labels", "note", "moderator", "before_status"),
        *("after_status", "after_revision", "created_at", "undone_at", "undone_by", "reason"),
    ),
    key=3,
    holds_text=True,
)
TABLES = (DECISIONS,)
DECISION = listed(DECISIONS.columns)
"""Of a Decision."""
HERE = "site IN (SELECT site FROM sites)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision's part on one submission. `after_revision` is the comment's revision after it, to detect later changes."""

    site: str
    id: str
    submission: str
    judged_revision: int
    action: str | None
    labels: tuple[str, ...]
    note: str
    moderator: str
    before_status: str | None
    after_status: str | None
    after_revision: int | None
    created_at: int
    undone_at: int | None = None
    undone_by: str | None = None
    reason: str = ""
    """Of a rejection: one of `decision.REASONS`, or empty."""

    def exported(self) -> dict[str, Any]:
        """Its row in an export, below its submission."""
        return document(self, without=("site", "submission"))

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "comment": self.submission,
            "action": self.action,
            "labels": list(self.labels),
            "reason": self.reason or None,
            "note": self.note,
            "moderator": self.moderator,
            "created_at": iso(self.created_at),
            "undone_at": iso(self.undone_at),
        }


def labels_of(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored))


decision_of = reader(Decision, DECISIONS.columns, labels=labels_of)


async def add(tx: Session, entries: Iterable[Decision]) -> None:
    await tx.execute_many(
        DECISIONS.insert,
        [
            (
                *(e.site, e.id, e.submission, e.judged_revision, e.action, json.dumps(e.labels), e.note, e.moderator),
                *(e.before_status, e.after_status, e.after_revision, e.created_at, e.undone_at),
                *(e.undone_by, e.reason),
            )
            for e in entries
        ],
    )


async def find(session: Session, decision: str) -> list[Decision]:
    """All parts of a decision."""
    rows = await session.fetch(f"SELECT {DECISION} FROM decisions WHERE {HERE} AND id = ?", decision)
    return [decision_of(row) for row in rows]


async def first_of(session: Session, decision: str) -> Decision | None:
    """One part of a decision: who took it, when, and as what."""
    row = await session.fetch_one(f"SELECT {DECISION} FROM decisions WHERE {HERE} AND id = ? LIMIT 1", decision)
    return decision_of(row) if row else None


async def on(session: Session, site: str, submission: str) -> list[Decision]:
    rows = await session.fetch(
        f"SELECT {DECISION} FROM decisions WHERE site = ? AND submission = ? ORDER BY id", site, submission
    )
    return [decision_of(row) for row in rows]


async def of(session: Session, site: str, submissions: Iterable[str]) -> dict[str, list[Decision]]:
    """Comment id → every decision on it, oldest first."""
    wanted = list(submissions)
    rows = await session.fetch(
        f"SELECT {DECISION} FROM decisions WHERE site = ? AND submission IN ({placeholders(len(wanted))}) ORDER BY id",
        site,
        *wanted,
    )
    found: dict[str, list[Decision]] = {}
    for row in rows:
        found.setdefault(row[2], []).append(decision_of(row))
    return found


async def undo(tx: Session, decision: str, moderator: str, now: int) -> bool:
    """Marks a decision as undone; False if it is undone already."""
    return (
        await tx.execute(
            f"UPDATE decisions SET undone_at = ?, undone_by = ? WHERE {HERE} AND id = ? AND undone_at IS NULL",
            now,
            moderator,
            decision,
        )
        > 0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """A decision and the judged text."""

    submission: str
    action: str | None
    labels: tuple[str, ...]
    body: str
    article: str
    author_name: str
    author_url: str
    email_domain: str
    author_key: str
    created_at: int
    format: str


MOST_TAUGHT = 20_000
"""The most decisions read: an old blog can import a million, and training uses the latest few thousand."""


taught_of = reader(
    Taught,
    (
        *("submission", "action", "labels", "body", "article", "author_name", "author_url", "email_domain"),
        *("author_key", "created_at", "format"),
    ),
    labels=labels_of,
)


async def taught(session: Session, site: str) -> list[Taught]:
    """The latest standing decisions of a site with their texts, oldest first, without deleted texts and without staff
    replies."""
    rows = await session.fetch(
        "SELECT d.submission, d.action, d.labels, s.body, coalesce(s.article, ''), s.author_name, coalesce(s.author_url, ''), "
        "s.email_domain, s.author_key, d.created_at, s.format FROM decisions d JOIN submissions s ON s.site = d.site AND "
        "s.id = d.submission AND s.revision = d.judged_revision WHERE d.site = ? AND d.undone_at IS NULL AND s.body <> '' "
        "AND s.source <> 'staff' ORDER BY d.id DESC LIMIT ?",
        *(site, MOST_TAUGHT),
    )
    return [taught_of(row) for row in reversed(rows)]


async def made_by(session: Session, site: str, moderator: str, since: int) -> list[str]:
    """Ids of the standing decisions of a moderator or a token since a time, newest first."""
    rows = await session.fetch(
        "SELECT DISTINCT id FROM decisions WHERE site = ? AND moderator = ? AND created_at >= ? AND undone_at IS NULL "
        "ORDER BY id DESC",
        *(site, moderator, since),
    )
    return [row[0] for row in rows]
