"""Backups of format 1, from before `0001_schema`: they come back under the names of now."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from moderation.core.problem import BadRequest
from moderation.db import connect
from moderation.db.database import Database
from moderation.transfer import backup, backup_format_1
from moderation.transfer import store_backup as dump
from tests.db import old

pytestmark = pytest.mark.anyio
KEPT_OUT = {"data_subject_links", "recovery_codes"}
"""Tables that no restore brings back, and rows of `tokens` and `outbox` that it leaves out."""


async def written(folder: Path, migration: int, width: dict[str, int]) -> Path:
    """What a version of before wrote of a database at `0106_openings`; of an older one, tables of no width are missing, and
    rows of a width are cut to it."""
    address = str(folder / "old" / "db.sqlite3")
    await asyncio.to_thread(old.make, address)
    file = folder / "old.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("about.json", json.dumps({"format": 1, "migration": migration}))
        archive.writestr("secret-key", b"0123456789abcdef")
        for table in backup_format_1.TABLES:
            if width.get(table) == 0:
                continue
            columns = [row[1] for row in await old.ask(address, f"SELECT * FROM pragma_table_info('{table}')")]
            columns = [name for name in columns if (table, name) != ("articles", "approved")]  # counted anew
            rows = await old.ask(address, f"SELECT {', '.join(columns[: width.get(table)])} FROM {table}")
            archive.writestr(f"{table}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return file


async def restored(database: Database, folder: Path, file: Path) -> dict[str, int]:
    return await backup.restore(database, folder / "models", folder / "key", file, keep_integrations=True)


async def rows_of(database: Database, table: str) -> list[list[Any]]:
    async with database.reading() as session:
        return [row async for row in dump.rows(session, table)]


async def test_a_backup_of_before_restores_what_the_step_would_have_brought_over(
    database: Database, tmp_path: Path
) -> None:
    counts = await restored(database, tmp_path, await written(tmp_path, 106, {}))
    stepped = connect(str(tmp_path / "old" / "db.sqlite3"))
    await stepped.open()
    assert set(counts) == set(dump.TABLES)
    for table in dump.TABLES:
        there, here = await rows_of(stepped, table), await rows_of(database, table)
        if table in KEPT_OUT:
            assert here == [] and there
        elif table in ("tokens", "outbox"):
            assert here and all(row in there for row in here) and len(here) < len(there)
        else:
            assert sorted(map(repr, here)) == sorted(map(repr, there)), table
            assert there or table in old.LATER, table
    async with database.reading() as session:
        rows = await session.fetch("SELECT approved_count FROM articles WHERE site = 'default' AND article = 'post'")
    assert [tuple(row) for row in rows] == [(2,)]
    await stepped.close()


async def test_of_an_older_one_the_defaults_stand_in_what_came_later(database: Database, tmp_path: Path) -> None:
    first = {"comments": 20, "submissions": 18, "moderators": 6, "sites": 5, "tokens": 9, "decisions": 14}
    later = (
        "article_vectors",
        "openings",
        "alike",
        "shadows",
        "shadow_verdicts",
        "appeals",
        "imports",
        "second_factors",
    )
    later += ("recovery_codes", "signin_failures", "rule_counts", "rule_versions", "subscriptions", "person_links")
    later += ("learnt", "unlearnt", "webhooks", "outbox")
    counts = await restored(database, tmp_path, await written(tmp_path, 1, first | dict.fromkeys(later, 0)))
    assert counts["comments"] == 6 and counts["submissions"] == 5 and counts["outbox"] == 0
    async with database.reading() as session:
        comments = await session.fetch("SELECT DISTINCT format, max_score, margin, rank, is_staff FROM comments")
        submissions = await session.fetch("SELECT DISTINCT format FROM submissions")
        moderators = await session.fetch("SELECT DISTINCT name, wants_digest FROM moderators")
    assert [tuple(row) for row in comments] == [("markdown", 1, 0, 0, 0)]
    assert [tuple(row) for row in submissions] == [("markdown",)] and [tuple(row) for row in moderators] == [("", 1)]


async def test_a_table_that_is_missing_from_a_whole_backup_is_no_older_backup(
    tmp_path: Path, database: Database
) -> None:
    with pytest.raises(KeyError, match="learnt"):
        await restored(database, tmp_path, await written(tmp_path, 106, {"learnt": 0}))


@pytest.mark.parametrize(
    "tables", [{"sites": ["site", "name) VALUES ('x'); DROP TABLE comments; --"]}, {"later": ["site"]}]
)
async def test_columns_and_tables_that_nobody_knows_are_refused(
    tmp_path: Path, database: Database, tables: dict[str, list[str]]
) -> None:
    file = tmp_path / "strange.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("about.json", json.dumps({"format": 2, "migration": 1, "tables": tables}))
        archive.writestr("secret-key", b"0123456789abcdef")
    with pytest.raises(BadRequest, match="newer"):
        await restored(database, tmp_path, file)
