"""A database at `0106_openings`, the last migration of before `0001_schema`: its schema as it stood, and rows of every kind."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg

from moderation.db.migrate import statements

HERE = Path(__file__).parent
ROWS = HERE / "old_0106.rows.sql"
LATER = {
    "comment_hosts", "key_usage", "key_thresholds", "coral_secrets", "reports", "notes", "blocks", "saved_filters", "snoozes",
    "assignments",
}  # fmt: skip
"""Tables that came after it."""
FTS5 = ("comment_texts", "comment_shorts", "comment_numbers", "comment_shelves")
SEARCH = (
    "INSERT INTO comment_shelves VALUES (1, 'default', 'approved'), (2, 'default', 'pending')",
    "INSERT INTO comment_numbers SELECT (1 << 36) + 1, site, id FROM comments WHERE id = '01000000000000000000000010'",
    "INSERT INTO comment_texts (rowid, name, email, body) SELECT n.number, c.name, c.email, c.body FROM comment_numbers n "
    "JOIN comments c ON c.id = n.id",
    "INSERT INTO comment_shorts (rowid, words) SELECT number, 'x6f66' FROM comment_numbers",
    "INSERT INTO comment_texts_unread SELECT site, id FROM comments WHERE status = 'pending'",
    "INSERT INTO comment_shorts_unread SELECT site, id FROM comments WHERE status = 'pending'",
)
"""SQLite's full-text index, with what it has read and what it has not."""


def lines(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("--")]


def make(address: str, *, fts5: bool = True, rows: bool = True) -> None:
    """Such a database, on the SQLite file or the PostgreSQL database of this address."""
    if address.startswith("postgresql:"):
        asyncio.run(make_postgres(address, lines(ROWS) if rows else []))
        return
    Path(address).parent.mkdir(exist_ok=True)
    with sqlite3.connect(address) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in statements((HERE / "old_0106.sqlite.sql").read_text("utf-8"), fts5=True):
            if fts5 or not any(name in statement for name in FTS5):
                connection.execute(statement)
        for row in (*lines(ROWS), *(SEARCH if fts5 else ())) if rows else ():
            connection.execute(row)
    connection.close()


async def make_postgres(address: str, rows: Iterable[str]) -> None:
    connection = await asyncpg.connect(address)
    await connection.execute((HERE / "old_0106.postgres.sql").read_text("utf-8"))
    for row in rows:
        await connection.execute(row)
    await connection.execute(
        "INSERT INTO comment_shorts SELECT site, id, ARRAY['of', '你'], shelf(site, status) FROM comments WHERE status <> 'spam'"
    )
    await connection.execute("DELETE FROM comment_shorts_unread WHERE id IN (SELECT id FROM comment_shorts)")
    await connection.close()


async def ask(address: str, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a database, without opening it as the service does."""
    if address.startswith("postgresql:"):
        connection = await asyncpg.connect(address)
        rows = [tuple(row) for row in await connection.fetch(sql)]
        await connection.close()
        return rows
    with sqlite3.connect(address) as file:
        rows = file.execute(sql).fetchall()
    file.close()
    return rows
