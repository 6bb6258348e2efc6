"""Shadow mode: a candidate model judges a site's comments beside the current model, without effect.

It is not on the path of a comment: a periodic task reads new verdicts, scores them with the candidate, and judges them by
the policy under the rules of their time, from stored data (`policy/what_if.py`). So it cannot delay or fail a comment, and it
catches up after a downtime.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier import registry
from classifier.labels import LABELS, Scores
from classifier.serving import Classifier, ModelError
from moderation.comments import store_submissions as judged_submissions
from moderation.comments.decision import teaches
from moderation.comments.model import EDIT_WINDOW
from moderation.comments.store_submissions import JudgedSubmission
from moderation.core.ids import EVERYWHERE, is_id, new_id
from moderation.core.problem import Conflict, FieldError, Invalid, NotFound
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.learning import store as training_state
from moderation.learning import store_shadow as shadows
from moderation.learning.store_shadow import Compared, Decided, Run, ShadowVerdict
from moderation.policy import rules as policy
from moderation.policy import settings_history
from moderation.policy import store_settings_history as past_settings
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.what_if import EXCERPT, PastSettings, agreement, case_of, rejudge, rescored, text_of

PAGE, MOST = 64, 20_000
"""Comments in one step, and the most verdicts in a report; the latest count."""
LOOK_BACK = 2 * EDIT_WINDOW
"""Milliseconds that are read again: edits are new revisions of older ids, and batches can commit out of order."""
ALL_BUT_CERTAIN = 1e-6


async def start(tx: Session, site: str, model: str, actor: str, now: int) -> Run:
    """Starts a run and ends an earlier one. The caller has checked that the model can be read."""
    before = await shadows.end(tx, site, "replaced", actor, now)
    run = Run(site=site, id=new_id(now), model=model, started_at=now, started_by=actor, read_until=now)
    await shadows.begin(tx, run)
    await audit.note(
        tx,
        site=site,
        at=now,
        actor=actor,
        action="shadow:start",
        subject=model,
        instead=before.model if before else None,
    )
    return run


async def stop(tx: Session, site: str, actor: str, now: int) -> Run:
    """Ends the site's run. Raises NotFound."""
    run = await shadows.end(tx, site, "stopped", actor, now)
    if run is None:
        raise NotFound("No candidate runs in shadow on this site.", code="no_shadow")
    await audit.note(tx, site=site, at=now, actor=actor, action="shadow:stop", subject=run.model)
    return run


def candidates(classifier: Classifier, site: str) -> list[str]:
    """The possible candidates: every kept version except the serving one."""
    return [version for version in classifier.versions(site) if version != classifier.serving(site)]


def checked(classifier: Classifier, site: str, model: str) -> None:
    """Raises Invalid for an unknown candidate."""
    try:
        if model == classifier.serving(site):
            raise ModelError(f"{model} is the one that decides already")
        classifier.at(model, site)
    except ModelError as error:
        raise Invalid(FieldError("model", "invalid", str(error))) from None


async def promote(
    database: Database, classifier: Classifier, models: Path, site: str, actor: str, now: int, everywhere: bool
) -> dict[str, Any]:
    """Makes the candidate live, with the shadow's results as the reason. Raises NotFound, Conflict, or ModelError.

    `everywhere`: whether the caller may change the base, which serves all sites.
    """
    told = await report(database, site)
    async with database.reading() as session:
        run = await shadows.running_on(session, site)
    if run is None:
        raise NotFound("No candidate runs in shadow on this site.", code="no_shadow")
    seen = {"comments": told["comments"], "differ": told["differ"], **told["decided"]}
    why = f"after shadow mode: {', '.join(f'{name} {count}' for name, count in seen.items())}"
    base = await asyncio.to_thread(moved, classifier, models, run, why, everywhere)
    async with database.transaction() as tx:
        if await shadows.end(tx, site, "promoted", actor, now) is None:
            raise Conflict("Another administrator has ended this run meanwhile.", code="changed")
        if not base:
            if run.model == classifier.version:
                await training_state.rolled_back(tx, site, None)
            else:
                await training_state.promoted(tx, site, await training_state.read_at(tx, site, run.model))
        await audit.note(
            tx,
            site=EVERYWHERE if base else site,
            at=now,
            actor=actor,
            action="model:promote",
            subject=run.model,
            shadow=seen,
            seen_on=site,
        )
    return {"promoted": run.model, "site": site, "why": why}


