"""Webhooks: signed, retried, never lost, never sent where they must not go."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from classifier.serving import Classifier
from moderation.app import create_app
from moderation.db import connect, leases
from moderation.outbox import store as outbox
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox import store_webhooks as endpoints
from moderation.outbox import webhooks
from moderation.outbox.delivery import AGE, LEASE, TRIES, delay
from moderation.outbox.store import Message
from moderation.settings import Settings
from tests.conftest import Server, Service, changed, wait_until
from tests.outbox.receiver import Receiver, receiving

pytestmark = pytest.mark.anyio


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return changed(settings, webhooks_to_private=True)


@pytest.fixture
async def other_worker(service: Service, settings: Settings, classifier: Classifier) -> AsyncIterator[Service]:
    """A second process's service on the same database."""
    app = create_app(settings, classifier=classifier, clock=service.clock, say=None)
    async with app.router.lifespan_context(app):
        yield Service(app, service.client, service.clock, settings)


async def listen(service: Service, url: str, events: str = "", site: str = "*") -> str:
    """The endpoint's secret."""
    services = service.services
    async with services.database.transaction() as tx:
        return await webhooks.add(tx, services.signer, url, site, events, to_private=True, now=service.clock())


async def counts(service: Service) -> dict[str, int]:
    async with service.services.database.reading() as session:
        return await outbox.counts(session)


async def wait_for_retry(service: Service) -> None:
    service.clock.forward(hours=15)
    await service.services.outbox.all_due()


async def test_who_listens_is_told_with_a_signature_and_no_address(service: Service, receiver: Receiver) -> None:
    secret = await listen(service, receiver.url)
    answer = (await service.post(email="ann@secret.example", body="A *kind* word.")).json()
    held = await service.held(email="bob@secret.example")
    who = await service.token()
    decided = await service.client.post(
        "/api/v1/decisions", json={"comments": [held], "action": "approve"}, headers=who
    )
    await service.client.post(f"/api/v1/decisions/{decided.json()['id']}/undo", headers=who)
    edit = {"Edit-Token": answer["edit_token"]}
    place = f"/sites/default/articles/post/comments/{answer['id']}"
    assert (await service.client.patch(place, json={"body": "A kinder word."}, headers=edit)).status_code == 200
    assert (await service.client.delete(place, headers=edit)).status_code == 204
    await service.services.outbox.all_due()

    told = [(g.event["type"], g.event["data"]["id"], g.event["data"]["status"]) for g in receiver.got]
    assert sorted(told) == sorted(
        [
            ("comment.created", answer["id"], "approved"),
            ("comment.created", held, "pending"),
            ("comment.decided", held, "approved"),
            ("comment.decided", held, "pending"),
            ("comment.edited", answer["id"], "approved"),
            ("comment.deleted", answer["id"], "deleted"),
        ]
    )
    assert all(g.is_signed(secret) for g in receiver.got)
    assert len({g.id for g in receiver.got}) == 6
    first = next(g.event for g in receiver.got if g.event["type"] == "comment.created")
    assert first["data"]["html"] == "<p>A <em>kind</em> word.</p>\n" or "<em>kind</em>" in first["data"]["html"]
    assert first["data"]["author"]["avatar"] == answer["author"]["avatar"]
    undone = next(g.event for g in receiver.got if g.event["data"].get("decision", {}).get("action") == "undo")
    assert undone["data"]["status"] == "pending"
    for got in receiver.got:
        assert b"secret.example" not in got.body and b"203.0.113" not in got.body
        assert got.headers["content-type"] == "application/json"
    assert await counts(service) == {"waiting": 0, "failed": 0}


async def test_an_appeal_is_told_once_and_without_its_words(service: Service, receiver: Receiver) -> None:
    secret = await listen(service, receiver.url, "comment.appealed")
    answer = (await service.post(body="See https://a.example/", email="ann@secret.example")).json()
    rejection = {"comments": [answer["id"]], "action": "reject"}
    await service.client.post("/api/v1/decisions", json=rejection, headers=await service.token())
    receipt = answer["receipt"].removeprefix("http://comments.test")
    for words in ("It is my own blog.", "Once more."):
        await service.client.post(receipt, data={"act": "appeal", "appeal": words})
    await service.services.outbox.all_due()
    (got,) = receiver.got
    data = got.event["data"]
    assert (got.event["type"], data["id"], data["status"]) == ("comment.appealed", answer["id"], "pending")
    assert got.is_signed(secret) and b"own blog" not in got.body and b"secret.example" not in got.body


async def test_nobody_is_told_of_what_they_did_not_ask_for(service: Service, receiver: Receiver) -> None:
    await listen(service, receiver.url, "comment.decided")
    await listen(service, receiver.url, site="another")
    await service.post()
    await service.services.outbox.all_due()
    assert receiver.got == [] and await counts(service) == {"waiting": 0, "failed": 0}


