"""Retraining, beside a running service: decisions → examples → a candidate, promoted only if it is no worse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from classifier import registry
from classifier.examples import Author, Example
from classifier.training import train
from classifier.training.published import NEWLY_HELD, Published
from moderation.comments import store_decisions as decisions
from moderation.comments import store_submissions as judged_submissions
from moderation.comments.decision import teaches
from moderation.core.ids import first_id_at
from moderation.db import audit
from moderation.db.database import Database
from moderation.learning import store as training_state
from moderation.policy import read_along as reading
from moderation.policy.rejudge import asked_of
from moderation.sites import store as sites
from moderation.sites.model import DAY, Site
from moderation.text import body as formats

DAYS, MOST = 60, 2_000
"""How far back a candidate is asked about published comments, and about how many of them, the latest."""


def examples_of(taught: list[decisions.Taught], site: str) -> list[Example]:
    """The examples of the standing decisions: the last one on each text, oldest first."""
    last: dict[str, decisions.Taught] = {}
    for entry in taught:
        last.pop(entry.submission, None)
        last[entry.submission] = entry
    return [
        Example(
            formats.plain(entry.body, entry.format),
            labels,
            Author(entry.author_name, entry.author_url, entry.email_domain),
            source=site,
            group=entry.article,
            author_key=entry.author_key,
            when=entry.created_at / 1000,
        )
        for entry in last.values()
        if (labels := teaches(entry.action, entry.labels))
    ]


async def published_on(database: Database, site: Site, now: int, newly_held: float) -> Published:
    """What the site has published lately, with its own thresholds."""
    async with database.reading() as session:
        rows = await judged_submissions.published(session, site.key, first_id_at(now - DAYS * DAY), MOST)
    return Published(
        [asked_of(row) for row in rows],
        hold_at=site.settings.hold_at,
        spam_at=site.settings.spam_at,
        days=DAYS,
        newly_held=newly_held,
    )


async def retrain(
    database: Database,
    models: Path,
    site: str | None,
    now: int,
    *,
    read_along: bool = False,
    newly_held: float = NEWLY_HELD,
    progress: Callable[[str, float], None] = lambda site, done: None,
) -> dict[str, Any]:
    """Retrains one site, or every site in turn. `now` is before the first read, so a later erasure marks the model as outdated.
    `promoted`: whether a model went live; `why`: a sentence for each site. `read_along`: a better model reads along.
    `newly_held`: share of a site's published comments that its better model may newly hold, else it is refused.
    `progress` receives the site that is next, and the part of all sites that is done."""
    async with database.reading() as session:
        found = await sites.sites(session, [site] if site else None)
        lessons = {key: examples_of(await decisions.taught(session, key), key) for key in found}
    outcomes = {}
    for count, (key, examples) in enumerate(lessons.items()):
        progress(key, count / len(lessons))
        published = await published_on(database, found[key], now, newly_held)
        outcomes[key] = train.learn(models, key, examples, published=published, live=not read_along)
    async with database.transaction() as tx:
        for key, outcome in outcomes.items():
            if read_along and outcome.version:
                await audit.note(
                    tx,
                    site=key,
                    at=now,
                    actor="operator",
                    action="model:candidate",
                    subject=outcome.version,
                    examples=len(lessons[key]),
                )
                await reading.start(tx, key, outcome.version, "operator", now)
            elif outcome.promoted:
                await training_state.promoted(tx, key, now)
                await audit.note(
                    tx,
                    site=key,
                    at=now,
                    actor="operator",
                    action="model:promote",
                    subject=outcome.version or "",
                    examples=len(lessons[key]),
                )
    told = {
        key: {"promoted": o.promoted, "why": o.why, "version": o.version, "examples": len(lessons[key]), **o.figures}
        for key, o in outcomes.items()
    }
    why = " ".join(f"{key}: {o.why}" for key, o in outcomes.items()) or "There is no such site."
    return {"promoted": any(o.promoted for o in outcomes.values()), "why": why, "sites": told}


async def roll_back(database: Database, models: Path, site: str, now: int) -> dict[str, Any]:
    """Returns to the previous correction, or to the bare base. Raises registry.ModelError without a correction."""
    version = registry.roll_back(models, site)
    async with database.transaction() as tx:
        await training_state.rolled_back(tx, site, version)
        await audit.note(
            tx, site=site, at=now, actor="operator", action="model:roll-back", subject=version or "the shipped model"
        )
    why = f"{site}: back to {version or 'the shipped model alone'}"
    return {"rolled_back": True, "promoted": False, "why": why, "version": version}
