"""Readers' reports of published comments: one for each reader and comment. A reader is a keyed hash of the network address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex

from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

REPORTS = Table(
    name="reports",
    columns=("site", "id", "reporter", "reason", "note", "revision", "weight", "created_at", "outcome", "decision"),
    key=3,
    holds_text=True,
)
TABLES = (REPORTS,)
REASONS = ("spam", "insult", "hate", "threat", "personal-data", "other")
LABEL = {"spam": "spam", "insult": "insult", "hate": "identity_attack", "threat": "threat"}
"""Reason → the label that a decision on the comment may teach. The others are no label's."""
RIGHT, HARMLESS, SILENT = "right", "harmless", "silent"
"""Outcomes: the comment was taken down; it was found harmless; it came after that, on the same text. None while it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. revision: the comment's judged revision, which is its text; weight: 0..1, how far this reader was right so far."""

    site: str
    id: str
    reporter: str
    reason: str
    note: str
    revision: int
    weight: float
    created_at: int
    outcome: str | None = None
    decision: str | None = None


async def add(tx: Session, report: Report) -> bool:
    """Whether it is this reader's first one on the comment."""
    columns = ", ".join(REPORTS.columns)
    values = [getattr(report, name) for name in REPORTS.columns]
    sql = f"INSERT INTO reports ({columns}) VALUES ({placeholders(len(values))}) ON CONFLICT DO NOTHING"
    return await tx.execute(sql, *values) == 1


async def open_of(session: Session, site: str, ids: Iterable[str]) -> dict[str, list[Report]]:
    """Comment id → its open reports, oldest first."""
    return await of(session, site, ids, " AND outcome IS NULL")


async def of(session: Session, site: str, ids: Iterable[str], standing: str = "") -> dict[str, list[Report]]:
    """Comment id → its reports, settled ones too, oldest first. `standing`: a further condition."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await session.fetch(
        f"SELECT {', '.join(REPORTS.columns)} FROM reports WHERE site = ? AND id IN ({placeholders(len(wanted))}){standing} "
        "ORDER BY created_at, reporter",
        *(site, *wanted),
    )
    found: dict[str, list[Report]] = {}
    for row in rows:
        report = Report(**dict(zip(REPORTS.columns, row, strict=True)))
        found.setdefault(report.id, []).append(report)
    return found


async def record(session: Session, site: str, reporter: str) -> tuple[int, int]:
    """Of a reader's decided reports on a site: how many were right, and how many there are."""
    row = await session.fetch_one(
        "SELECT count(CASE WHEN outcome = ? THEN 1 END), count(*) FROM reports WHERE site = ? AND reporter = ? AND outcome IN (?, ?)",
        *(RIGHT, site, reporter, RIGHT, HARMLESS),
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def since(session: Session, site: str, reporter: str, since: int) -> int:
    """A reader's reports since a moment."""
    row = await session.fetch_one(
        "SELECT count(*) FROM reports WHERE site = ? AND reporter = ? AND created_at >= ?", site, reporter, since
    )
    return int(row[0]) if row else 0


async def is_harmless(session: Session, site: str, id: str, revision: int) -> bool:
    """Whether a moderator has found this text of the comment harmless after a report."""
    return bool(
        await session.fetch(
            "SELECT 1 FROM reports WHERE site = ? AND id = ? AND revision = ? AND outcome = ? LIMIT 1",
            *(site, id, revision, HARMLESS),
        )
    )


async def settle(tx: Session, site: str, ids: Iterable[str], outcome: str, decision: str) -> None:
    """Gives the open reports of these comments their outcome."""
    wanted = list(ids)
    await tx.execute(
        f"UPDATE reports SET outcome = ?, decision = ? WHERE site = ? AND outcome IS NULL AND id IN ({placeholders(len(wanted))})",
        *(outcome, decision, site, *wanted),
    )


async def reopen(tx: Session, site: str, decision: str) -> None:
    """Opens what a decision has settled, since it is undone."""
    await tx.execute(
        "UPDATE reports SET outcome = NULL, decision = NULL WHERE site = ? AND decision = ?", site, decision
    )


async def counts(session: Session) -> dict[str, int]:
    """Site → the number of published comments with open reports."""
    rows = await session.fetch(
        "SELECT r.site, count(DISTINCT r.id) FROM reports r JOIN comments c ON c.site = r.site AND c.id = r.id WHERE r.outcome IS NULL "
        "AND c.status = 'approved' AND r.site IN (SELECT site FROM sites) GROUP BY r.site"
    )
    return {row[0]: int(row[1]) for row in rows}


async def forget_reporters(tx: Session, site: str, before: int, most: int) -> int:
    """Puts names of nobody in place of the readers who reported before a moment. Returns the number of reports."""
    rows = await tx.fetch(
        "SELECT id, reporter FROM reports WHERE site = ? AND created_at < ? AND reporter NOT LIKE 'gone-%' LIMIT ?",
        *(site, before, most),
    )
    await tx.execute_many(
        "UPDATE reports SET reporter = ? WHERE site = ? AND id = ? AND reporter = ?",
        [(f"gone-{token_hex(8)}", site, *row) for row in rows],
    )
    return len(rows)
