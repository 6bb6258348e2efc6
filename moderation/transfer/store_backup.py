"""All rows of all tables, read for a backup and written by a restore, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.articles import store as articles
from moderation.articles import store_openings as openings
from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_decisions as decisions
from moderation.comments import store_submissions as submissions
from moderation.core.problem import Conflict
from moderation.db import audit, leases, migrate, secure_delete
from moderation.db.database import Session, placeholders
from moderation.db.tables import Table
from moderation.duplicates import store as duplicates
from moderation.intake import store as intake
from moderation.learning import store as learning
from moderation.learning import store_shadow as shadow
from moderation.outbox import store as outbox
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox import store_webhooks as webhooks
from moderation.policy import store_rule_health as rule_health
from moderation.policy import store_settings_history as settings_history
from moderation.privacy import store as privacy
from moderation.queue import store_search as search
from moderation.sites import store as sites
from moderation.team import store as team
from moderation.team import store_failures as failures
from moderation.team import store_second_factors as second_factors
from moderation.transfer import store as imports

STORES = (
    *(migrate, leases, audit, secure_delete),
    sites,
    *(team, second_factors, failures),
    *(comments, submissions, decisions, appeals),
    duplicates,
    *(rule_health, settings_history),
    *(articles, openings),
    *(webhooks, outbox, subscriptions),  # a restore knows which webhooks stay away before it comes to their messages
    intake,
    search,
    *(learning, shadow),
    privacy,
    imports,
)
"""The modules that declare tables, in the order of the slices, which is one that foreign keys allow."""
DECLARED: tuple[Table, ...] = tuple(table for store in STORES for table in store.TABLES)
"""Every table of the schema."""
TABLES = {table.name: table.columns for table in DECLARED if table.columns}
"""Those of a backup, and their columns."""
KEYS = {table.name: table.key for table in DECLARED}
TEXTS = tuple(table.name for table in DECLARED if table.holds_text)
"""Those that a secure delete overwrites."""
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
