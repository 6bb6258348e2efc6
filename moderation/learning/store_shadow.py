"""Shadow mode: runs of candidates and their verdicts, without texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from moderation.comments.store_submissions import SUBMISSION, JudgedSubmission, submission_of
from moderation.core.ids import first_id_at
from moderation.db.database import Row, Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

RUNS = Table(
    name="shadow_runs",
    columns=(
        *("site", "id", "model", "started_at", "started_by", "read_until", "problem", "ended_at", "ended_by"),
        "outcome",
    ),
)
VERDICTS = Table(
    name="shadow_verdicts",
    columns=("site", "id", "revision", "run", "action", "differs", "scores", "rules", "created_at"),
    key=4,
)
TABLES = (RUNS, VERDICTS)
RUN = listed(RUNS.columns)
"""Of a Run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A candidate's run on one site; `outcome` is empty while it runs."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowVerdict:
    """A candidate's verdict. `rules` are the names of its reasons, as in rule health."""

    id: str
    revision: int
    action: str
    differs: bool
    scores: dict[str, float]
    rules: list[str]
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The verdicts of the current model and of the candidate on one text."""

    id: str
    revision: int
    was: str
    would: str
    scores: dict[str, float]
    candidate: dict[str, float]
    reasons: list[dict[str, object]]
    rules: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The last standing decision on a compared text."""

    action: str
    labels: list[str]


run_of = reader(Run, RUNS.columns)


async def begin(tx: Session, run: Run) -> None:
    """Begins a run. The caller has ended the previous one."""
    await tx.execute(
        RUNS.insert,
        *(run.site, run.id, run.model, run.started_at, run.started_by, run.read_until, run.problem, run.ended_at),
        *(run.ended_by, run.outcome),
    )


async def end(tx: Session, site: str, outcome: str, by: str, now: int) -> Run | None:
    """Ends the running one and returns it; None if none runs."""
    found = await running_on(tx, site)
    if found:
        await tx.execute(
            "UPDATE shadow_runs SET ended_at = ?, ended_by = ?, outcome = ? WHERE site = ? AND id = ?",
            *(now, by, outcome, site, found.id),
        )
    return found


async def running(session: Session) -> list[Run]:
    rows = await session.fetch(
        f"SELECT {RUN} FROM shadow_runs WHERE site IN (SELECT site FROM sites) AND ended_at IS NULL ORDER BY site"
    )
    return [run_of(row) for row in rows]


async def running_on(session: Session, site: str) -> Run | None:
    row = await session.fetch_one(f"SELECT {RUN} FROM shadow_runs WHERE site = ? AND ended_at IS NULL", site)
    return run_of(row) if row else None


async def latest(session: Session, site: str) -> Run | None:
    """The running or latest run."""
    row = await session.fetch_one(f"SELECT {RUN} FROM shadow_runs WHERE site = ? ORDER BY id DESC LIMIT 1", site)
    return run_of(row) if row else None


async def unread(session: Session, run: Run, since: int, after: tuple[str, int], limit: int) -> list[JudgedSubmission]:
    """Judged texts of the site from `since` on that the candidate has not read, oldest first."""
    rows = await session.fetch(
        f"SELECT {SUBMISSION} FROM submissions s WHERE s.site = ? AND s.id >= ? AND (s.id, s.revision) > (?, ?) AND s.source = "
        "'comment' AND s.body <> '' AND NOT EXISTS (SELECT 1 FROM shadow_verdicts v WHERE v.site = s.site AND v.id = s.id "
        "AND v.revision = s.revision AND v.run = ?) ORDER BY s.id, s.revision LIMIT ?",
        *(run.site, first_id_at(since), *after, run.id, limit),
    )
    return [submission_of(row) for row in rows]


async def add(tx: Session, run: Run, said: Iterable[ShadowVerdict]) -> int:
    """Stores verdicts and returns their number. Skips texts erased meanwhile, and all of them after the run's end."""
    rows = {(v.id, v.revision): v for v in said}
    if not rows or (now := await running_on(tx, run.site)) is None or now.id != run.id:
        return 0
    ids = sorted({id for id, _ in rows})
    here = await tx.fetch(
        f"SELECT id, revision FROM submissions WHERE site = ? AND id IN ({placeholders(len(ids))}) AND body <> ''",
        *(run.site, *ids),
    )
    kept = [rows[key] for key in ((row[0], row[1]) for row in here) if key in rows]
    await tx.execute_many(
        f"{VERDICTS.insert} ON CONFLICT DO NOTHING",
        [
            (
                run.site,
                v.id,
                v.revision,
                run.id,
                v.action,
                int(v.differs),
                dumps(v.scores),
                dumps(v.rules),
                v.created_at,
            )
            for v in kept
        ],
    )
    return len(kept)


