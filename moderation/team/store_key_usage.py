"""What API keys were used for, by client's site and day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from moderation.db.database import Row, Session
from moderation.db.tables import Table
from moderation.team.model import Principal


class Key(NamedTuple):
    site: str
    token_hash: str
    blog: str
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    calls: int = 0
    """Comments checked, test values included."""
    spam: int = 0
    """Comments answered with `true`."""
    ham: int = 0
    """Comments answered with `false`."""
    missed_spam: int = 0
    """Comments answered with `false` that were submitted as spam."""
    false_positives: int = 0
    """Comments answered with `true` that were submitted as ham."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in COUNTED})

    @property
    def values(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in COUNTED)


COUNTED = tuple(field.name for field in fields(Counts))
USAGE = Table(name="key_usage", columns=("site", "token_hash", "blog", "day", *COUNTED, "is_unlinked"), key=4)
TABLES = (USAGE,)
SUMS = ", ".join(f"coalesce(sum({name}), 0)" for name in COUNTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlogUsage:
    """The counts of one client's site."""

    blog: str
    counts: Counts
    is_unlinked: bool


async def add(tx: Session, counted: Mapping[Key, Counts]) -> None:
    """Adds counts; a site that was unlinked is linked again."""
    added = ", ".join(f"{name} = key_usage.{name} + excluded.{name}" for name in COUNTED)
    await tx.execute_many(
        f"{USAGE.insert} ON CONFLICT (site, token_hash, blog, day) DO UPDATE SET {added}, is_unlinked = 0",
        [(*key, *counts.values, 0) for key, counts in sorted(counted.items())],
    )


async def unlink(tx: Session, key: Key) -> None:
    """Marks a client's site as unlinked, from this day on."""
    await tx.execute(
        f"{USAGE.insert} ON CONFLICT (site, token_hash, blog, day) DO UPDATE SET is_unlinked = 1",
        *(*key, *Counts().values, 1),
    )


async def total(session: Session, principal: Principal, first: int, last: int) -> Counts:
    """The sums of a key over the days from `first` to before `last`."""
    row = await session.fetch_one(
        f"SELECT {SUMS} FROM key_usage WHERE site = ? AND token_hash = ? AND day >= ? AND day < ?",
        *(principal.site, principal.token_hash, first, last),
    )
    return counts_of(row) if row else Counts()


async def by_blog(session: Session, principal: Principal, first: int, last: int) -> list[BlogUsage]:
    """The sums of each client's site, in the order of their names."""
    rows = await session.fetch(
        # the parity is the mark of the latest day
        f"SELECT {SUMS}, blog, max(day * 2 + is_unlinked) FROM key_usage "
        "WHERE site = ? AND token_hash = ? AND day >= ? AND day < ? GROUP BY blog ORDER BY blog",
        *(principal.site, principal.token_hash, first, last),
    )
    return [BlogUsage(blog=row[-2], counts=counts_of(row), is_unlinked=row[-1] % 2 == 1) for row in rows]


async def by_day(
    session: Session, principal: Principal, first: int, last: int, blog: str = ""
) -> dict[int, tuple[Counts, int]]:
    """Day → the sums of one client's site, or of all, and the number of sites; days in order."""
    where, args = ("AND blog = ? ", (blog,)) if blog else ("", ())
    rows = await session.fetch(
        f"SELECT {SUMS}, day, count(*) FROM key_usage "
        f"WHERE site = ? AND token_hash = ? AND day >= ? AND day < ? {where}GROUP BY day ORDER BY day",
        *(principal.site, principal.token_hash, first, last, *args),
    )
    return {int(row[-2]): (counts_of(row), int(row[-1])) for row in rows}


def counts_of(row: Row) -> Counts:
    values = [int(value) for value in row[: len(COUNTED)]]
    return Counts(**dict(zip(COUNTED, values, strict=True)))
