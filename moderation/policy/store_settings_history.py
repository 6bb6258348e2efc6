"""A site's settings before each of the latest changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from moderation.core.ids import new_id
from moderation.db.database import Session
from moderation.db.tables import Table
from moderation.sites.model import DAY
from moderation.sites.site_settings import SiteSettings

HISTORY = Table(name="settings_history", columns=("site", "id", "changed_at", "actor", "settings", "is_block"))
TABLES = (HISTORY,)
KEPT = 20
"""The most policy changes kept, with the blocks between them."""
MOST = 60
"""The most rows kept, days of blocks included."""
SEVERAL = "several"
"""The moderator of a row that combines several moderators' acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """`settings` are those before the change at `changed_at`. `is_block`: the row combines a day's blocks from comments."""

    id: str
    changed_at: int
    actor: str
    settings: SiteSettings
    is_block: bool = False


async def add(
    tx: Session, site: str, settings: SiteSettings, after: SiteSettings, actor: str, now: int, *, is_block: bool = False
) -> None:
    """Adds a version and deletes the oldest beyond the limits.

    A day's blocks without a policy change between them are one row: newsrooms block dozens, which would push policy changes
    out of the history. Each block is in the audit log, and is undone at its comment.
    """
    newest = await latest(tx, site)
    # keeps the order of two changes within one millisecond
    at = now if newest is None else max(now, newest.changed_at + 1)
    if is_block and newest and newest.is_block and newest.changed_at // DAY == at // DAY:
        settings, actor = newest.settings, actor if actor == newest.actor else SEVERAL
        await tx.execute("DELETE FROM settings_history WHERE site = ? AND id = ?", site, newest.id)
        if settings == after:  # all of it was undone
            return
    await tx.execute(
        HISTORY.insert,
        *(site, new_id(at), at, actor, json.dumps(settings.stored()), int(is_block)),
    )
    rows = await tx.fetch("SELECT id, is_block FROM settings_history WHERE site = ? ORDER BY id DESC", site)
    policy = [row[0] for row in rows if not row[1]][:KEPT]
    oldest = rows[min(len(rows), MOST) - 1][0]
    if len(policy) == KEPT:
        oldest = max(oldest, policy[-1])
    await tx.execute("DELETE FROM settings_history WHERE site = ? AND id < ?", site, oldest)


def are_all(versions: Sequence[Version]) -> bool:
    """Whether these are all versions, with none deleted."""
    return len(versions) < MOST and sum(not version.is_block for version in versions) < KEPT


async def versions(session: Session, site: str, limit: int = MOST) -> list[Version]:
    """Newest first."""
    rows = await session.fetch(
        "SELECT id, changed_at, actor, settings, is_block FROM settings_history WHERE site = ? ORDER BY id DESC LIMIT ?",
        site,
        limit,
    )
    return [
        Version(
            id=row[0],
            changed_at=row[1],
            actor=row[2],
            settings=SiteSettings.of(json.loads(row[3])),
            is_block=bool(row[4]),
        )
        for row in rows
    ]


async def latest(session: Session, site: str) -> Version | None:
    return next(iter(await versions(session, site, 1)), None)


async def one(session: Session, site: str, id: str) -> Version | None:
    return next((version for version in await versions(session, site) if version.id == id), None)


async def has_any(session: Session, site: str) -> bool:
    """Whether somebody has ever set the site's policy."""
    return (
        await session.fetch_one("SELECT 1 FROM settings_history WHERE site = ? AND is_block = 0 LIMIT 1", site)
        is not None
    )