def dumps(value: object) -> str:
    return orjson.dumps(value).decode()


async def note(tx: Session, run: Run, read_until: int, problem: str) -> None:
    await tx.execute(
        "UPDATE shadow_runs SET read_until = ?, problem = ? WHERE site = ? AND id = ?",
        read_until,
        problem,
        run.site,
        run.id,
    )


def compared_of(row: Row) -> Compared:
    scores, candidate, reasons, rules = (orjson.loads(text) if text else {} for text in row[4:8])
    return Compared(
        id=row[0],
        revision=row[1],
        was=row[2],
        would=row[3],
        scores=scores,
        candidate=candidate,
        reasons=list(reasons),
        rules=list(rules),
    )


async def compared(
    session: Session, run: Run, before: tuple[str, int] | None, limit: int, *, differing: bool = False
) -> list[Compared]:
    """Compared texts, newest first; `before` is (id, revision) of the last one read."""
    below = ("AND (v.id, v.revision) < (?, ?)", *before) if before else ("",)
    only = "AND v.differs = 1 " if differing else ""
    rows = await session.fetch(
        "SELECT v.id, v.revision, s.action, v.action, s.scores, v.scores, s.reasons, v.rules FROM shadow_verdicts v JOIN "
        "submissions s ON s.site = v.site AND s.id = v.id AND s.revision = v.revision WHERE v.site = ? AND v.run = ? "
        f"{only}{below[0]} ORDER BY v.id DESC, v.revision DESC LIMIT ?",
        *(run.site, run.id, *below[1:], limit),
    )
    return [compared_of(row) for row in rows]


async def decided(session: Session, run: Run) -> dict[tuple[str, int], Decided]:
    """(id, revision) → the decision on a compared text."""
    rows = await session.fetch(
        "SELECT d.submission, d.judged_revision, d.action, d.labels FROM decisions d JOIN shadow_verdicts v ON v.site = d.site AND "
        "v.id = d.submission AND v.revision = d.judged_revision AND v.run = ? WHERE d.site = ? AND d.id >= ? AND d.undone_at IS "
        "NULL AND d.action IS NOT NULL ORDER BY d.id",
        *(run.id, run.site, first_id_at(run.started_at)),
    )
    return {(row[0], row[1]): Decided(action=row[2], labels=orjson.loads(row[3])) for row in rows}


async def counts(session: Session) -> list[tuple[str, str, int, int]]:
    """(site, model, compared, differing) for each running candidate."""
    found = []
    for run in await running(session):
        rows = await session.fetch(
            "SELECT differs, count(*) FROM shadow_verdicts WHERE site = ? AND run = ? GROUP BY differs",
            *(run.site, run.id),
        )
        by = {int(row[0]): int(row[1]) for row in rows}
        found.append((run.site, run.model, sum(by.values()), by.get(1, 0)))
    return found


async def of_author(
    session: Session, site: str, author_key: str
) -> list[tuple[str, int, str, str, dict[str, float], int]]:
    """(id, revision, model, action, scores, time) of candidates' verdicts on an author's texts."""
    rows = await session.fetch(
        "SELECT v.id, v.revision, r.model, v.action, v.scores, v.created_at FROM shadow_verdicts v JOIN shadow_runs r ON "
        "r.site = v.site AND r.id = v.run JOIN submissions s ON s.site = v.site AND s.id = v.id AND s.revision = v.revision "
        "WHERE s.site = ? AND s.author_key = ? ORDER BY v.id, v.revision",
        *(site, author_key),
    )
    return [(row[0], row[1], row[2], row[3], orjson.loads(row[4]), row[5]) for row in rows]


async def forget(tx: Session, site: str, before: int, limit: int) -> int:
    """Deletes verdicts older than a time, and ended runs without verdicts. Returns the number of verdicts."""
    gone = await tx.execute(
        "DELETE FROM shadow_verdicts WHERE site = ? AND (id, revision, run) IN (SELECT id, revision, run FROM "
        "shadow_verdicts WHERE site = ? AND id < ? LIMIT ?)",
        *(site, site, first_id_at(before), limit),
    )
    await tx.execute(
        "DELETE FROM shadow_runs WHERE site = ? AND ended_at < ? AND NOT EXISTS (SELECT 1 FROM shadow_verdicts v WHERE "
        "v.site = shadow_runs.site AND v.run = shadow_runs.id)",
        *(site, before),
    )
    return gone
