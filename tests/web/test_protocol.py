"""The service on a socket, with peers that send too much, too slowly, or nothing: each is ended, and nobody else notices."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import os
import re
import resource
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from moderation.web.connections import Limits
from moderation.web.cookies import COOKIE
from moderation.web.protocol import BoundedProtocol
from tests import postgres
from tests.conftest import ROOT, Server, free_port, wait_until

SHORT = Limits(every=0.02, head_time=25, body_time=50, idle=75, linger=25)
"""The looks come fifty times as fast: half a second for a head, one for a body."""
COMMENT = json.dumps({"name": "Ann", "email": "ann@example.org", "body": "A kind word about the garden."}).encode()
THREAD = "/sites/default/articles/post/comments"

PROGRAM = """
import sys
from moderation import __main__
from moderation.web import protocol
from moderation.web.connections import Limits
protocol.BoundedProtocol.limits = {limits!r}
sys.exit(__main__.main(["serve"]))
"""


@contextmanager
def serving(
    folder: Path, limits: Limits | None = SHORT, descriptors: tuple[int, int] | None = None, **settings: str
) -> Iterator[Server]:
    """`python -m moderation serve` as it is, but for its limits and the descriptors that it may have. Without limits: two
    workers, which have those that are written in the code."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "MODERATION_DATABASE": str(folder / "data" / "moderation.sqlite3"),
        "MODERATION_PORT": str(port),
        "MODERATION_LOG_LEVEL": "DEBUG",
    }
    environment |= {f"MODERATION_{name.upper()}": value for name, value in settings.items()}
    program = ["-c", PROGRAM.format(limits=limits)] if limits else ["-m", "moderation", "serve", "--workers", "2"]
    bound = partial(resource.setrlimit, resource.RLIMIT_NOFILE, descriptors) if descriptors else None
    with open(folder / "printed", "a") as printed, open(folder / "log", "a") as log:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=folder, env=environment, stdout=printed, stderr=log, text=True, preexec_fn=bound,
        )  # fmt: skip
    server = Server(process, f"http://127.0.0.1:{port}", environment, folder)
    try:
        wait_until(lambda: listens(port) or process.poll() is not None, "the server")
        assert process.poll() is None, server.log
        yield server
    finally:
        server.stop()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all who do not look at its log."""
    with serving(tmp_path_factory.mktemp("shared")) as found:
        yield found


class Peer:
    """A connection, in bytes."""

    def __init__(self, server: Server, said: bytes = b"", *, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", int(server.url.rpartition(":")[2])))
        self.say(said)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, said: bytes) -> bool:
        """Whether it could be sent."""
        try:
            self.socket.sendall(said)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def all(self) -> bytes:
        """What comes until the other end closes, which it has to."""
        heard = b""
        with self.socket:
            try:
                while piece := self.socket.recv(65536):
                    heard += piece
            except ConnectionResetError:
                pass
        return heard

    def statuses(self) -> list[int]:
        """Of each answer. (A refusal's words name HTTP/1.1 too, so that only a status line counts.)"""
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.all())]

    def vanish(self) -> None:
        """With a reset: nothing more is taken, and nothing is said."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


def get(path: str = "/health/live", *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: test", *headers, "", ""]).encode()


def post(*headers: str, path: str = THREAD, kind: str = "application/json") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: test", f"Content-Type: {kind}", *headers, "", ""]
    return "\r\n".join(lines).encode()


CLOSE = "Connection: close"
CHUNKED = "Transfer-Encoding: chunked"
EXPECT = "Expect: 100-continue"
LAST = get("/health/live", CLOSE)


def chunks(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def short(value: Any) -> str:
    return ascii(value)[:60]


# --- what is sent -------------------------------------------------------------------------------------------------------


def long(size: int) -> str:
    return "X-Long: " + "a" * size


@pytest.mark.parametrize(
    ("said", "statuses"),
    [
        (get("/health/live", long(32_000), CLOSE), [200]),
        (get("/health/live", long(33_000)), [431]),
        (get("/health/live", long(33_000))[:-2], [431]),
        (b"GET /" + b"a" * 33_000, [431]),
        (b"GET /" + b"a" * 400_000, [431]),
        (b"\r\n" * 20_000, [431]),
        (get("/health/live", CLOSE, *(f"X-{n}: 1" for n in range(98))), [200]),
        (get("/health/live", *(f"X-{n}: 1" for n in range(100))), [431]),
        (get("/health/live", *("a:" for _ in range(8000))), [431]),
        (get() + get("/health/live", long(33_000)), [200]),
        (get() + get("/health/live", long(32_000), CLOSE), [200, 200]),
        (get() + LAST, [200, 200]),
        (b"GET http://elsewhere.example/health/live HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", [200]),
        (b"GET http://elsewhere.example HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", [400]),
        (b"OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", [404]),
        (b"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: test\r\n\r\n", [400]),
        (b"nonsense\r\n\r\n", [400]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
        (get("/health/live", "Upgrade: websocket", "Connection: upgrade, close", "Sec-WebSocket-Key: eA=="), [200]),
        (post(CHUNKED, "Content-Length: 5") + b"0\r\n\r\n", [400]),
        (post(CHUNKED, CLOSE) + chunks(COMMENT, 1) + b"0\r\n\r\n", [201]),
        (post(CHUNKED, CLOSE) + chunks(b" " * 100_000, 100) + b"0\r\n\r\n", [400]),
        (post(CHUNKED) + chunks(b" " * 100_000, 1), [400]),
        (post(CHUNKED) + b"1;" + b"x" * 200_000, [400]),
        (post(CHUNKED) + b"0\r\n" + b"X-Trailer: 1\r\n" * 20_000, [400]),
        (post(CHUNKED) + b"0\r\nX-Trailer: " + b"a" * 200_000, [400]),
        (post(CHUNKED) + b"5\r\nhelloX\r\n", [400]),
    ],
    ids=short,
)  # fmt: skip
def test_what_is_sent_is_answered_or_refused_and_the_connection_closed(
    shared: Server, said: bytes, statuses: list[int]
) -> None:
    assert Peer(shared, said).statuses() == statuses
    assert Peer(shared, LAST).statuses() == [200]


def test_a_refusal_is_a_problem_and_says_that_the_connection_ends(shared: Server) -> None:
    head, _, body = Peer(shared, b"GET /" + b"a" * 33_000).all().partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head and b"connection: close" in head and b"date: " in head
    assert json.loads(body)["status"] == 431 and json.loads(body)["code"] == "head_too_large"


def test_of_many_requests_at_once_some_are_answered_and_then_the_connection_ends(shared: Server) -> None:
    statuses = Peer(shared, get() * 10_000).statuses()
    assert statuses == [200] * len(statuses) and 1 <= len(statuses) <= Limits().pipelined + 1


# --- how long it takes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "statuses"),
    [
        (b"", []),
        (b"GET /health/live HTTP/1.1\r\nHost: te", [408]),
        (get(), [200]),
        (get() + b"GET /health", [200, 408]),
        (post("Content-Length: 400"), [408]),
        (post("Content-Length: 400") + b"{", [408]),
        (post(CHUNKED) + b"1\r\n", [408]),
        (post("Content-Length: 400", path="/nowhere") + b"{", [404]),
        (post("Content-Length: 400", EXPECT), [100, 408]),
    ],
    ids=short,
)  # fmt: skip
def test_who_stops_sending_is_told_or_not_and_let_go(shared: Server, said: bytes, statuses: list[int]) -> None:
    assert Peer(shared, said).statuses() == statuses


def test_a_head_that_comes_letter_by_letter_is_refused(shared: Server) -> None:
    peer = Peer(shared)
    letters = 0
    while peer.say(b"G" if not letters else b"E" if letters == 1 else b"T" if letters == 2 else b" "):
        letters += 1
        peer.socket.settimeout(0.01)
        try:
            if heard := peer.socket.recv(100):
                assert heard.startswith(b"HTTP/1.1 408")
            break
        except TimeoutError:
            continue
        except ConnectionResetError:
            break


def test_who_does_not_take_the_answers_is_let_go(tmp_path: Path) -> None:
    with serving(tmp_path) as server, Peer(server, buffer=4096) as peer:
        peer.socket.settimeout(5)
        try:  # as fast as they are served, until neither end can take more; then, of those who wait, we are let go
            while True:
                peer.socket.sendall(get("/static/console.js") * 8)
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert Peer(server, LAST).statuses() == [200]


# --- who went away ------------------------------------------------------------------------------------------------------


def lines(server: Server) -> list[dict[str, Any]]:
    """What was logged, but for uvicorn's own coming and going."""
    found = [json.loads(line) for line in server.log.splitlines()]
    return [line for line in found if line["from"] != "uvicorn.error" or line["level"] != "info"]


