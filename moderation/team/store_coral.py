"""Signing secrets of Coral's external moderation phases, encrypted: those of a site stand beside its tokens."""

from __future__ import annotations

from dataclasses import dataclass

from moderation.db.database import Session
from moderation.db.records import reader
from moderation.db.tables import Table, listed

SECRETS = Table(name="coral_secrets", columns=("site", "id", "encrypted", "created_at"))
TABLES = (SECRETS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoralSecret:
    site: str
    id: str
    encrypted: str
    created_at: int


secret_of = reader(CoralSecret, SECRETS.columns)


async def add(tx: Session, secret: CoralSecret) -> None:
    await tx.execute(SECRETS.insert, secret.site, secret.id, secret.encrypted, secret.created_at)


async def of_site(session: Session, site: str) -> list[CoralSecret]:
    rows = await session.fetch(
        f"SELECT {listed(SECRETS.columns)} FROM coral_secrets WHERE site = ? ORDER BY id DESC", site
    )
    return [secret_of(row) for row in rows]


async def remove(tx: Session, site: str, id: str) -> bool:
    return await tx.execute("DELETE FROM coral_secrets WHERE site = ? AND id = ?", site, id) > 0
