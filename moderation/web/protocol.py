"""HTTP with limits, for running without a proxy: uvicorn's protocol limits neither the size of a request's head nor the
time for a head, a body or the reading of an answer.

This code depends on uvicorn's internals, so pyproject.toml pins its version. tests/web/test_protocol.py lists the points to
compare before an upgrade.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any, NoReturn

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from moderation.web.connections import REFUSALS, Connections, Limits, answer, connections_of, urgent_only

PIECE = 8192
"""Bytes parsed between two checks: uvloop reads thirty times as many at once."""


UNWANTED = 4 * 1024 * 1024
"""Bytes that are dropped, of a peer that sends on after its answer, before the connection is cut."""


class Lingering:
    """The transport, for one answer. Closed while the request's body still comes, the rest of it would reset the connection and
    take the answer from a proxy that is still sending (RFC 9112, 9.6): so this end says that it is over, and what comes is
    dropped for a moment."""

    __slots__ = ("is_closing", "protocol", "write")

    def __init__(self, protocol: BoundedProtocol) -> None:
        self.protocol, self.write = protocol, protocol.transport.write
        self.is_closing = protocol.transport.is_closing

    def close(self) -> None:
        one = self.protocol
        if not one.in_body or one.ended or one.transport.is_closing():
            one.transport.close()
            return
        one.ended, one.since, one.wire = True, one.all.now, 0
        one.transport.write_eof()


class BoundedProtocol(HttpToolsProtocol):
    limits = Limits()
    # slots: uvicorn's class has twenty-eight attributes, and above thirty a dictionary loses Python's fastest form
    __slots__ = ("all", "answering", "body_size", "chunks", "ended", "flush_by", "in_body", "in_head", "lingering", "pipelined", "since",
                 "spare", "why", "wire")  # fmt: skip
    all: Connections
    answering: Any
    """The request cycle that is being answered; later ones are in uvicorn's pipeline."""
    since: int
    """The check at which the current phase began: a head, a body, or silence."""
    flush_by: int
    """The check by which written data must have been read; 0 if none is waiting."""
    wire: int
    """Bytes of the current request, framing included."""
    pipelined: bool
    """The request began in the same piece as the end of the previous one; `wire` excludes that piece."""
    ended: bool
    """No more data is read from this peer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        HttpToolsProtocol.connection_made(self, transport)
        self.all = connections_of(self.server_state, self.limits)
        self.all.look_on()
        self.since, self.why, self.url = self.all.now, 400, b""
        self.answering, self.lingering = None, Lingering(self)
        self.wire = self.body_size = self.chunks = self.flush_by = 0
        self.in_head = self.in_body = self.pipelined = self.spare = self.ended = False
        end = transport.get_extra_info("socket")
        if end.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_USER_TIMEOUT"):
            # a peer that vanished from an open event stream: two heartbeats without acknowledgement
            with contextlib.suppress(OSError):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
        if self.all.takes_spare(self, end.fileno()):
            self.spare, self.app = True, urgent_only(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        self.all.gives_back(self)
        if self.answering is not None:  # uvicorn notifies only the newest cycle, which may be queued behind it
            self.answering.disconnected = True
            self.answering.message_event.set()
        HttpToolsProtocol.connection_lost(self, exc)

    def data_received(self, data: bytes) -> None:
        if len(data) > PIECE:
            for at in range(0, len(data), PIECE):
                self.data_received(data[at : at + PIECE])
                if not self.ended and len(self.headers or ()) > self.limits.headers:
                    self.refuse(400 if self.in_body else 431)
            return
        if self.ended:
            self.wire += len(data)
            if self.wire > UNWANTED:
                self.transport.abort()
            return
        most = self.limits.head
        self.wire += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # to another protocol, which is not supported: the request is answered as HTTP/1.1
        except httptools.HttpParserError:
            self.refuse(self.why)
            return
        if self.wire > most:
            if not self.in_body:
                self.refuse(431)
            elif self.wire - self.body_size > 2 * most + self.body_size:  # trailers, or extensions of chunks
                self.refuse(400)

    def on_message_begin(self) -> None:
        self.in_head, self.pipelined, self.since = True, not self.wire, self.all.now
        HttpToolsProtocol.on_message_begin(self)

    def on_headers_complete(self) -> None:
        limits, unsure = self.limits, self.wire > self.limits.head or self.pipelined
        if len(self.headers) > limits.headers or (unsure and self.head_size() > limits.head):
            self.reject(431)
        if len(self.pipeline) >= limits.pipelined:
            self.reject(400)
        HttpToolsProtocol.on_headers_complete(self)
        self.cycle.transport = self.lingering  # type: ignore[assignment]
        if not self.pipeline:
            self.answering = self.cycle
        if self.spare:
            self.cycle.keep_alive = False
        self.in_head, self.in_body, self.body_size, self.chunks, self.since = False, True, 0, 0, self.all.now

    def head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def reject(self, status: int) -> NoReturn:
        self.why = status
        raise ValueError(status)  # leaves the parser at once

    def on_chunk_header(self) -> None:
        if not self.chunks:
            self.headers = []  # for trailers: the application holds the list of the headers
        self.chunks += 1
        if self.chunks > self.limits.small_chunks and self.body_size < 64 * self.chunks:
            self.reject(400)

    def on_body(self, body: bytes) -> None:
        self.body_size += len(body)
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        self.in_body, self.wire = False, 0
        if self.spare:
            self.all.is_whole(self)
        HttpToolsProtocol.on_message_complete(self)

    def on_response_complete(self) -> None:
        """uvicorn's method, without its timer for each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.since = self.all.now
        self.flow.resume_reading()
        if self.pipeline:
            self.answering, app = self.pipeline.pop()
            self._start_asgi_task(self.answering, app)

    def resume_writing(self) -> None:
        self.flush_by = 0
        HttpToolsProtocol.resume_writing(self)

    def check(self, now: int) -> None:
        """The check, once a second: ends phases that take too long."""
        limits, cycle, age = self.limits, self.cycle, now - self.since
        waits = cycle is not None and not cycle.response_complete
        left = self.transport.get_write_buffer_size()
        if not left:
            self.flush_by = 0
        elif not self.flush_by:
            self.flush_by = now + limits.idle + left // limits.rate
        elif now >= self.flush_by:
            self.drop(408)
        if self.ended:
            if not waits and age >= limits.linger:
                self.transport.abort()
        elif self.transport.is_closing():
            pass
        elif self.flow.read_paused or (waits and cycle.waiting_for_100_continue):
            self.since += 1  # the peer waits for us
        elif self.in_body:
            slow = age >= limits.body_time and self.body_size < age * limits.rate
            if slow or (not waits and age >= limits.head_time):  # or a request that was answered before it was complete
                self.refuse(408)
        elif self.in_head:
            if age >= limits.head_time:
                self.refuse(408)
        elif not waits and age >= limits.idle:
            self.transport.close()

    def refuse(self, status: int) -> None:
        """Stops reading, and sends the error if an answer is still possible."""
        cycle, waits = self.cycle, self.cycle is not None and not self.cycle.response_complete
        if self.in_body and (self.pipeline or not waits or cycle.response_started):
            self.drop(status)
            return
        self.ended, self.since = True, self.all.now
        self.all.refused[status] += 1
        if waits and not self.in_body:  # earlier requests are answered first
            cycle.keep_alive = False
            return
        if waits:
            cycle.disconnected = cycle.response_complete = True
            cycle.message_event.set()
        headers, body = answer(REFUSALS[status], self.url.decode("latin-1"))
        lines = [name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers + headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self.flow.resume_reading()
        self.transport.write_eof()

    def drop(self, status: int) -> None:
        self.ended = True
        self.all.refused[status] += 1
        self.all.gives_back(self)
        self.transport.abort()