def test_who_goes_away_leaves_one_line_at_most(tmp_path: Path) -> None:
    form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    wordpress = "/sites/default/wp-comments-post.php"
    uploads = [
        (post("Content-Length: 400", EXPECT), b'{"name": "Ann'),
        (post("Content-Length: 400", EXPECT), b""),
        (post(CHUNKED, EXPECT), b"9\r\n{"),
        (post("Content-Length: 400", EXPECT, path=wordpress, kind=form), b"author="),
        (post("Content-Length: 90000", EXPECT, kind=parts), b"--x\r\n"),
        (post("Content-Length: 400", EXPECT, path="/moderate/login", kind=form), b"email="),
    ]
    with serving(tmp_path, Limits()) as server:
        for head, rest in uploads:
            for reset in (True, False):
                peer = Peer(server, head)
                assert peer.socket.recv(100).startswith(b"HTTP/1.1 100 ")  # it is being read
                peer.say(rest)
                peer.vanish() if reset else peer.socket.close()
        for _ in range(4):  # before the answers are taken, and before the rest of a refused one is sent
            Peer(server, get("/static/console.js") * 8).vanish()
            Peer(server, get("/static/console.js") * 8).socket.close()
            Peer(server, post("Content-Length: 90000000") + b"{").vanish()
        wait_until(lambda: len(lines(server)) >= 2 * len(uploads), "the last to be noticed")
        assert Peer(server, LAST).statuses() == [200]
    told = lines(server)
    assert len(told) == 2 * len(uploads) and {line["what"] for line in told} == {"a client went away"}, told
    assert {line["level"] for line in told} == {"debug"}


