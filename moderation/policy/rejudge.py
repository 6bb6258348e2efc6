"""One stored verdict under other rules or another model's scores.

The policy judges again from stored data: scores, facts and the judged text. Not stored are the network address, the age of
the form token, and erased texts. Rules that need these are evaluated with both possible answers. A verdict that depends on
them stays unknown.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from classifier.examples import Asked, Author
from classifier.labels import Scores
from moderation.comments.store_submissions import JudgedSubmission
from moderation.comments.submission import Submission
from moderation.comments.verdict import Reason
from moderation.policy import rules as policy
from moderation.policy import store_settings_history as past_settings
from moderation.policy.rules import Case, Rule
from moderation.policy.store_settings_history import Version
from moderation.sites.model import Mute
from moderation.sites.site_settings import SiteSettings
from moderation.text import body as formats

if TYPE_CHECKING:  # the store of runs, and so every command, would wait for numpy
    from classifier.serving import Classifier

BATCH = 64
"""Texts that another model scores in one call."""
COMPILED = {"disallowed": "disallows", "blocked": "blocks"}
RULE_OF = {"disallowed": "disallowed", "blocked": "blocked-word"}


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
            return self.today.in_force(when)
        if later == 0 and not past_settings.are_all(self.versions):
            return None
        return self.versions[later].settings.in_force(when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """A stored verdict, and the one that other rules or another model lead to."""

    row: JudgedSubmission
    action: str | None
    """None if data that is not stored would decide; `why` names it."""
    rules: tuple[str, ...] = ()
    """The rules that fire, by the names of rule health."""
    scores: Scores | None = None
    """The other model's; None where the stored ones count."""
    already: bool = False
    """Today's rules with the stored scores lead to `action` too."""
    why: str = ""


def recorded(row: JudgedSubmission, rule: str, note: str | None = None) -> list[Reason]:
    """The result of a rule at the time."""
    reasons = [Reason.of(reason) for reason in row.reasons if reason.get("rule") == rule]
    return [reason for reason in reasons if note is None or reason.note.partition(";")[0] == note]


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


def with_answer(rule: Rule, answer: list[Reason], *, alone: bool) -> Rule:
    """A rule with a fixed answer for data that is not stored; `alone`: without reading an erased text."""
    if not answer and not alone:
        return rule
    return lambda case: answer if alone else rule(case) + answer


def case_of(row: JudgedSubmission, house: SiteSettings, scores: Scores | None, thresholds: Mapping[str, float]) -> Case:
    facts = row.facts or {}
    sent = Submission.of(row.body, row.format, name=row.author_name, email=f"@{row.email_domain}", url=row.author_url)
    return Case(
        submission=sent,
        settings=house,
        scores=scores,
        model=row.model,
        thresholds=thresholds,
        fields=facts.get("fields", {}),
        links=(links := int(facts.get("links", 0))),
        strange_links=int(facts.get("strange_links", links)),
        strange_website=bool(facts.get("strange_website")),
        trusted=bool(facts.get("trusted")),
        form=str(facts.get("form", "")),
        honeypot=bool(facts.get("honeypot")),
        author=row.author_key,
        wave=str(facts.get("wave", "")),
        new_article=bool(facts.get("new_article")),
        unread=bool(facts.get("unread")),
        muted={rule: Mute(why="overturned", since=0) for rule in facts.get("muted", ())},
    )


def rejudge(case: Case, row: JudgedSubmission, then: SiteSettings | None) -> Rejudged:
    """One verdict under the case's rules; `then` are the rules of its time."""
    house = case.settings
    answers = {name: list_answers(row, name, then, house) for name in COMPILED}
    forms, why = [case.form], [cause for _, cause in answers.values() if cause]
    same = then and (then.form_youngest, then.form_oldest) == (house.form_youngest, house.form_oldest)
    if case.form in ("ok", "early", "old") and not same:
        forms, why = ["ok", "early"], [*why, "form"]
    gone = is_erased(row)
    verdicts = []
    for form, disallowed, blocked in product(forms, answers["disallowed"][0], answers["blocked"][0]):
        fixed = {"disallowed": disallowed, "blocked-word": blocked}
        rules = tuple(
            (name, with_answer(rule, fixed[name], alone=gone) if name in fixed else rule, leads_to)
            for name, rule, leads_to in policy.RULES
        )
        verdicts.append(policy.judge(case if form == case.form else replace(case, form=form), rules))
    if len({verdict.action for verdict in verdicts}) > 1:
        return Rejudged(row=row, action=None, why=why[0])
    names = dict.fromkeys(policy.counted_as(reason) for reason in verdicts[0].reasons)
    return Rejudged(row=row, action=verdicts[0].action, rules=tuple(names))


def rejudge_all(
    rows: Sequence[JudgedSubmission],
    past: PastSettings,
    thresholds: Mapping[str, float],
    *,
    house: SiteSettings | None = None,
    scored: Sequence[Scores | None] | None = None,
) -> list[Rejudged]:
    """The verdicts under the rules `house`, or under those of their time; by the stored scores, or by those `scored`."""
    verdicts = []
    for n, row in enumerate(rows):
        then, scores = past.at(row.created_at), scored[n] if scored is not None else row.scores
        if scored is not None and not row.body:
            verdicts.append(Rejudged(row=row, action=None, why="erased"))
            continue
        verdict = rejudge(case_of(row, house or then or past.today, scores, thresholds), row, then)
        verdicts.append(verdict if scored is None else replace(verdict, scores=scores))
    return verdicts


async def rescored(other: Classifier, rows: Sequence[JudgedSubmission]) -> list[Scores | None]:
    """Another model's scores, computed off the event loop a batch at a time."""
    scores: list[Scores | None] = []
    for start in range(0, len(rows), BATCH):
        texts = [asked_of(row) for row in rows[start : start + BATCH]]
        scores += [one.scores for one in await asyncio.to_thread(other.score, texts)]
    return scores


def asked_of(row: JudgedSubmission) -> Asked:
    """The text as the classifier is asked about it."""
    return Asked(text_of(row), Author(row.author_name, row.author_url or "", row.email_domain), row.site)


def text_of(row: JudgedSubmission) -> str:
    return formats.plain(row.body, row.format)
