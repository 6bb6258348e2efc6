"""First answers, kept a day for requests that come twice (Idempotency-Key)."""

from __future__ import annotations

from collections.abc import Iterable

from moderation.storage.database import Session, marks

KEPT = 24 * 3600 * 1000


async def find(session: Session, site: str, keys: Iterable[str], now: int) -> dict[tuple[str, str], tuple[str, str]]:
    """(article, key) → (request hash, answer)."""
    wanted = list(keys)
    rows = await session.fetch(
        f"SELECT article, key, request, answer FROM retries WHERE site = ? AND key IN ({marks(len(wanted))}) "
        "AND created_at > ?",
        *(site, *wanted, now - KEPT),
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def add(tx: Session, rows: Iterable[tuple[str, str, str, str, str]], now: int) -> None:
    """(site, article, key, request hash, answer); forgets what is older than a day."""
    for site, article, key, request, answer in rows:
        await tx.execute(
            "DELETE FROM retries WHERE site = ? AND article = ? AND created_at <= ?", site, article, now - KEPT
        )
        await tx.execute(
            "INSERT INTO retries (site, article, key, request, answer, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            *(site, article, key, request, answer, now),
        )
