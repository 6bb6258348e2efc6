"""Webhooks' endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

ANYWHERE = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"
TABLES = (Table(name="webhooks", columns=("site", "id", "url", "events", "created_at", "disabled_at")),)
ENDPOINT_COLUMNS = ("site", "id", "url", "events", "disabled_at")
ENDPOINT = listed(ENDPOINT_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`site` is a key, or `*` for all sites."""

    site: str
    id: str
    url: str
    events: tuple[str, ...]
    disabled_at: int | None = None


def events_of(stored: str) -> tuple[str, ...]:
    return tuple(stored.split())


endpoint_of = reader(Endpoint, ENDPOINT_COLUMNS, events=events_of)


async def add(tx: Session, endpoint: Endpoint, now: int) -> None:
    await tx.execute(
        "INSERT INTO webhooks (site, id, url, events, created_at) VALUES (?, ?, ?, ?, ?)",
        *(endpoint.site, endpoint.id, endpoint.url, " ".join(endpoint.events), now),
    )


async def all_(session: Session) -> list[Endpoint]:
    rows = await session.fetch(f"SELECT {ENDPOINT} FROM webhooks ORDER BY site, id")
    return [endpoint_of(row) for row in rows]


async def find(session: Session, id: str) -> Endpoint | None:
    row = await session.fetch_one(f"SELECT {ENDPOINT} FROM webhooks WHERE {ANYWHERE} AND id = ?", id)
    return endpoint_of(row) if row else None


async def listening(session: Session, sites: Iterable[str]) -> list[Endpoint]:
    """The endpoints of these sites, and of all sites."""
    places = [EVERYWHERE, *sites]
    rows = await session.fetch(
        f"SELECT {ENDPOINT} FROM webhooks WHERE site IN ({placeholders(len(places))}) AND disabled_at IS NULL", *places
    )
    return [endpoint_of(row) for row in rows]


async def disable(tx: Session, id: str, now: int) -> None:
    await tx.execute(f"UPDATE webhooks SET disabled_at = ? WHERE {ANYWHERE} AND id = ?", now, id)


async def remove(tx: Session, id: str) -> bool:
    return await tx.execute(f"DELETE FROM webhooks WHERE {ANYWHERE} AND id = ?", id) > 0