# --- many ---------------------------------------------------------------------------------------------------------------


def test_near_the_end_of_the_descriptors_health_and_moderators_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path, Limits(), descriptors=(256, 256)) as server, ExitStack() as crowd:
        for _ in range(300):
            crowd.enter_context(Peer(server))
        head, _, body = Peer(server, get(THREAD)).all().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503") and b"retry-after: " in head and b"connection: close" in head
        assert json.loads(body)["code"] == "unavailable"
        for _ in range(60):
            assert Peer(server, get("/health/live")).statuses() == [200]
        assert Peer(server, get("/health/ready")).statuses() == [200]
        assert Peer(server, get("/moderate", f"Cookie: a=b; {COOKIE}=something")).statuses() == [303]
        assert Peer(server, post("Content-Length: 2") + b"{}").statuses() == [503]
        slow = post("Content-Length: 400", f"Cookie: {COOKIE}=x", path="/moderate/login")
        for _ in range(60):  # whoever sends a cookie and then hardly anything holds no spare one either
            crowd.enter_context(Peer(server, slow))
        assert Peer(server, get("/health/live")).statuses() == [200]
    assert not [line for line in lines(server) if line["level"] == "error"], server.log


def test_a_crowd_that_says_nothing_is_let_go(tmp_path: Path) -> None:
    with serving(tmp_path, SHORT, descriptors=(256, 256)) as server, ExitStack() as crowd:
        silent = [crowd.enter_context(Peer(server)) for _ in range(150)]
        assert not any(peer.all() for peer in silent)
        assert Peer(server, get(THREAD, CLOSE)).statuses() == [200]


