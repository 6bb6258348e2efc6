"""One connection under a clock that moves only when told to: what may take long, what may not, and what is counted."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from moderation.web.connections import Limits, urgent_only
from moderation.web.protocol import BoundedProtocol

pytestmark = pytest.mark.anyio
MiB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def post(length: int, *more: str) -> bytes:
    return "\r\n".join(["POST / HTTP/1.1", "Host: test", f"Content-Length: {length}", *more, "", ""]).encode()


class Still(BoundedProtocol):
    limits = replace(Limits(), every=3600)  # nobody looks but the test


@dataclass
class Wire:
    """A transport, and the socket under it."""

    written: bytes = b""
    left: int = 0
    """Bytes that the other end has not taken yet."""
    reads: bool = True
    ended: str = ""
    options: dict[int, int] = field(default_factory=dict)
    lost: Callable[[], None] = lambda: None
    family = socket.AF_INET

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def fileno(self) -> int:
        return 3

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 1)

    getpeername = getsockname

    def setsockopt(self, level: int, name: int, value: int) -> None:
        self.options[name] = value

    def write(self, data: bytes) -> None:
        assert self.ended in ("", "eof") and self.ended != "eof", "written after the end"
        self.written += data

    def write_eof(self) -> None:
        self.ended = "eof"

    def close(self) -> None:
        self.ended = self.ended if self.ended == "abort" else "close"

    def abort(self) -> None:
        self.ended = "abort"
        self.lost()

    def is_closing(self) -> bool:
        return self.ended in ("close", "abort")

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def get_write_buffer_size(self) -> int:
        return self.left


class Application:
    """Reads, waits until it may go on, and answers; what it was told of the other end's going is in `left`."""

    def __init__(self, *, reads: bool = True, streams: bool = False, waits: bool = False) -> None:
        self.reads, self.streams, self.may = reads, streams, asyncio.Event()
        self.body, self.left = 0, 0
        self.headers: list[bytes] = []
        if not waits:
            self.may.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.streams:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left += 1
            return
        await self.may.wait()
        while self.reads:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left += 1
                return
            self.body += len(message["body"])
            if not message["more_body"]:
                break
        self.headers = [name for name, _ in scope["headers"]]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


class Peer:
    def __init__(self, application: Any) -> None:
        config = uvicorn.Config(application, log_config=None, access_log=False, ws="none", lifespan="off")
        config.load()
        self.wire = Wire()
        self.protocol = Still(config, ServerState(), {})
        self.wire.lost = lambda: self.protocol.connection_lost(None)
        self.protocol.connection_made(self.wire)  # type: ignore[arg-type]

    async def say(self, data: bytes) -> None:
        self.protocol.data_received(data)
        await settle()

    async def looks(self, number: int) -> None:
        for _ in range(number):
            self.protocol.all.look()
        await settle()

    @property
    def status(self) -> int:
        """Of the last answer."""
        return int(self.wire.written.rpartition(b"HTTP/1.1 ")[2][:3] or 0)


async def settle() -> None:
    """Whatever can be done has been done."""
    for _ in range(20):
        await asyncio.sleep(0)


# --- silence and heads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [0, 1, 3])
async def test_a_silent_connection_is_closed_after_thirty_seconds_and_told_nothing(asked: int) -> None:
    peer = Peer(Application())
    for _ in range(asked):
        await peer.looks(29)
        await peer.say(GET)
    written = peer.wire.written
    await peer.looks(29)
    assert not peer.wire.ended
    await peer.looks(1)
    assert peer.wire.ended == "close" and peer.wire.written == written


async def test_a_head_has_ten_seconds_and_each_letter_gains_none() -> None:
    peer = Peer(Application())
    for letter in GET[:10]:
        assert not peer.wire.ended
        await peer.say(bytes([letter]))
        await peer.looks(1)
    assert peer.status == 408 and peer.wire.ended == "eof"
    await peer.say(GET[10:])  # is not heard
    await peer.looks(2)
    assert peer.status == 408 and peer.wire.ended == "abort"


async def test_a_head_that_follows_in_the_same_piece_has_ten_seconds_of_its_own() -> None:
    peer = Peer(Application())
    await peer.say(GET + GET[:10])
    await peer.looks(9)
    assert peer.status == 200 and not peer.wire.ended
    await peer.looks(1)
    assert peer.status == 408


# --- bodies -------------------------------------------------------------------------------------------------------------


async def test_a_small_body_may_be_slow() -> None:
    application = Application()
    peer = Peer(application)
    await peer.say(post(2000))
    for _ in range(20):
        await peer.looks(1)
        await peer.say(b"x" * 100)
    assert peer.status == 200 and application.body == 2000


