"""First answers, stored for a day for retried requests (Idempotency-Key)."""

from __future__ import annotations

from collections.abc import Iterable

from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

KEYS = Table(
    name="idempotency_keys",
    columns=("site", "article", "key", "request_hash", "response", "created_at"),
    key=3,
    holds_text=True,
)
TABLES = (KEYS,)
SITES = "site IN (SELECT site FROM sites)"
KEPT = 24 * 3600 * 1000


async def find(session: Session, site: str, keys: Iterable[str], now: int) -> dict[tuple[str, str], tuple[str, str]]:
    """(article, key) → (request hash, answer)."""
    wanted = list(keys)
    rows = await session.fetch(
        f"SELECT article, key, request_hash, response FROM idempotency_keys WHERE site = ? AND key IN ({placeholders(len(wanted))}) "
        "AND created_at > ?",
        *(site, *wanted, now - KEPT),
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def add(tx: Session, rows: Iterable[tuple[str, str, str, str, str]], now: int) -> None:
    """Stores (site, article, key, request hash, answer), and deletes those older than a day."""
    new = list(rows)
    if new:
        await tx.execute_many(
            "DELETE FROM idempotency_keys WHERE site = ? AND article = ? AND created_at <= ?",
            [(site, article, now - KEPT) for site, article, *_ in new],
        )
        await tx.execute_many(
            KEYS.insert,
            [(*row, now) for row in new],
        )


async def forget(tx: Session, site: str, article: str) -> None:
    """Deletes the first answers of an article, which quote its comments."""
    await tx.execute("DELETE FROM idempotency_keys WHERE site = ? AND article = ?", site, article)


async def purge(tx: Session, now: int) -> None:
    await tx.execute(f"DELETE FROM idempotency_keys WHERE {SITES} AND created_at <= ?", now - KEPT)
