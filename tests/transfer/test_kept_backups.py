"""A folder of backups: one each period, the latest few are kept, and nothing else in the folder is touched."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.cli import CliContext
from moderation.core.problem import Invalid, Unavailable
from moderation.transfer import backup, commands_backup, kept_backups
from tests.conftest import Server, Service

NOW = 1_800_000_000_000
HOUR = 3_600_000


def touched(folder: Path, *times: int) -> list[Path]:
    paths = [folder / kept_backups.name_at(at) for at in times]
    for path in paths:
        path.write_bytes(b"a backup")
    return paths


@given(st.integers(0, 4_000_000_000_000))
def test_a_name_holds_its_time_and_names_sort_by_it(now: int) -> None:
    name = kept_backups.name_at(now)
    assert kept_backups.NAME.fullmatch(name)
    assert kept_backups.made_at(Path(name)) == now - now % 1000
    assert name < kept_backups.name_at(now + 1000)


def test_only_the_oldest_backups_go(tmp_path: Path) -> None:
    old, *latest = touched(tmp_path, NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - HOUR)
    others = [tmp_path / name for name in ("leave-a-reply.zip", "a.zip", "leave-a-reply-20260101T000000Z.zip.sha256")]
    for other in others:
        other.write_text("mine")
    assert kept_backups.prune(tmp_path, 0) == []
    assert kept_backups.prune(tmp_path, 2) == [old]
    assert sorted(tmp_path.iterdir()) == sorted([*latest, *others])


def test_the_next_one_is_due_a_period_after_the_latest(tmp_path: Path) -> None:
    assert kept_backups.due_in(tmp_path, 3600, NOW) == 0
    touched(tmp_path, NOW - 5 * HOUR, NOW - HOUR // 2)
    assert kept_backups.due_in(tmp_path, 3600, NOW) == 1800
    assert kept_backups.due_in(tmp_path, 600, NOW) < 0


def test_a_time_in_the_future_or_none_at_all_delays_nothing(tmp_path: Path) -> None:
    touched(tmp_path, NOW + 1000 * HOUR)
    (tmp_path / "leave-a-reply-20269999T999999Z.zip").write_bytes(b"")
    assert kept_backups.due_in(tmp_path, 3600, NOW) <= 0


def test_what_was_interrupted_goes_and_the_folder_is_its_owner_s(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "backups"
    kept_backups.prepare(folder)
    assert folder.stat().st_mode & 0o077 == 0
    part = folder / f".{kept_backups.name_at(NOW)}.part"
    part.write_bytes(b"half")
    (folder / ".mine.part").write_bytes(b"mine")
    kept_backups.prepare(folder)
    assert [path.name for path in folder.iterdir()] == [".mine.part"]


@pytest.mark.parametrize(("period", "seconds"), [("30m", 1800), ("24h", 86_400), ("7d", 604_800)])
def test_a_period(period: str, seconds: int) -> None:
    assert commands_backup.seconds_of(period) == seconds


@pytest.mark.parametrize("period", ["0h", "24", "h", "-1h", "1.5h", "24 h", "99999d", "٣h"])
def test_no_period(period: str) -> None:
    with pytest.raises(Invalid, match="--every"):
        commands_backup.seconds_of(period)


@pytest.mark.anyio
async def test_one_backup_to_a_folder_keeps_the_latest(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await service.post()
    cli, folder = CliContext(service.settings, service.clock), tmp_path / "backups"
    for _ in range(3):
        service.clock.forward(hours=1)
        await commands_backup.backup(cli, folder, keep=2)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(line["removed"]) for line in lines] == [0, 0, 1]
    assert [Path(line["file"]) for line in lines[1:]] == kept_backups.backups(folder)
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


@pytest.mark.anyio
async def test_with_every_it_goes_on_after_a_failure_and_ends_with_the_stop_signal(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, write, calls = tmp_path / "backups", backup.write, list[Path]()

    async def fails_once(*args: Any) -> dict[str, int]:
        calls.append(args[3])
        if len(calls) == 1:
            raise Unavailable("The disk is full; nothing was stored.")
        counts = await write(*args)
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)
        return counts

    monkeypatch.setattr(backup, "write", fails_once)
    monkeypatch.setattr(commands_backup, "AGAIN", 0.01)
    await asyncio.wait_for(
        commands_backup.backup(CliContext(service.settings, service.clock), folder, every="24h", keep=7), 30
    )
    assert len(calls) == 2 and len(kept_backups.backups(folder)) == 1
    told = capsys.readouterr()
    assert "no backup was made: The disk is full" in told.err and len(told.out.splitlines()) == 1


def test_a_backup_to_a_file_is_as_ever_and_a_wrong_period_makes_none(server: Server) -> None:
    assert json.loads(server.run("backup", "one.zip").stdout)["sites"] == 1
    wrong = server.run("backup", "folder", "--every", "often", check=False)
    assert wrong.returncode == 1 and "24h" in wrong.stderr and not (server.folder / "folder").exists()