@pytest.mark.parametrize(("rate", "status"), [(MiB // 30 + 1, 200), (MiB // 30 - 1000, 408)])
async def test_a_large_body_comes_at_its_rate_or_is_refused(rate: int, status: int) -> None:
    application = Application()
    peer = Peer(application)
    await peer.say(post(60 * rate))
    for second in range(60):
        await peer.say(b"x" * rate)
        await peer.looks(1)
        if second < 28:
            assert not peer.wire.ended
    assert peer.status == status
    assert application.left == (status == 408), "whoever reads is told that no more will come"


async def test_a_body_that_nobody_takes_is_not_late() -> None:
    """It is we who let it wait: reading has stopped."""
    application = Application(waits=True)
    peer = Peer(application)
    await peer.say(post(2 * MiB))
    await peer.say(b"x" * 200_000)
    assert not peer.wire.reads
    await peer.looks(500)
    assert not peer.wire.ended
    application.may.set()
    await settle()
    await peer.looks(20)
    await peer.say(b"x" * (2 * MiB - 200_000))
    assert peer.status == 200 and application.body == 2 * MiB


async def test_who_waits_for_leave_to_send_is_not_late() -> None:
    application = Application(waits=True)
    peer = Peer(application)
    await peer.say(post(10, "Expect: 100-continue"))
    await peer.looks(100)
    assert not peer.wire.ended
    application.may.set()
    await settle()
    assert peer.status == 100
    await peer.say(b"x" * 10)
    assert peer.status == 200


async def test_the_rest_of_a_body_that_was_answered_has_ten_seconds() -> None:
    peer = Peer(Application(reads=False))
    await peer.say(post(5 * MiB))
    assert peer.status == 200
    for _ in range(10):
        assert not peer.wire.ended
        await peer.say(b"x" * 200_000)
        await peer.looks(1)
    assert peer.wire.ended == "abort" and peer.status == 200


async def test_trailers_are_no_headers() -> None:
    """Else what comes after the body would be a credential, or an address, that no proxy in front has seen."""
    application = Application()
    peer = Peer(application)
    await peer.say(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nCookie: a=b\r\n\r\n")
    assert peer.status == 200 and application.headers == [b"transfer-encoding"]
    await peer.say(GET)
    assert application.headers == [b"host"]


# --- answers ------------------------------------------------------------------------------------------------------------


async def test_a_long_answer_has_all_the_time_that_we_take() -> None:
    application = Application(waits=True)
    peer = Peer(application)
    await peer.say(GET)
    await peer.looks(1000)
    application.may.set()
    await settle()
    assert peer.status == 200 and not peer.wire.ended


async def test_an_event_stream_stays_open() -> None:
    application = Application(streams=True)
    peer = Peer(application)
    await peer.say(GET)
    await peer.looks(10_000)
    assert not peer.wire.ended and not application.left


async def test_a_peer_that_acknowledges_nothing_is_given_up_by_the_kernel() -> None:
    peer = Peer(Application())
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    assert option is None or peer.wire.options == {option: 30_000}


@pytest.mark.parametrize("kept", [True, False])
async def test_an_answer_that_is_not_taken_is_dropped_and_one_that_is_taken_slowly_is_not(kept: bool) -> None:
    peer = Peer(Application())
    peer.wire.left = MiB
    await peer.say(GET if kept else GET.replace(b"Host", b"Connection: close\r\nHost"))
    await peer.looks(15)
    peer.wire.left = MiB // 2
    peer.protocol.pause_writing()
    peer.protocol.resume_writing()  # it has taken what waited
    await peer.looks(40)
    assert peer.wire.ended != "abort"
    await peer.looks(10)
    assert peer.wire.ended == "abort"


async def test_an_answer_that_nobody_takes_ends_an_event_stream_too() -> None:
    application = Application(streams=True)
    peer = Peer(application)
    await peer.say(GET)
    peer.wire.left = 100_000
    await peer.looks(40)
    await settle()
    assert peer.wire.ended == "abort" and application.left == 1


async def test_who_went_away_is_told_to_the_request_that_runs_not_to_the_last_alone() -> None:
    application = Application(streams=True)
    peer = Peer(application)
    await peer.say(GET + GET)
    peer.wire.abort()
    await settle()
    assert application.left == 1


# --- anything -----------------------------------------------------------------------------------------------------------

BITS = [GET, GET[:9], post(5), post(5) + b"hello", post(5, "Expect: 100-continue"), post(0, "Connection: close"), b"hello",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", b"0\r\n", b"A: b\r\n", b"\r\n", b"\n", b" ",
        b"x" * 33_000, b"1\r\nx\r\n" * 5000, b"a:b\r\n" * 200, GET * 12, b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", b"\x16\x03\x01", b"\0"]  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(BITS) | st.binary(max_size=8) | st.just(None), max_size=8), st.booleans())
def test_whatever_is_sent_the_connection_ends(sent: list[bytes | None], reads: bool) -> None:
    """None: a second passes."""

    async def run() -> None:
        peer = Peer(Application(reads=reads))
        for piece in sent:
            if piece is None:
                await peer.looks(1)
            elif not peer.wire.is_closing():
                await peer.say(piece)
        await peer.looks(40)
        assert peer.wire.ended in ("close", "abort")

    asyncio.run(run())


# --- what is told -------------------------------------------------------------------------------------------------------


async def test_refusals_are_one_line_that_counts_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "moderation")
    peer = Peer(Application())
    for _ in range(50):
        peer.protocol.all.refused[431] += 1
    await peer.say(b"nonsense\r\n\r\n")
    await peer.looks(3)
    (line,) = [record for record in caplog.records if record.name == "moderation.web.connections"]
    assert line.__dict__["connections"] == {"431": 50, "400": 1} and line.getMessage() == "refused"
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


@pytest.mark.parametrize(
    ("path", "has_guid"), [("/1.1/comment-check", True), ("/comments/1.1/comment-check", True), ("/sites", False)]
)
async def test_where_only_urgent_requests_are_served_akismets_clients_get_their_guid(path: str, has_guid: bool) -> None:
    """WordPress would publish a comment whose answer has none."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await urgent_only(None)({"path": path, "headers": []}, None, send)
    assert sent[0]["status"] == 503
    assert any(name == b"x-akismet-guid" and len(value) == 32 for name, value in sent[0]["headers"]) is has_guid
