"""Blocks: who put an entry on a site's list `disallowed`, when and why. The list and its ends are settings, and decide alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

BLOCKS = Table(
    name="blocks",
    columns=("site", "entry", "moderator", "reason", "comment", "created_at", "ended_at"),
    holds_text=True,
)
TABLES = (BLOCKS,)
AT_ONCE = 500
"""Entries in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    site: str
    entry: str
    moderator: str
    reason: str = ""
    comment: str | None = None
    """The comment that it was blocked from; it may be gone."""
    created_at: int
    ended_at: int | None = None
    """The time at which the entry was over; None while it is on the list."""


BLOCK = listed(BLOCKS.columns)
block_of = reader(Block, BLOCKS.columns)


async def put(tx: Session, blocks: Iterable[Block]) -> None:
    """Adds blocks, in place of earlier ones of the same entries."""
    await tx.execute_many(
        f"{BLOCKS.insert} ON CONFLICT (site, entry) DO UPDATE SET moderator = excluded.moderator, reason = excluded.reason, "
        "comment = excluded.comment, created_at = excluded.created_at, ended_at = excluded.ended_at",
        [tuple(getattr(block, name) for name in BLOCKS.columns) for block in blocks],
    )


async def delete(tx: Session, site: str, entries: Iterable[str]) -> None:
    await tx.execute_many("DELETE FROM blocks WHERE site = ? AND entry = ?", [(site, entry) for entry in entries])


async def of(session: Session, site: str, entries: Iterable[str]) -> dict[str, Block]:
    """Entry → its block, where somebody is known to have put it on the list."""
    wanted, found = list(entries), dict[str, Block]()
    for at in range(0, len(wanted), AT_ONCE):
        some = wanted[at : at + AT_ONCE]
        rows = await session.fetch(
            f"SELECT {BLOCK} FROM blocks WHERE site = ? AND entry IN ({placeholders(len(some))})", site, *some
        )
        found |= {block.entry: block for block in map(block_of, rows)}
    return found


async def over(session: Session, site: str, limit: int) -> list[Block]:
    """Those that are over, the latest first."""
    rows = await session.fetch(
        f"SELECT {BLOCK} FROM blocks WHERE site = ? AND ended_at IS NOT NULL ORDER BY ended_at DESC, entry LIMIT ?",
        *(site, limit),
    )
    return [block_of(row) for row in rows]


async def forget(tx: Session, site: str, entry: str, ids: Sequence[str]) -> None:
    """After an erasure: reasons that may speak about the person go, and the blocks that were made from their comments no longer
    name these. What is blocked stays blocked."""
    await tx.execute("UPDATE blocks SET reason = '', comment = NULL WHERE site = ? AND entry = ?", site, entry)
    for at in range(0, len(ids), AT_ONCE):
        some = ids[at : at + AT_ONCE]
        await tx.execute(
            f"UPDATE blocks SET reason = '', comment = NULL WHERE site = ? AND comment IN ({placeholders(len(some))})",
            *(site, *some),
        )


async def purge(tx: Session, before: int) -> int:
    """Deletes those that were over before a time. Returns the number."""
    return await tx.execute(
        "DELETE FROM blocks WHERE site IN (SELECT site FROM sites) AND ended_at IS NOT NULL AND ended_at < ?", before
    )
