"""Too much at once: past the limit a refusal comes at once and says when to come again, reads go on, memory stays bounded."""

from __future__ import annotations

import asyncio
import http.client
import json
import resource
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median

import httpx
import pytest

from moderation.intake.intake import WAITING
from moderation.policy.scorer import BATCH
from tests.budget import long
from tests.conftest import Server, wait_until

IDLE, STUCK = 10_000, 400
PROMPT = 0.05
"""Seconds within which a refusal comes."""
THREAD = "/sites/default/articles/post/comments"


def comment(number: int) -> tuple[bytes, dict[str, str]]:
    fields = {"name": "Ann", "email": f"a{number}@example.org", "body": f"A calm remark, number {number}."}
    network = f"198.{18 + number // 62_500}.{number // 250 % 250}.{number % 250}"
    return json.dumps(fields).encode(), {"Content-Type": "application/json", "X-Forwarded-For": network}


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


async def sent(server: Server, number: int) -> int:
    """The status of one comment on a connection of its own."""
    body, headers = comment(number)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    lines = [
        f"{name}: {value}" for name, value in {**headers, "Host": "test", "Content-Length": str(len(body))}.items()
    ]
    head = "\r\n".join([f"POST {THREAD} HTTP/1.1", *lines, "Connection: close", "", ""])
    writer.write(head.encode() + body)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


def waiting(server: Server) -> float:
    said = httpx.get(f"{server.url}/metrics", timeout=30).text
    return next(float(line.split()[1]) for line in said.splitlines() if line.startswith("moderation_waiting "))


@contextmanager
def many_files() -> Iterator[int]:
    """As many open files as the crowd needs, or as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + STUCK + 600
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        wanted = hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@long
def test_past_the_limit_a_refusal_comes_at_once_and_reads_go_on(start: Callable[..., Server]) -> None:
    server = start(trusted_proxies="127.0.0.1")
    body, headers = comment(0)
    first = httpx.post(server.url + THREAD, content=body, headers=headers, timeout=60)
    assert first.status_code == 201
    took, statuses = list[float](), list[int]()

    async def flood(held: sqlite3.Connection) -> None:
        crowd = [asyncio.create_task(sent(server, number)) for number in range(1, WAITING + BATCH + 201)]
        await asyncio.to_thread(wait_until, lambda: waiting(server) >= WAITING, "a full queue")
        await asyncio.to_thread(measure)
        held.execute("ROLLBACK")
        statuses.extend(await asyncio.gather(*crowd))

    def measure() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)) as connection:
            for number in range(10_000, 10_050):
                body, headers = comment(number)
                began = time.monotonic()
                connection.request("POST", THREAD, body, headers)
                answer = connection.getresponse()
                told = answer.read()
                took.append(time.monotonic() - began)
                assert answer.status == 503 and answer.headers["Retry-After"], told
                assert "nothing was stored" in json.loads(told)["detail"]
                connection.request("GET", THREAD)
                answer = connection.getresponse()
                assert answer.status == 200 and json.loads(answer.read())["count"] == 1

    with (
        many_files(),
        closing(sqlite3.connect(server.environment["MODERATION_DATABASE"], isolation_level=None)) as held,
    ):
        held.execute("BEGIN IMMEDIATE")  # a disk that does not keep up
        asyncio.run(flood(held))
    assert median(took) < PROMPT, sorted(took)
    counts = Counter(statuses)
    assert set(counts) <= {201, 202, 503} and counts[503] >= 100 and counts[201] > WAITING / 2, counts
    stored = sqlite3.connect(server.environment["MODERATION_DATABASE"])
    assert stored.execute("SELECT count(*) FROM comments").fetchone() == (1 + counts[201] + counts[202],)
    stored.close()
    assert httpx.post(server.url + THREAD, content=comment(20_000)[0], headers=comment(20_000)[1]).status_code == 201


def memory(server: Server) -> int:
    """Bytes that the process has in memory."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc says how much memory a process has")
def test_ten_thousand_idle_connections_and_stuck_uploads_take_bounded_memory(start: Callable[..., Server]) -> None:
    with many_files() as files, ExitStack() as crowd:
        server = start(trusted_proxies="127.0.0.1")
        for number in range(5):
            assert (
                httpx.post(server.url + THREAD, content=comment(number)[0], headers=comment(number)[1]).status_code
                == 201
            )
        before = memory(server)
        head = (
            f"POST {THREAD} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 65000\r\n\r\n"
        )
        for number in range(STUCK + min(IDLE, files - STUCK - 600)):
            peer = crowd.enter_context(socket.create_connection(("127.0.0.1", port_of(server)), 30))
            if number < STUCK:  # nearly all of it, and then nothing more
                peer.sendall(head.encode() + b'{"body": "' + b"a" * 60_000)
        after = memory(server)
        began = time.monotonic()
        body, headers = comment(100)
        assert httpx.post(server.url + THREAD, content=body, headers=headers, timeout=30).status_code == 201
        assert httpx.get(server.url + THREAD, timeout=30).json()["count"] == 6
        assert httpx.get(f"{server.url}/health/ready", timeout=30).status_code == 200
        assert time.monotonic() - began < 5
        # about 5 KB for each connection, and what an upload has sent
        assert after - before < 120 * 1024 * 1024, f"{(after - before) / 1e6:.0f} MB more"
