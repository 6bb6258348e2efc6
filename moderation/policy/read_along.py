"""Reading along: what-if for new comments. Another model judges them beside the serving one, without effect.

It is not on the path of a comment: a periodic task reads new verdicts and judges them again, under the rules of their time,
from stored data (`rejudge.py`). So it cannot delay or fail a comment, and it catches up after a downtime.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from classifier.serving import Classifier, ModelError
from moderation.comments.model import EDIT_WINDOW
from moderation.core.ids import is_id, new_id
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.policy import settings_history
from moderation.policy import store_read_along as runs
from moderation.policy import store_settings_history as past_settings
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.rejudge import PastSettings, rejudge_all, rescored
from moderation.policy.store_read_along import Run
from moderation.policy.what_if import MOST, PAGE, Tally, count, example

STEP = 64
"""Comments judged in one step."""
LOOK_BACK = 2 * EDIT_WINDOW
"""Milliseconds that are read again: edits are new revisions of older ids, and batches can commit out of order."""


async def start(tx: Session, site: str, model: str, actor: str, now: int) -> Run:
    """Starts a run and ends an earlier one. The caller has checked that the model can be read."""
    before = await runs.end(tx, site, "replaced", actor, now)
    run = Run(site=site, id=new_id(now), model=model, started_at=now, started_by=actor, read_until=now)
    await runs.begin(tx, run)
    replaced = before.model if before else None
    await audit.note(tx, site=site, at=now, actor=actor, action="read-along:start", subject=model, instead=replaced)
    return run


async def stop(tx: Session, site: str, actor: str, now: int) -> Run:
    """Ends the site's run; its verdicts stay for their retention period. Raises NotFound."""
    run = await runs.end(tx, site, "stopped", actor, now)
    if run is None:
        raise no_run()
    await audit.note(tx, site=site, at=now, actor=actor, action="read-along:stop", subject=run.model)
    return run


def no_run() -> NotFound:
    return NotFound("No model reads along on this site.", code="no_run")


def models(classifier: Classifier, site: str) -> dict[str, Any]:
    """The `serving` version, and the kept ones that can be tried beside it; none if no model can be read."""
    try:
        serving = classifier.serving(site)
        return {"serving": serving, "models": [v for v in classifier.versions(site) if v != serving]}
    except ModelError:
        return {"serving": "", "models": []}


def check_model(classifier: Classifier, site: str, model: str) -> None:
    """Raises Invalid for a version that cannot read along."""
    try:
        if model == classifier.serving(site):
            raise ModelError(f"{model} is the one that decides already")
        classifier.at(model, site)
    except ModelError as error:
        raise Invalid(FieldError("model", "invalid", str(error))) from None


class ReadAlong:
    """The periodic task."""

    def __init__(self, database: Database, classifier: Classifier, clock: Callable[[], int]) -> None:
        self.database, self.classifier, self.clock = database, classifier, clock
        self._open: dict[str, tuple[str, str, Classifier]] = {}
        """Site → run, serving base, and the model, opened once."""

    async def is_needed(self) -> bool:
        async with self.database.reading() as session:
            return bool(await runs.running(session))

    async def read(self) -> int:
        """Judges new verdicts again, on every site with a run. Returns their number."""
        async with self.database.reading() as session:
            current = await runs.running(session)
        self._open = {site: model for site, model in self._open.items() if site in {run.site for run in current}}
        return sum([await self._read(run) for run in current])

    async def _read(self, run: Run) -> int:
        now, number, problem = self.clock(), 0, ""
        try:
            model = await asyncio.to_thread(self._model, run)
        except ModelError as error:
            problem = str(error)
        else:
            number = await self._read_with(run, model)
        if number or problem != run.problem:
            async with self.database.transaction() as tx:
                await runs.note(tx, run, run.read_until if problem else now, problem)
        return number

    def _model(self, run: Run) -> Classifier:
        opened = self._open.get(run.site)
        if opened is None or opened[:2] != (run.id, self.classifier.version):
            opened = run.id, self.classifier.version, self.classifier.at(run.model, run.site)
            self._open[run.site] = opened
        return opened[2]

    async def _read_with(self, run: Run, model: Classifier) -> int:
        async with self.database.reading() as session:
            site = await settings_history.site_of(session, run.site)
            past = PastSettings(site.settings, (await past_settings.versions(session, run.site))[::-1])
        number, after = 0, ("", 0)
        now, since = self.clock(), max(run.started_at, run.read_until - LOOK_BACK)
        if since > now:  # the clock was set back
            since = now - LOOK_BACK
        while True:
            async with self.database.reading() as session:
                rows = await runs.unread(session, run, since, after, STEP)
            if not rows:
                return number
            after = rows[-1].id, rows[-1].revision
            scored = await rescored(model, rows)
            verdicts = await asyncio.to_thread(rejudge_all, rows, past, model.thresholds, scored=scored)
            judged = [verdict for verdict in verdicts if verdict.action is not None and verdict.scores is not None]
            async with self.database.transaction() as tx:
                number += await runs.add(tx, run, judged, self.clock())


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
    """What-if of the run that lasts, or of the last one: the counts of a replay, with `run`."""
    tally, before = Tally(), None
    async with database.reading() as session:
        run = await runs.latest(session, site)
    while run and tally.verdicts < MOST:
        async with database.reading() as session:
            verdicts = await runs.verdicts(session, run, before, PAGE)
        if not verdicts:
            break
        before = verdicts[-1].row.id, verdicts[-1].row.revision
        await count(database, site, tally, verdicts)
    head = {"site": site, "days": None, "since": iso(run.started_at) if run else None}
    return head | {"model": run.model if run else None, "run": run and run_document(run)} | tally.document()


async def changed(database: Database, site: str, before: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The comments on which the two models differ, newest first, and the cursor of the next ones. Raises Invalid."""
    place = place_of(before)
    async with database.reading() as session:
        run = await runs.latest(session, site)
        verdicts = await runs.verdicts(session, run, place, limit + 1, changed=True) if run else []
        decisions = await decided_verdicts.taken(session, site, {verdict.row.id for verdict in verdicts})
    examples = []
    for verdict in verdicts[:limit]:
        decision = decisions.get((verdict.row.id, verdict.row.revision))
        examples.append(example(verdict, decision.action if decision else ""))
    last = examples[-1] if len(verdicts) > limit else None
    return examples, f"{last['id']}.{last['revision']}" if last else None


def place_of(cursor: str) -> tuple[str, int] | None:
    """Id and revision of a cursor. Raises Invalid."""
    if not cursor:
        return None
    id, _, revision = cursor.partition(".")
    if not (is_id(id) and revision.isascii() and revision.isdigit() and len(revision) < 9):
        raise Invalid(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
    return id, int(revision)