def moved(classifier: Classifier, models: Path, run: Run, why: str, everywhere: bool) -> bool:
    """Moves the pointer to the candidate; True if it is a base, which serves all sites."""
    folder = registry.site_folder(models, run.site)
    if run.model == classifier.serving(run.site):
        return False  # an earlier promotion stopped at this point
    if (folder / run.model).is_dir():
        classifier.at(run.model, run.site)  # refuses a model that cannot serve
        registry.promote(folder, run.model, None, "", force=why)
        return False
    if run.model == classifier.version:
        registry.promote_base(folder, why)
        return False
    if not everywhere:
        raise Conflict(
            f"{run.model} is a base, which serves all sites: only who administers all may promote it.", code="role"
        )
    classifier.at(run.model)
    registry.promote(models, run.model, None, "", force=why)
    return True


class Shadow:
    """The background task of shadow mode."""

    def __init__(self, database: Database, classifier: Classifier, clock: Callable[[], int]) -> None:
        self.database, self.classifier, self.clock = database, classifier, clock
        self._open: dict[str, tuple[str, str, Classifier]] = {}
        """Site → run, serving base, and the candidate, opened once."""

    async def wanted(self) -> bool:
        async with self.database.reading() as session:
            return bool(await shadows.running(session))

    async def read_along(self) -> int:
        """Judges new verdicts with the candidates. Returns their number."""
        async with self.database.reading() as session:
            runs = await shadows.running(session)
        self._open = {site: kept for site, kept in self._open.items() if site in {run.site for run in runs}}
        return sum([await self._read(run) for run in runs])

    async def _read(self, run: Run) -> int:
        now, count, problem = self.clock(), 0, ""
        try:
            candidate = await asyncio.to_thread(self._candidate, run)
        except ModelError as error:
            problem = str(error)
        else:
            count = await self._read_with(run, candidate)
        if count or problem != run.problem:
            async with self.database.transaction() as tx:
                await shadows.note(tx, run, run.read_until if problem else now, problem)
        return count

    def _candidate(self, run: Run) -> Classifier:
        known = self._open.get(run.site)
        if known is None or known[:2] != (run.id, self.classifier.version):
            known = run.id, self.classifier.version, self.classifier.at(run.model, run.site)
            self._open[run.site] = known
        return known[2]

    async def _read_with(self, run: Run, candidate: Classifier) -> int:
        async with self.database.reading() as session:
            site = await settings_history.site_of(session, run.site)
            past = PastSettings(site.settings, (await past_settings.versions(session, run.site))[::-1])
        count, after = 0, ("", 0)
        now, since = self.clock(), max(run.started_at, run.read_until - LOOK_BACK)
        if since > now:  # the clock was set back
            since = now - LOOK_BACK
        while True:
            async with self.database.reading() as session:
                rows = await shadows.unread(session, run, since, after, PAGE)
            if not rows:
                return count
            after = rows[-1].id, rows[-1].revision
            scored = await rescored(candidate, rows, run.site)
            said = await asyncio.to_thread(verdicts, rows, scored, past, candidate.thresholds, self.clock())
            async with self.database.transaction() as tx:
                count += await shadows.add(tx, run, said)


def verdicts(
    rows: list[JudgedSubmission],
    scored: list[Scores | None],
    past: PastSettings,
    thresholds: Mapping[str, float],
    now: int,
) -> list[ShadowVerdict]:
    """The candidate's verdicts, under the rules of the time."""
    found = []
    for row, scores in zip(rows, scored, strict=True):
        then = past.at(row.created_at)
        said = rejudge(case_of(row, then or past.today, scores, thresholds), row, then)
        if said.action is not None and scores is not None:
            rules = list(dict.fromkeys(policy.counted_as(reason) for reason in said.reasons))
            rounded = {label: round(p, 6) for label, p in scores.items()}
            differs = said.action != row.action
            found.append(
                ShadowVerdict(
                    id=row.id,
                    revision=row.revision,
                    action=said.action,
                    differs=differs,
                    scores=rounded,
                    rules=rules,
                    created_at=now,
                )
            )
    return found


# --- what it has shown ---------------------------------------------------------------------------------------------------


