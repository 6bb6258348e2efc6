"""The promotion of the model that reads along: it goes live, with its report as the reason."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from classifier import registry
from classifier.serving import Classifier
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Conflict
from moderation.db import audit
from moderation.db.database import Database
from moderation.learning import store as training_state
from moderation.policy import read_along
from moderation.policy import store_read_along as runs
from moderation.policy.store_read_along import Run


async def promote(
    database: Database, classifier: Classifier, models: Path, site: str, actor: str, now: int, everywhere: bool
) -> dict[str, Any]:
    """Makes the model live. Raises NotFound, Conflict, or ModelError.

    `everywhere`: whether the caller may change the base, which serves all sites.
    """
    report = await read_along.report(database, site)
    async with database.reading() as session:
        run = await runs.running_on(session, site)
    if run is None:
        raise read_along.no_run()
    counts = {"verdicts": report["verdicts"], "changed": report["changed"], **report["decided"]}
    why = f"after reading along: {', '.join(f'{name} {count}' for name, count in counts.items())}"
    is_base = await asyncio.to_thread(move, classifier, models, run, why, everywhere)
    async with database.transaction() as tx:
        if await runs.end(tx, site, "promoted", actor, now) is None:
            raise Conflict("Another administrator has ended this run meanwhile.", code="changed")
        if not is_base:
            if run.model == classifier.version:
                await training_state.rolled_back(tx, site, None)
            else:
                await training_state.promoted(tx, site, await training_state.read_at(tx, site, run.model))
        await audit.note(
            tx,
            site=EVERYWHERE if is_base else site,
            at=now,
            actor=actor,
            action="model:promote",
            subject=run.model,
            read_along=counts,
            seen_on=site,
        )
    return {"promoted": run.model, "site": site, "why": why}


def move(classifier: Classifier, models: Path, run: Run, why: str, everywhere: bool) -> bool:
    """Moves the pointer to the run's model; True if it is a base, which serves all sites."""
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
