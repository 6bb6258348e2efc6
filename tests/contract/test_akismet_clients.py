"""Akismet's clients on the real program: one of them itself, the others by requests in their shape, over a socket."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import akismet
import httpx
import pytest

from tests.conftest import Server
from tests.contract.akismet_requests import JSON, OTHERS, WORDPRESS, Recorded

BLOG = "https://blog.example"
SPAM = (
    "Buy cheap viagra and cialis online without prescription!!! Best casino bonus, click here: http://pills.example/buy"
)
HAM = "Thank you, the part about pruning roses in autumn helped me a lot. Mine bloom again."


@dataclass
class Place:
    """A server with a key."""

    server: Server
    key: str

    @property
    def port(self) -> int:
        return urlsplit(self.server.url).port or 0

    def raw(self, request: bytes) -> tuple[str, dict[str, str], bytes]:
        """The status line, the headers and the body that answer these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as peer:
            peer.sendall(request)
            return answer_on(peer)


def answer_on(peer: socket.socket) -> tuple[str, dict[str, str], bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += (part := peer.recv(65536))
        assert part, received
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += peer.recv(65536)
    return status, headers, body


@pytest.fixture
def place(start: Callable[..., Server]) -> Iterator[Place]:
    server = start()
    yield Place(server, server.run("add-token", "--scopes", "score,teach", "--akismet").stdout.strip())
    assert '"level": "error"' not in server.log


# --- the client in Python ----------------------------------------------------------------------------------------------


def led(url: str) -> Callable[[httpx.Request], None]:
    """A hook that leads the client's requests to the service."""

    def lead(request: httpx.Request) -> None:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=urlsplit(url).port)

    return lead


def test_the_python_client_checks_submits_and_asks_for_its_use(place: Place) -> None:
    config = akismet.Config(key=place.key, url=BLOG)
    with httpx.Client(event_hooks={"request": [led(place.server.url)]}, timeout=30) as http:
        client = akismet.SyncClient.validated_client(config=config, http_client=http)
        asked = {"user_ip": "203.0.113.7", "comment_author": "Ann", "comment_type": "comment"}
        assert client.comment_check(**asked, comment_content=HAM) is akismet.CheckResponse.HAM
        assert client.comment_check(**asked, comment_content=SPAM) is akismet.CheckResponse.SPAM
        assert (
            client.comment_check(**asked, comment_content=HAM, comment_context="roses,garden", is_test=True)
            is akismet.CheckResponse.HAM
        )
        assert client.submit_spam(**asked, comment_content=HAM) is True
        assert client.comment_check(**asked, comment_content=HAM) is akismet.CheckResponse.SPAM
        assert client.submit_ham(**asked, comment_content=HAM) is True
        assert client.comment_check(**asked, comment_content=HAM) is akismet.CheckResponse.HAM
        assert client.comment_check("203.0.113.7", comment_author="viagra-test-123") is akismet.CheckResponse.SPAM
        assert client.comment_check("203.0.113.7", user_role="administrator") is akismet.CheckResponse.HAM
        assert client.usage_limit()["usage"] == 7
        with pytest.raises(akismet.APIKeyError):  # it sends no key with this call
            client.key_sites()
        wrong = akismet.SyncClient(config=config._replace(key="ffffffffffff"), http_client=http)
        assert wrong.verify_key() is False
        with pytest.raises(akismet.APIKeyError):
            wrong.comment_check(**asked, comment_content=HAM)
        with pytest.raises(akismet.APIKeyError):
            akismet.SyncClient.validated_client(config=config._replace(url="https://"), http_client=http)


def test_the_python_client_works_asynchronously(place: Place) -> None:
    lead = led(place.server.url)

    async def lead_async(request: httpx.Request) -> None:
        lead(request)

    async def drive() -> None:
        async with httpx.AsyncClient(event_hooks={"request": [lead_async]}, timeout=30) as http:
            config = akismet.Config(key=place.key, url=BLOG)
            client = await akismet.AsyncClient.validated_client(config=config, http_client=http)
            texts = [f"{HAM} It took {n} weeks." for n in range(2, 12)]
            found = await asyncio.gather(
                *(client.comment_check("203.0.113.7", comment_author="Ann", comment_content=text) for text in texts)
            )
            assert set(found) == {akismet.CheckResponse.HAM}
            assert await client.submit_ham("203.0.113.7", comment_author="Ann", comment_content=texts[0]) is True

    asyncio.run(drive())


