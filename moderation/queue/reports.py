"""Readers' reports: what a report does, and what a decision says about the reports of its comments.

A report brings a published comment to moderators and does nothing else, unless the site has set a number of readers from which it
waits for a person. Nothing is said to whoever reports, so nobody learns what others reported or what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from moderation.comments import store as comments
from moderation.comments import store_reports as reports
from moderation.comments.model import Comment
from moderation.comments.store_reports import HARMLESS, LABEL, RIGHT, SILENT, Report
from moderation.core.ids import is_id
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.outbox import events
from moderation.sites import store as sites
from moderation.sites.model import Site

MOST_SAID = 500
"""Characters of a note."""
AN_HOUR, HOUR = 20, 3600 * 1000
"""Reports of one reader on a site in an hour; more are not stored."""


async def reportable(session: Session, site: str, article: str, id: str) -> Comment | None:
    """The comment, if readers may see it under this article: published, and on a page that is listed."""
    if not is_id(id) or article not in await sites.listed_articles(session, site, [article]):
        return None
    comment = (await comments.of_site(session, site, [id])).get(id)
    return comment if comment and comment.article == article and comment.status == "approved" else None


async def report(
    database: Database, site: Site, article: str, id: str, reporter: str, reason: str, note: str, now: int
) -> None:
    """Stores a reader's first report on a published comment of the article. Anything else changes nothing."""
    async with database.transaction() as tx:
        comment = await reportable(tx, site.key, article, id)
        if comment is None:
            return
        if await reports.since(tx, site.key, reporter, now - HOUR) >= AN_HOUR:
            return
        is_silent = await reports.is_harmless(tx, site.key, id, comment.judged_revision)
        right, decided = await reports.record(tx, site.key, reporter)
        made = Report(
            site=site.key,
            id=id,
            reporter=reporter,
            reason=reason,
            note=note,
            revision=comment.judged_revision,
            weight=(right + 1) / (decided + 2),  # Laplace: a reader without a record counts half
            created_at=now,
            outcome=SILENT if is_silent else None,
        )
        if await reports.add(tx, made) and not is_silent:
            await _hold(tx, site, comment, now)


async def _hold(tx: Session, site: Site, comment: Comment, now: int) -> None:
    """Makes a comment wait for a person once as many readers have reported it as the site says, unless one has decided on it."""
    most = site.settings.reports_hold
    if not most or comment.is_decided or comment.is_staff:
        return
    told = (await reports.open_of(tx, site.key, [comment.id])).get(comment.id, [])
    if len(told) < most or not await comments.move(tx, comment, "pending", decided=False):
        return
    waits = replace(comment, status="pending", revision=comment.revision + 1)
    await sites.touch(tx, site.key, [comment.article])
    await events.emit(tx, "comment.reported", [waits], now)
    await audit.note(tx, site=site.key, at=now, actor="readers", action="comment:reported", subject=comment.id)


async def settle(tx: Session, before: Sequence[Comment], action: str, decision: str) -> None:
    """What a decision says about the open reports of its comments: taken down, they were right; approved, it is harmless."""
    outcome = HARMLESS if action == "approve" else RIGHT
    for site in sorted({comment.site for comment in before}):
        await reports.settle(tx, site, [c.id for c in before if c.site == site], outcome, decision)


async def reopen(tx: Session, places: Iterable[str], decision: str) -> None:
    """Opens again what an undone decision has settled. places: its sites."""
    for site in sorted(set(places)):
        await reports.reopen(tx, site, decision)


def document(made: Report) -> dict[str, Any]:
    """A report for moderators: nothing of who made it, but how far that reader was right so far."""
    return {
        "reason": made.reason,
        "label": LABEL.get(made.reason),
        "note": made.note,
        "weight": round(made.weight, 2),
        "created_at": iso(made.created_at),
        "outcome": made.outcome,
    }
