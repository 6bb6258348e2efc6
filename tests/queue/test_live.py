"""The queue's events as a client hears them, on both databases; and a server with open streams stops at once."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Scope

from moderation.core.ids import first_id_at
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Server, Service

WITHIN = 10.0


class Heard:
    """What one client has been sent, as (event, data)."""

    def __init__(self) -> None:
        self.status, self.text = 0, ""
        self.more = asyncio.Event()

    async def until(self, name: str, **wanted: Any) -> Any:
        """The first event of this name that has a comment (or somebody looking) with these values."""

        async def found() -> Any:
            at = 0
            while True:
                blocks = self.text.split("\n\n")[:-1]
                for block in blocks[at:]:
                    at += 1
                    lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
                    if lines.get("event") != name:
                        continue
                    told = json.loads(lines["data"])
                    some = told.get("comments") or told.get("looking") or []
                    if not wanted or any(wanted.items() <= one.items() for one in some):
                        return told
                self.more.clear()
                await self.more.wait()

        return await asyncio.wait_for(found(), WITHIN)


def scope_of(headers: dict[str, str], since: str = "") -> Scope:
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/v1/events", "raw_path": b"/api/v1/events", "root_path": "", "query_string": f"since={since}".encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()], "client": ("203.0.113.9", 1), "server": ("comments.test", 80),
    }  # fmt: skip


@asynccontextmanager
async def listening(service: Service, headers: dict[str, str], since: str = "") -> AsyncIterator[Heard]:
    """Speaks to the app itself: the test client would wait for the end of the answer."""
    heard, gone = Heard(), asyncio.Event()
    asked = [False]

    async def receive() -> dict[str, Any]:
        if not asked[0]:
            asked[0] = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            heard.status = message["status"]
        heard.text += message.get("body", b"").decode()
        heard.more.set()

    task = asyncio.create_task(service.app(scope_of(headers, since), receive, send))
    try:
        yield heard
    finally:
        gone.set()
        await asyncio.wait_for(task, WITHIN)


@pytest.mark.anyio
async def test_what_comes_is_decided_and_undone_is_heard_with_state_and_counts(service: Service) -> None:
    who = await service.token()
    async with listening(service, who) as heard:
        assert (await heard.until("queue"))["counts"]["pending"] == 0
        id = await service.held()
        told = await heard.until("queue", id=id, what="arrived", status="pending", revision=1)
        assert told["counts"]["pending"] == 1 and "@" not in str(told)
        done = await service.client.post("/api/v1/decisions", json={"comments": [id], "action": "spam"}, headers=who)
        told = await heard.until("queue", id=id, what="decided", status="spam", revision=2)
        assert told["counts"]["pending"] == 0 and told["counts"]["spam"] == 1
        await service.client.post(f"/api/v1/decisions/{done.json()['id']}/undo", headers=who)
        await heard.until("queue", id=id, what="undone", status="pending", revision=3)
    assert not service.services.live.clients


@pytest.mark.anyio
async def test_who_comes_back_is_told_all_since_and_nobody_hears_of_another_site(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
    left = first_id_at(service.clock())
    id = await service.held()
    async with listening(service, await service.token(), left) as heard:
        await heard.until("queue", id=id, what="arrived")
    async with listening(service, await service.token(site="garden"), left) as heard:
        there = await service.held(site="garden")
        told = await heard.until("queue", id=there)
        assert told["counts"]["pending"] == 1 and id not in heard.text


@pytest.mark.anyio
async def test_others_see_who_looks_at_what_until_they_look_away(service: Service) -> None:
    one, other = await service.token(), await service.token()
    id = await service.held()

    async def look(at: str | None) -> int:
        return (await service.client.post("/api/v1/presence", json={"comment": at}, headers=other)).status_code

    async with listening(service, one) as heard, listening(service, other) as own:
        assert await look(id) == 204
        assert (await heard.until("presence", comment=id))["looking"][0]["who"].startswith("token:")
        assert await look("0" * 26) == 404 and await look(None) == 204
        heard.text = ""
        service.services.live._tell_who_looks()
        assert (await heard.until("presence"))["looking"] == []
        assert id not in own.text, "nobody is told of themselves"
    gone = await service.client.post("/api/v1/presence", json={"comment": 3}, headers=other)
    assert gone.status_code == 422


@pytest.mark.anyio
async def test_who_is_too_slow_or_away_too_long_is_told_to_look_anew(service: Service) -> None:
    from moderation.queue import live as events

    who = await service.token()
    async with listening(service, who) as heard:
        await heard.until("queue")
        (client,) = service.services.live.clients
        for _ in range(events.BUFFER + 1):
            client.tell(b"event: x\ndata: {}\n\n")
        await heard.until("resync")
        assert len(client.waiting) <= events.BUFFER


@pytest.mark.anyio
async def test_too_much_to_tell_says_whether_all_of_it_was_ones_own(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moderation.queue import live as events

    held = [await service.held() for _ in range(4)]
    service.clock.forward(minutes=2)
    monkeypatch.setattr(events, "MOST", 2)
    one, other = await service.token(), await service.token()

    async def decide(ids: list[str], who: dict[str, str]) -> None:
        told = {"comments": ids, "action": "spam"}
        assert (await service.client.post("/api/v1/decisions", json=told, headers=who)).status_code == 200

    async with listening(service, one) as mine, listening(service, other) as theirs:
        await decide(held[:3], one)
        assert (await mine.until("resync"))["own"] is True
        assert (await theirs.until("resync"))["own"] is False
        mine.text = ""
        await decide(held[3:], other)
        assert (await mine.until("resync"))["own"] is False


@pytest.mark.anyio
async def test_only_moderators_may_listen_and_from_a_moment_that_is_one(service: Service) -> None:
    assert (await service.client.get("/api/v1/events")).status_code == 401
    assert (await service.client.get("/api/v1/events", headers=await service.token("score"))).status_code == 403
    answer = await service.client.get("/api/v1/events?since=yesterday", headers=await service.token())
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "since"


@pytest.mark.anyio
async def test_who_is_cut_before_the_first_line_leaves_the_place(service: Service) -> None:
    async def receive() -> Message:
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert service.services.live.clients, "there is a place to leave"
        raise OSError("the connection is gone")

    with pytest.raises((OSError, ClientDisconnect)):
        await service.app(scope_of(await service.token()), receive, send)
    assert not service.services.live.clients


@pytest.mark.anyio
async def test_a_question_for_the_headers_alone_gets_an_answer_that_ends(service: Service) -> None:
    async with asyncio.timeout(WITHIN):
        answer = await service.client.head("/api/v1/events", headers=await service.token())
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store" and not service.services.live.clients
    assert (await service.client.head("/api/v1/events")).status_code == 401


def test_a_server_with_an_open_stream_stops_at_once(server: Server) -> None:
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    with (
        httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20) as client,
        client.stream("GET", server.url + "/api/v1/events") as answer,
    ):
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert any(line == "event: queue" for line in lines)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 8, "it waited for the stream, not for the grace's end"
