"""Health: what it says when nobody can read, when there is no room, and when the database's file is not where it was."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moderation.db import files
from moderation.db.database import PROBE
from moderation.db.postgres import POOL
from moderation.db.sqlite import READERS
from moderation.web import health
from tests import postgres
from tests.conftest import Service

pytestmark = pytest.mark.anyio
on_sqlite = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("address", ["postgres"], indirect=True)


class Moments:
    """A monotonic clock that moves when told to."""

    def __init__(self, service: Service) -> None:
        self.now = 1000.0
        service.services.database.starvation.clock = lambda: self.now


@asynccontextmanager
async def all_lent(service: Service) -> AsyncIterator[None]:
    database = service.services.database
    async with AsyncExitStack() as held:
        for _ in range(READERS if database.kind == "sqlite" else POOL):
            await held.enter_async_context(database.reading())
        yield


async def told(service: Service) -> tuple[int, dict[str, Any]]:
    answer = await service.client.get("/health/ready")
    return answer.status_code, answer.json()


async def test_thirty_seconds_without_a_reader_are_the_end_of_being_alive(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = Moments(service)
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    async with all_lent(service):
        reader = asyncio.create_task(service.thread())
        status, said = await told(service)
        assert status == 503 and said["status"] == "not ready" and "no answer" in said["checks"]["database"]
        assert (await service.client.get("/health/live")).status_code == 200
        moments.now += 29
        assert (await service.client.get("/health/live")).status_code == 200
        moments.now += 1
        answer = await service.client.get("/health/live")
        assert answer.status_code == 503 and "30 s" in answer.text
    monkeypatch.undo()
    await reader
    assert (await service.client.get("/health/live")).status_code == 200
    assert (await told(service))[0] == 200


async def test_one_wait_in_vain_is_forgotten_once_a_connection_is_free(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = Moments(service)
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    async with all_lent(service):
        assert (await told(service))[0] == 503
    moments.now += 3600
    assert (await service.client.get("/health/live")).status_code == 200


@on_sqlite
async def test_whoever_comes_while_nobody_can_read_is_told_at_once(service: Service) -> None:
    moments = Moments(service)
    async with all_lent(service):
        waits = asyncio.create_task(service.client.get("/sites/default/articles/post/comments"))
        while not service.services.database.starvation._since:
            await asyncio.sleep(0)
        moments.now += 11
        answer = await service.client.get("/sites/default/articles/other/comments")
        assert answer.status_code == 503 and answer.headers["retry-after"]
    assert (await waits).status_code == 200


@on_postgres
async def test_a_server_that_is_away_is_found_again_when_it_is_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, database = Moments(service), service.services.database

    async def refused(**_: Any) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr(database, "_pool", SimpleNamespace(acquire=refused))
    assert (await service.client.get("/sites/default/articles/post/comments")).status_code == 503
    moments.now += 31
    assert (await service.client.get("/health/live")).status_code == 503
    monkeypatch.undo()
    assert database.starved()
    await database._knocking
    assert (await service.client.get("/health/live")).status_code == 200


async def test_a_database_that_cannot_be_read_is_not_ready(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise sqlite3.DatabaseError("a name: ann@example.org")

    monkeypatch.setattr(service.services.database, "reading", broken)
    status, said = await told(service)
    assert status == 503 and said["checks"]["database"] == "cannot be read (DatabaseError)"


# --- the disk


@pytest.mark.parametrize(("free", "status"), [(files.ROOM - 1, 503), (files.ROOM, 200)])
@on_sqlite
async def test_a_full_disk_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch, free: int, status: int
) -> None:
    where = service.services.database.path.parent
    usage = shutil.disk_usage

    def nearly_full(folder: Path) -> Any:
        return SimpleNamespace(free=free) if folder == where else usage(folder)

    monkeypatch.setattr(files.shutil, "disk_usage", nearly_full)
    answered, said = await told(service)
    assert answered == status
    assert ("disk is full" in said["checks"]["database"]) is (status == 503)


async def test_a_full_disk_of_the_models_is_a_warning(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Path(service.settings.models).parent  # the folder itself is made with the first model
    usage = shutil.disk_usage
    monkeypatch.setattr(
        files.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0) if folder == where else usage(folder)
    )
    status, said = await told(service)
    assert status == 200 and said["status"] == "degraded" and "disk is full" in said["checks"]["models folder"]


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """For this process: a disk that has no room, as far as it can tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@on_sqlite
async def test_a_write_that_failed_is_not_ready_until_one_succeeds(service: Service) -> None:
    moments, database = Moments(service), service.services.database
    assert (await service.post()).status_code == 201
    log = Path(f"{database.path}-wal")
    with no_file_grows_beyond(log.stat().st_size):
        answer = await service.post()
        assert answer.status_code == 503 and answer.headers["retry-after"]
        status, said = await told(service)
        assert status == 503 and "cannot be written" in said["checks"]["database"]
        moments.now += PROBE
        assert (await told(service))[0] == 503
    assert (await told(service))[0] == 503  # it was tried a moment ago, and not at every question
    before = await rows(service)
    moments.now += PROBE
    assert (await told(service))[0] == 200
    assert await rows(service) == before
    assert (await service.post()).status_code == 201
    assert (await service.thread())["count"] == 2


