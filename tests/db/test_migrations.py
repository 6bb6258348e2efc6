"""Migrations: applied once, all or nothing; and the one step from a database of before `0001_schema`."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from moderation.db import connect, migrate
from moderation.db.database import Database
from moderation.db.migrate import Migration, NewerDatabase, OlderDatabase, migrations, read, statements
from tests.conftest import ROOT
from tests.db import catalogue, old

pytestmark = pytest.mark.anyio
KINDS = ("sqlite", "postgres")
TABLES = {
    "scrubs": "secure_deletes", "attempts": "failed_attempts", "alike": "duplicate_keys", "rule_versions": "settings_history",
    "openings": "article_openings", "retries": "idempotency_keys", "comment_shelves": "search_partitions",
    "comment_texts_unread": "comment_texts_unindexed", "comment_shorts": "comment_short_words",
    "comment_shorts_unread": "comment_short_words_unindexed", "learnt": "training_state", "unlearnt": "erased_examples",
    "shadows": "read_along_runs", "shadow_verdicts": "read_along_verdicts", "person_links": "data_subject_links", "imports": "imported_ids",
}  # fmt: skip
"""Tables of before → of now, of those with another name."""
COLUMNS = {
    "leases.until": "expires_at", "sites.rules": "settings", "sites.waves_until": "duplicates_watched_until",
    "articles.body": "text", "articles.approved": "approved_count", "moderators.digest": "wants_digest",
    "tokens.hash": "token_hash", "tokens.used_at": "last_used_at", "second_factors.step": "last_step",
    "recovery_codes.mark": "code_hash", "attempts.who": "counter", "attempts.at": "failed_at",
    "signin_failures.who": "account_key", "signin_failures.failed": "unseen", "signin_failures.at": "failed_at",
    "comments.address_key": "network_key", "comments.judged": "judged_revision", "comments.decided": "is_decided",
    "comments.worst": "max_score", "comments.doubt": "margin", "comments.turn": "rank", "comments.staff": "is_staff",
    "decisions.judged": "judged_revision", "rule_versions.at": "changed_at", "rule_versions.rules": "settings",
    "rule_versions.bar": "is_block", "article_vectors.changed": "sequence", "openings.at": "opened_at",
    "openings.address_key": "network_key", "outbox.lane": "destination", "outbox.tries": "attempts",
    "outbox.said": "last_response", "subscriptions.person": "author_key", "retries.request": "request_hash",
    "retries.answer": "response", "comment_shelves.shelf": "partition", "comment_shorts.shelf": "partition",
    "learnt.at": "examples_read_at", "unlearnt.at": "erased_at", "shadows.read_to": "read_until",
    "shadow_verdicts.shadow": "run", "shadow_verdicts.differs": "changed", "person_links.person": "author_key", "imports.parent": "missing_parent",
}  # fmt: skip
"""Columns of before → of now, of those with another name."""
GONE = {"submissions.spam", "submissions.worst"}
"""Columns whose values stand in `submissions.scores`."""


@pytest.fixture
def ask(empty: str) -> Callable[[str], Awaitable[list[tuple[Any, ...]]]]:
    return lambda sql: old.ask(empty, sql)


def kind_of(address: str) -> str:
    return "postgres" if address.startswith("postgresql:") else "sqlite"


async def opened(address: str) -> None:
    database = connect(address)
    await database.open()
    await database.close()


async def columns_of(ask: catalogue.Ask, kind: str) -> dict[str, list[tuple[str, bool]]]:
    """Table → its columns, and whether each may be null. FTS5's index of texts is none: it holds no rows that can be read."""
    if kind == "postgres":
        rows = await ask("SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns "
                         "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position")  # fmt: skip
    else:
        rows = await ask("SELECT m.name, c.name, c.\"notnull\" = 0 AND c.pk = 0 FROM sqlite_master m, pragma_table_info(m.name) c "
                         "WHERE m.type = 'table' AND m.name NOT GLOB 'comment_texts' AND m.name NOT GLOB 'comment_*_[dic]*[agxt]'")  # fmt: skip
    found: dict[str, list[tuple[str, bool]]] = {}
    for table, column, nullable in rows:
        found.setdefault(table, []).append((column, bool(nullable)))
    return found


