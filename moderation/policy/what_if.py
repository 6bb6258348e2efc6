"""What if: stored verdicts beside those of other rules or another model, before a change goes live.

`WhatIf` replays the verdicts of the last days. A model can also read along (`read_along.py`): it judges new comments as they
arrive, without effect. Both are counted by one Tally.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from classifier.labels import LABELS, Scores
from moderation.comments import store_submissions as judged_submissions
from moderation.comments.decision import teaches
from moderation.comments.verdict import HOLD, PUBLISH, SPAM
from moderation.core.ids import first_id_at
from moderation.core.times import iso
from moderation.db.database import Database
from moderation.policy import rules as policy
from moderation.policy import store_settings_history as past_settings
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.rejudge import PastSettings, Rejudged, rejudge_all, rescored, text_of
from moderation.policy.scorer import Scorer
from moderation.policy.store_verdicts import Decided
from moderation.sites.model import DAY, Site
from moderation.sites.site_settings import SiteSettings

MOST, PAGE = 20_000, 1_000
"""Verdicts in a report, the latest, and those read at once."""
SHOWN, EXCERPT = 50, 160
WORTH = {
    "approve": {PUBLISH: 2, HOLD: 1, SPAM: 0},
    **{decision: {PUBLISH: 0, HOLD: 1, SPAM: 2} for decision in ("spam", "reject", "delete")},
}
"""Decision → how close each automatic action is to it."""
SIDES = ("from", "to")
ALL_BUT_CERTAIN = 1e-6
ORDER = [*(name for name, _, _ in policy.RULES), *(f"label:{label}" for label in LABELS)]


def agreement(decision: str, was: str, would: str) -> bool | None:
    """Whether the new verdict is closer to the moderator's decision; None without a decision that tells."""
    worth = WORTH.get(decision)
    return worth.get(would, 1) > worth.get(was, 1) if worth else None


def name_of(reason: Mapping[str, Any]) -> str:
    """`policy.counted_as` for a stored reason."""
    return f"label:{reason.get('label')}" if reason.get("rule") == "label" else str(reason.get("rule"))


def log_loss(p: float, truth: float) -> float:
    p = min(max(p, ALL_BUT_CERTAIN), 1 - ALL_BUT_CERTAIN)
    return -(truth * math.log(p) + (1 - truth) * math.log(1 - p))


def example(verdict: Rejudged, decision: str) -> dict[str, Any]:
    """A changed verdict, for a moderator to look at."""
    row, to = verdict.row, verdict.action or ""
    return {
        "id": row.id,
        "revision": row.revision,
        "url": f"/moderate/comments/{row.id}",
        "created_at": iso(row.created_at),
        "name": row.author_name,
        "excerpt": text_of(row)[:EXCERPT],
        "from": row.action,
        "to": to,
        "scores": {"from": row.scores, "to": row.scores if verdict.scores is None else verdict.scores},
        "reasons": list(verdict.rules),
        "already": verdict.already,
        "decided": decision or None,
        "agrees": agreement(decision, row.action, to),
    }


