"""All rows of all tables, read for a backup and written by a restore, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.core.problem import Conflict
from moderation.db.database import Session, placeholders

TABLES: dict[str, tuple[str, ...]] = {
    "sites": (*("site", "name", "origins", "settings", "created_at", "mutes", "revision", "duplicates_watched_until"),),
    "articles": ("site", "article", "title", "url", "text", "published_at", "comments_open", "revision", "created_at"),
    "article_vectors": ("site", "article", "sequence", "version", "vector"),
    "comments": (
        *("site", "id", "article", "parent", "path", "status", "revision", "name", "email", "url", "body", "html"),
        *("notify", "author_key", "network_key", "body_key", "created_at", "edited_at", "judged_revision"),
        *("is_decided", "format", "max_score", "margin", "rank", "is_staff"),
    ),
    "article_openings": ("site", "article", "opened_at", "network_key", "comment", "title", "url"),
    "duplicate_keys": ("site", "id", "key"),
    "submissions": (
        *("site", "id", "revision", "source", "article", "body", "author_name", "author_url", "email_domain"),
        *("author_key", "action", "scores", "model", "reasons", "facts", "created_at", "format"),
    ),
    "decisions": (
        *("site", "id", "submission", "judged_revision", "action", "labels", "note", "moderator", "before_status"),
        *("after_status", "after_revision", "created_at", "undone_at", "undone_by", "reason"),
    ),
    "shadow_runs": (
        *("site", "id", "model", "started_at", "started_by", "read_until", "problem", "ended_at", "ended_by"),
        "outcome",
    ),
    "shadow_verdicts": ("site", "id", "revision", "run", "action", "differs", "scores", "rules", "created_at"),
    "appeals": ("site", "id", "body", "created_at"),
    "imported_ids": ("site", "source", "kind", "foreign_id", "id", "missing_parent"),
    "audit": ("site", "id", "at", "actor", "action", "subject", "detail"),
    "moderators": ("site", "id", "email", "role", "password_hash", "created_at", "name", "wants_digest"),
    "tokens": (
        *("site", "token_hash", "kind", "id", "moderator", "scopes", "created_at", "expires_at", "ended_at"),
        *("last_used_at", "name"),
    ),
    "second_factors": ("site", "moderator", "seed", "confirmed_at", "last_step"),
    "recovery_codes": ("site", "moderator", "code_hash"),
    "signin_failures": ("site", "account_key", "unseen", "unmailed", "failed_at", "mailed_at"),
    "rule_counts": ("site", "rule", "day", "hits", "decided", "overturned"),
    "settings_history": ("site", "id", "changed_at", "actor", "settings", "is_block"),
    "idempotency_keys": ("site", "article", "key", "request_hash", "response", "created_at"),
    "subscriptions": ("site", "author_key", "id", "state", "asked_at", "changed_at"),
    "data_subject_links": ("site", "id", "author_key", "created_at", "exported_at"),
    "training_state": ("site", "examples_read_at"),
    "erased_examples": ("site", "id", "erased_at", "examples"),
    "webhooks": ("site", "id", "url", "events", "created_at", "disabled_at"),
    "outbox": (
        *("site", "id", "destination", "subject", "content", "state", "attempts", "due_at", "last_response"),
        "created_at",
    ),
}
"""Tables and columns, in an order that foreign keys allow. Failed attempts and leases are left out: they expire in minutes."""

KEYS = {
    "sites": 1,
    "training_state": 1,
    "decisions": 3,
    "submissions": 3,
    "shadow_verdicts": 4,
    "imported_ids": 4,
    "duplicate_keys": 3,
    "idempotency_keys": 3,
    "rule_counts": 3,
    "recovery_codes": 3,
}
"""Table → the number of its primary key's columns, if it is not two."""
PAGE = 500


async def rows(session: Session, table: str) -> AsyncIterator[list[Any]]:
    """A table's rows in the order of the primary key, a page at a time."""
    columns = TABLES[table]
    key = columns[: KEYS.get(table, 2)]
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
