"""Each table is declared once, by the slice that owns it, as the schema has it."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from moderation.db.database import Database
from moderation.db.tables import Table
from moderation.transfer.store_tables import DECLARED, STORES, TEXTS
from tests.sources import ROOT, sources

pytestmark = pytest.mark.anyio
COUNTED_ANEW = {("articles", "approved_count")}
"""Columns that no backup holds."""


def declared_in(path: Path) -> Any:
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return module if any(isinstance(table, Table) for table in getattr(module, "TABLES", ())) else None


async def columns_of(database: Database) -> dict[str, dict[str, bool]]:
    """Table → its columns in order, and which are of its primary key. An index of FTS5 keeps tables of its own."""
    if database.kind == "sqlite":
        sql = (
            "SELECT m.name, c.name, c.pk > 0 FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' "
            "AND m.name NOT GLOB 'comment_texts_[cdi]*' AND m.name NOT GLOB 'comment_short_words_[cdi]*' ORDER BY m.name, c.cid"
        )
    else:
        sql = (
            "SELECT c.table_name, c.column_name, EXISTS (SELECT 1 FROM information_schema.key_column_usage k WHERE "
            "k.table_name = c.table_name AND k.column_name = c.column_name AND k.constraint_name LIKE '%_pkey') "
            "FROM information_schema.columns c WHERE c.table_schema = 'public' ORDER BY c.table_name, c.ordinal_position"
        )
    found: dict[str, dict[str, bool]] = {}
    async with database.reading() as session:
        for table, column, is_key in await session.fetch(sql):
            found.setdefault(table, {})[column] = bool(is_key)
    return found


async def test_every_table_is_declared_with_its_columns(database: Database) -> None:
    schema = await columns_of(database)
    declared = {table.name: table for table in DECLARED}
    assert schema.keys() <= declared.keys()
    if database.kind == "sqlite":
        assert schema.keys() == declared.keys()
    for name, columns in schema.items():
        if declared[name].columns:
            assert declared[name].columns == tuple(c for c in columns if (name, c) not in COUNTED_ANEW), name
            key = [column for column, is_key in columns.items() if is_key]
            assert sorted(key) == sorted(declared[name].columns[: declared[name].key]), name


def test_every_table_is_declared_by_one_store() -> None:
    assert [name for name, times in Counter(table.name for table in DECLARED).items() if times > 1] == []
    found = [
        module for path in sources("moderation") if path.parent.name != "transfer" and (module := declared_in(path))
    ]
    assert set(found) == {store for store in STORES if not store.__name__.startswith("moderation.transfer")}
    for module in found:
        folder, _, file = module.__name__.removeprefix("moderation.").partition(".")
        assert folder == "db" or file.startswith("store"), module.__name__


def test_what_readers_and_moderators_write_is_overwritten() -> None:
    assert set(TEXTS) == {
        "comments",
        "comment_hosts",
        "submissions",
        "decisions",
        "appeals",
        "reports",
        "notes",
        "blocks",
        "saved_filters",
        "outbox",
        "idempotency_keys",
    }
