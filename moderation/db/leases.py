"""What only one of several workers may do at a time, or only once in a while."""

from __future__ import annotations

from moderation.core.ids import EVERYWHERE
from moderation.core.times import LEEWAY
from moderation.db.database import Session


async def is_free(session: Session, name: str, holder: str, now: int, until: int) -> bool:
    """Nobody else's: asked without writing, before `take` settles it."""
    row = await session.fetch_one("SELECT holder, expires_at FROM leases WHERE site = ? AND name = ?", EVERYWHERE, name)
    return row is None or row[0] == holder or row[1] <= now or row[1] > until + LEEWAY


async def take(tx: Session, name: str, holder: str, now: int, until: int) -> bool:
    """True where it is the holder's until then: it was nobody's, it was over, or it was the holder's already. One that ends
    later than a new one would was taken before the clock was set back, and is over."""
    taken = await tx.execute(
        "INSERT INTO leases (site, name, holder, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (site, name) DO UPDATE SET "
        "holder = excluded.holder, expires_at = excluded.expires_at WHERE leases.expires_at <= ? OR leases.holder = excluded.holder "
        "OR leases.expires_at > ?",
        *(EVERYWHERE, name, holder, until, now, until + LEEWAY),
    )
    return taken > 0


async def release(tx: Session, name: str, holder: str) -> None:
    await tx.execute("DELETE FROM leases WHERE site = ? AND name = ? AND holder = ?", EVERYWHERE, name, holder)