async def test_what_was_not_taken_comes_again_under_the_same_id(service: Service, receiver: Receiver) -> None:
    secret = await listen(service, receiver.url)
    receiver.answers = [500, 302, 429]
    await service.post()
    await service.services.outbox.all_due()
    assert len(receiver.got) == 1 and await counts(service) == {"waiting": 1, "failed": 0}
    await service.services.outbox.all_due()
    assert len(receiver.got) == 1, "it waits before it tries again"
    for _ in range(3):
        await wait_for_retry(service)
    assert (
        len(receiver.got) == 4 and len({g.id for g in receiver.got}) == 1 and len({g.body for g in receiver.got}) == 1
    )
    assert len({g.headers["webhook-timestamp"] for g in receiver.got}) == 4
    assert all(g.is_signed(secret) for g in receiver.got)
    assert await counts(service) == {"waiting": 0, "failed": 0}
    assert all(g.headers.get("host", "").startswith("127.0.0.1") for g in receiver.got)


async def test_one_end_that_does_not_answer_holds_up_no_other(service: Service, receiver: Receiver) -> None:
    with receiving() as broken:
        broken.answers = [500] * 50
        await listen(service, broken.url)
        await listen(service, receiver.url)
        for _ in range(3):
            await service.post()
        await service.services.outbox.all_due()
        assert len(receiver.got) == 3
        assert len(broken.got) == 1, "its lane rests after the first"
        broken.answers = []
        await wait_for_retry(service)
        assert len(broken.got) == 4
    assert [g.event["data"]["id"] for g in receiver.got] == [g.event["data"]["id"] for g in broken.got[1:]]


async def test_after_the_last_try_it_is_kept_as_failed_and_can_be_sent_again(
    service: Service, receiver: Receiver
) -> None:
    await listen(service, receiver.url)
    receiver.answers = [503] * 100
    await service.post()
    tries = 0
    while (await counts(service))["waiting"]:
        await wait_for_retry(service)
        tries += 1
    assert 3 < tries <= TRIES and await counts(service) == {"waiting": 0, "failed": 1}
    assert 'moderation_outbox{state="failed"} 1' in (await service.client.get("/metrics")).text
    receiver.answers.clear()
    async with service.services.database.transaction() as tx:
        assert await outbox.retry_failed(tx, service.clock()) == 1
    await service.services.outbox.all_due()
    assert await counts(service) == {"waiting": 0, "failed": 0}


async def test_gone_disables_the_endpoint(service: Service, receiver: Receiver) -> None:
    await listen(service, receiver.url)
    receiver.answers = [410]
    for _ in range(3):
        await service.post()
    await service.services.outbox.all_due()
    assert len(receiver.got) == 1 and await counts(service) == {"waiting": 0, "failed": 3}
    await service.post()
    await service.services.outbox.all_due()
    assert len(receiver.got) == 1 and await counts(service) == {"waiting": 0, "failed": 3}


async def test_several_looks_at_once_deliver_once(service: Service, receiver: Receiver) -> None:
    await listen(service, receiver.url)
    for _ in range(3):
        await service.post()
    await asyncio.gather(*(service.services.outbox.begin() for _ in range(8)))
    await service.services.outbox.all_due()
    assert len(receiver.got) == 3


async def test_posting_asks_nothing_more_where_nobody_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked(*args: Any, **more: Any) -> Any:
        raise AssertionError("the outbox was asked")

    for room, name in (
        (outbox, "add"),
        (endpoints, "listening"),
        (subscriptions, "replies"),
        (subscriptions, "of_person"),
    ):
        monkeypatch.setattr(room, name, asked)
    first = await service.post(notify=True)
    assert first.status_code == 201
    assert (await service.post(parent=first.json()["id"])).status_code == 201
    await service.held(notify=True)


async def test_a_message_that_the_commit_did_not_take_is_not_told(service: Service, receiver: Receiver) -> None:
    await listen(service, receiver.url)
    unknown = {"comments": ["0" * 26], "action": "approve"}
    await service.client.post("/api/v1/decisions", json=unknown, headers=await service.token())
    assert (await service.post(body="")).status_code == 422
    await service.services.outbox.all_due()
    assert receiver.got == []


async def test_only_one_worker_delivers_and_another_follows_when_it_died(
    service: Service, other_worker: Service, receiver: Receiver
) -> None:
    await listen(service, receiver.url)
    services = service.services
    now = service.clock()
    async with services.database.transaction() as tx:  # a third worker, that died while delivering
        assert await leases.take(tx, "outbox", "somebody", now, now + LEASE)
    await service.post()
    await asyncio.gather(service.services.outbox.all_due(), other_worker.app.services.outbox.all_due())
    assert receiver.got == []
    service.clock.forward(seconds=LEASE / 1000)
    await asyncio.gather(service.services.outbox.all_due(), other_worker.app.services.outbox.all_due())
    assert len(receiver.got) == 1 and await counts(service) == {"waiting": 0, "failed": 0}


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("nonsense", False),
    ],
)
async def test_which_addresses_are_public(address: str, allowed: bool) -> None:
    assert webhooks.is_public(address) is allowed