def test_it_takes_the_descriptors_that_the_system_allows(tmp_path: Path) -> None:
    with serving(tmp_path, SHORT, descriptors=(200, 1000)) as server:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (1000, 1000)


def test_every_worker_is_bounded(tmp_path: Path, cluster: str) -> None:
    asyncio.run(postgres.ask(f"{cluster}/postgres", "CREATE DATABASE bounded"))
    with serving(tmp_path, None, (256, 256), database=f"{cluster}/bounded") as server, ExitStack() as crowd:
        wait_until(lambda: server.log.count("Application startup complete") == 2, "both workers")
        assert {Peer(server, get("/health/live", long(33_000))).statuses()[0] for _ in range(20)} == {431}
        for _ in range(600):
            crowd.enter_context(Peer(server))
        assert {Peer(server, get(THREAD)).statuses()[0] for _ in range(20)} == {503}
        assert {Peer(server, get("/health/live")).statuses()[0] for _ in range(20)} == {200}


# --- what it rests on ---------------------------------------------------------------------------------------------------

RESTS_ON: dict[str, str] = {
    "HttpToolsProtocol.__init__": "4f0899941034",
    "HttpToolsProtocol.connection_made": "6efb565ff3d3",
    "HttpToolsProtocol.connection_lost": "c91a4c9bf2e2",
    "HttpToolsProtocol.eof_received": "5652627579a0",
    "HttpToolsProtocol.data_received": "010a7ae59a5d",
    "HttpToolsProtocol.on_message_begin": "96d377fdc7c2",
    "HttpToolsProtocol.on_url": "37be44e962b0",
    "HttpToolsProtocol.on_header": "65d62c044f61",
    "HttpToolsProtocol.on_headers_complete": "1ea8589acfad",
    "HttpToolsProtocol._start_asgi_task": "9c08c2571ae9",
    "HttpToolsProtocol.on_body": "dba9c32aeba3",
    "HttpToolsProtocol.on_message_complete": "1fbad42dc31f",
    "HttpToolsProtocol.on_response_complete": "64e254f28e38",
    "HttpToolsProtocol.shutdown": "d7351fa33f00",
    "HttpToolsProtocol.pause_writing": "17a8fd215d96",
    "HttpToolsProtocol.resume_writing": "7844bbaa8cce",
    "RequestResponseCycle": "e67d470d435d",
    "FlowControl": "126debcdaa89",
}
WORDS = (
    "uvicorn's {name} is not what moderation/web/protocol.py was written against (uvicorn 0.54). Read what has changed, see whether "
    "the protocol still bounds what it says it does, run this file, and write {found!r} here and the version into pyproject.toml."
)


@pytest.mark.parametrize("name", RESTS_ON)
def test_uvicorn_is_what_the_protocol_was_written_against(name: str) -> None:
    found = digest(name)
    assert found == RESTS_ON[name], WORDS.format(name=name, found=found)


def digest(name: str) -> str:
    place: Any = flow_control if name == "FlowControl" else httptools_impl
    for part in name.split("."):
        place = getattr(place, part)
    return hashlib.sha256(inspect.getsource(place).encode()).hexdigest()[:12]


def test_the_package_asks_for_that_uvicorn() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert "uvicorn>=0.54,<0.55" in asked and uvicorn.__version__.startswith("0.54."), WORDS.format(name="", found="")
    assert not set(BoundedProtocol.__slots__) & set(vars(HttpToolsProtocol)), "a name of ours is now one of uvicorn's"
