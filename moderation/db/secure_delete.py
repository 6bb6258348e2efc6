"""Secure delete: the former contents of a row stay on disk until they are overwritten."""

from __future__ import annotations

from collections.abc import Sequence

from moderation.core.ids import EVERYWHERE, new_id
from moderation.db.database import Database, Session, placeholders
from moderation.db.tables import Table

TABLES = (Table(name="secure_deletes"),)
"""In no backup, which holds none of the deleted texts."""
PAGES = 500
"""Pages of the full-text index merged at a time: a comment waits at most for these."""


async def request(tx: Session, now: int) -> None:
    """Requests an overwrite, in the transaction that deletes."""
    await tx.execute("INSERT INTO secure_deletes (site, id) VALUES (?, ?)", EVERYWHERE, new_id(now))


async def requested(session: Session) -> list[str]:
    return [row[0] for row in await session.fetch("SELECT id FROM secure_deletes WHERE site = ?", EVERYWHERE)]


async def is_requested(database: Database) -> bool:
    async with database.reading() as session:
        return bool(await requested(session))


async def overwrite_deleted(database: Database, tables: Sequence[str]) -> bool:
    """False if it must be repeated: a reader still uses an older state of the file."""
    async with database.reading() as session:
        ids = await requested(session)
    if not ids:
        return True
    if database.kind == "sqlite":
        await _merge(database)
    if not await database.overwrite(tables):
        return False
    async with database.transaction() as tx:
        await tx.execute(
            f"DELETE FROM secure_deletes WHERE site = ? AND id IN ({placeholders(len(ids))})", EVERYWHERE, *ids
        )
    return True


async def _merge(database: Database) -> None:
    """Merges the parts of the full-text index: until then it only marks a text as deleted (FTS5, `merge`)."""
    async with database.reading() as session:
        if not await session.fetch("SELECT 1 FROM sqlite_master WHERE name = 'comment_texts'"):
            return
    pages = -PAGES  # negative: merge everything, not only what FTS5 finds worthwhile
    while True:
        async with database.transaction() as tx:
            before = await tx.fetch("SELECT total_changes()")
            await tx.execute("INSERT INTO comment_texts (comment_texts, rank) VALUES ('merge', ?)", pages)
            if (await tx.fetch("SELECT total_changes()"))[0][0] - before[0][0] < 2:
                return
        pages = PAGES