@dataclass
class Sides:
    """Counts for both models."""

    comments: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    agree: Counter[tuple[str, str]] = field(default_factory=Counter)
    disagree: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=lambda: {"current": 0.0, "candidate": 0.0})

    def take(self, pair: Compared, decided: Decided | None) -> None:
        self.comments += 1
        move = pair.was, pair.would
        self.moves[move] += 1
        if pair.was != pair.would and decided:
            agrees = agreement(decided.action, *move)
            if agrees is not None:
                (self.agree if agrees else self.disagree)[move] += 1
        current = {counted(reason) for reason in pair.reasons}
        for name in current | set(pair.rules):
            both = self.reasons.setdefault(name, Counter())
            both["current"] += name in current
            both["candidate"] += name in pair.rules
            both["both"] += name in current and name in pair.rules
        if decided and pair.scores:
            for label, truth in teaches(decided.action, decided.labels).items():
                seen = self.labels.setdefault(label, Counter())
                seen["decided"] += 1
                for side, scores in (("current", pair.scores), ("candidate", pair.candidate)):
                    p = scores.get(label, 0.0)
                    seen[side] += (p >= 0.5) == (truth >= 0.5)
                    self.loss[side] += log_loss(p, truth)

    def document(self) -> dict[str, Any]:
        told = sum(seen["decided"] for seen in self.labels.values())
        order = [*(name for name, _, _ in policy.RULES), *(f"label:{label}" for label in LABELS)]
        place = {name: n for n, name in enumerate(order)}
        return {
            "comments": self.comments,
            "differ": sum(count for move, count in self.moves.items() if move[0] != move[1]),
            "moves": [
                {
                    "from": move[0],
                    "to": move[1],
                    "count": count,
                    "agree": self.agree[move],
                    "disagree": self.disagree[move],
                }
                for move, count in self.moves.most_common()
            ],
            "decided": {"agree": self.agree.total(), "disagree": self.disagree.total()},
            "reasons": [
                {"reason": name, **{side: both[side] for side in ("current", "candidate", "both")}}
                for name, both in sorted(self.reasons.items(), key=lambda one: (place.get(one[0], 99), one[0]))
            ],
            "labels": {
                label: {side: self.labels[label][side] for side in ("decided", "current", "candidate")}
                for label in LABELS
                if label in self.labels
            },
            "log_loss": {side: round(sum_ / told, 4) for side, sum_ in self.loss.items()} if told else None,
        }


def counted(reason: Mapping[str, object]) -> str:
    """`policy.counted_as` for a stored reason."""
    return f"label:{reason.get('label')}" if reason.get("rule") == "label" else str(reason.get("rule"))


def log_loss(p: float, truth: float) -> float:
    sure = min(max(p, ALL_BUT_CERTAIN), 1 - ALL_BUT_CERTAIN)
    return -(truth * math.log(sure) + (1 - truth) * math.log(1 - sure))


def run_document(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "model": run.model,
        "running": run.ended_at is None,
        "started_at": iso(run.started_at),
        "started_by": run.started_by,
        "ended_at": iso(run.ended_at),
        "ended_by": run.ended_by,
        "outcome": run.outcome or None,
        "problem": run.problem or None,
    }


async def report(database: Database, site: str) -> dict[str, Any]:
    """A site's running or latest candidate, and its differences from the current model."""
    sides = Sides()
    async with database.reading() as session:
        run = await shadows.latest(session, site)
        decided = await shadows.decided(session, run) if run else {}
    at: tuple[str, int] | None = None
    while run and sides.comments < MOST:
        async with database.reading() as session:
            pairs = await shadows.compared(session, run, at, 1_000)
        if not pairs:
            break
        at = pairs[-1].id, pairs[-1].revision
        await asyncio.to_thread(take_all, sides, pairs, decided)
    return {
        "site": site,
        "shadow": run_document(run) if run else None,
        "capped": sides.comments >= MOST,
        **sides.document(),
    }


def take_all(sides: Sides, pairs: list[Compared], decided: Mapping[tuple[str, int], Decided]) -> None:
    for pair in pairs:
        sides.take(pair, decided.get((pair.id, pair.revision)))


async def differing(database: Database, site: str, before: tuple[str, int] | None, limit: int) -> list[dict[str, Any]]:
    """The comments on which candidate and current model differ, newest first."""
    async with database.reading() as session:
        run = await shadows.latest(session, site)
        pairs = await shadows.compared(session, run, before, limit, differing=True) if run else []
        texts = await judged_submissions.of(session, site, {pair.id for pair in pairs}) if pairs else {}
        decided = await decided_verdicts.taken(session, site, {pair.id for pair in pairs})
    found = []
    for pair in pairs:
        row = next(row for row in texts[pair.id] if row.revision == pair.revision)
        decision = decided.get((pair.id, pair.revision), "")
        found.append(
            {
                "id": pair.id,
                "revision": pair.revision,
                "url": f"/moderate/comments/{pair.id}",
                "created_at": iso(row.created_at),
                "name": row.author_name,
                "excerpt": text_of(row)[:EXCERPT],
                "from": pair.was,
                "to": pair.would,
                "scores": {"current": pair.scores, "candidate": pair.candidate},
                "reasons": pair.rules,
                "decided": decision or None,
                "agrees": agreement(decision, pair.was, pair.would),
            }
        )
    return found


def cursor_of(last: dict[str, Any]) -> str:
    return f"{last['id']}.{last['revision']}"


def place_of(cursor: str) -> tuple[str, int] | None:
    """Id and revision of a cursor. Raises Invalid."""
    if not cursor:
        return None
    id, _, revision = cursor.partition(".")
    if not (is_id(id) and revision.isascii() and revision.isdigit() and len(revision) < 9):
        raise Invalid(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
    return id, int(revision)
