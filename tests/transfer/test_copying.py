"""A database moves to another one, from each dialect to the other, with all its rows or none."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from moderation.__main__ import main
from moderation.core.problem import Conflict, NotFound, Unavailable
from moderation.db import connect
from moderation.db.database import Database
from moderation.transfer import copying
from moderation.transfer import store_backup as dump
from moderation.transfer.commands_database import without_password
from moderation.transfer.store_tables import TABLES
from tests import postgres
from tests.conftest import ROOT, Server, Service, migrate

pytestmark = pytest.mark.anyio
DERIVED = (
    "SELECT site, status, count FROM comment_counts WHERE count > 0 ORDER BY site, status",
    "SELECT site, reason, status, id FROM comment_reasons",
    "SELECT site, article, approved_count FROM articles",
)
"""Tables and columns that the target fills by itself."""
ALTERED = {
    "sqlite": "CREATE TRIGGER alter_one AFTER INSERT ON comments WHEN NEW.name = 'Zoë' BEGIN "
    "UPDATE comments SET revision = revision + 1 WHERE site = NEW.site AND id = NEW.id; END",
    "postgres": "CREATE FUNCTION alter_one() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN NEW.revision := NEW.revision + 1; RETURN NEW; END $$; "
    "CREATE TRIGGER alter_one BEFORE INSERT ON comments FOR EACH ROW WHEN (NEW.name = 'Zoë') EXECUTE FUNCTION alter_one()",
}
LOST = {
    "sqlite": "CREATE TRIGGER lose_one AFTER INSERT ON comments WHEN NEW.name = 'Zoë' BEGIN "
    "DELETE FROM comments WHERE site = NEW.site AND id = NEW.id; END",
    "postgres": "CREATE FUNCTION lose_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
    "CREATE TRIGGER lose_one BEFORE INSERT ON comments FOR EACH ROW WHEN (NEW.name = 'Zoë') EXECUTE FUNCTION lose_one()",
}
KILLED = """
import asyncio, os, signal, sys
from moderation.db import connect
from moderation.transfer import copying

async def run():
    old, new = connect(sys.argv[1]), connect(sys.argv[2])
    await old.open()
    await new.open()
    await copying.copy(old, new, lambda: os.kill(os.getpid(), signal.SIGKILL))