async def held(ask: catalogue.Ask, columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """Every row of every table, in an order of its own."""
    return {
        table: sorted([repr(row) for row in await ask(f"SELECT {', '.join(names)} FROM {table}")])
        for table, names in columns.items()
    }


async def test_a_new_database_has_every_migration_once(empty: str, ask: catalogue.Ask) -> None:
    for _ in range(2):
        await opened(empty)
        applied = await ask("SELECT number, name FROM migrations")
        assert applied == [(m.number, m.name) for m in migrations(kind_of(empty))]


async def test_processes_that_start_at_once_migrate_once(empty: str, ask: catalogue.Ask) -> None:
    every = [connect(empty) for _ in range(6)]
    await asyncio.gather(*(database.open() for database in every))
    for database in every:
        await database.close()
    assert len(await ask("SELECT number FROM migrations")) == len(migrations(kind_of(empty)))


async def test_a_newer_database_is_refused_by_name(address: str) -> None:
    database = connect(address)
    await database.open()
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO migrations (number, name) VALUES (9999, '9999_from_the_future')")
    await database.close()
    with pytest.raises(NewerDatabase, match="9999_from_the_future"):
        await connect(address).open()


async def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    known = migrations(database.kind)
    sql = "CREATE TABLE half (site TEXT);\nINSERT INTO nowhere VALUES (1);\n"
    with pytest.raises(Exception, match="nowhere"):
        async with database.transaction() as tx:
            await migrate.migrate(tx, [*known, Migration(number=9998, name="9998_broken", sql=sql)])
    async with database.reading() as session:
        assert len(await session.fetch("SELECT number FROM migrations")) == len(known)
        with pytest.raises(Exception, match="half"):
            await session.fetch("SELECT site FROM half")


async def test_later_migrations_come_after_the_schema(database: Database) -> None:
    known = migrations(database.kind)
    later = Migration(number=9001, name="9001_later", sql="CREATE TABLE later (site TEXT PRIMARY KEY);\n")
    async with database.transaction() as tx:
        for _ in range(2):
            await migrate.migrate(tx, [*known, later])
        assert await tx.fetch("SELECT site FROM later") == []


def test_both_dialects_have_migrations_of_the_same_names_each_with_a_number_of_its_own() -> None:
    """Of two with one number the second would never be applied."""
    (names, others) = ([m.name for m in migrations(kind)] for kind in KINDS)
    assert names == others and names[0] == "0001_schema"
    assert len({name[:4] for name in names}) == len(names)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_and_index_leads_with_the_site(kind: str) -> None:
    known = migrations(kind)
    for migration in known:
        keys = re.findall(r"(PRIMARY KEY|FOREIGN KEY|INDEX \w+ ON \w+)\s*\(([^)]*)\)", migration.sql)
        for key, columns in keys:
            assert columns.split(",")[0].strip() == "site", f"{migration.name}: {key} ({columns})"
    assert len(re.findall("PRIMARY KEY", known[0].sql)) > 30


def test_a_statement_ends_where_sqlite_says_so() -> None:
    sql = (
        "-- A comment; of one line;\nCREATE TABLE a (b TEXT); -- more\n\n-- only with fts5\nCREATE TRIGGER c AFTER DELETE ON a "
        "BEGIN\n    -- inside;\n    DELETE FROM a;\nEND;\nDROP TABLE a;\n"
    )
    assert [s.split()[1] for s in statements(sql, fts5=True)] == ["TABLE", "TRIGGER", "TABLE"]
    assert [s.split()[0] for s in statements(sql, fts5=False)] == ["CREATE", "DROP"]


# --- from 0106_openings ------------------------------------------------------------------------------------------------


async def test_the_old_database_of_these_tests_has_rows_of_every_kind(empty: str, ask: catalogue.Ask) -> None:
    await asyncio.to_thread(old.make, empty)
    for table, columns in (await columns_of(ask, kind_of(empty))).items():
        assert await ask(f"SELECT 1 FROM {table} LIMIT 1"), table
        for column, nullable in columns:
            if nullable and not (table == "comment_shorts" and kind_of(empty) == "sqlite"):
                kinds = await ask(f"SELECT DISTINCT {column} IS NULL FROM {table}")
                assert len(kinds) == 2, f"{table}.{column}: one that is null, one that is not"


async def test_every_row_is_there_after_the_step_and_equal(empty: str, ask: catalogue.Ask) -> None:
    await asyncio.to_thread(old.make, empty)
    tables = await columns_of(ask, kind_of(empty))
    del tables["migrations"]
    then = {table: [name for name, _ in columns if f"{table}.{name}" not in GONE] for table, columns in tables.items()}
    if kind_of(empty) == "sqlite":
        then["comment_shorts"].append("rowid")
    now = {TABLES.get(t, t): [COLUMNS.get(f"{t}.{name}", name) for name in names] for t, names in then.items()}
    before = await held(ask, then)
    await opened(empty)
    after = await held(ask, now)
    assert after == {TABLES.get(table, table): rows for table, rows in before.items()}
    assert set(await columns_of(ask, kind_of(empty))) == {*now, "migrations", *old.LATER}
    assert await ask("SELECT number, name FROM migrations") == [
        (m.number, m.name) for m in migrate.migrations("sqlite")
    ]
    if kind_of(empty) == "sqlite":
        (number,) = await ask("SELECT number FROM comment_numbers")
        assert await ask("SELECT rowid FROM comment_texts WHERE comment_texts MATCH '\"kind *words\"'") == [number]
        assert await ask("SELECT rowid FROM comment_short_words WHERE comment_short_words MATCH 'x6f66'") == [number]


async def test_after_the_step_the_schema_is_that_of_a_new_database(
    empty: str, ask: catalogue.Ask, cluster: str, tmp_path: Path
) -> None:
    await asyncio.to_thread(old.make, empty)
    await opened(empty)
    stepped = await catalogue.of(ask, kind_of(empty))
    new = await new_database(empty, cluster, tmp_path)
    await opened(new)
    fresh = await catalogue.of(lambda sql: old.ask(new, sql), kind_of(empty))
    assert stepped.keys() == fresh.keys()
    for name, shape in fresh.items():
        assert stepped[name] == shape, name


async def new_database(like: str, cluster: str, folder: Path) -> str:
    if kind_of(like) == "sqlite":
        return str(folder / "new.sqlite3")
    name = f"new{os.getpid()}"
    await old.ask(f"{cluster}/postgres", f"DROP DATABASE IF EXISTS {name}")
    await old.ask(f"{cluster}/postgres", f"CREATE DATABASE {name}")
    return f"{cluster}/{name}"


async def test_a_database_without_a_full_text_index_comes_over_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then, new = str(tmp_path / "old.sqlite3"), str(tmp_path / "new.sqlite3")
    await asyncio.to_thread(old.make, then, fts5=False)
    await opened(then)

    async def none(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(migrate, "has_fts5", none)
    await opened(new)
    stepped, fresh = [await catalogue.of(lambda sql, a=a: old.ask(a, sql), "sqlite") for a in (then, new)]  # type: ignore[misc]
    assert stepped == fresh and "table comment_texts" not in fresh and "table comments" in fresh


async def test_a_step_that_fails_half_way_leaves_the_old_database_as_it_was(
    empty: str, ask: catalogue.Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(old.make, empty)
    kind = kind_of(empty)
    shape = await catalogue.of(ask, kind)
    columns = {table: [name for name, _ in named] for table, named in (await columns_of(ask, kind)).items()}
    before = await held(ask, columns)
    for file in ("from_0106", "0001_schema"):
        with monkeypatch.context() as broken:
            broken.setattr(
                migrate,
                "read",
                lambda k, name, f=file: read(k, name) + "INSERT INTO nowhere VALUES (1);\n" * (name == f),
            )
            with pytest.raises(Exception, match="nowhere"):
                await opened(empty)
        assert await catalogue.of(ask, kind) == shape and await held(ask, columns) == before
    await opened(empty)
    assert await ask("SELECT name FROM migrations") == [(m.name,) for m in migrate.migrations("sqlite")]


async def test_several_that_open_an_old_database_at_once_bring_it_over_once(empty: str, ask: catalogue.Ask) -> None:
    await asyncio.to_thread(old.make, empty)
    every = [connect(empty) for _ in range(4)]
    await asyncio.gather(*(database.open() for database in every))
    for database in every:
        await database.close()
    assert await ask("SELECT name FROM migrations") == [(m.name,) for m in migrate.migrations("sqlite")]


async def test_an_older_database_is_refused_by_name_and_stays_as_it_was(empty: str, ask: catalogue.Ask) -> None:
    await asyncio.to_thread(old.make, empty)
    if kind_of(empty) == "sqlite":
        await ask("DELETE FROM migrations WHERE number > 98 RETURNING 1")
    else:
        await ask("DELETE FROM migrations WHERE number > 98")
    shape = await catalogue.of(ask, kind_of(empty))
    with pytest.raises(OlderDatabase, match=r"0098_second_look.*0106_openings.*backup"):
        await opened(empty)
    assert await catalogue.of(ask, kind_of(empty)) == shape


async def test_the_program_says_so_in_a_sentence(tmp_path: Path) -> None:
    address = str(tmp_path / "data" / "moderation.sqlite3")
    await asyncio.to_thread(old.make, address)
    await old.ask(address, "DELETE FROM migrations WHERE number > 98 RETURNING 1")
    environment = os.environ | {"MODERATION_DATABASE": address}
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "moderation", "add-site", "third"],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1 and run.stdout == ""
    assert "0098_second_look" in run.stderr and "Traceback" not in run.stderr
