"""Every row of every table, out and in again: what backups are made of, on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from moderation.core.problem import Conflict
from moderation.db.database import Session, placeholders

TABLES: dict[str, tuple[str, ...]] = {
    "sites": ("site", "name", "origins", "rules", "created_at", "mutes", "revision", "waves_until"),
    "articles": ("site", "article", "title", "url", "body", "published_at", "comments_open", "revision", "created_at"),
    "article_vectors": ("site", "article", "changed", "version", "vector"),
    "comments": (
        *(
            "site",
            "id",
            "article",
            "parent",
            "path",
            "status",
            "revision",
            "name",
            "email",
            "url",
            "body",
            "html",
            "notify",
        ),
        *("author_key", "address_key", "body_key", "created_at", "edited_at", "judged", "decided", "format"),
        *("worst", "doubt", "turn", "staff"),
    ),
    "openings": ("site", "article", "at", "address_key", "comment", "title", "url"),
    "alike": ("site", "id", "key"),
    "submissions": (
        *(
            "site",
            "id",
            "revision",
            "source",
            "article",
            "body",
            "author_name",
            "author_url",
            "email_domain",
            "author_key",
        ),
        *("action", "scores", "model", "reasons", "facts", "spam", "worst", "created_at", "format"),
    ),
    "decisions": (
        *(
            "site",
            "id",
            "submission",
            "judged",
            "action",
            "labels",
            "note",
            "moderator",
            "before_status",
            "after_status",
        ),
        *("after_revision", "created_at", "undone_at", "undone_by", "reason"),
    ),
    "shadows": (
        *("site", "id", "model", "started_at", "started_by", "read_to", "problem", "ended_at", "ended_by", "outcome"),
    ),
    "shadow_verdicts": (*("site", "id", "revision", "shadow", "action", "differs", "scores", "rules", "created_at"),),
    "appeals": ("site", "id", "body", "created_at"),
    "imports": ("site", "source", "kind", "foreign_id", "id", "parent"),
    "audit": ("site", "id", "at", "actor", "action", "subject", "detail"),
    "moderators": ("site", "id", "email", "role", "password_hash", "created_at", "name", "digest"),
    "tokens": (
        "site",
        "hash",
        "kind",
        "id",
        "moderator",
        "scopes",
        "created_at",
        "expires_at",
        "ended_at",
        "used_at",
        "name",
    ),
    "second_factors": ("site", "moderator", "seed", "confirmed_at", "step"),
    "recovery_codes": ("site", "moderator", "mark"),
    "signin_failures": ("site", "who", "failed", "unmailed", "at", "mailed_at"),
    "rule_counts": ("site", "rule", "day", "hits", "decided", "overturned"),
    "rule_versions": ("site", "id", "at", "actor", "rules", "bar"),
    "retries": ("site", "article", "key", "request", "answer", "created_at"),
    "subscriptions": ("site", "person", "id", "state", "asked_at", "changed_at"),
    "person_links": ("site", "id", "person", "created_at", "exported_at"),
    "learnt": ("site", "at"),
    "unlearnt": ("site", "id", "at", "examples"),
    "webhooks": ("site", "id", "url", "events", "created_at", "disabled_at"),
    "outbox": ("site", "id", "lane", "subject", "content", "state", "tries", "due_at", "said", "created_at"),
}
"""In an order that foreign keys allow. A new column goes to the end of its table, with a default in the database, so that
rows of an older backup are the first columns of today's. Failed attempts and leases are not kept: they
are of the last minutes."""

KEYS = {
    "sites": 1,
    "learnt": 1,
    "articles": 2,
    "decisions": 3,
    "submissions": 3,
    "shadow_verdicts": 4,
    "imports": 4,
    "alike": 3,
    "retries": 3,
    "rule_counts": 3,
    "recovery_codes": 3,
}
"""How many leading columns name a row, where it is not two."""
PAGE = 500


async def rows(session: Session, table: str) -> AsyncIterator[list[Any]]:
    """In the order of the primary key, a page at a time."""
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
    """Raises Conflict where anybody has written already: a restore never mixes two services."""
    for table in ("comments", "moderators", "decisions"):
        if await session.fetch_one(f"SELECT site FROM {table} LIMIT 1"):
            raise Conflict("The database is not empty. Restore into a new one (MODERATION_DATABASE).", code="not_empty")


async def clear_sites(tx: Session) -> None:
    await tx.execute("DELETE FROM article_vectors")
    await tx.execute("DELETE FROM openings")
    await tx.execute("DELETE FROM articles")
    await tx.execute("DELETE FROM sites")


async def add(tx: Session, table: str, page: Iterable[list[Any]]) -> None:
    rows = list(page)
    columns = TABLES[table][: len(rows[0])] if rows else ()
    if rows:
        await tx.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({placeholders(len(columns))})", rows)
