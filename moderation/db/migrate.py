"""Migrations: the SQL files of one dialect in `migrations/`, each applied once, in the order of their numbers.

Both dialects have files of the same names. A database at `0106_openings`, the last step of an earlier sequence, is brought to
`0001_schema` by `from_0106.sql` in one step.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import takewhile

from moderation.db.database import Session
from moderation.db.tables import Table

TABLES = (Table(name="migrations"),)
EARLIER_LAST = "0106_openings"
"""The one earlier migration that can be upgraded."""
EARLIER_FIRST = "0001_first"
WITH_FTS5 = "-- only with fts5"


class IncompatibleDatabase(Exception):
    """The database's migration cannot be upgraded by this version. The message names it and the remedy."""


class NewerDatabase(IncompatibleDatabase):
    """The database was written by a newer version."""


class OlderDatabase(IncompatibleDatabase):
    """The database was written by a version that is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def said(self) -> str:
        """The first sentence of the comment that its file begins with; empty without one."""
        lines = takewhile(lambda line: line.startswith("--"), self.sql.splitlines())
        return re.split(r"(?<=[.;])\s", " ".join(line.removeprefix("--").strip() for line in lines))[0]


def read(kind: str, name: str) -> str:
    """The SQL of one file of a dialect."""
    return resources.files("moderation.db").joinpath("migrations", kind, f"{name}.sql").read_text("utf-8")


def migrations(kind: str) -> list[Migration]:
    """Every migration of a dialect, in order."""
    files = resources.files("moderation.db").joinpath("migrations", kind).iterdir()
    names = sorted(file.name.removesuffix(".sql") for file in files if re.fullmatch(r"\d{4}_\w+\.sql", file.name))
    return [Migration(number=int(name[:4]), name=name, sql=read(kind, name)) for name in names]


def newest() -> int:
    """The number of the last migration, the same in both dialects."""
    return migrations("sqlite")[-1].number


def statements(sql: str, *, fts5: bool) -> list[str]:
    """The single statements of an SQLite file; those below `-- only with fts5` only with a full-text index."""
    complete, lines, is_left_out = [], list[str](), False
    for line in sql.splitlines():
        is_left_out = is_left_out or (line == WITH_FTS5 and not fts5)
        if not line.strip() or (line.startswith("--") and not lines):
            continue
        lines.append(line)
        if sqlite3.complete_statement("\n".join(lines)):
            if not is_left_out:
                complete.append("\n".join(lines))
            lines, is_left_out = [], False
    return complete


async def migrate(session: Session, steps: list[Migration] | None = None) -> None:
    """Applies missing migrations in order. The caller holds the lock and the transaction, so the result is atomic.

    Raises NewerDatabase and OlderDatabase.
    """
    steps = migrations(session.kind) if steps is None else steps
    await session.execute("CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL, name TEXT NOT NULL)")
    applied = {row[0]: row[1] for row in await session.fetch("SELECT number, name FROM migrations ORDER BY number")}
    missing = pending(applied, steps)
    fts5 = await has_fts5(session, is_new=not applied)
    if is_earlier(applied):
        await run(session, read(session.kind, "from_0106"), fts5)
        await run(session, adding_what_is_missing(steps[0].sql), fts5)
        await session.execute("DELETE FROM migrations")
        await note(session, steps[0])
        missing = missing[1:]
    for migration in missing:
        await run(session, migration.sql, fts5)
        await note(session, migration)


def is_earlier(applied: Mapping[int, str]) -> bool:
    """Whether a database with these migrations is of the earlier sequence."""
    return EARLIER_FIRST in applied.values()


def pending(applied: Mapping[int, str], steps: list[Migration]) -> list[Migration]:
    """Those of `steps` that a database with these migrations lacks, in order. One of the earlier sequence lacks all of them.

    Raises NewerDatabase and OlderDatabase.
    """
    last = applied[max(applied)] if applied else ""
    if is_earlier(applied):
        if last != EARLIER_LAST:
            raise OlderDatabase(
                f"the database is at migration {last}, this version starts from {EARLIER_LAST}: run the last "
                "version that has that migration once (docs/operations.md, “Upgrading”), or restore a backup"
            )
        return steps
    if applied and max(applied) > steps[-1].number:
        raise NewerDatabase(
            f"the database is at migration {last}, this version knows up to {steps[-1].name}: "
            "it was written by a newer leave-a-reply; run that version, or restore a backup"
        )
    return [migration for migration in steps if migration.number not in applied]


async def run(session: Session, sql: str, fts5: bool) -> None:
    if session.kind == "sqlite":
        for statement in statements(sql, fts5=fts5):
            await session.execute(statement)
    else:
        await session.execute_script(sql)


async def note(session: Session, migration: Migration) -> None:
    await session.execute("INSERT INTO migrations (number, name) VALUES (?, ?)", migration.number, migration.name)


async def has_fts5(session: Session, *, is_new: bool) -> bool:
    """Whether an existing database has the full-text index; for a new one, whether SQLite can create it."""
    if session.kind != "sqlite":
        return False
    if is_new:
        return bool(await session.fetch("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"))
    return bool(await session.fetch("SELECT 1 FROM sqlite_master WHERE name = 'comment_texts'"))


def adding_what_is_missing(sql: str) -> str:
    """The schema with IF NOT EXISTS on tables and indexes."""
    return re.sub(
        r"^CREATE ((?:UNIQUE |VIRTUAL )?(?:TABLE|INDEX)) ", r"CREATE \1 IF NOT EXISTS ", sql, flags=re.MULTILINE
    )
