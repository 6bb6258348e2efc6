"""All rows of all tables, read for a backup and written by a restore, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.core.problem import Conflict
from moderation.db.database import Session, placeholders
from moderation.transfer.store_tables import KEYS, TABLES

PAGE = 500


async def rows(session: Session, table: str) -> AsyncIterator[list[Any]]:
    """A table's rows in the order of the primary key, a page at a time."""
    columns = TABLES[table]
    key = columns[: KEYS[table]]
    after: list[Any] = []
    while True:
        where = f"WHERE ({', '.join(key)}) > ({placeholders(len(key))})" if after else ""
        page = await session.fetch(
            f"SELECT {', '.join(columns)} FROM {table} {where} ORDER BY {', '.join(key)} LIMIT ?", *after, PAGE
        )
        for row in page:
            yield list(row)
        if len(page) < PAGE:
            return
        after = list(page[-1])[: len(key)]


async def counts(session: Session) -> dict[str, int]:
    """Table → its rows."""
    return {table: int((await session.fetch(f"SELECT count(*) FROM {table}"))[0][0]) for table in TABLES}


async def row_of(session: Session, table: str, key: Sequence[Any]) -> list[Any] | None:
    """The row with this primary key."""
    where = " AND ".join(f"{column} = ?" for column in TABLES[table][: len(key)])
    row = await session.fetch_one(f"SELECT {', '.join(TABLES[table])} FROM {table} WHERE {where}", *key)
    return None if row is None else list(row)


async def filled_table(session: Session) -> str | None:
    """A table with rows, if any: the site `default`, which every command creates, does not count."""
    for table in TABLES:
        where = "WHERE site <> 'default'" if table == "sites" else ""
        if await session.fetch_one(f"SELECT 1 FROM {table} {where} LIMIT 1"):
            return table
    return None


async def largest_articles(session: Session, limit: int) -> list[tuple[str, str, int]]:
    """(site, key, number of published comments) of the listed articles with the most."""
    rows = await session.fetch(
        "SELECT c.site, c.article, count(*) FROM comments c JOIN articles a ON a.site = c.site AND a.article = c.article "
        "WHERE c.status = 'approved' AND a.is_listed = 1 AND a.article NOT LIKE 'checks:%' "
        "GROUP BY c.site, c.article ORDER BY count(*) DESC, c.site, c.article LIMIT ?",
        limit,
    )
    return [(row[0], row[1], int(row[2])) for row in rows]


async def require_empty(session: Session) -> None:
    """Raises Conflict for a database with data: a restore never mixes two services."""
    for table in ("comments", "moderators", "decisions"):
        if await session.fetch_one(f"SELECT site FROM {table} LIMIT 1"):
            raise Conflict("The database is not empty. Restore into a new one (MODERATION_DATABASE).", code="not_empty")


async def clear_sites(tx: Session) -> None:
    await tx.execute("DELETE FROM article_vectors")
    await tx.execute("DELETE FROM article_openings")
    await tx.execute("DELETE FROM articles")
    await tx.execute("DELETE FROM sites")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The rows of one table in a backup: their file, and the column of each value; None for a dropped column."""

    file: str
    columns: tuple[str | None, ...]

    def named(self, row: list[Any]) -> dict[str, Any]:
        """Column → value of a row. Rows of older backups are shorter: newer columns get the database's defaults."""
        return {name: value for name, value in zip(self.columns, row, strict=False) if name is not None}


async def add(tx: Session, table: str, page: Sequence[dict[str, Any]]) -> None:
    """Inserts rows of a table, all with the same columns."""
    if page:
        columns = list(page[0])
        await tx.execute_many(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({placeholders(len(columns))})",
            [tuple(row.values()) for row in page],
        )
        await tx.fetch("SELECT 1")  # SQLite keeps rows in memory until the next statement with a result
