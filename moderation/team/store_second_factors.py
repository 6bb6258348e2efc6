"""Second factors as seeds, and recovery codes as keyed hashes."""

from __future__ import annotations

from dataclasses import dataclass

from moderation.db.database import Session
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.team.model import Moderator

FACTORS = Table(name="second_factors", columns=("site", "moderator", "seed", "confirmed_at", "last_step"))
CODES = Table(name="recovery_codes", columns=("site", "moderator", "code_hash"), key=3)
TABLES = (FACTORS, CODES)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    seed: str
    confirmed_at: int | None
    last_step: int


FACTOR = listed(FACTORS.columns[2:])
factor_of = reader(SecondFactor, FACTORS.columns[2:])


async def of(session: Session, moderator: Moderator) -> SecondFactor | None:
    row = await session.fetch_one(
        f"SELECT {FACTOR} FROM second_factors WHERE site = ? AND moderator = ?",
        *(moderator.site, moderator.id),
    )
    return factor_of(row) if row else None


async def all_on(session: Session) -> set[str]:
    """The ids of moderators with a second factor."""
    rows = await session.fetch("SELECT moderator FROM second_factors WHERE confirmed_at IS NOT NULL")
    return {row[0] for row in rows}


async def put(tx: Session, moderator: Moderator, factor: SecondFactor) -> None:
    await tx.execute(
        f"{FACTORS.insert} "
        "ON CONFLICT (site, moderator) DO UPDATE SET seed = excluded.seed, confirmed_at = excluded.confirmed_at, "
        "last_step = excluded.last_step",
        *(moderator.site, moderator.id, factor.seed, factor.confirmed_at, factor.last_step),
    )


async def remove(tx: Session, moderator: Moderator) -> None:
    """Removes a second factor and its recovery codes."""
    await put_codes(tx, moderator, [])
    await tx.execute("DELETE FROM second_factors WHERE site = ? AND moderator = ?", moderator.site, moderator.id)


async def put_codes(tx: Session, moderator: Moderator, code_hashes: list[str]) -> None:
    """Stores recovery codes in place of the earlier ones."""
    await tx.execute("DELETE FROM recovery_codes WHERE site = ? AND moderator = ?", moderator.site, moderator.id)
    await tx.execute_many(
        CODES.insert,
        [(moderator.site, moderator.id, code_hash) for code_hash in code_hashes],
    )


async def use_code(tx: Session, moderator: Moderator, code_hash: str) -> bool:
    """Uses up a recovery code; False if it does not exist."""
    return (
        await tx.execute(
            "DELETE FROM recovery_codes WHERE site = ? AND moderator = ? AND code_hash = ?",
            *(moderator.site, moderator.id, code_hash),
        )
        > 0
    )


async def codes_left(session: Session, moderator: Moderator) -> int:
    row = await session.fetch_one(
        "SELECT count(*) FROM recovery_codes WHERE site = ? AND moderator = ?", moderator.site, moderator.id
    )
    return int(row[0]) if row else 0
