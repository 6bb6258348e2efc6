"""A stop ends, whatever hangs; and streams that are cut at any moment leave everybody else what they need."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from moderation.web import shutdown
from moderation.web.shutdown import REST, in_turn
from tests.conftest import Server, answers, free_port, wait_until

HANGING = """
# Serves as ever; once the file `hang` is there, whatever touches the disk, a mail server or the model hangs for good.
import asyncio, os, sys, threading
import aiosqlite
from classifier.serving import Classifier
from moderation.outbox.delivery import Deliverer
from moderation.__main__ import main

def hang(*_):
    open("hung", "a").write("x")
    threading.Event().wait()

fetch, score, begin = aiosqlite.Connection.execute_fetchall, Classifier.score, Deliverer.begin

async def fetch_or_hang(self, *args):
    if os.path.exists("hang"):
        await self._execute(hang)
    return await fetch(self, *args)

def score_or_hang(self, *args, **named):
    if os.path.exists("hang"):
        hang()
    return score(self, *args, **named)

async def begin_or_hang(self):
    if os.path.exists("hang"):
        await asyncio.to_thread(hang)
    return await begin(self)

aiosqlite.Connection.execute_fetchall = fetch_or_hang
Deliverer.begin = begin_or_hang
Classifier.score = score_or_hang
sys.exit(main(["serve"]))
"""


def asks(server: Server, path: str, **more: object) -> tuple[int, str]:
    request = urllib.request.Request(server.url + path, **more)  # type: ignore[arg-type]
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def post(server: Server, number: int) -> int:
    fields = {"name": "Ann", "email": f"ann{number}@example.org", "body": f"A calm remark, number {number}."}
    headers = {"Content-Type": "application/json"}
    return asks(server, "/sites/default/articles/post/comments", data=json.dumps(fields).encode(), headers=headers)[0]


def begin(server: Server, head: str) -> socket.socket:
    """A request, on a connection of its own."""
    at = urlsplit(server.url)
    connection = socket.create_connection((at.hostname, at.port), timeout=30)
    connection.sendall(head.encode())
    return connection


def events(token: str) -> str:
    return f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"


def test_after_400_streams_that_were_cut_everybody_can_read(start: Callable[..., Server]) -> None:
    server = start()
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    chance = random.Random(15)
    for _ in range(400):
        connection = begin(server, events(token))
        time.sleep(chance.uniform(0, 0.01))
        connection.close()
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(3):
        assert asks(server, "/health/ready")[0] == 200
        assert asks(server, "/sites/default/articles/post/comments")[0] == 200
        assert asks(server, "/api/v1/comments", headers=headers)[0] == 200
    stream = begin(server, events(token))
    assert stream.recv(100).startswith(b"HTTP/1.1 200")
    stream.close()
    assert server.stop() == 0


def test_a_stop_ends_whatever_hangs_and_what_was_acknowledged_is_stored(
    start: Callable[..., Server],
) -> None:
    server = start(grace="1", scoring_ms="1000")  # less than what tells that a reader is overdue
    assert server.stop() == 0
    (server.folder / "hanging.py").write_text(HANGING)
    port = free_port()
    environment = server.environment | {"MODERATION_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    with open(server.folder / "log", "a") as log:
        server.process = subprocess.Popen(
            [sys.executable, "hanging.py"], cwd=server.folder, env=environment, stdout=log, stderr=log, text=True
        )
    server.url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(server.url), "the server")
        token = server.run("add-token", "--scopes", "moderate").stdout.strip()
        stream = begin(server, events(token))
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        assert [post(server, n) for n in range(3)] == [201] * 3
        (server.folder / "hang").touch()
        readers = [
            threading.Thread(target=asks, args=(server, f"/sites/default/articles/{n}/comments"), daemon=True)
            for n in range(4)
        ]
        for reader in readers:
            reader.start()
        assert post(server, 3) == 202  # the scorer hangs: held, and stored
        wait_until(lambda: len((server.folder / "hung").read_text()) >= 4, "readers, outbox and scorer to hang")
        assert asks(server, "/health/live")[0] == 200
        ready, said = asks(server, "/health/ready")
        assert ready == 503 and "no answer" in said
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 1
        stream.close()
    finally:
        if server.process.poll() is None:
            server.process.kill()
    assert "Timeout" in server.log  # the stack of each thread: where it hung
    connection = sqlite3.connect(server.environment["MODERATION_DATABASE"])
    ((stored,),) = connection.execute("SELECT count(*) FROM comments").fetchall()
    connection.close()
    assert stored == 4


@pytest.mark.anyio
async def test_a_background_loop_that_fails_ends_the_service_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    ended, cancelled = list[bool](), list[bool]()

    async def fails() -> None:
        raise RuntimeError("broken")

    async def goes_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    with pytest.raises(ExceptionGroup), caplog.at_level(logging.CRITICAL):
        async with shutdown.background(lambda: ended.append(True)) as loops:
            loops.create_task(goes_on())
            loops.create_task(fails())
            await asyncio.Event().wait()  # as a service that serves
    assert ended == [True] and cancelled == [True]
    (record,) = caplog.records
    assert "background loop failed" in record.message and record.exc_info


@pytest.mark.anyio
async def test_each_step_of_a_stop_has_its_turn(caplog: pytest.LogCaptureFixture) -> None:
    had = []

    async def hears_nothing() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if had[-1:] == ["last"]:
                    raise
                had.append("deaf")

    async def fails() -> None:
        raise RuntimeError("broken")

    async def stops() -> None:
        had.append("last")

    with caplog.at_level(logging.ERROR):
        await in_turn(("deaf", hears_nothing, 0.01), ("broken", fails, 1), ("last", stops, 1))
    assert had[-1] == "last"
    assert [record.__dict__["which"] for record in caplog.records] == ["deaf", "broken"]
    for task in asyncio.all_tasks():
        if task.get_name() == "stop deaf":
            task.cancel()


def test_the_default_times_end_within_thirty_seconds() -> None:
    from moderation.settings import Settings

    assert Settings().grace + REST < 30


def test_a_last_resort_is_armed_once_for_all_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    armed = []
    monkeypatch.setattr(
        shutdown.faulthandler, "dump_traceback_later", lambda seconds, **more: armed.append((seconds, more))
    )
    resort = shutdown.LastResort(7)
    with shutdown.told_to_stop(resort.arm):
        assert not armed
    resort.arm()
    resort.arm()
    assert armed == [(7, {"exit": True})]
