"""Failed sign-ins of an account since its moderator last looked, by the account's key. Unknown accounts are counted too, so
that both take the same time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table

TABLES = (
    Table(
        name="signin_failures",
        columns=("site", "account_key", "unseen", "unmailed", "failed_at", "mailed_at"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    unseen: int = 0
    unmailed: int = 0
    """Failures since the last mail about them."""
    mailed_at: int = 0


FAILURES_COLUMNS = ("unseen", "unmailed", "mailed_at")
FAILURES = ", ".join(FAILURES_COLUMNS)
failures_of = reader(Failures, FAILURES_COLUMNS)


async def of(session: Session, account_key: str) -> Failures:
    row = await session.fetch_one(
        f"SELECT {FAILURES} FROM signin_failures WHERE site = ? AND account_key = ?",
        EVERYWHERE,
        account_key,
    )
    return failures_of(row) if row else Failures()


async def add(tx: Session, account_key: str, now: int) -> None:
    await tx.execute(
        "INSERT INTO signin_failures (site, account_key, unseen, unmailed, failed_at) VALUES (?, ?, 1, 1, ?) "
        "ON CONFLICT (site, account_key) DO UPDATE SET unseen = signin_failures.unseen + 1, "
        "unmailed = signin_failures.unmailed + 1, failed_at = excluded.failed_at",
        *(EVERYWHERE, account_key, now),
    )


async def take_back(tx: Session, account_key: str) -> None:
    """Subtracts the last failure, which was a success."""
    await tx.execute(
        "UPDATE signin_failures SET unseen = unseen - 1, unmailed = CASE WHEN unmailed > 0 THEN unmailed - 1 ELSE 0 END "
        "WHERE site = ? AND account_key = ? AND unseen > 0",
        *(EVERYWHERE, account_key),
    )


async def seen(tx: Session, account_key: str) -> None:
    """Resets the count after the moderator has seen it."""
    await tx.execute(
        "UPDATE signin_failures SET unseen = 0, unmailed = 0 WHERE site = ? AND account_key = ?",
        EVERYWHERE,
        account_key,
    )


async def sign(tx: Session, account_key: str, now: int) -> None:
    await tx.execute(
        "UPDATE signin_failures SET unmailed = 0, mailed_at = ? WHERE site = ? AND account_key = ?",
        now,
        EVERYWHERE,
        account_key,
    )


async def any_known(session: Session) -> bool:
    return await session.fetch_one("SELECT 1 FROM signin_failures WHERE site = ? LIMIT 1", EVERYWHERE) is not None


async def forget(tx: Session, before: int, keep: Collection[str]) -> None:
    """Deletes counts older than a time, of unknown accounts and of those with nothing to report."""
    theirs = f"AND (unseen = 0 OR account_key NOT IN ({placeholders(len(keep))}))" if keep else ""
    await tx.execute(
        f"DELETE FROM signin_failures WHERE site = ? AND failed_at <= ? AND mailed_at <= ? {theirs}",
        *(EVERYWHERE, before, before, *keep),
    )


async def erase(tx: Session, account_key: str) -> None:
    await tx.execute("DELETE FROM signin_failures WHERE site = ? AND account_key = ?", EVERYWHERE, account_key)
