"""What if: a replay of recent verdicts under other rules or another model, before a change goes live.

The policy judges each verdict again from stored data: scores, facts and the judged text. Not stored are the network address,
the age of the form token, and erased texts. Rules that need these are evaluated with both possible answers. A verdict that
depends on them is reported as not replayed.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from classifier.examples import Asked, Author
from classifier.labels import Scores
from classifier.serving import Classifier
from moderation.comments import store_submissions as judged_submissions
from moderation.comments.store_submissions import JudgedSubmission
from moderation.comments.submission import Submission
from moderation.comments.verdict import HOLD, PUBLISH, SPAM, Reason
from moderation.core.ids import first_id_at
from moderation.core.times import iso
from moderation.db.database import Database
from moderation.policy import rules as policy
from moderation.policy import store_settings_history as past_settings
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.rules import Case, Rule
from moderation.policy.scorer import Scorer
from moderation.policy.store_settings_history import Version
from moderation.sites.model import DAY, Mute, Site
from moderation.sites.site_settings import SiteSettings
from moderation.text import body as formats

MOST, PAGE, BATCH = 20_000, 1_000, 64
SHOWN, EXCERPT = 50, 160
COMPILED = {"disallowed": "disallows", "blocked": "blocks"}
RULE_OF = {"disallowed": "disallowed", "blocked": "blocked-word"}
WORTH = {
    "approve": {PUBLISH: 2, HOLD: 1, SPAM: 0},
    **{decision: {PUBLISH: 0, HOLD: 1, SPAM: 2} for decision in ("spam", "reject", "delete")},
}
"""Decision → how close each automatic action is to it."""


@dataclass(frozen=True, slots=True)
class PastSettings:
    """A site's settings at past times, as far as the history is kept."""

    today: SiteSettings
    versions: list[Version]
    """Oldest first."""

    def at(self, when: int) -> SiteSettings | None:
        """The settings at a time; None before the kept history."""
        later = bisect_right(self.versions, when, key=lambda version: version.changed_at)
        if later == len(self.versions):
            return self.today
        return None if later == 0 and not past_settings.are_all(self.versions) else self.versions[later].settings


@dataclass(frozen=True, slots=True)
class Rejudged:
    """`action` is None if data that is not stored would decide; `why` names it."""

    action: str | None
    reasons: tuple[Reason, ...] = ()
    why: str = ""


def recorded(row: JudgedSubmission, rule: str, note: str | None = None) -> list[Reason]:
    """The result of a rule at the time."""
    found = [Reason.of(r) for r in row.reasons if r.get("rule") == rule]
    return [r for r in found if note is None or r.note.partition(";")[0] == note]


def is_erased(row: JudgedSubmission) -> bool:
    """Whether text or author is erased."""
    return not row.body or row.author_key == row.id


def list_answers(
    row: JudgedSubmission, name: str, then: SiteSettings | None, house: SiteSettings
) -> tuple[list[list[Reason]], str]:
    """The possible results of a list besides its matches in the stored text: one, or both if unknown."""
    rule, new = RULE_OF[name], getattr(house, name)
    if is_erased(row):
        if not new or (then and getattr(then, name) == new):
            return [recorded(row, rule) if new else []], ""
        return [[], [Reason(rule=rule)]], "erased"
    after = getattr(house, COMPILED[name]).networks
    if not after:
        return [[]], ""
    if then:
        hits, before = recorded(row, rule, "address"), getattr(then, COMPILED[name]).networks
        if not hits and after <= before:
            return [[]], ""
        if hits and before <= after:
            return [hits], ""
    return [[], [Reason(rule=rule, note="address")]], "address"


def answering(rule: Rule, said: list[Reason], *, alone: bool) -> Rule:
    """A rule with a fixed result for data that is not stored; `alone`: without reading an erased text."""
    if not said and not alone:
        return rule
    return lambda case: said if alone else rule(case) + said


def case_of(row: JudgedSubmission, house: SiteSettings, scores: Scores | None, thresholds: Mapping[str, float]) -> Case:
    facts = row.facts or {}
    sent = Submission.of(row.body, row.format, name=row.author_name, email=f"@{row.email_domain}", url=row.author_url)
    return Case(
        submission=sent,
        settings=house,
        scores=scores,
        model=row.model,
        thresholds=thresholds,
        links=int(facts.get("links", 0)),
        trusted=bool(facts.get("trusted")),
        form=str(facts.get("form", "")),
        honeypot=bool(facts.get("honeypot")),
        author=row.author_key,
        wave=str(facts.get("wave", "")),
        new_article=bool(facts.get("new_article")),
        muted={rule: Mute(why="overturned", since=0) for rule in facts.get("muted", ())},
    )


def rejudge(case: Case, row: JudgedSubmission, then: SiteSettings | None) -> Rejudged:
    """One verdict under the case's rules; `then` are the rules of its time."""
    house = case.settings
    answers = {name: list_answers(row, name, then, house) for name in COMPILED}
    forms, why = [case.form], [w for _, w in answers.values() if w]
    same = then and (then.form_youngest, then.form_oldest) == (house.form_youngest, house.form_oldest)
    if case.form in ("ok", "early", "old") and not same:
        forms, why = ["ok", "early"], [*why, "form"]
    found: list[Rejudged] = []
    gone = is_erased(row)
    for form, disallowed, blocked in product(forms, answers["disallowed"][0], answers["blocked"][0]):
        said = {"disallowed": disallowed, "blocked-word": blocked}
        asked = tuple(
            (name, answering(rule, said[name], alone=gone) if name in said else rule, leads_to)
            for name, rule, leads_to in policy.RULES
        )
        verdict = policy.judge(case if form == case.form else replace(case, form=form), asked)
        found.append(Rejudged(verdict.action, verdict.reasons))
    if len({one.action for one in found}) > 1:
        return Rejudged(None, why=why[0])
    return found[0]


