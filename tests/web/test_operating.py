"""The operator's commands, settings, health, metrics, logs and backups."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from moderation import settings as settings_
from moderation.__main__ import COMMANDS, commands_of, main
from moderation.cli import CliContext
from moderation.core.problem import NotFound
from moderation.db import audit, connect
from moderation.db.migrate import NewerDatabase
from moderation.doctor import of_clock
from moderation.outbox.undelivered import Undelivered
from moderation.privacy import commands as privacy
from moderation.settings import Settings, SettingsError
from moderation.team import access
from moderation.transfer import backup
from moderation.transfer import store_backup as dump
from tests.conftest import ROOT, Server, Service, changed


def test_settings_come_from_the_environment_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings"
    file.write_text(
        "# ours\n\nMODERATION_PORT=9000\nhost = 0.0.0.0\nSMTP_URL='smtp://u:p$w=rd@relay'\nmail_from=a@b.example"
    )
    monkeypatch.setenv("MODERATION_SETTINGS", str(file))
    monkeypatch.setenv("MODERATION_PORT", "9001")
    monkeypatch.setenv("MODERATION_UNHEARD_OF", "1")
    found = settings_.load()
    assert (found.port, found.host, found.base) == (9001, "0.0.0.0", "http://127.0.0.1:9001")
    assert found.smtp == ("smtp://u:p$w=rd@relay", "a@b.example")
    assert settings_.load(port=9002).port == 9002


def test_every_wrong_variable_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings"
    file.write_text("prot=1\nMODERATION_GRACE=-1\nlog_level=loud\n")
    monkeypatch.setenv("MODERATION_SETTINGS", str(file))
    monkeypatch.setenv("MODERATION_PORT", "70000")
    monkeypatch.setenv("MODERATION_DIGEST_HOURS", "")
    monkeypatch.setenv("MODERATION_DEMO", "perhaps")
    with pytest.raises(SettingsError) as told:
        settings_.load(smtp_url="smtp://relay.example")
    assert sorted(str(told.value).split("; ")) == [
        "MODERATION_DEMO must be true or false",
        "MODERATION_DIGEST_HOURS must be a whole number",
        "MODERATION_GRACE must be a whole number",
        "MODERATION_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR",
        "MODERATION_MAIL_FROM must be an email address where MODERATION_SMTP_URL is set",
        "MODERATION_PORT must be from 0 to 65535",
        "MODERATION_PROT: no such setting (did you mean MODERATION_PORT?)",
        "see docs/settings.md",
    ]


@pytest.mark.parametrize("line", ["port 9000", "=1", "smtp://u:hunter2@relay=x"])
def test_a_line_that_is_no_setting_is_numbered_and_not_quoted(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings"
    file.write_text(f"port=1\n{line}\n")
    monkeypatch.setenv("MODERATION_SETTINGS", str(file))
    with pytest.raises(SettingsError, match="line 2: write NAME=value") as told:
        settings_.load()
    assert "hunter2" not in str(told.value)


SECRET = "hunter2"


@pytest.mark.parametrize(
    "given",
    [
        {"secret_key": SECRET},
        {"smtp_url": f"http://u:{SECRET}@relay.example"},
        {"smtp_url": f"smtp://u:{SECRET}@relay:port", "mail_from": "a@b.example"},
        {"smtp_url": f"smtp://u:{SECRET}@[::1", "mail_from": "a@b.example"},
        {"database": f"postgresql://u:{SECRET}@db:port/x"},
        {"database": f"postgresql://u:{SECRET}@[::1/x"},
        {"public_url": f"https://u:{SECRET}@comments.example:port"},
        {"trusted_proxies": f"{SECRET}, 10.0.0.0/8"},
        {"metrics_token": [SECRET]},
        {"port": SECRET, "demo": SECRET, "log_level": SECRET},
    ],
)
def test_the_error_of_a_wrong_setting_never_shows_its_value(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as told:
        settings_.load(**given)
    with pytest.raises(ValidationError) as raw:
        Settings(**given)
    for text in (str(told.value), repr(told.value), str(raw.value), repr(raw.value)):
        assert SECRET not in text
    assert all(f"MODERATION_{name.upper()}" in str(told.value) for name in given if name != "mail_from")
    assert told.value.__cause__ is None and told.value.__suppress_context__


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MODERATION_PORT": "many"}, "MODERATION_PORT"),
        ({"MODERATION_PORT": "70000"}, "MODERATION_PORT"),
        ({"MODERATION_DEMO": "perhaps"}, "MODERATION_DEMO"),
        ({"MODERATION_SECRET_KEY": "short"}, "MODERATION_SECRET_KEY"),
        ({"MODERATION_PUBLIC_URL": "comments"}, "MODERATION_PUBLIC_URL"),
        ({"MODERATION_TRUSTED_PROXIES": "my proxy"}, "MODERATION_TRUSTED_PROXIES"),
        ({"MODERATION_LOG_LEVEL": "loud"}, "MODERATION_LOG_LEVEL"),
        ({"MODERATION_NEWLY_HELD": "2"}, "MODERATION_NEWLY_HELD must be a number from 0 to 1"),
        ({"MODERATION_NEWLY_HELD": "few"}, "MODERATION_NEWLY_HELD must be a number from 0 to 1"),
        ({"MODERATION_NEWLY_HELD": "nan"}, "MODERATION_NEWLY_HELD must be a number from 0 to 1"),
        ({"MODERATION_READER": "perhaps"}, "MODERATION_READER"),
        ({"MODERATION_READER_WAIT": "0"}, "MODERATION_READER_WAIT"),
        ({"MODERATION_SETTINGS": "/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_a_wrong_setting_is_named(environment: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=named):
        settings_.load()


@pytest.mark.parametrize(("given", "is_on"), [("off", False), ("false", False), ("on", True), ("", True), (None, True)])
def test_the_second_reader_reads_unless_it_is_switched_off(
    given: str | None, is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is not None:
        monkeypatch.setenv("MODERATION_READER", given)
    assert settings_.load().reader is is_on


def test_the_secret_key_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "data" / "db"))
    assert settings.secret() == settings.secret() != b""
    assert settings.key_file.stat().st_mode & 0o777 == 0o600


def test_help_is_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    names = {name for names in COMMANDS.values() for name in names}
    assert {"serve", "add-site", "add-moderator", "set-password", "remove-moderator", "add-token", "revoke-token", "retrain",
            "roll-back", "export-person", "erase-person", "backup", "restore", "check"} <= names  # fmt: skip
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    for name in names:
        assert f"\n  {name} " in overview
        assert main([name, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: moderation {name}")


def test_the_program_knows_every_command_of_every_slice() -> None:
    """The index in `__main__` lets nothing be imported to print it; what it says is what each slice says."""
    lines = {
        module: {name: c.help.partition("\n")[0] for name, c in commands_of(module).items()} for module in COMMANDS
    }
    assert lines == COMMANDS
    files = {f"moderation.{path.parent.name}.commands" for path in (ROOT / "moderation").glob("*/commands.py")}
    assert files == {module for module in COMMANDS if module.endswith(".commands")}


@pytest.mark.anyio
async def test_no_token_looks_like_an_option_to_a_command(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = iter(
        ["--ooNZTJwbEELmE7eJ0ge4P6vJSKLLNC", "-oNZTJwbEELmE7eJ0ge4P6vJSKLLNCoo", "ooNZTJwbEELmE7eJ0ge4P6vJSKLLNCoo"]
    )
    monkeypatch.setattr(access.secrets, "token_urlsafe", lambda _: next(chance))
    headers = await service.token()
    assert headers["Authorization"] == "Bearer ooNZTJwbEELmE7eJ0ge4P6vJSKLLNCoo"
    assert (await service.client.get("/api/v1/stats", headers=headers)).status_code == 200


def test_commands_work_beside_a_running_server(server: Server) -> None:
    assert (
        server.run("add-site", "garden", "--name", "Garden", "--origin", "https://garden.example").stdout == "garden\n"
    )
    token = server.run("add-token", "--scopes", "moderate", "--site", "garden").stdout.strip()
    assert len(token) >= 20
    link = server.run("add-moderator", "eve@example.org", "--site", "garden").stdout.strip()
    assert link.startswith(server.url + "/moderate/set-password/")
    server.run("set-password", "eve@example.org", "--password-stdin", stdin="a password of some length\n")
    checked = server.run("check").stdout
    assert "1 of 2 can sign in" in checked and "clock: ok" in checked
    taken = server.run("serve", "--port", server.url.rpartition(":")[2], check=False)
    assert taken.returncode == 1 and "did not start" in taken.stderr
    assert json.loads(server.run("retrain").stdout)["promoted"] is False
    server.run("revoke-token", token)
    server.run("remove-moderator", "eve@example.org")
    person = json.loads(server.run("export-person", "nobody@example.org").stdout)
    assert person["comments"] == []
    assert json.loads(server.run("erase-person", "nobody@example.org").stdout) == {"erased": 0}


@pytest.mark.anyio
async def test_a_clock_that_was_set_back_is_named(service: Service) -> None:
    async with service.services.database.reading() as session:
        newest = await audit.newest(session)
    assert newest is not None and abs(newest - service.clock()) < 1000
    assert of_clock(newest - 59_000, newest).is_well
    assert "set this machine's clock" in of_clock(newest - 61_000, newest).remedy
    assert of_clock(newest, None).is_well


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (("add-site", "Not A Key"), 1, "a-z"),
        (("add-site", "x", "--origin", "nonsense"), 1, "origin"),
        (("add-site", "x", "--origin", "https://*.example.org"), 1, "a wildcard matches no page"),
        (("add-token", "--scopes", "everything"), 1, "scopes"),
        (("add-token", "--scopes", "score", "--site", "nowhere"), 1, "no site"),
        (("revoke-token", "nothing"), 1, "no such token"),
        (("add-moderator", "nobody"), 1, "email"),
        (("set-password", "nobody@example.org"), 1, "no such moderator"),
        (("retrain", "--site", "nowhere"), 1, "no site"),
        (("retrain", "--newly-held", "2"), 2, "usage"),
        (("roll-back",), 1, ""),
        (("restore", "nothing.zip"), 1, "no file"),
        (("serve", "--workers", "2"), 1, "PostgreSQL"),
        (("serve", "--workers", "0"), 2, "usage"),
        (("no-such-command",), 2, "usage"),
        ((), 2, "usage"),
    ],
)
def test_errors_go_to_standard_error_with_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...], status: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("MODERATION_DATABASE", str(tmp_path / "db"))
    monkeypatch.setenv("MODERATION_MODELS", str(tmp_path / "models"))
    found = main(list(command))
    told = capsys.readouterr()
    assert (found, told.out) == (status, "")
    assert said in told.err and told.err.strip()


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "moderation: stopped\n"),
        (NotFound("There is no file x."), 1, "moderation: There is no file x.\n"),
        (NewerDatabase("is newer"), 1, "moderation: is newer\n"),
        (Undelivered("was refused"), 1, "moderation: was refused\n"),
        (FileNotFoundError(2, "No such file", "x"), 1, "moderation: [Errno 2] No such file: 'x'\n"),
    ],
)
def test_a_failure_is_a_sentence_and_a_status(
    error: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(cli: CliContext) -> None:
        raise error

    monkeypatch.setitem(privacy.commands, "purge", fails)
    commands_of.cache_clear()
    assert main(["purge"]) == status
    commands_of.cache_clear()
    assert capsys.readouterr() == ("", said)


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(cli: CliContext) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(privacy.commands, "purge", fails)
    commands_of.cache_clear()
    with pytest.raises(ZeroDivisionError):
        main(["purge"])
    commands_of.cache_clear()


@pytest.mark.anyio
async def test_a_backup_holds_all_and_restores_into_an_empty_database(service: Service, tmp_path: Path) -> None:
    ids = [await service.held() for _ in range(3)]
    who = await service.token()
    await service.client.post("/api/v1/decisions", json={"comments": ids[:2], "action": "approve"}, headers=who)
    models = tmp_path / "models"
    (models / "sites" / "default").mkdir(parents=True)
    (models / "sites" / "default" / "current").write_text("c1\n")
    file = tmp_path / "backup.zip"
    database = service.services.database
    counts = await backup.write(database, models, b"0123456789abcdef", file)
    assert counts["comments"] == 3 and counts["decisions"] == 2
    assert file.stat().st_mode & 0o077 == 0
    new = connect(str(tmp_path / "restored" / "db"))
    await new.open()
    key = tmp_path / "restored" / "secret-key"
    told = await backup.restore(new, tmp_path / "new-models", key, file, keep_integrations=True)
    assert told == counts | {"tokens": 1}, "the link for the first moderator does not come back"
    approved = "SELECT article, count(*) FROM comments WHERE status = 'approved' GROUP BY article"
    kept = "SELECT article, approved_count FROM articles WHERE approved_count <> 0"
    async with new.reading() as session:  # kept by the database as the comments come back, and in no file
        told = sorted(map(tuple, await session.fetch(kept)))
        assert told and told == sorted(map(tuple, await session.fetch(approved)))
    async with database.reading() as before, new.reading() as after:
        for table in dump.TABLES:
            rows = [row async for row in dump.rows(before, table) if table != "tokens" or row[2] == "api"]
            assert rows == [row async for row in dump.rows(after, table)]
    assert key.read_bytes() == b"0123456789abcdef"
    assert (tmp_path / "new-models" / "sites" / "default" / "current").read_text() == "c1\n"
    with pytest.raises(Exception, match="not empty"):
        await backup.restore(new, tmp_path / "new-models", key, file)
    await new.close()


@pytest.mark.anyio
async def test_a_file_that_is_no_backup_changes_nothing(tmp_path: Path) -> None:
    new = connect(str(tmp_path / "db"))
    await new.open()
    for name, content in (("text", b"hello"), ("zip", b"")):
        file = tmp_path / name
        file.write_bytes(content)
        if name == "zip":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("about.json", json.dumps({"format": 99}))
        with pytest.raises(Exception, match=r"backup|newer"):
            await backup.restore(new, tmp_path / "m", tmp_path / "k", file)
    await new.close()


@pytest.mark.anyio
async def test_every_table_of_the_schema_is_in_the_backup(service: Service) -> None:
    left_out = {"secure_deletes", "migrations", "failed_attempts", "leases"}
    derived = (
        "comment_counts",
        "comment_reasons",
        "comment_numbers",
        "comment_texts",
        "comment_short_words",
        "search_partitions",
    )  # by triggers, from the comments
    async with service.services.database.reading() as session:
        if service.services.database.kind == "sqlite":
            rows = await session.fetch(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
        else:
            rows = await session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    kept = {row[0] for row in rows if not row[0].startswith(derived)}
    assert kept - left_out == set(dump.TABLES)


@pytest.mark.anyio
async def test_health_and_metrics_count_and_tell_nothing_private(service: Service) -> None:
    await service.post()
    await service.held()
    assert (await service.client.get("/health/live")).text == "ok\n"
    ready = (await service.client.get("/health/ready")).json()
    assert ready["status"] == "ready"
    text = (await service.client.get("/metrics")).text
    assert 'moderation_comments{status="approved"} 1' in text and 'moderation_comments{status="pending"} 1' in text
    assert 'moderation_verdicts_total{action="publish"} 1' in text
    assert "@" not in text and "203.0.113" not in text
    families = list(text_string_to_metric_families(text))
    assert len(families) == len({one.name for one in families}) > 20 and all(one.documentation for one in families)
    names = {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    docs = " ".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    assert set(re.findall(r"`(moderation_[a-z_]+)", docs)) <= names, "a page names a metric that there is not"
    assert not any(word in name for name in names for word in ("second_look", "tries"))
    service.have(settings=changed(service.settings, metrics_token="a token"))
    for said in ("", "a token", "Basic a token", "Bearer another"):
        answer = await service.client.get("/metrics", headers={"Authorization": said})
        assert answer.status_code == 401 and answer.headers["www-authenticate"]
    for said in ("Bearer a token", "bearer a token"):
        assert (await service.client.get("/metrics", headers={"Authorization": said})).status_code == 200


@pytest.mark.anyio
async def test_an_undeclared_proxy_is_named_and_its_readers_share_a_wide_limit(service: Service) -> None:
    import httpx

    transport = httpx.ASGITransport(service.app, client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
        headers = {"X-Forwarded-For": "198.51.100.7"}
        for n in range(65):
            fields = {"name": "Ann", "email": f"p{n}@example.org", "body": f"A calm remark, number {n}."}
            answer = await client.post("/sites/default/articles/post/comments", json=fields, headers=headers)
            assert answer.status_code == 201
    ready = (await service.client.get("/health/ready")).json()
    assert "MODERATION_TRUSTED_PROXIES" in ready["checks"]["proxy"]
