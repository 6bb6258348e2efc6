"""The service in trouble that is not its own: each time a clear 503 or a comment that waits, health says why, and once the trouble
is over all goes on without a restart."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from moderation.app import create_app
from moderation.db.database import PROBE
from moderation.settings import Settings
from tests import postgres
from tests.budget import long
from tests.conftest import ROOT, Clock, Server, Service, changed, missing, wait_until
from tests.reading import reading_models, rules_of, shown
from tests.web.test_health import Moments, told

pytestmark = pytest.mark.anyio
on_sqlite = pytest.mark.parametrize("address", ["sqlite"], indirect=True)


async def check_that_it_refuses(service: Service, why: str) -> None:
    """Posting is refused and says so, readers read on, health knows."""
    answer = await service.post()
    assert answer.status_code == 503 and answer.headers["retry-after"], answer.text
    assert "nothing was stored" in answer.json()["detail"] and why in answer.json()["detail"]
    status, said = await told(service)
    assert status == 503 and why in said["checks"]["database"], said
    assert (await service.client.get("/health/live")).status_code == 200
    assert (await service.thread())["count"] == 1


# --- SQLite's file


@on_sqlite
async def test_a_database_that_another_process_holds(service: Service) -> None:
    moments, database = Moments(service), service.services.database
    assert (await service.post()).status_code == 201
    await database._writer.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await check_that_it_refuses(service, "SQLITE_BUSY")
        other.execute("ROLLBACK")
    moments.now += PROBE
    assert (await told(service))[0] == 200
    assert (await service.post()).status_code == 201
    assert (await service.thread())["count"] == 2


@on_sqlite
async def test_a_file_that_became_read_only(service: Service) -> None:
    moments, database = Moments(service), service.services.database
    assert (await service.post()).status_code == 201
    await database._writer.execute("PRAGMA query_only = ON")  # SQLite refuses with the same error
    await check_that_it_refuses(service, "read-only")
    moments.now += PROBE
    assert (await told(service))[0] == 503
    await database._writer.execute("PRAGMA query_only = OFF")
    moments.now += PROBE
    assert (await told(service))[0] == 200
    assert (await service.post()).status_code == 201


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Makes the folder a disk of its own, of 24 MB; False where the system lets nobody make one."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True)
    try:
        yield made.returncode == 0
    finally:
        if made.returncode == 0:
            subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def no_room(server: Server, folder: Path, *, is_disk: bool) -> Iterator[None]:
    """Fills the disk to its last byte; where it is none of its own, no file of the server may grow."""
    process, log = server.process.pid, folder / "moderation.sqlite3-wal"
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    if not is_disk:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
        yield
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)
        return
    with (folder / "filling").open("wb", buffering=0) as filling, suppress(OSError):
        while filling.write(b"0" * 4096):
            pass
    yield
    (folder / "filling").unlink()


def post(server: Server, number: int, **more: Any) -> httpx.Response:
    fields = {"name": "Ann", "email": f"a{number}@example.org", "body": f"A calm remark, number {number}."}
    headers = {"X-Forwarded-For": f"198.51.100.{number % 250}"}
    return httpx.post(
        f"{server.url}/sites/default/articles/a/comments", json=fields | more, headers=headers, timeout=60
    )


def ready(server: Server) -> tuple[int, Any]:
    answer = httpx.get(f"{server.url}/health/ready", timeout=10)
    return answer.status_code, answer.json()


def count(server: Server) -> int:
    answer = httpx.get(f"{server.url}/sites/default/articles/a/comments", timeout=60)
    return int(answer.json()["count"]) if answer.status_code == 200 else -1


@long
def test_a_disk_that_fills_up_and_has_room_again(start: Callable[..., Server], tmp_path: Path) -> None:
    with small_disk(folder := tmp_path / "disk") as is_disk:
        server = start(database=str(folder / "moderation.sqlite3"), trusted_proxies="127.0.0.1")
        assert post(server, 0).status_code == 201
        stored = 1
        with no_room(server, folder, is_disk=is_disk):
            assert not is_disk or "disk is full" in ready(server)[1]["checks"]["database"]
            while (answer := post(server, stored, body=f"{stored} calm words. " * 20)).status_code == 201:
                stored += 1  # the log has some room of its own
                assert stored < 400
            assert answer.status_code == 503 and answer.headers["retry-after"]
            assert "nothing was stored" in answer.json()["detail"]
            assert ready(server)[0] == 503
            assert count(server) == stored
        wait_until(lambda: ready(server)[0] == 200, "the room to be found")
        assert post(server, 500).status_code == 201 and count(server) == stored + 1
        assert server.stop() == 0


def test_a_start_on_a_disk_that_takes_nothing_ends_and_says_why(tmp_path: Path, migrated_file: Path) -> None:
    shutil.copy(migrated_file, tmp_path / "moderation.sqlite3")
    ended = subprocess.run(
        [sys.executable, "-m", "moderation", "list-sites"],
        env={"PYTHONPATH": str(ROOT), "MODERATION_DATABASE": str(tmp_path / "moderation.sqlite3")},
        cwd=tmp_path, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )  # fmt: skip
    assert ended.returncode == 1 and "The database cannot be written (SQLITE_" in ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr


# --- PostgreSQL


@long
def test_a_postgresql_that_is_gone_and_back(start: Callable[..., Server]) -> None:
    if (binaries := postgres.binaries()) is None:
        missing("PostgreSQL is not installed (initdb)")
    assert binaries
    with postgres.controlled(binaries) as cluster:
        server = start(database=f"{cluster.url}/postgres", trusted_proxies="127.0.0.1")
        for number in range(20):
            assert post(server, number).status_code == 201
        for turn in range(2):
            cluster.stop()
            answer = post(server, 100 + turn)
            assert answer.status_code == 503 and answer.headers["retry-after"], answer.text
            assert "nothing was stored" in answer.json()["detail"]
            assert httpx.get(f"{server.url}/sites/default/articles/a/comments").status_code == 503
            status, said = ready(server)
            assert status == 503 and said["status"] == "not ready" and "PostgreSQL" in said["checks"]["database"]
            assert httpx.get(f"{server.url}/health/live").status_code == 200
            cluster.start()
            wait_until(lambda: ready(server)[0] == 200, "PostgreSQL to be found again")
            assert post(server, 200 + turn).status_code == 201
            assert count(server) == 21 + turn
        assert server.process.poll() is None and server.stop() == 0
        assert "postgresql://" not in server.log


# --- the model


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Service]:
    """The service with the classifier that it makes itself."""
    clock = Clock()
    app = create_app(settings, clock=clock, say=lambda text: None)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            yield Service(app, client, clock, settings)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return reading_models(tmp_path / "models")


def harmed(models: Path, name: str) -> Callable[[], None]:
    """Moves the pointer to a version whose file is broken; returns what moves it back."""
    current = models / "current"
    good, broken = current.read_text(), models / "20990101-00000000"
    shutil.copytree(models / good.strip(), broken)
    whole = bytearray((broken / name).read_bytes())
    whole[len(whole) // 2] ^= 1
    (broken / name).write_bytes(whole)

    def back() -> None:
        current.write_text(good)

    current.write_text(broken.name)
    return back


@pytest.mark.parametrize("name", ["weights.npy", "reader.onnx"])
@on_sqlite
async def test_a_model_that_is_corrupt_at_a_change_leaves_the_last_one_judging(
    settings: Settings, models: Path, name: str
) -> None:
    async with serving(changed(settings, models=str(models), reader=True)) as service:
        assert (await service.post()).status_code == 201
        back = harmed(models, name)
        assert (await service.post()).status_code == 201
        status, said = await told(service)
        assert status == 200 and said["status"] == "degraded" and name in said["checks"]["model"], said
        back()
        assert (await service.post()).status_code == 201
        assert (await told(service))[1]["status"] == "ready"


@pytest.mark.parametrize("name", ["weights.npy", "reader.onnx"])
@on_sqlite
async def test_a_model_that_is_corrupt_at_the_start_holds_everything_until_it_is_mended(
    settings: Settings, models: Path, name: str
) -> None:
    back = harmed(models, name)
    async with serving(changed(settings, models=str(models), reader=True)) as service:
        answer = await service.post()
        assert answer.status_code == 202
        assert rules_of(await shown(service, answer.json()["id"])) == ["unscored"]
        status, said = await told(service)
        assert status == 200 and said["status"] == "degraded" and name in said["checks"]["model"], said
        back()
        assert (await service.post()).status_code == 201
        assert (await told(service))[1]["status"] == "ready"


# --- the clock


async def test_a_clock_that_jumps_ahead_and_back_stops_nothing(service: Service) -> None:
    """By ten years: a machine without a battery, until it has asked for the time."""
    first = await service.held()
    assert (await service.post(name="Bo")).status_code == 201
    service.clock.forward(hours=24 * 3650)
    await service.services.periodic.due()
    assert (await service.post(name="Cy")).status_code == 201
    service.clock.forward(hours=-24 * 3650)
    for _ in range(2):
        await service.services.periodic.due()
        assert (await service.post()).status_code == 201
        service.clock.forward(minutes=2)
    await service.decide(first)
    assert (await service.thread())["count"] == 5
    status, said = await told(service)
    assert (status, said["status"]) == (200, "ready")


async def test_a_clock_that_is_ahead_for_minutes_deletes_nothing(service: Service) -> None:
    services = service.services
    spam = await service.held()
    await service.decide(spam, "spam")
    await services.periodic.due()
    service.clock.forward(hours=24 * 365)
    await services.periodic.due()
    service.clock.forward(minutes=30)
    await services.periodic.due()
    assert (await shown(service, spam))["status"] == "spam"
    service.clock.forward(hours=-24 * 365)
    for _ in range(3):
        await services.periodic.due()
        service.clock.forward(hours=1.1)
    assert (await shown(service, spam))["status"] == "spam"
    for _ in range(35):  # and as time really passes, it goes
        service.clock.forward(hours=23)
        await services.periodic.due()
    gone = await service.client.get(f"/api/v1/comments/{spam}", headers=await service.token())
    assert gone.status_code == 404
