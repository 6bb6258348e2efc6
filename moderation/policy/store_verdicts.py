"""Counts of verdicts, and decisions with their verdicts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from classifier import similar
from moderation.core.ids import EVERYWHERE, first_id_at
from moderation.db.database import Row, Session, placeholders
from moderation.duplicates import store as duplicates

BY_SCORE = ("label", "certain-spam")
"""Rules that ask nothing but the scores."""
MOST = 20_000
"""The most decisions read, the latest: as many as a page can count while its reader waits."""
PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A standing decision and the verdict that it answers. Times are Unix milliseconds."""

    submission: str
    action: str
    labels: tuple[str, ...]
    decided_at: int
    judged_action: str
    scores: dict[str, float]
    judged_at: int
    model: str = ""
    waits: bool = False
    """Another rule than a label's threshold holds it: it is published at no threshold."""
    is_repeat: bool = False
    """A near-duplicate of an earlier one with the same verdict and decision: a wave is one example in every error rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A standing decision, without its verdict."""

    action: str
    labels: tuple[str, ...]


def here(site: str, column: str = "site") -> tuple[str, list[str]]:
    """A condition on the site that uses the index, also for all sites."""
    return (f"{column} IN (SELECT site FROM sites)", []) if site == EVERYWHERE else (f"{column} = ?", [site])


def outcome_of(row: Row) -> Outcome:
    return Outcome(
        submission=row[0],
        action=row[1],
        labels=tuple(json.loads(row[2])),
        decided_at=row[3],
        judged_action=row[4],
        scores=json.loads(row[5] or "{}"),
        judged_at=row[6],
        model=row[7] or "",
        waits=any(reason.get("rule") not in BY_SCORE for reason in json.loads(row[8])),
    )


def outcomes_of(rows: list[Row]) -> list[Outcome]:
    return [outcome_of(row) for row in rows]


async def judged(session: Session, site: str, since: int, sample: str = "") -> dict[str, int]:
    """Automatic action → the number of comments since then; or of the `sample`, by the end of their ids."""
    where, args = here(site)
    only, ends = ("AND substr(id, 26, 1) = ? ", (sample,)) if sample else ("", ())
    rows = await session.fetch(
        f"SELECT action, count(*) FROM submissions WHERE {where} AND id >= ? AND revision = 1 AND source = 'comment' {only}"
        "GROUP BY action",
        *(*args, first_id_at(since), *ends),
    )
    return {row[0]: int(row[1]) for row in rows}


async def outcomes(session: Session, site: str, since: int, most: int = MOST) -> list[Outcome]:
    """The last standing decision on each text since then, oldest first. They are read a page at a time, and scores are parsed in
    a thread, so that comments do not wait for 20,000 of them."""
    where, args = here(site, "d.site")
    last: dict[str, Outcome] = {}
    page = most if site == EVERYWHERE else min(most, PAGE)  # for all sites each page would sort everything again
    before, left = ("", list[str]()), most
    while left > 0:
        rows = await session.fetch(
            "SELECT d.submission, d.action, d.labels, d.created_at, s.action, s.scores, s.created_at, s.model, s.reasons, d.id "
            "FROM decisions d JOIN submissions s ON s.site = d.site AND s.id = d.submission AND s.revision = d.judged_revision "
            f"WHERE {where} AND d.id >= ? AND d.undone_at IS NULL AND d.action IS NOT NULL AND s.source = 'comment' {before[0]} "
            "ORDER BY d.id DESC, d.submission DESC LIMIT ?",
            *(*args, first_id_at(since), *before[1], min(page, left)),
        )
        for outcome in await asyncio.to_thread(outcomes_of, rows):
            last.setdefault(outcome.submission, outcome)
        left = left - len(rows) if len(rows) == page else 0
        before = ("AND (d.id, d.submission) < (?, ?)", [rows[-1][9], rows[-1][0]] if rows else [])
    outcomes = list(reversed(last.values()))
    keys = await duplicates.keys_of(session, site, [outcome.submission for outcome in outcomes])
    return await asyncio.to_thread(marked, outcomes, keys)


def marked(outcomes: list[Outcome], keys: Mapping[str, Collection[int]]) -> list[Outcome]:
    """The same, with `is_repeat`. keys: of each text, those that its near-duplicates share (`classifier/similar.py`)."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.action, outcome.judged_action), []).append(outcome)
    repeats = {
        some[number].submission
        for some in groups.values()
        for number, first in enumerate(similar.first_of_wave(keys.get(one.submission, ()) for one in some))
        if first != number
    }
    return [replace(outcome, is_repeat=outcome.submission in repeats) for outcome in outcomes]


async def taken(session: Session, site: str, ids: Collection[str]) -> dict[tuple[str, int], Decided]:
    """(submission, revision) → the last standing decision."""
    if not ids:
        return {}
    rows = await session.fetch(
        f"SELECT submission, judged_revision, action, labels FROM decisions WHERE site = ? AND submission IN ({placeholders(len(ids))}) "
        "AND undone_at IS NULL AND action IS NOT NULL ORDER BY id",
        *(site, *ids),
    )
    return {(row[0], row[1]): Decided(action=row[2], labels=tuple(json.loads(row[3]))) for row in rows}


async def tallied(session: Session, since: int, sample: str = "") -> dict[str, tuple[int, int]]:
    """Automatic action → decided and overturned verdicts since then, over all sites.

    `sample`: of the audit sample alone, by the end of its ids."""
    only, args = ("AND substr(d.submission, 26, 1) = ? ", (sample,)) if sample else ("", ())
    rows = await session.fetch(
        "SELECT s.action, sum(CASE WHEN d.action = 'hold' THEN 0 ELSE 1 END), sum(CASE WHEN s.action = 'publish' THEN "
        "CASE WHEN d.action IN ('spam', 'reject', 'delete') THEN 1 ELSE 0 END ELSE CASE WHEN d.action = 'approve' THEN 1 "
        "ELSE 0 END END) FROM decisions d JOIN submissions s ON s.site = d.site AND s.id = d.submission AND s.revision = "
        "d.judged_revision WHERE d.site IN (SELECT site FROM sites) AND d.id >= ? AND d.undone_at IS NULL AND d.action IS NOT NULL "
        f"AND s.source = 'comment' {only}GROUP BY s.action",
        *(first_id_at(since), *args),
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


async def oldest_waiting(session: Session, site: str) -> int | None:
    where, args = here(site)
    row = await session.fetch_one(f"SELECT min(created_at) FROM comments WHERE {where} AND status = 'pending'", *args)
    return row[0] if row else None
