"""A site's rules as they were before each of the latest changes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from moderation.comment import new_id
from moderation.site import HouseRules
from moderation.storage.database import Session

KEPT = 20


@dataclass(frozen=True, slots=True)
class Version:
    """`rules` are those that the change at `at` ended."""

    id: str
    at: int
    actor: str
    rules: HouseRules


async def add(tx: Session, site: str, rules: HouseRules, actor: str, now: int) -> None:
    """The oldest goes where there are more than are kept."""
    newest = await latest(tx, site)
    # two changes within one millisecond still stand in their order
    at = now if newest is None else max(now, newest.at + 1)
    await tx.execute(
        "INSERT INTO rule_versions (site, id, at, actor, rules) VALUES (?, ?, ?, ?, ?)",
        *(site, new_id(at), at, actor, json.dumps(rules.stored())),
    )
    await tx.execute(
        "DELETE FROM rule_versions WHERE site = ? AND id NOT IN "
        "(SELECT id FROM rule_versions WHERE site = ? ORDER BY id DESC LIMIT ?)",
        *(site, site, KEPT),
    )


async def versions(session: Session, site: str, limit: int = KEPT) -> list[Version]:
    """Newest first."""
    rows = await session.fetch(
        "SELECT id, at, actor, rules FROM rule_versions WHERE site = ? ORDER BY id DESC LIMIT ?", site, limit
    )
    return [Version(row[0], row[1], row[2], HouseRules.of(json.loads(row[3]))) for row in rows]


async def latest(session: Session, site: str) -> Version | None:
    return next(iter(await versions(session, site, 1)), None)


async def one(session: Session, site: str, id: str) -> Version | None:
    return next((version for version in await versions(session, site) if version.id == id), None)