@dataclass
class Tally:
    """The result of a replay."""

    verdicts: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    already: Counter[tuple[str, str]] = field(default_factory=Counter)
    agree: Counter[tuple[str, str]] = field(default_factory=Counter)
    disagree: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    missed_ids: list[str] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {
            "verdicts": self.verdicts,
            "changed": self.changes.total(),
            "changes": [
                {"from": move[0], "to": move[1], "count": count, "already": self.already[move]}
                | {"agree": self.agree[move], "disagree": self.disagree[move]}
                for move, count in self.changes.most_common()
            ],
            "decided": {"agree": self.agree.total(), "disagree": self.disagree.total()},
            "examples": self.examples,
            "not_replayed": {"count": self.missed.total(), "why": dict(self.missed), "comments": self.missed_ids},
        }


class WhatIf:
    """Runs one replay at a time; further requests wait, and comments never do."""

    def __init__(self, database: Database, scorer: Scorer) -> None:
        self.database, self.scorer = database, scorer
        self._one = asyncio.Lock()

    async def what_if(self, site: Site, days: int, house: SiteSettings, now: int, model: str = "") -> dict[str, Any]:
        """Replays a site's verdicts. Raises classifier.serving.ModelError for an unknown model."""
        async with self._one:
            other = await asyncio.to_thread(self.scorer.classifier.at, model, site.key) if model else None
            tally = Tally()
            at: tuple[str, int] | None = None
            async with self.database.reading() as session:
                past = PastSettings(site.settings, (await past_settings.versions(session, site.key))[::-1])
            while tally.verdicts < MOST:
                async with self.database.reading() as session:
                    rows = await judged_submissions.recent(session, site.key, first_id_at(now - days * DAY), at, PAGE)
                if not rows:
                    break
                at = rows[-1].id, rows[-1].revision
                scored = await rescored(other, rows, site.key) if other else [row.scores for row in rows]
                moved = await asyncio.to_thread(self._page, rows, scored, past, house, other, tally)
                async with self.database.reading() as session:
                    decided = await decided_verdicts.taken(session, site.key, [row.id for row, _, _ in moved])
                note(tally, moved, decided)
        return {
            "site": site.key,
            "days": days,
            "since": iso(now - days * DAY),
            "model": model or None,
            "capped": tally.verdicts >= MOST,
            **tally.document(),
        }

    def _page(
        self,
        rows: list[JudgedSubmission],
        scored: list[Scores | None],
        past: PastSettings,
        house: SiteSettings,
        other: Classifier | None,
        tally: Tally,
    ) -> list[tuple[JudgedSubmission, Rejudged, bool]]:
        """(verdict, new verdict, whether today's rules already give it) of the changed ones."""
        shipped = self.scorer.thresholds()
        thresholds = other.thresholds if other else shipped
        moved = []
        for row, scores in zip(rows, scored, strict=True):
            tally.verdicts += 1
            found = Rejudged(None, why="erased")
            if other is None or row.body:
                found = rejudge(case_of(row, house, scores, thresholds), row, past.at(row.created_at))
            if found.action is None:
                tally.missed[found.why] += 1
                if len(tally.missed_ids) < SHOWN:
                    tally.missed_ids.append(row.id)
            elif found.action != row.action:
                today = rejudge(case_of(row, past.today, row.scores, shipped), row, past.at(row.created_at))
                moved.append((row, found, today.action == found.action))
        return moved


async def rescored(other: Classifier, rows: list[JudgedSubmission], site: str) -> list[Scores | None]:
    """New scores, computed off the event loop a batch at a time; None for erased texts."""
    found: list[Scores | None] = []
    for start in range(0, len(rows), BATCH):
        asked = [
            Asked(text_of(row), Author(row.author_name, row.author_url or "", row.email_domain), site)
            for row in rows[start : start + BATCH]
        ]
        found += [one.scores for one in await asyncio.to_thread(other.score, asked)]
    return found


def agreement(decision: str, was: str, would: str) -> bool | None:
    """Whether the new verdict is closer to the moderator's decision; None without a decision that tells."""
    worth = WORTH.get(decision)
    return worth.get(would, 1) > worth.get(was, 1) if worth else None


def text_of(row: JudgedSubmission) -> str:
    return formats.plain(row.body, row.format)


def note(
    tally: Tally,
    moved: list[tuple[JudgedSubmission, Rejudged, bool]],
    decided: Mapping[tuple[str, int], str],
) -> None:
    for row, found, already in moved:
        assert found.action is not None
        move = row.action, found.action
        tally.changes[move] += 1
        tally.already[move] += already
        agrees = agreement(decision := decided.get((row.id, row.revision), ""), row.action, found.action)
        if agrees is not None:
            (tally.agree if agrees else tally.disagree)[move] += 1
        if len(tally.examples) < SHOWN:
            tally.examples.append(
                {
                    "id": row.id,
                    "url": f"/moderate/comments/{row.id}",
                    "created_at": iso(row.created_at),
                    "name": row.author_name,
                    "excerpt": text_of(row)[:EXCERPT],
                    "from": row.action,
                    "to": found.action,
                    "reasons": list(dict.fromkeys(policy.counted_as(reason) for reason in found.reasons)),
                    "already": already,
                    "decided": decision or None,
                    "agrees": agrees,
                }
            )