# --- all others, by their bytes ----------------------------------------------------------------------------------------


def replayed(place: Place, recorded: Recorded) -> None:
    status, headers, body = place.raw(recorded.on_the_wire(place.key, place.port))
    context = (recorded.client, status, headers, body)
    assert status.split(" ")[1] == "200", context
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-akismet-guid"]), context
    assert int(headers["content-length"]) == len(body), context
    assert ("x-akismet-debug-help" in headers) is (recorded.answer == "invalid"), context
    assert not [
        name for name in headers if name.startswith(("x-akismet-alert", "x-akismet-error", "x-akismet-recheck"))
    ], context
    assert place.key.encode() not in body
    if isinstance(recorded.answer, str):
        assert body.decode() == recorded.answer, context
    elif recorded.answer is JSON:
        assert isinstance(json.loads(body), dict), context


def test_wordpress_lives_through_a_comments_life(place: Place) -> None:
    for recorded in WORDPRESS:
        replayed(place, recorded)


def test_other_clients_requests_are_answered_in_their_words(place: Place) -> None:
    for recorded in OTHERS:
        replayed(place, recorded)
    status, headers, _ = place.raw(
        next(one for one in OTHERS if one.client == "ruby akismet").on_the_wire(place.key, place.port)
    )
    assert "200" in status and headers["x-akismet-pro-tip"] == "discard"


def test_a_client_that_waits_for_100_continue_hears_it(place: Place) -> None:
    """As WordPress does with a large body."""
    body = (
        f"api_key={place.key}&blog=https%3A%2F%2Fblog.example&comment_content={'Thank+you+very+much.+' * 5000}".encode()
    )
    head = [
        "POST /1.1/comment-check HTTP/1.1", "Host: rest.akismet.com", "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}",
        "Expect: 100-continue", "Connection: close", "", "",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", place.port), timeout=30) as peer:
        peer.sendall("\r\n".join(head).encode())
        assert peer.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(body)
        status, headers, body = answer_on(peer)
    assert "200" in status and body in (b"true", b"false") and headers["x-akismet-guid"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /1.1/comment-check HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", "413"),
        (b"POST /1.1/comment-check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "400"),
        (b"POST /1.1/comment-check HTTP/1.1\r\nHost: x\r\nLong: " + b"x" * 40_000 + b"\r\n\r\n", "431"),
        (b"GET /1.1/nothing HTTP/1.0\r\n\r\n", "404"),
        (b"DELETE /1.1/comment-check HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
    ],
)
def test_refusals_have_a_guid_whoever_makes_them(place: Place, request_: bytes, status: str) -> None:
    """WordPress publishes a comment whose answer has none."""
    line, headers, _ = place.raw(request_)
    assert line.split(" ")[1] == status and re.fullmatch(r"[0-9a-f]{32}", headers["x-akismet-guid"])


def test_counts_survive_a_stop_and_the_key_is_in_no_log(place: Place, start: Callable[..., Server]) -> None:
    fields: dict[str, Any] = {"api_key": place.key, "blog": BLOG, "comment_content": HAM}
    assert httpx.post(f"{place.server.url}/1.1/comment-check", data=fields, timeout=30).text == "false"
    host = {"Host": f"{place.key}.rest.akismet.com"}
    assert (
        httpx.post(
            f"{place.server.url}/1.1/comment-check", data=fields | {"api_key": "ffffffffffff"}, headers=host, timeout=30
        ).text
        == "invalid"
    )
    place.server.stop()
    again = start()
    usage = httpx.get(f"{again.url}/1.2/usage-limit", params={"api_key": place.key}, timeout=30).json()
    assert usage["usage"] == 1
    again.stop()
    assert place.key not in again.log + again.printed.replace(place.key, "", 1)