@dataclass
class Tally:
    """Counts of verdicts and of their changes, `from` the stored ones `to` the new ones."""

    verdicts: int = 0
    unchanged: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    already: Counter[tuple[str, str]] = field(default_factory=Counter)
    agree: Counter[tuple[str, str]] = field(default_factory=Counter)
    disagree: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SIDES, 0.0))
    missed: Counter[str] = field(default_factory=Counter)
    missed_ids: list[str] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add_all(self, verdicts: Sequence[Rejudged], decisions: Mapping[tuple[str, int], Decided]) -> None:
        """`decisions`: (id, revision) → the standing decision."""
        for verdict in verdicts:
            self.add(verdict, decisions.get((verdict.row.id, verdict.row.revision)))

    def add(self, verdict: Rejudged, decision: Decided | None) -> None:
        self.verdicts += 1
        row = verdict.row
        if verdict.action is None:
            self.missed[verdict.why] += 1
            if len(self.missed_ids) < SHOWN:
                self.missed_ids.append(row.id)
            return
        before, after = {name_of(reason) for reason in row.reasons}, set(verdict.rules)
        for name in before | after:
            counts = self.reasons.setdefault(name, Counter())
            counts["from"] += name in before
            counts["to"] += name in after
            counts["both"] += name in before and name in after
        if decision and verdict.scores is not None and row.scores is not None:
            self._add_scores({"from": row.scores, "to": verdict.scores}, decision)
        if verdict.action == row.action:
            self.unchanged[row.action] += 1
            return
        move = row.action, verdict.action
        self.changes[move] += 1
        self.already[move] += verdict.already
        action = decision.action if decision else ""
        agrees = agreement(action, *move)
        if agrees is not None:
            (self.agree if agrees else self.disagree)[move] += 1
        if len(self.examples) < SHOWN:
            self.examples.append(example(verdict, action))

    def _add_scores(self, scores: Mapping[str, Scores], decision: Decided) -> None:
        for label, truth in teaches(decision.action, decision.labels).items():
            counts = self.labels.setdefault(label, Counter())
            counts["decided"] += 1
            for side in SIDES:
                p = scores[side].get(label, 0.0)
                counts[side] += (p >= 0.5) == (truth >= 0.5)
                self.loss[side] += log_loss(p, truth)

    def document(self) -> dict[str, Any]:
        decided = sum(counts["decided"] for counts in self.labels.values())
        place = {name: n for n, name in enumerate(ORDER)}
        return {
            "capped": self.verdicts >= MOST,
            "verdicts": self.verdicts,
            "changed": self.changes.total(),
            "unchanged": dict(self.unchanged.most_common()),
            "changes": [
                {"from": move[0], "to": move[1], "count": count, "already": self.already[move]}
                | {"agree": self.agree[move], "disagree": self.disagree[move]}
                for move, count in self.changes.most_common()
            ],
            "decided": {"agree": self.agree.total(), "disagree": self.disagree.total()},
            "reasons": [
                {"reason": name, **{side: counts[side] for side in (*SIDES, "both")}}
                for name, counts in sorted(self.reasons.items(), key=lambda item: (place.get(item[0], 99), item[0]))
            ],
            "labels": {
                label: {name: self.labels[label][name] for name in ("decided", *SIDES)}
                for label in LABELS
                if label in self.labels
            },
            "log_loss": {side: round(self.loss[side] / decided, 4) for side in SIDES} if decided else None,
            "examples": self.examples,
            "not_replayed": {"count": self.missed.total(), "why": dict(self.missed), "comments": self.missed_ids},
        }


async def count(database: Database, site: str, tally: Tally, verdicts: Sequence[Rejudged]) -> None:
    """Adds verdicts to the tally, beside the moderators' decisions."""
    async with database.reading() as session:
        decisions = await decided_verdicts.taken(session, site, {verdict.row.id for verdict in verdicts})
    await asyncio.to_thread(tally.add_all, verdicts, decisions)


class WhatIf:
    """Runs one replay at a time; further requests wait, and comments never do."""

    def __init__(self, database: Database, scorer: Scorer) -> None:
        self.database, self.scorer = database, scorer
        self._one = asyncio.Lock()

    async def what_if(self, site: Site, days: int, house: SiteSettings, now: int, model: str = "") -> dict[str, Any]:
        """Replays a site's verdicts. Raises classifier.serving.ModelError for an unknown model."""
        tally, since, house = Tally(), now - days * DAY, house.in_force(now)
        at: tuple[str, int] | None = None
        async with self._one:
            other = await asyncio.to_thread(self.scorer.classifier.at, model, site.key) if model else None
            thresholds = other.thresholds if other else self.scorer.thresholds()
            async with self.database.reading() as session:
                past = PastSettings(site.settings, (await past_settings.versions(session, site.key))[::-1])
            while tally.verdicts < MOST:
                async with self.database.reading() as session:
                    rows = await judged_submissions.recent(session, site.key, first_id_at(since), at, PAGE)
                if not rows:
                    break
                at = rows[-1].id, rows[-1].revision
                scored = await rescored(other, rows) if other else None
                verdicts = await asyncio.to_thread(rejudge_all, rows, past, thresholds, house=house, scored=scored)
                verdicts = await asyncio.to_thread(self._with_today, verdicts, past, now)
                await count(self.database, site.key, tally, verdicts)
        head = {"site": site.key, "days": days, "since": iso(since), "model": model or None, "run": None}
        return head | tally.document()

    def _with_today(self, verdicts: list[Rejudged], past: PastSettings, now: int) -> list[Rejudged]:
        """The verdicts, with `already` set on the changed ones."""
        changed = [n for n, verdict in enumerate(verdicts) if verdict.action not in (None, verdict.row.action)]
        today = rejudge_all(
            [verdicts[n].row for n in changed], past, self.scorer.thresholds(), house=past.today.in_force(now)
        )
        for n, verdict in zip(changed, today, strict=True):
            verdicts[n] = replace(verdicts[n], already=verdict.action == verdicts[n].action)
        return verdicts
