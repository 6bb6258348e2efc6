"""Snoozed and assigned comments: out of the queue until a time, whose they are, undone, told to others, and deciding nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from moderation.comments.model import Comment
from moderation.core.times import iso
from moderation.privacy import retention
from moderation.queue import digest, snooze
from moderation.queue import store as stored_queue
from moderation.queue import store_snoozes as snoozes
from moderation.team import members
from moderation.team.model import Principal
from tests.conftest import Service
from tests.html import Page
from tests.queue.test_live import Heard, listening
from tests.team.test_roles import Person, signed_in

pytestmark = pytest.mark.anyio
HOUR = 3_600_000
UNLIKE = ("The bridge is closed", "My beans are late", "It rained in May")
"""Those alike would be one row."""


async def listed(person: Person, **query: str) -> list[str]:
    answer = await person.ask("GET", "/api/v1/comments", params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["comments"]]


async def one(person: Person, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await person.ask("GET", f"/api/v1/comments/{id}")).json()
    return found


async def snoozed(person: Person, ids: list[str], hours: float = 2) -> str:
    until = iso(int(person.service.clock() + hours * HOUR))
    answer = await person.ask("POST", "/api/v1/snoozes", json={"comments": ids, "until": until})
    assert answer.status_code == 200, answer.text
    assert answer.json()["comments"] == ids and answer.json()["until"] == until
    return str(answer.json()["id"])


async def assigned(person: Person, ids: list[str], to: str | None) -> str:
    answer = await person.ask("POST", "/api/v1/assignments", json={"comments": ids, "to": to})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


# --- snoozing ----------------------------------------------------------------------------------------------------------------


async def test_what_is_snoozed_leaves_the_queue_and_comes_back_by_itself(service: Service) -> None:
    first, second = await service.held(), await service.held()
    person = await signed_in(service, "moderator")
    await snoozed(person, [first])
    assert await listed(person) == [second] and await listed(person, snoozed="only") == [first]
    assert await listed(person, snoozed="any") == [first, second] == await listed(person, status="any")
    page = Page((await person.ask("GET", "/moderate")).text)
    assert page.text(".shown") == "1 of 1" and page.text('[data-count="snoozed"]') == "1"
    async with service.services.database.reading() as session:
        assert await stored_queue.pending(session, at=service.clock()) == {"default": 1}
        oldest: list[Comment] = await stored_queue.longest_waiting(session, "default", 5, service.clock())
        assert [comment.id for comment in oldest] == [second]
    service.clock.forward(hours=2.1)
    assert await listed(person) == [first, second] and await listed(person, snoozed="only") == []
    page = Page((await person.ask("GET", "/moderate")).text)
    assert page.text(".shown") == "2 of 2" and "Back from a snooze" in page.text(f"#row-{first}")


async def test_a_snooze_decides_nothing_and_refuses_no_decision(service: Service) -> None:
    made = (await service.post(body="See https://elsewhere.example/")).json()
    person = await signed_in(service)
    await snoozed(person, [made["id"]])
    found = await one(person, made["id"])
    assert (found["status"], found["revision"], found["decisions"]) == ("pending", 1, [])
    receipt = await service.client.get(made["receipt"], headers={"Accept": "application/json"})
    assert receipt.json()["status"] == "pending"
    told = (await person.ask("GET", "/api/v1/stats")).json()
    assert told["in_queue"].get("decided", 0) == 0 and sum(told["decisions"].values()) == 0
    stats = Page((await person.ask("GET", "/moderate/stats")).text)
    assert dict(zip(stats.texts("dl.facts dt"), stats.texts("dl.facts dd"), strict=True))["Waiting now"].startswith("1")
    sent = {"comments": [made["id"]], "action": "approve", "expected_revision": 1}
    answer = await person.ask("POST", "/api/v1/decisions", json=sent)
    assert answer.status_code == 200, answer.text
    undo = f"/api/v1/decisions/{answer.json()['id']}/undo"
    assert (await person.ask("POST", undo)).status_code == 200
    assert await listed(person) == [made["id"]], "what has been decided and undone waits again at once"
    assert (await one(person, made["id"]))["snoozed_until"] is None


async def test_a_digest_is_about_what_waits_now(service: Service) -> None:
    id = await service.held()
    person = await signed_in(service)
    assert await digest.anything_waits(service.services.database, service.clock)
    act = await snoozed(person, [id])
    assert not await digest.anything_waits(service.services.database, service.clock)
    assert (await person.ask("POST", f"/api/v1/snoozes/{act}/undo")).json() == {"id": act, "comments": [id]}
    assert await digest.anything_waits(service.services.database, service.clock)


async def test_a_snooze_is_undone_to_what_stood_before(service: Service) -> None:
    id = await service.held()
    person = await signed_in(service, "moderator")
    first = await snoozed(person, [id], 2)
    until = (await one(person, id))["snoozed_until"]
    second = await snoozed(person, [id], 30)
    assert (await person.ask("POST", f"/api/v1/snoozes/{first}/undo")).status_code == 404, "another stands in its place"
    assert (await person.ask("POST", f"/api/v1/snoozes/{second}/undo")).status_code == 200
    assert (await one(person, id))["snoozed_until"] == until and await listed(person) == []
    answer = await person.ask("POST", "/api/v1/snoozes", json={"comments": [id], "until": None})
    assert await listed(person) == [id]
    assert (await person.ask("POST", f"/api/v1/snoozes/{answer.json()['id']}/undo")).status_code == 200
    assert await listed(person) == []
    actions = [entry["action"] for entry in (await person.ask("GET", "/api/v1/audit")).json()["entries"]]
    assert actions.count("comment:snooze") == 4 and actions.count("comment:unsnooze") == 1


@pytest.mark.parametrize(
    "until", ["soon", "2027-01-15T08:00:00", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "", 7]
)
async def test_a_time_that_is_none_changes_nothing(service: Service, until: object) -> None:
    id = await service.held()
    person = await signed_in(service, "moderator")
    answer = await person.ask("POST", "/api/v1/snoozes", json={"comments": [id], "until": until})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "until"
    assert await listed(person) == [id]


async def test_only_what_waits_is_snoozed_all_or_nothing(service: Service) -> None:
    held, published = await service.held(), (await service.post()).json()["id"]
    person = await signed_in(service, "moderator")
    sent = {"comments": [held, published], "until": iso(service.clock() + HOUR)}
    answer = await person.ask("POST", "/api/v1/snoozes", json=sent)
    assert answer.status_code == 409 and answer.json()["comments"][0]["id"] == published
    assert (await person.ask("POST", "/api/v1/snoozes", json=sent | {"comments": ["0" * 26]})).status_code == 404
    assert await listed(person) == [held]


async def test_all_that_match_are_those_that_the_list_shows(service: Service) -> None:
    first, second = await service.held(), await service.held()
    person = await signed_in(service, "moderator")
    await snoozed(person, [first])
    sent = {"match": {}, "expected_count": 1, "action": "spam"}
    answer = await person.ask("POST", "/api/v1/decisions", json=sent)
    assert [one["id"] for one in answer.json()["comments"]] == [second]
    only = {"match": {"snoozed": "only"}, "expected_count": 1, "action": "spam"}
    assert (await person.ask("POST", "/api/v1/decisions", json=only)).status_code == 200
    assert await listed(person, status="spam") == [first, second]


@pytest.mark.parametrize(
    ("now", "evening", "tomorrow", "week"),
    [
        ("2026-12-02T10:00", "2026-12-02T18:00", "2026-12-03T09:00", "2026-12-07T09:00"),
        ("2026-12-06T17:45", "2026-12-06T20:45", "2026-12-07T09:00", "2026-12-07T09:00"),
        ("2026-12-07T08:00", "2026-12-07T18:00", "2026-12-08T09:00", "2026-12-14T09:00"),
    ],
)
def test_what_the_choices_mean(now: str, evening: str, tomorrow: str, week: str) -> None:
    at = int(datetime.fromisoformat(now + "+00:00").timestamp() * 1000)
    found = [snooze.chosen(choice, at) for choice in snooze.CHOICES]
    assert [iso(one) for one in found] == [f"{time}:00.000Z" for time in (evening, tomorrow, week)]
    assert snooze.chosen("never", at) is None


async def test_a_days_old_snooze_is_forgotten(service: Service) -> None:
    id = await service.held()
    person = await signed_in(service, "moderator")
    await snoozed(person, [id])
    service.clock.forward(hours=20)
    await retention.purge(service.services.database, service.services.keep, service.clock())
    async with service.services.database.reading() as session:
        assert list(await snoozes.of(session, [id])) == [id]
    service.clock.forward(hours=24)
    await retention.purge(service.services.database, service.services.keep, service.clock())
    async with service.services.database.reading() as session:
        assert await snoozes.of(session, [id]) == {}


# --- assigning ---------------------------------------------------------------------------------------------------------------


async def test_what_is_assigned_says_to_whom_and_is_found(service: Service) -> None:
    ids = [await service.held(body=f"{words}, see https://elsewhere.example/") for words in UNLIKE]
    ann, ben = await signed_in(service, "moderator", "default"), await signed_in(service, "moderator", "*")
    await assigned(ann, ids[:1], "me")
    act = await assigned(ann, ids[1:2], ben.moderator.id)
    assert await listed(ann, assigned="me") == ids[:1] and await listed(ben, assigned="me") == ids[1:2]
    assert await listed(ann, assigned="none") == ids[2:] and await listed(ann, assigned=ben.moderator.id) == ids[1:2]
    assert (await one(ann, ids[1]))["assigned_to"] == ben.moderator.id
    page = Page((await ann.ask("GET", "/moderate")).text)
    assert "For you" in page.text(f"#row-{ids[0]}") and f"For {ben.moderator.email}" in page.text(f"#row-{ids[1]}")
    page = Page((await ben.ask("GET", page.link("Mine 1"))).text)
    assert page.attributes("li.row", "id") == [f"row-{ids[1]}"]
    assert (await ann.ask("POST", f"/api/v1/assignments/{act}/undo")).status_code == 200
    assert await listed(ben, assigned="me") == [] and (await one(ann, ids[1]))["assigned_to"] is None
    history = Page((await ann.ask("GET", "/moderate/history")).text).text()
    assert "comment:assign" in history and ben.moderator.email in history and "comment:unassign" in history
    sent = {"comments": ids[:1], "action": "approve", "expected_revision": 1}
    assert (await ben.ask("POST", "/api/v1/decisions", json=sent)).status_code == 200, "anybody may decide"


async def test_mine_are_those_that_wait_and_those_that_are_snoozed(service: Service) -> None:
    ids = [await service.held(body=f"{words}, see https://elsewhere.example/") for words in UNLIKE]
    person = await signed_in(service, "moderator")
    await assigned(person, ids, "me")
    await snoozed(person, ids[:1])
    await service.decide(ids[1])
    page = Page((await person.ask("GET", "/moderate")).text)
    page = Page((await person.ask("GET", page.link("Mine 2"))).text)
    assert page.attributes("li.row", "id") == [f"row-{ids[0]}", f"row-{ids[2]}"]


async def test_nobody_else_is_assigned_to(service: Service) -> None:
    id = await service.held()
    person, there = await signed_in(service, "moderator"), await signed_in(service, "moderator", "other")
    for to in (there.moderator.id, "0" * 26, "dull"):
        answer = await person.ask("POST", "/api/v1/assignments", json={"comments": [id], "to": to})
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "to"
    token = await service.token()
    answer = await service.client.post("/api/v1/assignments", json={"comments": [id], "to": "me"}, headers=token)
    assert answer.status_code == 422, "a program is no member of the team"
    assert (await one(person, id))["assigned_to"] is None


async def test_whoever_leaves_leaves_their_comments_to_the_others(service: Service) -> None:
    ids = [await service.held() for _ in range(2)]
    chief, ann, ben = [
        await signed_in(service, *who) for who in (("administrator", "*"), ("moderator", "default"), ("moderator", "*"))
    ]
    await assigned(chief, ids[:1], ann.moderator.id)
    await assigned(chief, ids[1:], ben.moderator.id)
    async with service.services.database.transaction() as tx:
        await members.change(tx, principal(chief), ben.moderator.id, "moderator", "default", service.clock())
    assert (await one(chief, ids[1]))["assigned_to"] == ben.moderator.id, "that site is theirs still"
    async with service.services.database.transaction() as tx:
        await members.change(tx, principal(chief), ben.moderator.id, "moderator", "other", service.clock())
        await members.remove(tx, principal(chief), ann.moderator.id, service.clock())
    assert await listed(chief, assigned="none") == ids


def principal(person: Person) -> Any:
    return Principal(
        name=person.moderator.id, site=person.moderator.site, scopes=frozenset(), moderator=person.moderator
    )


# --- on another site, and elsewhere ------------------------------------------------------------------------------------------


async def test_a_moderator_of_another_site_shares_nothing(service: Service) -> None:
    id = await service.held()
    person, there = await signed_in(service, "moderator", "default"), await signed_in(service, "moderator", "other")
    acts = {"snoozes": await snoozed(person, [id]), "assignments": await assigned(person, [id], "me")}
    later = iso(service.clock() + HOUR)
    for sent in ({"until": later}, {"until": None}):
        assert (await there.ask("POST", "/api/v1/snoozes", json={"comments": [id]} | sent)).status_code == 404
    for to in ("me", None):
        answer = await there.ask("POST", "/api/v1/assignments", json={"comments": [id], "to": to})
        assert answer.status_code == 404
    for kind, act in acts.items():
        assert (await there.ask("POST", f"/api/v1/{kind}/{act}/undo")).status_code == 404
        form = {"csrf_token": there.csrf}
        assert (await there.ask("POST", f"/moderate/{kind}/{act}/undo", data=form)).status_code == 404
    for path, more in (("snooze", {"until": "tomorrow"}), ("assign", {"to": "me"})):
        answer = await there.ask("POST", f"/moderate/comments/{id}/{path}", data={"csrf_token": there.csrf} | more)
        assert answer.status_code == 404
    assert (await there.ask("GET", f"/moderate/comments/{id}/assign")).status_code == 404
    assert await listed(there, snoozed="any") == []
    page = Page((await there.ask("GET", "/moderate")).text)
    assert page.text('[data-count="snoozed"]') == "0" and person.moderator.email not in page.text()
    assert await listed(person, snoozed="only", assigned="me") == [id]


async def test_the_forms_do_the_same_and_lead_back(service: Service) -> None:
    ids = [await service.held() for _ in range(2)]
    person, other = await signed_in(service, "moderator"), await signed_in(service, "administrator")
    base = {"csrf_token": person.csrf, "back": "/moderate?article=post"}

    async def press(path: str, **more: str) -> Page:
        answer = await person.ask("POST", path, data=base | more)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("/moderate?article=post&done=")
        return Page((await person.ask("GET", answer.headers["location"])).text)

    page = await press(f"/moderate/comments/{ids[0]}/snooze", until="tomorrow")
    assert "1 comment snoozed" in page.text(".notice") and await listed(person) == ids[1:]
    (undo,) = page.attributes(".notice form", "action")
    assert "It is undone." in (await press(undo)).text(".notice") and await listed(person) == ids
    page = await press(f"/moderate/comments/{ids[0]}/snooze", until="week")
    page = await press(f"/moderate/comments/{ids[0]}/snooze", until="now")
    assert "1 comment back in the queue" in page.text(".notice")
    page = Page((await person.ask("GET", f"/moderate/comments/{ids[1]}/assign?back=/moderate%3Farticle%3Dpost")).text)
    assert page.attributes('button[name="to"]', "value")[:2] == [other.moderator.id, person.moderator.id]
    page = await press(f"/moderate/comments/{ids[1]}/assign", to=other.moderator.id)
    assert "1 comment assigned" in page.text(".notice") and await listed(other, assigned="me") == ids[1:]
    (undo,) = page.attributes(".notice form", "action")
    await press(undo)
    assert await listed(other, assigned="me") == []


async def test_a_wave_is_snoozed_and_assigned_as_a_whole(service: Service) -> None:
    ids = [
        await service.held(body=f"Our company offers garden gates at half the price, number {n}: https://g{n}.example/")
        for n in range(4)
    ]
    person = await signed_in(service, "moderator")
    form = Page((await person.ask("GET", "/moderate")).text).form("/moderate/decisions")
    told = {"csrf_token": person.csrf, f"wave-{ids[0]}": form.value(f"wave-{ids[0]}")}
    await person.ask("POST", f"/moderate/comments/{ids[0]}/assign", data=told | {"to": "me"})
    assert await listed(person, assigned="me") == ids
    await person.ask("POST", f"/moderate/comments/{ids[0]}/snooze", data=told | {"until": "evening"})
    assert await listed(person) == [] and await listed(person, snoozed="only") == ids


async def test_others_hear_of_it_and_of_what_comes_back(service: Service) -> None:
    id = await service.held()
    person = await signed_in(service, "moderator")

    async def heard_of(heard: Heard, what: str) -> tuple[dict[str, Any], dict[str, int]]:
        told = await heard.until("queue", id=id, what=what)
        (change,) = [one for one in told["comments"] if one["what"] == what]
        return change, told["counts"]

    async with listening(service, await service.token()) as heard:
        assert (await heard.until("queue"))["counts"]["snoozed"] == 0
        await snoozed(person, [id], 1)
        change, counts = await heard_of(heard, "snoozed")
        assert (change["status"], change["revision"], change["by"]) == ("pending", 1, person.moderator.email)
        assert change["snoozed_until"] == iso(service.clock() + HOUR)
        assert (counts["snoozed"], counts["pending"]) == (1, 0)
        await assigned(person, [id], "me")
        change, _ = await heard_of(heard, "assigned")
        assert change["assigned_to"] == person.moderator.email
        service.clock.forward(hours=1.01)
        change, counts = await heard_of(heard, "woken")
        assert change["snoozed_until"] is None and (counts["snoozed"], counts["pending"]) == (0, 1)
