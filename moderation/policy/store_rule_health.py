"""Rule health: hits and overturned hits by site, rule and day."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moderation.comments.verdict import PUBLISH, Reason
from moderation.core.ids import first_id_at
from moderation.db.database import Session, placeholders
from moderation.db.tables import Table
from moderation.policy.rules import counted_as
from moderation.sites.model import DAY, Mute

COUNTS = Table(name="rule_counts", columns=("site", "rule", "day", "hits", "decided", "overturned"), key=3)
TABLES = (COUNTS,)
Key = tuple[str, str, int]
"""(site, rule, day)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    hits: int = 0
    decided: int = 0
    overturned: int = 0

    def document(self) -> dict[str, int]:
        return {"hits": self.hits, "decided": self.decided, "overturned": self.overturned}


async def add(tx: Session, counted: Mapping[Key, Count]) -> None:
    """Adds counts, in one statement; in none for empty counts."""
    rows = [(*key, c.hits, c.decided, c.overturned) for key, c in sorted(counted.items()) if c != Count()]
    if rows:
        await tx.execute_many(
            f"{COUNTS.insert} "
            "ON CONFLICT (site, rule, day) DO UPDATE SET hits = rule_counts.hits + excluded.hits, "
            "decided = rule_counts.decided + excluded.decided, overturned = rule_counts.overturned + excluded.overturned",
            rows,
        )


async def outcomes(session: Session, site: str, ids: Iterable[str]) -> dict[tuple[str, int], bool]:
    """(id, judged revision) → whether the last standing decision approved it; `hold` decides nothing."""
    wanted = list(ids)
    rows = await session.fetch(
        f"SELECT submission, judged_revision, action FROM decisions WHERE site = ? AND submission IN ({placeholders(len(wanted))}) "
        "AND undone_at IS NULL AND action IN ('approve', 'spam', 'reject', 'delete') ORDER BY id",
        *(site, *wanted),
    )
    return {(row[0], row[1]): row[2] == "approve" for row in rows}


async def caught_by(session: Session, site: str, ids: Iterable[str]) -> dict[tuple[str, int], list[Key]]:
    """(id, judged revision) → the rules that fired on comments that were not published, with the day of the verdict.

    Imported comments are excluded: another system judged them.
    """
    wanted = list(ids)
    rows = await session.fetch(
        "SELECT id, revision, reasons, created_at FROM submissions "
        f"WHERE site = ? AND id IN ({placeholders(len(wanted))}) AND action <> ? AND source <> 'import'",
        *(site, *wanted, PUBLISH),
    )
    return {
        (row[0], row[1]): [
            (site, rule, row[3] // DAY) for rule in sorted({counted_as(Reason.of(r)) for r in json.loads(row[2])})
        ]
        for row in rows
    }


async def counts(session: Session, site: str | None, first: int = 0, last: int | None = None) -> dict[str, Count]:
    """Sums by rule over the days from `first` to before `last`; over all sites if none is named."""
    where, args = ["day >= ?"], [first]
    if last is not None:
        where.append("day < ?")
        args.append(last)
    here = "site IN (SELECT site FROM sites)" if site is None else "site = ?"
    rows = await session.fetch(
        f"SELECT rule, sum(hits), sum(decided), sum(overturned) FROM rule_counts WHERE {here} AND "
        f"{' AND '.join(where)} GROUP BY rule ORDER BY rule",
        *([] if site is None else [site]),
        *args,
    )
    return {row[0]: Count(hits=int(row[1]), decided=int(row[2]), overturned=int(row[3])) for row in rows}


async def submitted(session: Session, site: str, first: int, last: int) -> int:
    """The number of comments on the days from `first` to before `last`."""
    row = await session.fetch_one(
        "SELECT count(*) FROM comments WHERE site = ? AND id >= ? AND id < ?",
        *(site, first_id_at(first * DAY), first_id_at(last * DAY)),
    )
    return int(row[0]) if row else 0


async def set_mutes(tx: Session, site: str, mutes: Mapping[str, Mute]) -> None:
    kept = {rule: {"why": m.why, "since": m.since, "ended": m.ended} for rule, m in mutes.items()}
    await tx.execute("UPDATE sites SET mutes = ?, revision = revision + 1 WHERE site = ?", json.dumps(kept), site)
