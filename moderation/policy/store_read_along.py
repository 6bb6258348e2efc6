"""Models that read along: their runs, and their verdicts, without texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from moderation.comments.store_submissions import SUBMISSION, SUBMISSIONS, JudgedSubmission, submission_of
from moderation.core.ids import first_id_at
from moderation.db.database import Row, Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.policy.rejudge import Rejudged

RUNS = Table(
    name="read_along_runs",
    columns=(
        *("site", "id", "model", "started_at", "started_by", "read_until", "problem", "ended_at", "ended_by"),
        "outcome",
    ),
)
VERDICTS = Table(
    name="read_along_verdicts",
    columns=("site", "id", "revision", "run", "action", "changed", "scores", "rules", "created_at"),
    key=4,
)
TABLES = (RUNS, VERDICTS)
RUN = listed(RUNS.columns)
"""Of a Run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The time in which one model reads along on one site; `outcome` is empty while it lasts."""

    site: str
    id: str
    model: str
    started_at: int
    started_by: str
    read_until: int
    problem: str = ""
    ended_at: int | None = None
    ended_by: str | None = None
    outcome: str = ""


run_of = reader(Run, RUNS.columns)


async def begin(tx: Session, run: Run) -> None:
    """Begins a run. The caller has ended the previous one."""
    await tx.execute(RUNS.insert, *(getattr(run, name) for name in RUNS.columns))


async def end(tx: Session, site: str, outcome: str, by: str, now: int) -> Run | None:
    """Ends the site's run and returns it; None if there is none."""
    run = await running_on(tx, site)
    if run:
        await tx.execute(
            "UPDATE read_along_runs SET ended_at = ?, ended_by = ?, outcome = ? WHERE site = ? AND id = ?",
            *(now, by, outcome, site, run.id),
        )
    return run


async def running(session: Session) -> list[Run]:
    rows = await session.fetch(
        f"SELECT {RUN} FROM read_along_runs WHERE site IN (SELECT site FROM sites) AND ended_at IS NULL ORDER BY site"
    )
    return [run_of(row) for row in rows]


async def running_on(session: Session, site: str) -> Run | None:
    row = await session.fetch_one(f"SELECT {RUN} FROM read_along_runs WHERE site = ? AND ended_at IS NULL", site)
    return run_of(row) if row else None


async def latest(session: Session, site: str) -> Run | None:
    """The run that lasts, or the last one."""
    row = await session.fetch_one(f"SELECT {RUN} FROM read_along_runs WHERE site = ? ORDER BY id DESC LIMIT 1", site)
    return run_of(row) if row else None


async def unread(session: Session, run: Run, since: int, after: tuple[str, int], limit: int) -> list[JudgedSubmission]:
    """Judged texts of the site from `since` on that the model has not read, oldest first."""
    rows = await session.fetch(
        f"SELECT {SUBMISSION} FROM submissions s WHERE s.site = ? AND s.id >= ? AND (s.id, s.revision) > (?, ?) AND s.source = "
        "'comment' AND s.body <> '' AND NOT EXISTS (SELECT 1 FROM read_along_verdicts v WHERE v.site = s.site AND v.id = s.id "
        "AND v.revision = s.revision AND v.run = ?) ORDER BY s.id, s.revision LIMIT ?",
        *(run.site, first_id_at(since), *after, run.id, limit),
    )
    return [submission_of(row) for row in rows]


async def add(tx: Session, run: Run, verdicts: Iterable[Rejudged], now: int) -> int:
    """Stores verdicts and returns their number. Skips texts erased meanwhile, and all of them after the run's end."""
    new = {(verdict.row.id, verdict.row.revision): verdict for verdict in verdicts}
    current = await running_on(tx, run.site)
    if not new or current is None or current.id != run.id:
        return 0
    ids = sorted({id for id, _ in new})
    rows = await tx.fetch(
        f"SELECT id, revision FROM submissions WHERE site = ? AND id IN ({placeholders(len(ids))}) AND body <> ''",
        *(run.site, *ids),
    )
    kept = [new[key] for key in ((row[0], row[1]) for row in rows) if key in new]
    await tx.execute_many(
        f"{VERDICTS.insert} ON CONFLICT DO NOTHING",
        [
            (
                *(run.site, verdict.row.id, verdict.row.revision, run.id, verdict.action),
                *(int(verdict.action != verdict.row.action), rounded(verdict.scores or {}), dumps(verdict.rules), now),
            )
            for verdict in kept
        ],
    )
    return len(kept)


def dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def rounded(scores: dict[str, float]) -> str:
    return dumps({label: round(p, 6) for label, p in scores.items()})


async def note(tx: Session, run: Run, read_until: int, problem: str) -> None:
    await tx.execute(
        "UPDATE read_along_runs SET read_until = ?, problem = ? WHERE site = ? AND id = ?",
        *(read_until, problem, run.site, run.id),
    )


def verdict_of(row: Row) -> Rejudged:
    action, scores, rules = row[len(SUBMISSIONS.columns) :]
    return Rejudged(
        row=submission_of(row), action=action, scores=orjson.loads(scores), rules=tuple(orjson.loads(rules))
    )


async def verdicts(
    session: Session, run: Run, before: tuple[str, int] | None, limit: int, *, changed: bool = False
) -> list[Rejudged]:
    """A run's verdicts, newest first; `before` is (id, revision) of the last one read. `changed`: only those."""
    below = ("AND (v.id, v.revision) < (?, ?)", *before) if before else ("",)
    only = "AND v.changed = 1 " if changed else ""
    rows = await session.fetch(
        f"SELECT {SUBMISSION}, v.action, v.scores, v.rules FROM read_along_verdicts v JOIN submissions s ON s.site = v.site AND "
        f"s.id = v.id AND s.revision = v.revision WHERE v.site = ? AND v.run = ? {only}{below[0]} "
        "ORDER BY v.id DESC, v.revision DESC LIMIT ?",
        *(run.site, run.id, *below[1:], limit),
    )
    return [verdict_of(row) for row in rows]


async def counts(session: Session) -> list[tuple[str, int, int]]:
    """(site, verdicts, changed ones) of each run that lasts."""
    rows = await session.fetch(
        "SELECT r.site, count(v.id), coalesce(sum(v.changed), 0) FROM read_along_runs r LEFT JOIN read_along_verdicts v ON "
        "v.site = r.site AND v.run = r.id WHERE r.site IN (SELECT site FROM sites) AND r.ended_at IS NULL GROUP BY r.site"
    )
    return [(row[0], int(row[1]), int(row[2])) for row in rows]


async def of_author(session: Session, site: str, author_key: str) -> list[tuple[str, int, dict[str, Any], int]]:
    """(id, revision, model with action and scores, time) of the verdicts on an author's texts."""
    rows = await session.fetch(
        "SELECT v.id, v.revision, r.model, v.action, v.scores, v.created_at FROM read_along_verdicts v JOIN read_along_runs r ON "
        "r.site = v.site AND r.id = v.run JOIN submissions s ON s.site = v.site AND s.id = v.id AND s.revision = v.revision "
        "WHERE s.site = ? AND s.author_key = ? ORDER BY v.id, v.revision",
        *(site, author_key),
    )
    return [
        (row[0], row[1], {"model": row[2], "action": row[3], "scores": orjson.loads(row[4])}, row[5]) for row in rows
    ]


async def purge(tx: Session, site: str, before: int, limit: int) -> int:
    """Deletes verdicts older than a time, and ended runs without verdicts. Returns the number of verdicts."""
    deleted = await tx.execute(
        "DELETE FROM read_along_verdicts WHERE site = ? AND (id, revision, run) IN (SELECT id, revision, run FROM "
        "read_along_verdicts WHERE site = ? AND id < ? LIMIT ?)",
        *(site, site, first_id_at(before), limit),
    )
    await tx.execute(
        "DELETE FROM read_along_runs WHERE site = ? AND ended_at < ? AND NOT EXISTS (SELECT 1 FROM read_along_verdicts v WHERE "
        "v.site = read_along_runs.site AND v.run = read_along_runs.id)",
        *(site, before),
    )
    return deleted