asyncio.run(run())
"""


@pytest.fixture
def other(address: str, cluster: str, tmp_path: Path) -> str:
    """A new database without tables, of the other dialect than `address`."""
    if address.startswith("postgresql:"):
        return str(tmp_path / "other" / "moderation.sqlite3")
    name = f"t{time.time_ns()}"
    asyncio.run(postgres.ask(f"{cluster}/postgres", f"CREATE DATABASE {name}"))
    return f"{cluster}/{name}"


@asynccontextmanager
async def opened(*addresses: str) -> AsyncIterator[list[Database]]:
    databases = [connect(one) for one in addresses]
    for database in databases:
        await database.open()
    try:
        yield databases
    finally:
        for database in databases:
            await database.close()


async def rows_of(database: Database) -> dict[str, list[list[Any]]]:
    """Table → its rows, in an order that is the same in both dialects."""
    async with database.reading() as session:
        return {table: sorted([row async for row in dump.rows(session, table)], key=repr) for table in TABLES}


async def filled(service: Service) -> str:
    """A service with a little of much, whose texts sort otherwise in each dialect; the id of the comment that Zoë wrote."""
    for article, name in (("b", "Zoë"), ("B", "ann"), ("a_b", "Ann"), ("a-b", "王"), ("a.b", "O'Neil 😀")):
        assert (await service.post(article, name=name)).status_code in (201, 202)
    held = await service.held(name="Bo")
    await service.decide(await service.held(name="Cy"), "reject")
    await service.decide(held)
    await service.token("score", "default")
    (row,) = (await service.thread("b"))["comments"]
    return str(row["id"])


async def test_every_row_moves_to_the_other_dialect(service: Service, other: str) -> None:
    await filled(service)
    source = service.services.database
    async with opened(other) as (target,):
        before = await rows_of(source)
        told: list[tuple[str, int, int]] = []
        digests = await copying.copy(source, target, progress=lambda *one: told.append(one))
        assert await rows_of(target) == before == await rows_of(source)
        assert {table: digest.rows for table, digest in digests.items()} == {t: len(rows) for t, rows in before.items()}
        assert len(before["comments"]) >= 7 and before["tokens"] and before["decisions"] and before["audit"]
        for sql in DERIVED:
            async with source.reading() as old, target.reading() as new:
                assert sorted(map(tuple, await new.fetch(sql))) == sorted(map(tuple, await old.fetch(sql)))
        assert all(0 <= done <= of for _, done, of in told)


@pytest.mark.parametrize("statement", [ALTERED, LOST])
async def test_a_row_that_differs_is_named_and_nothing_stays(
    service: Service, other: str, statement: dict[str, str]
) -> None:
    zoe = await filled(service)
    source = service.services.database
    async with opened(other) as (target,):
        async with target.transaction() as tx:
            await (tx.execute_script if target.kind == "postgres" else tx.execute)(statement[target.kind])
        with pytest.raises(Unavailable) as refused:
            await copying.copy(source, target)
        assert f"site default, id {zoe}" in refused.value.detail and "comments" in refused.value.detail
        assert "Zoë" not in refused.value.detail
        async with target.reading() as session:
            assert sum((await dump.counts(session)).values()) == 0


async def test_a_row_too_many_is_named(service: Service, other: str) -> None:
    await filled(service)
    async with opened(other) as (target,):
        await copying.copy(service.services.database, target)
        async with target.transaction() as tx:
            await tx.execute(
                "INSERT INTO sites (site, name, origins, settings, created_at) VALUES ('b', '', '', '{}', 0)"
            )
        async with service.services.database.reading() as old, target.reading() as new:
            with pytest.raises(Unavailable, match=r"differs in sites.*first at site b"):
                await copying.compare(old, new)


async def test_a_killed_run_leaves_the_source_as_it_was_and_can_be_repeated(
    service: Service, settings: Any, other: str
) -> None:
    await filled(service)
    source = service.services.database
    before = await rows_of(source)
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, settings.database, other], cwd=ROOT, capture_output=True
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert await rows_of(source) == before
    async with opened(other) as (target,):
        async with target.reading() as session:
            assert sum((await dump.counts(session)).values()) == 0
        await copying.copy(source, target)
        assert await rows_of(target) == before


async def test_a_database_is_in_use_while_it_is_open(address: str) -> None:
    assert not await connect(address).is_in_use()
    async with opened(address):
        assert await connect(address).is_in_use()
        with pytest.raises(Conflict, match="Stop the service"):
            await copying.require_source(connect(address))
        with pytest.raises(Conflict, match="in use"):
            await copying.require_target(connect(address))


async def test_a_source_without_tables_is_refused_and_not_created(empty: str) -> None:
    with pytest.raises(NotFound, match="no database to move"):
        await copying.require_source(connect(empty))
    assert await connect(empty).is_new()


async def test_a_target_with_rows_or_of_an_earlier_version_stays_as_it_is(
    service: Service, other: str, tmp_path: Path
) -> None:
    await filled(service)
    async with opened(other) as (target,):
        async with target.transaction() as tx:
            await tx.execute("INSERT INTO training_state (site, examples_read_at) VALUES ('default', 1)")
        with pytest.raises(Conflict, match="it has rows in training_state"):
            await copying.copy(service.services.database, target)
        async with target.transaction() as tx:
            await tx.execute("DELETE FROM migrations WHERE number > 3")
    with pytest.raises(Conflict, match="an earlier version"):
        await copying.require_target(connect(other))
    assert max(await connect(other).applied()) == 3


async def test_another_programs_database_is_no_target(empty: str) -> None:
    create = "CREATE TABLE recipes (name TEXT)"
    if empty.startswith("postgresql:"):
        await postgres.ask(empty, create)
    else:
        Path(empty).parent.mkdir()
        with closing(sqlite3.connect(empty)) as connection:
            connection.execute(create)
    with pytest.raises(Conflict, match="another program"):
        await copying.require_target(connect(empty))
    assert await connect(empty).is_new()


# --- the commands ------------------------------------------------------------------------------------------------------


@pytest.fixture
def source(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The database of commands in this process, with a site and a moderator."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODERATION_DATABASE", address)
    assert main(["add-site", "garden", "--name", "Gärten"]) == 0
    assert main(["add-moderator", "ann@garden.example"]) == 0
    yield address


def test_one_command_moves_there_and_one_back(
    source: str, other: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    assert main(["move-database", other, "--json"]) == 0
    there = json.loads(capsys.readouterr().out)
    assert there["database"] == other and there["rows"] == sum(one["rows"] for one in there["tables"].values()) > 4
    monkeypatch.setenv("MODERATION_DATABASE", other)
    third = str(tmp_path / "third" / "moderation.sqlite3")
    assert main(["move-database", third]) == 0
    said = capsys.readouterr().err
    assert f"Set MODERATION_DATABASE={third}" in said and "is unchanged" in said
    monkeypatch.setenv("MODERATION_DATABASE", third)
    assert main(["move-database", str(tmp_path / "fourth" / "db"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["tables"] == there["tables"], "the digests are the same in both dialects"
    assert main(["move-database", other]) == 1
    assert "not empty" in capsys.readouterr().err
    assert main(["move-database", third]) == 1
    assert "the database itself" in capsys.readouterr().err


def test_the_secret_key_comes_along_and_another_one_is_never_replaced(
    migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("old", "new", "taken"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("MODERATION_DATABASE", str(tmp_path / "old" / "db"))
    assert main(["add-moderator", "ann@garden.example"]) == 0
    key = (tmp_path / "old" / "secret-key").read_bytes()
    assert main(["move-database", str(tmp_path / "new" / "db")]) == 0
    assert (tmp_path / "new" / "secret-key").read_bytes() == key
    assert (tmp_path / "new" / "secret-key").stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr().err
    assert str(tmp_path / "new" / "secret-key") in said and key.decode().strip() not in said
    (tmp_path / "taken" / "secret-key").write_text("another key of 24 signs\n")
    assert main(["move-database", str(tmp_path / "taken" / "db")]) == 1
    assert "holds another secret key" in capsys.readouterr().err
    assert not (tmp_path / "taken" / "db").exists()


def test_no_password_is_printed(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["move-database", "postgresql://ann:hunter2@127.0.0.1:1/replies"]) == 1
    printed = "".join(capsys.readouterr())
    assert "cannot be reached" in printed and "hunter2" not in printed


@pytest.mark.parametrize(
    ("address_given", "shown"),
    [
        ("postgresql://ann:hunter2@db:5432/replies", "postgresql://ann:…@db:5432/replies"),
        ("postgresql://db/replies?password=hunter2", "postgresql://db/replies?…"),
        ("postgresql://ann@db/replies", "postgresql://ann@db/replies"),
        ("data/moderation.sqlite3", "data/moderation.sqlite3"),
    ],
)
def test_an_address_is_shown_without_its_password(address_given: str, shown: str) -> None:
    assert without_password(address_given) == shown


def test_the_service_is_stopped_first_and_goes_on_with_the_copy(server: Server, tmp_path: Path) -> None:
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    refused = server.run("move-database", str(tmp_path / "new" / "db"), check=False)
    assert refused.returncode == 1 and "Stop the service" in refused.stderr
    assert not (tmp_path / "new").exists()
    server.stop()
    server.run("move-database", "-", stdin=str(tmp_path / "new" / "db") + "\n")
    server.environment["MODERATION_DATABASE"] = str(tmp_path / "new" / "db")
    assert token[:6] in server.run("list-tokens").stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_missing_migrations_are_named_before_they_run(
    empty: str, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODERATION_DATABASE", empty)
    option = ["--json"] if as_json else []
    assert main(["migrate", "--dry-run", *option]) == 0
    printed = capsys.readouterr()
    said = printed.out if as_json else printed.err
    assert "0001_schema" in said and "An article that only a list of comments has named is not listed" in said
    assert asyncio.run(connect(empty).is_new()) and not Path(empty).exists()
    assert main(["migrate", *option]) == 0
    capsys.readouterr()
    assert main(["migrate", "--dry-run", *option]) == 0
    printed = capsys.readouterr()
    if as_json:
        assert json.loads(printed.out) == {"migrations": [], "applied": False}
    else:
        assert "has every migration" in printed.err


async def test_only_the_missing_migrations_are_named(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await migrate(empty)
    async with opened(empty) as (database,), database.transaction() as tx:
        await tx.execute("DELETE FROM migrations WHERE number > 5")
    monkeypatch.setenv("MODERATION_DATABASE", empty)
    assert await asyncio.to_thread(main, ["migrate", "--dry-run", "--json"]) == 0
    names = [one["name"] for one in json.loads(capsys.readouterr().out)["migrations"]]
    assert names[0].startswith("0006_") and "0005_key_usage" not in names
    assert max(await connect(empty).applied()) == 5
