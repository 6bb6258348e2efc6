"""Retention: comments that are not published, and keys of network addresses, are deleted after their period."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from moderation.articles import store_openings as openings
from moderation.comments import store_authors as authors
from moderation.comments import store_notes as notes
from moderation.comments import store_reports as reports
from moderation.core.ids import EVERYWHERE
from moderation.db import audit, secure_delete
from moderation.db.database import Database, Session
from moderation.intake import store as idempotency
from moderation.outbox import store as outbox
from moderation.policy import store_blocks as blocks
from moderation.policy import store_read_along as read_along
from moderation.policy.blocks import KEPT_OVER
from moderation.privacy import store as data_subjects
from moderation.privacy import store_retention as retention
from moderation.queue import store_snoozes as snoozes
from moderation.sites import store as sites
from moderation.team import store as team

DAY = 24 * 3_600_000
REPORTERS = 90
"""Days for which a report's reader is kept, as a keyed hash."""
AT_ONCE = 200
"""Rows in one transaction: a new comment waits at most for these."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Periods in days, from a comment's arrival or last decision; 0: forever."""

    spam: int = 30
    rejected: int = 90
    deleted: int = 30
    addresses: int = 30
    read_along: int = 90
    examples: bool = False
    """Texts of decided comments are kept for training, without their author."""

    @property
    def statuses(self) -> dict[str, int]:
        return {"spam": self.spam, "rejected": self.rejected, "deleted": self.deleted}


async def purge(database: Database, keep: Keep, now: int) -> dict[str, int]:
    """Deletes expired data. Returns the numbers of comments by status, of network keys, and of reports whose reader is forgotten."""
    async with database.reading() as session:
        keys = list(await sites.sites(session))
    swept: Counter[str] = Counter(
        {"spam": 0, "rejected": 0, "deleted": 0, "addresses": 0, "reporters": 0, "read_along": 0}
    )
    for site in keys:
        here = await _sweep_site(database, keep, site, now)
        swept.update(here)
        if here:
            async with database.transaction() as tx:
                await audit.note(
                    tx, site=site, at=now, actor="service", action="site:purge", subject=site, **dict(here)
                )
    async with database.transaction() as tx:
        await idempotency.purge(tx, now)
        for site in keys:
            await snoozes.purge(tx, site, now - DAY)
        await openings.purge(tx, now - DAY)
        await team.purge_attempts(tx, now - DAY)
        await data_subjects.purge_links(tx, now - 2 * DAY)
        await outbox.purge(tx, now)
        if await blocks.purge(tx, now - KEPT_OVER):
            await secure_delete.request(tx, now)
    return dict(swept)


async def empty(database: Database, keep: Keep, wanted: str, actor: str, now: int) -> int:
    """Deletes the spam of a site, or of all. Returns the number. Spam that arrives meanwhile stays."""
    async with database.reading() as session:
        keys = [key for key in await sites.sites(session) if wanted in (EVERYWHERE, key)]
    gone = 0
    for site in keys:
        here = 0
        while True:
            async with database.transaction() as tx:
                ids = await retention.expired(tx, site, "spam", now + 1, AT_ONCE, imported=True)
                await _forget(tx, keep, site, ids, now)
                here += len(ids)
                if len(ids) < AT_ONCE:
                    if here:
                        await audit.note(
                            tx, site=site, at=now, actor=actor, action="spam:empty", subject=site, comments=here
                        )
                    break
        gone += here
    return gone


async def _forget(tx: Session, keep: Keep, site: str, ids: list[str], now: int) -> None:
    """Deletes a batch and requests its overwrite on disk, as after an erasure."""
    if ids:
        await outbox.forget_subjects(tx, site, ids)
        await authors.forget(tx, site, ids, examples=keep.examples)
        await secure_delete.request(tx, now)


async def _sweep_site(database: Database, keep: Keep, site: str, now: int) -> Counter[str]:
    swept: Counter[str] = Counter()
    async with database.reading() as session:
        came = await retention.last_import(session, site)
    for status, days in keep.statuses.items():
        before = now - days * DAY
        imported = came is not None and came < before
        while days:
            async with database.reading() as session:
                ids = await retention.expired(session, site, status, before, AT_ONCE, imported=imported)
            if not ids:
                break
            async with database.transaction() as tx:  # checked again: a moderator may have decided meanwhile
                ids = await retention.expired(tx, site, status, before, AT_ONCE, imported=imported)
                await _forget(tx, keep, site, ids, now)
            swept[status] += len(ids)
    while keep.addresses:
        async with database.transaction() as tx:
            count = await authors.forget_network_keys(tx, site, now - keep.addresses * DAY, AT_ONCE)
            if count:
                await secure_delete.request(tx, now)
        swept["addresses"] += count
        if count < AT_ONCE:
            break
    async with database.transaction() as tx:
        if await notes.purge(tx, site):
            await secure_delete.request(tx, now)
    while True:
        async with database.transaction() as tx:
            count = await reports.forget_reporters(tx, site, now - REPORTERS * DAY, AT_ONCE)
            if count:
                await secure_delete.request(tx, now)
        swept["reporters"] += count
        if count < AT_ONCE:
            break
    while keep.read_along:
        async with database.transaction() as tx:
            count = await read_along.purge(tx, site, now - keep.read_along * DAY, AT_ONCE)
            if count:
                await secure_delete.request(tx, now)
        swept["read_along"] += count
        if count < AT_ONCE:
            break
    return +swept