async def rows(service: Service) -> list[Any]:
    async with service.services.database.reading() as session:
        return [tuple(row) for row in await session.fetch("SELECT site, name FROM leases ORDER BY name")]


@on_postgres
async def test_a_server_that_takes_no_writes_is_not_ready_until_it_does(service: Service, address: str) -> None:
    moments, pool = Moments(service), service.services.database._pool
    name = address.rpartition("/")[2]
    may, mode = "SET default_transaction_read_only = off", f"ALTER DATABASE {name} SET default_transaction_read_only"
    await postgres.ask(address, f"{mode} = on")
    await pool.expire_connections()
    assert (await service.post()).status_code == 503
    status, said = await told(service)
    assert status == 503 and "ReadOnly" in said["checks"]["database"]
    await postgres.ask(address, may, f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await pool.expire_connections()
    moments.now += PROBE
    assert (await told(service))[0] == 200
    assert (await service.post()).status_code == 201


# --- the file


def stored(path: Path) -> int:
    connection = sqlite3.connect(path)
    ((count,),) = connection.execute("SELECT count(*) FROM comments").fetchall()
    connection.close()
    return int(count)


def moved_away(path: Path) -> Callable[[], None]:
    aside = path.with_name("aside")
    path.rename(aside)
    return lambda: aside.replace(path)


def replaced(path: Path) -> Callable[[], None]:
    back = moved_away(path)
    shutil.copy(path.with_name("aside"), path)  # a backup's, say
    return back


def folder_moved(path: Path) -> Callable[[], None]:
    aside = path.parent.with_name("aside")
    path.parent.rename(aside)
    return lambda: aside.rename(path.parent)


def log_moved(path: Path) -> Callable[[], None]:
    return moved_away(Path(f"{path}-wal"))


@pytest.mark.parametrize("away", [moved_away, replaced, folder_moved, log_moved])
@on_sqlite
async def test_nothing_is_acknowledged_that_is_not_in_the_file_where_it_will_be_looked_for(
    service: Service, away: Callable[[Path], Callable[[], None]]
) -> None:
    path = service.services.database.path
    assert (await service.post()).status_code == 201
    back = away(path)
    for _ in range(2):
        answer = await service.post()
        assert answer.status_code == 503 and answer.headers["retry-after"], answer.text
    status, said = await told(service)
    assert status == 503 and "moved away or replaced" in said["checks"]["database"]
    assert (await service.client.get("/health/live")).status_code == 200  # a new process would begin an empty one
    back()
    assert (await told(service))[0] == 200
    assert (await service.post()).status_code == 201
    assert (await service.thread())["count"] == 2 == stored(path)


@on_sqlite
async def test_a_file_that_is_moved_just_before_the_commit_is_noticed_before_the_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.db.sqlite import Transaction

    path, execute = service.services.database.path, Transaction._execute
    back = list[Callable[[], None]]()

    def late(self: Transaction, sql: str, args: Any = ()) -> Any:
        if sql == "COMMIT":
            back.append(moved_away(path))
        return execute(self, sql, args)

    monkeypatch.setattr(Transaction, "_execute", late)
    assert (await service.post()).status_code == 503
    monkeypatch.undo()
    back[0]()
    assert (await service.post()).status_code == 201


@on_sqlite
async def test_a_reader_is_never_replaced_by_one_of_another_file(service: Service) -> None:
    database = service.services.database
    back = moved_away(database.path)
    with pytest.raises(Exception, match="moved away"):
        await database._connect()
    assert not database.path.exists()
    back()
    os.stat(database.path)


# --- places in the stream


async def test_a_stream_that_is_cut_before_its_first_line_leaves_its_place(service: Service) -> None:
    who = await service.token()
    never = asyncio.Event()
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in who.items()],
        "client": ("203.0.113.9", 4711), "server": ("comments.test", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        await never.wait()

    for _ in range(3):
        await service.app(scope, receive, send)
    assert not service.services.live.clients
