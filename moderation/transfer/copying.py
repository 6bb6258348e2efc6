"""A database is copied into another one, on the same or the other dialect, and compared with it row by row.

All rows are written in one transaction, and compared before it ends: a run that is interrupted, or that finds a difference,
leaves the target without a row. Meanwhile the source's own transaction keeps every writer out, and is only read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moderation.comments import store as comments
from moderation.core.problem import Conflict, NotFound, Unavailable
from moderation.db.database import Database, Session
from moderation.db.migrate import migrations, pending
from moderation.transfer import store_backup as dump
from moderation.transfer.store_tables import KEYS, TABLES

PAGE = 500
NAMED = ("site", "id", "article", "revision", "rule", "day", "source", "kind")
"""Columns of keys that a message may show; the others hold hashes, hosts and words of clients."""

Progress = Callable[[str, int, int], None]
"""Receives `copied` or `compared`, how many rows are done, and of how many."""


@dataclass(slots=True)
class Digest:
    """Rows of a table: their number, and the sum of their SHA-256 modulo 2²⁵⁶. A sum is the same in every order, and the two
    databases sort texts differently."""

    rows: int = 0
    sum: int = 0

    def add(self, row: list[Any]) -> None:
        self.rows += 1
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(json.dumps(row).encode()).digest())) % 2**256

    @property
    def hex(self) -> str:
        return f"{self.sum:064x}"


async def require_source(source: Database) -> None:
    """Before `open`. Raises NotFound for a database without tables, Conflict while a process has it open."""
    if await source.is_new():
        raise NotFound("There is no database to move: MODERATION_DATABASE has no tables. Correct it.")
    if await source.is_in_use():
        raise Conflict(
            "The database is in use. Stop the service and other commands first, so that no comment stays behind."
        )


async def require_target(target: Database) -> None:
    """Before `open`, so that a refused database is not even migrated. Raises Conflict for one with tables of an earlier
    version or another program, and for one that a process has open."""
    applied = await target.applied()
    if not applied and await target.has_tables():
        raise Conflict("The target has tables of another program. Give a new, empty database.", code="not_empty")
    if applied and pending(applied, migrations(target.kind)):
        raise Conflict("The target has the tables of an earlier version. Give a new, empty database.", code="not_empty")
    if applied and await target.is_in_use():
        raise Conflict("The target is in use. Stop what has it open, or give another database.")


async def copy(
    source: Database,
    target: Database,
    before_commit: Callable[[], None] = lambda: None,
    progress: Progress = lambda what, done, of: None,
) -> dict[str, Digest]:
    """Copies all rows of all tables that a backup has, with sessions, tokens and webhooks. Returns a digest by table.

    Both databases are open. `before_commit` is called once the rows are proved equal. Raises Conflict for a target with rows,
    and Unavailable with the key of the first row that differs; the target then stays empty.
    """
    async with source.transaction() as old, target.transaction() as new:
        if table := await dump.filled_table(new):
            raise Conflict(
                f"The target is not empty: it has rows in {table}. Give a new, empty database.", code="not_empty"
            )
        await dump.clear_sites(new)
        every, done = sum((await dump.counts(old)).values()), 0
        for table in TABLES:
            page = list[dict[str, Any]]()
            async for row in dump.rows(old, table):
                page.append(dict(zip(TABLES[table], row, strict=True)))
                if len(page) == PAGE:
                    await dump.add(new, table, page)
                    done += len(page)
                    progress("copied", done, every * 3)
                    page = []
            await dump.add(new, table, page)
            done += len(page)
        await comments.count_anew(new)
        digests = await compare(old, new, lambda read: progress("compared", every + read, every * 3))
        before_commit()
    return digests


async def compare(old: Session, new: Session, progress: Callable[[int], None] = lambda read: None) -> dict[str, Digest]:
    """Reads both sides, and returns the digest of each table. Raises Unavailable if a table differs. `progress` receives the
    number of rows read."""
    read, digests = 0, dict[str, Digest]()
    for table in TABLES:
        sides = Digest(), Digest()
        for session, digest in zip((old, new), sides, strict=True):
            async for row in dump.rows(session, table):
                digest.add(row)
                read += 1
                if not read % PAGE:
                    progress(read)
        if sides[0] != sides[1]:
            raise Unavailable(
                f"The copy differs in {table}: {sides[0].rows:,} rows in the source, {sides[1].rows:,} in the copy, first at "
                f"{await difference(old, new, table)}. Nothing was moved, and the target is empty."
            )
        digests[table] = sides[0]
    return digests


async def difference(old: Session, new: Session, table: str) -> str:
    """The key of the first row that one side lacks or has otherwise, in words."""
    for here, there in ((old, new), (new, old)):
        async for row in dump.rows(here, table):
            key = row[: KEYS[table]]
            if await dump.row_of(there, table, key) != row:
                columns = zip(TABLES[table], key, strict=False)
                return ", ".join(f"{name} {value}" if name in NAMED else f"{name} …" for name, value in columns)
    return "no row that both sides can name"
