"""The second reader reads whatever the table would publish: in time the answer is final, else the comment is stored unread, and
released by itself once it is read."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import httpx
import pytest

from moderation.app import create_app
from moderation.outbox import events, webhooks
from moderation.queue import digest
from moderation.settings import Settings
from tests.conftest import Service, changed
from tests.policy.test_defences import set_rules
from tests.policy.test_settings import signed_in
from tests.reading import SNEER, TwoReaders, by_hand, classifier, rules_of, shown, until

__all__ = ["classifier"]
pytestmark = pytest.mark.anyio
THREAD = "/sites/default/articles/post/comments"
WAIT = 40
"""Milliseconds: what a held-up reader costs each test."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return changed(settings, reader_wait=30_000)


def impatient(service: Service) -> None:
    service.services.intake.reader_wait = WAIT / 1000


async def unread_one(service: Service, classifier: TwoReaders, **more: Any) -> str:
    """The id of a comment that is stored while the reader is held up."""
    impatient(service)
    classifier.free.clear()
    answer = await service.post(**more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def queue(service: Service, **query: str) -> list[str]:
    answer = await service.client.get("/api/v1/comments", params=query, headers=await service.token())
    return [one["id"] for one in answer.json()["comments"]]


async def test_read_in_time_the_answer_is_final(service: Service, classifier: TwoReaders) -> None:
    calm = await service.post(body="The tulips are early this year.")
    assert calm.status_code == 201 and classifier.has_read == ["The tulips are early this year."]
    assert (await shown(service, calm.json()["id"]))["revision"] == 1
    sneer = await service.post(body=f"I think {SNEER}.")
    assert sneer.status_code == 202
    held = await shown(service, sneer.json()["id"])
    assert rules_of(held) == ["label"] and held["verdict"]["scores"]["insult"] == 0.99
    assert (await service.thread())["count"] == 1


async def test_what_the_table_holds_waits_for_no_reader_and_is_read_afterwards(
    service: Service, classifier: TwoReaders
) -> None:
    unread = await by_hand(service)
    classifier.free.clear()
    id = await service.held(body=f"I think {SNEER}, see https://elsewhere.example/1")
    before = await shown(service, id)
    assert rules_of(before) == ["stranger-with-link"]
    classifier.free.set()
    assert await unread.step()
    after = await shown(service, id)
    assert (after["status"], after["revision"]) == ("pending", before["revision"])
    assert rules_of(after) == ["stranger-with-link", "label"] and after["verdict"]["scores"]["insult"] == 0.99
    assert await queue(service, order="worst", label="insult") == [id]


async def test_what_held_it_stays_a_reason_when_the_reader_finds_nothing(
    service: Service, classifier: TwoReaders
) -> None:
    unread = await by_hand(service)
    made = await service.post(body="You blithering idiot, shut up.")
    assert made.status_code == 202 and not classifier.has_read
    before = await shown(service, made.json()["id"])
    assert await unread.step() and classifier.has_read
    after = await shown(service, made.json()["id"])
    assert after["status"] == "pending" and "label" in rules_of(before) and rules_of(after) == rules_of(before)
    assert after["verdict"]["scores"]["spam"] == 0


async def test_unread_it_is_held_asks_nobody_and_is_released_once_it_is_read(
    service: Service, classifier: TwoReaders
) -> None:
    unread = await by_hand(service)
    id = await unread_one(service, classifier)
    assert rules_of(await shown(service, id)) == ["unread"] and len(unread) == 1
    assert (await service.thread())["count"] == 0
    assert await queue(service) == [] and await queue(service, rule="unread") == [id]
    database = service.services.database
    assert not await digest.anything_waits(database, service.clock)
    classifier.free.set()
    assert await unread.step()
    assert len(unread) == 0 and (await service.thread())["count"] == 1
    assert service.services.intake.counts.actions == {"publish": 1}
    released = await shown(service, id)
    assert (released["status"], rules_of(released)) == ("approved", []) and released["decisions"] == []
    entries = (await service.client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
    (entry,) = [one for one in entries if one["action"] == "comment:read"]
    assert (entry["actor"], entry["subject"], entry["detail"]) == ("service", id, {"status": "approved"})


async def test_a_minute_unread_it_is_shown_to_moderators(service: Service, classifier: TwoReaders) -> None:
    await by_hand(service)
    id = await unread_one(service, classifier)
    assert await queue(service) == []
    service.clock.forward(seconds=61)
    assert await queue(service) == [id]
    assert await digest.anything_waits(service.services.database, service.clock)


async def test_what_is_read_late_and_fires_stays_held_with_its_own_reasons(
    service: Service, classifier: TwoReaders
) -> None:
    unread = await by_hand(service)
    id = await unread_one(service, classifier, body=f"I think {SNEER}.")
    classifier.free.set()
    assert await unread.step()
    held = await shown(service, id)
    assert (held["status"], rules_of(held)) == ("pending", ["label"])
    assert await queue(service) == [id] and await queue(service, rule="unread") == []
    assert await queue(service, label="insult") == [id]


async def test_rules_of_now_apply_when_it_is_read(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    id = await unread_one(service, classifier, body="A kind word about casseroles.")
    await set_rules(service, disallowed=["casseroles"])
    classifier.free.set()
    assert await unread.step()
    assert (await shown(service, id))["status"] == "spam"


@pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("reject", "rejected"), ("hold", "pending")])
async def test_a_person_who_decides_first_has_decided(
    service: Service, classifier: TwoReaders, action: str, status: str
) -> None:
    unread = await by_hand(service)
    id = await unread_one(service, classifier)
    await service.decide(id, action)
    decided = await shown(service, id)
    classifier.free.set()
    await unread.step()
    after = await shown(service, id)
    assert (after["status"], after["revision"]) == (status, decided["revision"]) and len(unread) == 0


async def test_a_person_who_decides_while_it_is_being_read_has_decided(
    service: Service, classifier: TwoReaders
) -> None:
    unread = await by_hand(service)
    id = await unread_one(service, classifier)
    reading = asyncio.create_task(unread.step())
    await until(lambda: service.services.scorer.reader.waiting == 1, "the reading")
    await service.decide(id, "reject")
    classifier.free.set()
    await reading
    assert (await shown(service, id))["status"] == "rejected"


async def test_what_its_author_withdraws_is_not_released(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    impatient(service)
    classifier.free.clear()
    made = (await service.post()).json()
    answer = await service.client.delete(f"{THREAD}/{made['id']}", headers={"Edit-Token": made["edit_token"]})
    assert answer.status_code == 204, answer.text
    classifier.free.set()
    await unread.step()
    assert (await shown(service, made["id"]))["status"] == "deleted" and len(unread) == 0


async def test_an_edit_is_read_like_a_new_comment(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    made = (await service.post()).json()
    impatient(service)
    classifier.free.clear()
    path = f"{THREAD}/{made['id']}"
    headers = {"Edit-Token": made["edit_token"]}
    answer = await service.client.patch(path, json={"body": "The roses are late."}, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    assert (await service.thread())["count"] == 0
    assert rules_of(await shown(service, made["id"])) == ["unread"]
    classifier.free.set()
    assert await unread.step()
    assert (await service.thread())["comments"][0]["text"] == "The roses are late."


async def test_equal_comments_that_are_read_together_are_stored_once(service: Service, classifier: TwoReaders) -> None:
    answers = await asyncio.gather(*(send(service, "All at once.") for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert (await service.thread())["count"] == 1


async def test_a_retry_has_the_first_answer(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    impatient(service)
    classifier.free.clear()
    fields = {"name": "Ann", "email": "ann@example.org", "body": "A kind word."}
    headers = {"Idempotency-Key": "once"}
    first = await service.client.post(THREAD, json=fields, headers=headers)
    classifier.free.set()
    assert await unread.step()
    again = await service.client.post(THREAD, json=fields, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202) and first.json() == again.json()
    assert (await service.thread())["count"] == 1


async def test_a_queue_that_is_too_long_answers_at_once(service: Service, classifier: TwoReaders) -> None:
    await by_hand(service)
    service.services.scorer.reader.unread = 100_000
    answer = await service.post()
    assert answer.status_code == 202 and classifier.has_read == []
    assert rules_of(await shown(service, answer.json()["id"])) == ["unread"]


async def test_under_load_nothing_is_published_unread_and_all_is_released(
    service: Service, classifier: TwoReaders
) -> None:
    impatient(service)
    classifier.free.clear()
    bodies = [f"A kind word, number {n}.{f' I think {SNEER}.' if n % 5 == 0 else ''}" for n in range(60)]
    answers = []
    for at in range(0, 60, 20):  # of one network, within its limit
        service.clock.forward(minutes=2)
        if at == 40:
            classifier.free.set()
            service.services.intake.reader_wait = 30.0
        answers += await asyncio.gather(*(send(service, body) for body in bodies[at : at + 20]))
    assert {answer.status_code for answer in answers[:40]} == {202}
    unread = service.services.intake.unread
    await until(lambda: not len(unread), "the unread comments")
    for answer, body in zip(answers, bodies, strict=True):
        assert body in classifier.has_read
        comment = await shown(service, answer.json()["id"])
        now = (comment["status"], rules_of(comment))
        assert now == (("pending", ["label"]) if SNEER in body else ("approved", []))


async def send(service: Service, body: str) -> httpx.Response:
    fields = {"name": "Ann", "email": f"ann{hash(body)}@example.org", "body": body}
    return await service.client.post(THREAD, json=fields)


async def test_a_reader_that_fails_leaves_all_unread_and_is_asked_again(
    service: Service, classifier: TwoReaders
) -> None:
    unread = await by_hand(service)
    classifier.broken = True
    answer = await service.post()
    assert answer.status_code == 202
    ready = (await service.client.get("/health/ready")).json()
    assert ready["status"] == "degraded" and "failed (RuntimeError)" in ready["checks"]["reader"]
    assert not await unread.step() and len(unread) == 1
    classifier.broken = False
    assert await unread.step() and len(unread) == 0
    assert (await service.client.get("/health/ready")).json()["status"] == "ready"
    assert (await service.thread())["count"] == 1
    assert (await service.post()).status_code == 201


async def test_a_failing_reader_is_asked_again_without_anybody(service: Service, classifier: TwoReaders) -> None:
    unread = service.services.intake.unread
    classifier.broken = True
    assert (await service.post()).status_code == 202
    classifier.broken = False
    await until(lambda: not len(unread), "the reader")
    assert (await service.thread())["count"] == 1


async def test_one_text_that_cannot_be_read_keeps_nobody_waiting(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    first = await unread_one(service, classifier, body="This is poison to it.")
    second = await unread_one(service, classifier)
    classifier.free.set()
    assert await unread.step()
    assert [(await shown(service, id))["status"] for id in (first, second)] == ["pending", "approved"]
    assert len(unread) == 1


async def test_a_stop_stores_what_is_being_read_and_the_next_start_reads_it(
    settings: Settings, classifier: TwoReaders
) -> None:
    classifier.free.clear()
    app = create_app(settings, classifier=classifier, say=lambda text: None)
    fields = {"name": "Ann", "email": "ann@example.org", "body": "A kind word about the garden."}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comments.test") as client:
        async with app.router.lifespan_context(app):
            asking = asyncio.create_task(client.post(THREAD, json=fields))
            await until(lambda: app.services.intake.waiting == 1, "the comment")
        answer = await asking
    assert answer.status_code == 202, answer.text
    classifier.free.set()
    again = create_app(settings, classifier=classifier, say=None)
    transport = httpx.ASGITransport(again)
    async with (
        again.router.lifespan_context(again),
        httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client,
    ):
        await until(partial(is_published, client), "the release")
        thread = (await client.get(THREAD)).json()
    assert [one["id"] for one in thread["comments"]] == [answer.json()["id"]]


async def is_published(client: httpx.AsyncClient) -> bool:
    return bool((await client.get(THREAD)).json()["count"])


async def test_what_another_process_left_is_found_after_a_minute(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    await unread_one(service, classifier)
    unread._late.clear()
    assert not await unread.is_any_left()
    service.clock.forward(seconds=61)
    assert await unread.is_any_left()
    await unread.find_left()
    classifier.free.set()
    assert await unread.step() and not await unread.is_any_left()
    assert (await service.thread())["count"] == 1


async def test_without_a_second_reader_what_was_unread_is_judged_by_the_table(
    settings: Settings, service: Service, classifier: TwoReaders
) -> None:
    await by_hand(service)
    id = await unread_one(service, classifier)
    app = create_app(changed(settings, reader=False), say=None)
    async with app.router.lifespan_context(app):
        assert not app.services.scorer.reader.is_on
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comments.test") as client:
            await until(partial(is_published, client), "the release")
            ready = (await client.get("/health/ready")).json()
    assert ready["status"] == "ready" and ready["checks"]["reader"].startswith("off")
    assert (await shown(service, id))["status"] == "approved"
    classifier.free.set()


async def test_a_webhook_hears_of_it_once_when_its_verdict_is_final(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    services = service.services
    async with services.database.transaction() as tx:
        given = {"to_private": True, "now": service.clock()}
        await webhooks.add(tx, services.signer, "http://127.0.0.1:9/", "*", "", **given)
    id = await unread_one(service, classifier)
    assert await told(service) == []
    classifier.free.set()
    assert await unread.step()
    assert await told(service) == [("comment.created", id, "approved")]


async def told(service: Service) -> list[tuple[str, str, str]]:
    async with service.services.database.reading() as session:
        rows = await session.fetch("SELECT content FROM outbox ORDER BY id")
    contents = [json.loads(row[0]) for row in rows]
    return [(one["type"], one["data"]["id"], one["data"]["status"]) for one in contents]


async def test_a_parent_hears_of_a_reply_when_it_is_released(
    service: Service, classifier: TwoReaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread = await by_hand(service)
    asked: list[str] = []

    async def emit_replies(tx: Any, comments: Any, now: int) -> None:
        asked.extend(one.id for one in comments if one.status == "approved")

    async def ask(tx: Any, site: str, person: str, comment: str, now: int) -> None:
        asked.append(f"ask {comment}")

    monkeypatch.setattr(events, "emit_replies", emit_replies)
    monkeypatch.setattr(events, "ask", ask)
    monkeypatch.setattr(service.services.intake, "_mails", True)
    monkeypatch.setattr(unread, "_mails", True)
    id = await unread_one(service, classifier, notify=True)
    assert asked == []
    classifier.free.set()
    assert await unread.step()
    assert asked == [id, f"ask {id}"]


async def test_the_policy_page_says_that_the_reader_fails(service: Service, classifier: TwoReaders) -> None:
    await by_hand(service)
    await signed_in(service, "moderator")
    assert "Second reader" not in (await service.client.get("/moderate/policy?site=default")).text
    classifier.broken = True
    assert (await service.post()).status_code == 202
    assert "Second reader: failed (RuntimeError)" in (await service.client.get("/moderate/policy?site=default")).text


async def test_an_open_queue_hears_of_it_once_it_is_read(service: Service, classifier: TwoReaders) -> None:
    unread = await by_hand(service)
    since = service.clock()
    id = await unread_one(service, classifier)
    live = service.services.live
    assert await live.changes(since) == ([], set())
    classifier.free.set()
    assert await unread.step()
    changes, _ = await live.changes(since)
    assert [(one["id"], one["status"], one["what"], one["by"]) for one in changes] == [
        (id, "approved", "arrived", ""),
        (id, "approved", "read", "service"),
    ]


async def test_a_check_that_its_keepers_people_approved_stays_so_while_an_edit_is_unread(
    service: Service, classifier: TwoReaders
) -> None:
    await by_hand(service)
    headers = await service.token("score,teach")
    url = "/api/v1/sites/default/checks"
    given = {"id": "c1", "text": "A garden.", "name": "Ann", "email": "ann@example.org"}
    assert (await service.client.post(url, json=given, headers=headers)).json()["action"] == "publish"
    await service.client.post(f"{url}/c1/decisions", json={"action": "approve"}, headers=headers)
    impatient(service)
    classifier.free.clear()
    edited = await service.client.patch(f"{url}/c1", json={"text": "A kitchen garden."}, headers=headers)
    assert edited.status_code == 200, edited.text
    assert (await service.client.get(f"{url}/c1", headers=headers)).json()["status"] == "approved"
    classifier.free.set()
