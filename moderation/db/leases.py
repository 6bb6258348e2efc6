"""Leases: tasks for one worker at a time, or at intervals."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Unavailable
from moderation.core.times import LEEWAY
from moderation.db.database import Database, Session
from moderation.db.tables import Table

TABLES = (Table(name="leases"),)
"""In no backup: they are of the last minutes."""


async def is_free(session: Session, name: str, holder: str, now: int, until: int) -> bool:
    """Whether no other holder has it: a read without a write, before `take` decides."""
    row = await session.fetch_one("SELECT holder, expires_at FROM leases WHERE site = ? AND name = ?", EVERYWHERE, name)
    return row is None or row[0] == holder or row[1] <= now or row[1] > until + LEEWAY


async def ends_at(session: Session, name: str) -> int | None:
    """When the latest lease ends or has ended; None if there was none."""
    row = await session.fetch_one("SELECT expires_at FROM leases WHERE site = ? AND name = ?", EVERYWHERE, name)
    return int(row[0]) if row else None


async def take(tx: Session, name: str, holder: str, now: int, until: int) -> bool:
    """True if the holder has the lease until then: it was free, expired or the holder's already. A lease that ends later than
    a new one would was taken before the clock was set back, and counts as expired."""
    taken = await tx.execute(
        "INSERT INTO leases (site, name, holder, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (site, name) DO UPDATE SET "
        "holder = excluded.holder, expires_at = excluded.expires_at WHERE leases.expires_at <= ? OR leases.holder = excluded.holder "
        "OR leases.expires_at > ?",
        *(EVERYWHERE, name, holder, until, now, until + LEEWAY),
    )
    return taken > 0


async def release(tx: Session, name: str, holder: str) -> None:
    await tx.execute("DELETE FROM leases WHERE site = ? AND name = ? AND holder = ?", EVERYWHERE, name, holder)


async def is_held(session: Session, prefix: str, now: int) -> bool:
    """Whether anybody has a lease whose name begins so."""
    row = await session.fetch_one(
        "SELECT 1 FROM leases WHERE site = ? AND substr(name, 1, ?) = ? AND expires_at > ? LIMIT 1",
        *(EVERYWHERE, len(prefix), prefix, now),
    )
    return row is not None


@asynccontextmanager
async def kept(
    database: Database,
    name: str,
    clock: Callable[[], int],
    life: int,
    check: Callable[[Session], Awaitable[None]],
) -> AsyncIterator[None]:
    """Holds a lease of `life` milliseconds while the body runs, and renews it: after a killed process it ends by itself.
    `check` runs in the transaction that takes it, and may raise."""
    holder = secrets.token_hex(8)

    async def renew() -> None:
        while True:
            await asyncio.sleep(life / 3000)
            with suppress(Unavailable):
                async with database.transaction() as tx:
                    await take(tx, name, holder, clock(), clock() + life)

    async with database.transaction() as tx:
        await check(tx)
        await take(tx, name, holder, clock(), clock() + life)
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        with suppress(Unavailable):
            async with database.transaction() as tx:
                await release(tx, name, holder)