async def test_a_private_address_is_refused_when_it_is_connected_to(service: Service, receiver: Receiver) -> None:
    """Whatever the name said when the endpoint was added."""
    await listen(service, receiver.url)
    await listen(service, receiver.url.replace("127.0.0.1", "localhost"))
    service.services.outbox._hooks.to_private = False
    await service.post()
    await service.services.outbox.all_due()
    assert receiver.got == [] and await counts(service) == {"waiting": 2, "failed": 0}
    async with service.services.database.reading() as session:
        due_destinations = await outbox.due_destinations(session, service.clock() + AGE)
        said = [await outbox.last_response(session, lane) for lane in due_destinations]
    assert len(said) == 2 and all("private" in words for words in said)


@pytest.mark.parametrize("url", ["http://hook.example", "https://user@hook.example", "ftp://hook.example", "https://", "https://a.example/#b"])  # fmt: skip
async def test_an_endpoint_that_cannot_be_is_refused(service: Service, url: str) -> None:
    services = service.services
    with pytest.raises(Exception, match="url"):
        async with services.database.transaction() as tx:
            await webhooks.add(tx, services.signer, url, "*", "", to_private=False, now=0)


async def test_retries_spread_and_slow_down() -> None:
    waits = [delay(tries, 0.5) for tries in range(TRIES)]
    assert waits == sorted(waits) and waits[0] == 5_000 and waits[1] == 20_000
    assert 2 * 24 * 3_600_000 < sum(waits) < 4 * 24 * 3_600_000
    assert delay(0, 0.0) < delay(0, 0.5) < delay(0, 1.0)


async def test_an_unexpected_failure_is_a_failed_try_that_quotes_nobody(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def send(self, message: Message) -> None:
            raise RuntimeError("ann@example.org")

    services = service.services
    services.outbox._mail = Broken()
    async with services.database.transaction() as tx:
        await outbox.add(
            tx,
            [Message(site="default", id="m1", destination="mail", subject="", content={}, created_at=service.clock())],
        )
    await services.outbox.all_due()
    async with services.database.reading() as session:
        assert await outbox.last_response(session, "mail") == "failed (RuntimeError)"
    assert "ann@" not in caplog.text


# --- the real program --------------------------------------------------------------------------------------------------


def comment(server: Server, n: int) -> str:
    fields = {"name": "Ann", "email": f"ann{n}@secret.example", "body": f"A kind word, number {n}."}
    answer = httpx.post(server.url + "/sites/default/articles/post/comments", json=fields)
    assert answer.status_code == 201
    return str(answer.json()["id"])


async def test_killed_between_commit_and_delivery_it_tells_after_the_restart(
    start: Callable[..., Server], address: str, receiver: Receiver
) -> None:
    """kill -9: what was acknowledged is told, under the same id as before; nothing in the log names anybody."""
    given: dict[str, Any] = {"database": address, "secret_key": "a secret key that only the tests know", "webhooks_to_private": "true"}  # fmt: skip
    server = start(**given)
    secret = server.run("add-webhook", receiver.url, "--events", "comment.created").stdout.strip()
    assert secret.startswith("whsec_")
    receiver.hold.clear()
    sent = {comment(server, n) for n in range(3)}
    wait_until(lambda: bool(receiver.got), "the first try")
    server.stop(signal.SIGKILL)
    receiver.hold.set()
    database = connect(address)
    await database.open()
    async with database.transaction() as tx:  # twenty seconds later: it no longer holds what it took
        assert await tx.execute("UPDATE leases SET expires_at = expires_at - ? WHERE name = 'outbox'", LEASE) == 1
    await database.close()
    assert {g.event["data"]["id"] for g in receiver.got} < sent
    first = receiver.got[0].id
    server = start(**given)
    wait_until(lambda: {g.event["data"]["id"] for g in receiver.got} == sent, "the rest", 60)
    assert sum(g.id == first for g in receiver.got) == 2, (
        "the interrupted one comes again, and says that it is the same"
    )
    assert all(g.is_signed(secret) for g in receiver.got)
    (told,) = [json.loads(line) for line in server.run("list-webhooks").stdout.splitlines()]
    assert (told["url"], told["waiting"], told["failed"]) == (receiver.url, 0, 0)
    assert "secret.example" not in server.log and "whsec_" not in server.log and "/hook" not in server.log
    server.run("remove-webhook", told["id"])
    assert server.run("list-webhooks").stdout == ""
    assert "no such webhook" in server.run("remove-webhook", told["id"], check=False).stderr
