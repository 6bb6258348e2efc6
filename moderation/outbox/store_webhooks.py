"""Webhooks' endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Row, Session, placeholders

ANYWHERE = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"
COLUMNS = "site, id, url, events, disabled_at"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`site` is a key, or `*` for all sites."""

    site: str
    id: str
    url: str
    events: tuple[str, ...]
    disabled_at: int | None = None


def endpoint_of(row: Row) -> Endpoint:
    return Endpoint(row[0], row[1], row[2], tuple(row[3].split()), row[4])


async def add(tx: Session, endpoint: Endpoint, now: int) -> None:
    await tx.execute(
        "INSERT INTO webhooks (site, id, url, events, created_at) VALUES (?, ?, ?, ?, ?)",
        *(endpoint.site, endpoint.id, endpoint.url, " ".join(endpoint.events), now),
    )


async def all_(session: Session) -> list[Endpoint]:
    rows = await session.fetch(f"SELECT {COLUMNS} FROM webhooks ORDER BY site, id")
    return [endpoint_of(row) for row in rows]


async def find(session: Session, id: str) -> Endpoint | None:
    row = await session.fetch_one(f"SELECT {COLUMNS} FROM webhooks WHERE {ANYWHERE} AND id = ?", id)
    return endpoint_of(row) if row else None


async def listening(session: Session, sites: Iterable[str]) -> list[Endpoint]:
    """The endpoints of these sites, and of all sites."""
    wanted = [EVERYWHERE, *sites]
    rows = await session.fetch(
        f"SELECT {COLUMNS} FROM webhooks WHERE site IN ({placeholders(len(wanted))}) AND disabled_at IS NULL", *wanted
    )
    return [endpoint_of(row) for row in rows]


async def disable(tx: Session, id: str, now: int) -> None:
    await tx.execute(f"UPDATE webhooks SET disabled_at = ? WHERE {ANYWHERE} AND id = ?", now, id)


async def remove(tx: Session, id: str) -> bool:
    return await tx.execute(f"DELETE FROM webhooks WHERE {ANYWHERE} AND id = ?", id) > 0
