"""`check` fails on what will fail later, and each finding says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from moderation import doctor
from moderation.__main__ import main
from moderation.db import connect
from moderation.doctor import Answer, Finding
from moderation.settings import Settings, unknown
from tests import nginx
from tests.conftest import Server, Service, free_port, missing, wait_until
from tests.web.test_protocol import serving

HOUR = 3_600_000


def problems(server: Server, **settings: str) -> dict[str, str]:
    """Check → its finding and remedy, for all that is wrong beside a running server, by a command with other settings."""
    environment = server.environment | {f"MODERATION_{name}": value for name, value in settings.items()}
    done = Server(server.process, server.url, environment, server.folder).run("check", "--json", check=False)
    found = [finding for finding in json.loads(done.stdout) if not finding["is_well"]]
    assert done.returncode == (1 if found else 0), done.stderr
    assert all(finding["remedy"] or finding["check"] == "proxy" for finding in found)
    return {finding["check"]: f"{finding['said']}; {finding['remedy']}" for finding in found}


@pytest.fixture
def well(server: Server) -> Server:
    """A server with nothing to complain about."""
    server.run("set-password", "moderator@example.org", "--password-stdin", stdin="a password of some length\n")
    assert problems(server) == {}
    return server


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MODERATION_PUBLICURL", "MODERATION_PUBLIC_URL"),
        ("MODERATION_PUBLIC_ULR", "MODERATION_PUBLIC_URL"),
        ("MODERATION_SETTING", "MODERATION_SETTINGS"),
        ("MODERATION_smtp_url", "MODERATION_SMTP_URL"),
        ("MODERATION_BANANAS", ""),
    ],
)
def test_a_mistyped_variable_is_named_with_the_nearest_one(name: str, meant: str) -> None:
    (sentence,) = unknown({name: "hunter2", "MODERATION_PORT": "1", "MODERATION_SETTINGS": "x", "HOME": "/"})
    assert sentence.startswith(f"{name}: no such setting") and "hunter2" not in sentence
    assert (f"did you mean {meant}?" in sentence) if meant else ("mean" not in sentence)


def test_check_fails_on_a_mistyped_variable_and_serve_logs_it(well: Server) -> None:
    assert "MODERATION_PUBLIC_URL?" in problems(well, PUBLICURL="https://x.example")["settings"]


def test_a_database_that_would_be_created_by_accident_is_named_and_not_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODERATION_PORT", "1")
    assert main(["check"]) == 1
    told = capsys.readouterr()
    assert f"there is none at {tmp_path / 'data' / 'moderation.sqlite3'}: a start would create an empty one" in told.out
    assert "MODERATION_DATABASE" in told.out and "database" in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_a_database_is_new_until_its_tables_are_there(empty: str) -> None:
    database = connect(empty)
    assert await database.is_new()
    await database.open()
    await database.close()
    assert not await database.is_new()


def test_a_missing_secret_key_is_named_and_not_made(well: Server) -> None:
    key = well.folder / "data" / "secret-key"
    key.rename(key.with_name("elsewhere"))
    assert "restore the file" in problems(well)["secret key"]
    assert not key.exists()


def test_nobody_can_sign_in(server: Server) -> None:
    assert "set-password" in problems(server)["moderators"]


def test_mail_that_does_not_answer(well: Server) -> None:
    found = problems(well, SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="comments@example.org")
    assert list(found) == ["mail"] and "MODERATION_SMTP_URL" in found["mail"]


def test_a_proxy_that_is_not_trusted(well: Server) -> None:
    httpx.get(well.url + "/", headers={"X-Forwarded-For": "198.51.100.8"}).raise_for_status()
    found = problems(well)
    assert list(found) == ["proxy"] and "MODERATION_TRUSTED_PROXIES" in found["proxy"]


def test_a_public_url_leads_here_through_a_proxy_or_is_named(well: Server, tmp_path: Path) -> None:
    if nginx.program() is None:
        missing("nginx is not installed")
    port = free_port()
    with nginx.in_front(well.url, port, "/comments", tmp_path / "proxy", strips=True):
        assert problems(well, PUBLIC_URL=f"http://127.0.0.1:{port}/comments") == {}
        assert "another program" in problems(well, PUBLIC_URL=f"http://127.0.0.1:{port}/elsewhere")["public url"]
    assert "no answer" in problems(well, PUBLIC_URL=f"http://127.0.0.1:{port}/comments")["public url"]


def test_another_service_at_the_public_url(well: Server) -> None:
    found = problems(well, SECRET_KEY="the key of some other service")
    assert set(found) == {"service", "public url"}
    assert "another service" in found["public url"] and "MODERATION_SETTINGS" in found["service"]


@pytest.mark.parametrize(
    ("public", "runs_here", "said"),
    [
        (Answer(report={"instance": "one"}, url="https://c.example"), True, ""),
        (Answer(report={"instance": "one"}, url="https://www.c.example"), True, "MODERATION_PUBLIC_URL=https://www.c"),
        (Answer(report={"instance": "two"}, url="https://c.example"), True, "another service"),
        (Answer(report={"instance": "two"}, url="https://c.example"), False, "another service"),
        (Answer(report={}, problem="no answer (timed out)"), True, "no answer (timed out)"),
        (Answer(report={}, problem="no answer (timed out)"), False, ""),
    ],
)
def test_where_a_public_url_leads(public: Answer, runs_here: bool, said: str) -> None:
    settings = Settings(public_url="https://c.example")
    finding = doctor.of_public_url(settings, public, "one", runs_here=runs_here)
    assert finding.is_well is (said == "") and said in finding.line


def test_a_model_that_is_not_the_one_served(well: Server) -> None:
    found = doctor.of_model(Settings(), Answer(report={"model": "20200101-00000000"}), [], [])
    (finding,) = [one for one in found if not one.is_well]
    assert "the service serves 20200101-00000000" in finding.said and "MODERATION_MODELS" in finding.remedy
    served = httpx.get(well.url + "/health/ready").json()["model"]
    assert all(one.is_well for one in doctor.of_model(Settings(), Answer(report={"model": served}), [], []))


@pytest.mark.parametrize(
    ("settings", "checks", "twice", "said", "is_well"),
    [
        (Settings(), {"reader": "ok"}, True, "ok", True),
        (Settings(), {}, True, "ok", True),
        (Settings(), {"reader": "failed (RuntimeError): comments wait unread"}, True, "failed", False),
        (Settings(), {}, False, "none", True),
        (Settings(reader=False), {}, False, "off (MODERATION_READER)", True),
    ],
)
def test_what_it_says_of_the_second_reader(
    settings: Settings, checks: dict[str, str], twice: bool, said: str, is_well: bool
) -> None:
    found = doctor.of_reader(settings, Answer(report={"checks": checks}), twice=twice)
    assert found.said.startswith(said) and found.is_well is is_well


def test_a_broken_model_folder(well: Server) -> None:
    models = well.folder / "other-models"
    models.mkdir()
    (models / "current").write_text("gone\n")
    assert "every comment will be held" in problems(well, MODELS=str(models))["model"]


@pytest.mark.parametrize(("free", "size", "is_well"), [(2**40, 0, True), (2**28, 0, False), (2**31, 2**32, False)])
def test_a_disk_nearly_full(
    tmp_path: Path, free: int, size: int, is_well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    finding = doctor.of_disk(tmp_path / "not" / "there", size)
    assert finding.is_well is is_well and str(tmp_path) in finding.said


@pytest.mark.parametrize(
    ("newest", "elsewhere", "is_well"),
    [(None, None, True), (59_000, None, True), (61_000, None, False), (0, 61_000, False), (0, -61_000, False), (0, 59_000, True)],
)  # fmt: skip
def test_a_clock_that_is_off(newest: int | None, elsewhere: int | None, is_well: bool) -> None:
    at = 1_800_000_000_000
    finding = doctor.of_clock(
        at, newest and at + newest, None if elsewhere is None else at + elsewhere, "the public address"
    )
    assert finding.is_well is is_well and bool(finding.remedy) is not is_well


@pytest.mark.anyio
async def test_only_a_database_on_a_server_has_a_clock_of_its_own(service: Service) -> None:
    there = await service.services.database.now()
    assert (there is None) is (service.services.database.kind == "sqlite")
    assert there is None or there > 1_700_000_000_000


def test_a_backup_older_than_the_bound(well: Server) -> None:
    assert "backup FILE" in problems(well, BACKUP_HOURS="26")["backup"]
    well.run("backup", "one.zip")
    assert problems(well, BACKUP_HOURS="26") == {}
    now = 1_800_000_000_000
    assert doctor.of_backup(now - 26 * HOUR, now, 26).is_well
    assert not doctor.of_backup(now - 26 * HOUR - 1, now, 26).is_well
    assert doctor.of_backup(None, now, 0).is_well


def test_each_line_names_its_check(well: Server) -> None:
    done = well.run("check")
    lines = done.stdout.splitlines()
    assert done.stderr == "" and "secret key: ok" in lines and "database: ok" in lines
    assert Finding(check="disk", said="full", remedy="free some", is_well=False).line == "disk: full; free some"


def test_serving_is_said_once_it_is_true_and_the_first_sign_in_after_it(server: Server) -> None:
    first, second, link = server.printed.splitlines()
    assert first == f"Serving on {server.url} (moderators: {server.url}/moderate)"
    assert second.startswith(f"First sign-in: {server.url}/moderate, user name moderator@example.org.")
    assert httpx.get(link.strip()).status_code == 200
    taken = server.run("serve", "--port", server.url.rpartition(":")[2], check=False)
    assert taken.returncode == 1 and taken.stdout == ""


@pytest.mark.parametrize("empty", ["postgres"], indirect=True)
def test_of_several_workers_one_says_it(empty: str, tmp_path: Path) -> None:
    with serving(tmp_path, None, database=empty) as server:
        wait_until(lambda: "First sign-in" in server.printed, "the service to say where it serves")
        assert server.printed.splitlines()[0] == f"Serving on {server.url} (moderators: {server.url}/moderate)"
        assert server.printed.count("Serving on") == server.printed.count("First sign-in") == 1
