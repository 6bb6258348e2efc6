"""A decision on all that match: as many as expected or none, one decision, undone as one, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.queue import store_matching
from moderation.queue.store import View
from tests.conftest import Service
from tests.html import Page, words
from tests.team.test_roles import signed_in

pytestmark = pytest.mark.anyio


async def decide(service: Service, match: dict[str, Any], count: object, action: str = "spam", **more: Any) -> Any:
    sent = {"match": match, "expected_count": count, "action": action} | more
    return await service.client.post("/api/v1/decisions", json=sent, headers=await service.token())


async def statuses(service: Service) -> dict[str, str]:
    answer = await service.client.get("/api/v1/comments", params={"status": "any"}, headers=await service.token())
    return {one["id"]: one["status"] for one in answer.json()["comments"]}


async def test_all_that_match_are_decided_and_undone_as_one(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderation.queue.matching.MOST", 2)
    wanted = [await service.held() for _ in range(5)]
    other = await service.held("elsewhere")
    answer = await decide(service, {"article": "post"}, 5, labels=["spam"])
    assert answer.status_code == 200
    assert [one["id"] for one in answer.json()["comments"]] == wanted
    found = await statuses(service)
    assert {found[id] for id in wanted} == {"spam"} and found[other] == "pending"
    undone = await service.client.post(f"/api/v1/decisions/{answer.json()['id']}/undo", headers=await service.token())
    assert undone.status_code == 200 and len(undone.json()["comments"]) == 5
    assert set((await statuses(service)).values()) == {"pending"}


@pytest.mark.parametrize("count", [1, 3])
async def test_another_count_is_a_conflict_that_tells_it_and_changes_nothing(service: Service, count: int) -> None:
    for _ in range(2):
        await service.held()
    answer = await decide(service, {}, count)
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["count"]) == ("count", 2)
    assert set((await statuses(service)).values()) == {"pending"}


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ({"status": "approved"}, 1),
        ({"status": "any"}, 3),
        ({"status": "pending,approved", "site": "default"}, 3),
        ({"q": "zeppelin"}, 1),
        ({"rule": "stranger-with-link"}, 2),
    ],
)
async def test_the_filters_are_those_of_the_list(service: Service, match: dict[str, str], found: int) -> None:
    await service.post(body="A word that is published.")
    await service.held()
    await service.held(body="A zeppelin, see https://elsewhere.example/")
    assert (await decide(service, match, found, "hold")).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "spam"},
        {"action": "spam", "match": {}},
        {"action": "spam", "match": {}, "expected_count": 0},
        {"action": "spam", "match": {"status": "dull"}, "expected_count": 1},
        {"action": "spam", "match": {"colour": "red"}, "expected_count": 1},
        {"action": "spam", "match": {}, "expected_count": 1, "comments": ["0" * 26]},
        {"action": "spam", "match": [], "expected_count": 1},
        {"action": "spam", "match": {"q": "x" * 201}, "expected_count": 1},
    ],
)
async def test_a_malformed_match_changes_nothing(service: Service, sent: dict[str, Any]) -> None:
    await service.held()
    answer = await service.client.post("/api/v1/decisions", json=sent, headers=await service.token())
    assert answer.status_code == 422, answer.text
    assert set((await statuses(service)).values()) == {"pending"}


async def test_a_moderator_of_one_site_reaches_no_other(service: Service) -> None:
    await service.held()
    who = await service.token(site="default")
    sent = {"match": {"site": "elsewhere"}, "expected_count": 1, "action": "spam"}
    assert (await service.client.post("/api/v1/decisions", json=sent, headers=who)).status_code == 403


async def test_more_than_can_be_decided_at_once_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderation.queue.matching.MOST_MATCHED", 1)
    for _ in range(2):
        await service.held()
    answer = await decide(service, {}, 2)
    assert answer.status_code == 422 and "narrow" in answer.text


# --- in batches, as the console does it ------------------------------------------------------------------------------------


async def batch(service: Service, who: dict[str, str], some: list[dict[str, Any]], **more: Any) -> Any:
    sent = {
        "comments": [one["id"] for one in some],
        "expected_revision": {one["id"]: one["revision"] for one in some},
        "action": "spam",
        "leave_changed": True,
    }
    return await service.client.post("/api/v1/decisions", json=sent | more, headers=who)


async def revisions(service: Service, who: dict[str, str], **query: str) -> list[dict[str, Any]]:
    answer = await service.client.get("/api/v1/comments/revisions", params=query, headers=who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["comments"]
    return found


async def test_batches_join_one_decision_and_are_undone_as_one(service: Service) -> None:
    ids = [await service.held() for _ in range(5)]
    await service.held("elsewhere")
    who = await service.token()
    found = await revisions(service, who, article="post")
    assert [one["id"] for one in found] == ids
    await service.decide(ids[1], "reject")  # meanwhile, by somebody else
    first = (await batch(service, who, found[:2])).json()
    assert [one["id"] for one in first["comments"]] == ids[:1]
    second = (await batch(service, who, found[2:], joins=first["id"])).json()
    assert second["id"] == first["id"] and [one["id"] for one in second["comments"]] == ids[2:]
    undone = await service.client.post(f"/api/v1/decisions/{first['id']}/undo", headers=who)
    assert undone.status_code == 200 and len(undone.json()["comments"]) == 4
    assert (await statuses(service))[ids[1]] == "rejected"


async def test_nobody_joins_anothers_decision_nor_one_that_is_undone_or_over(service: Service) -> None:
    ids = [await service.held() for _ in range(3)]
    who, other = await service.token(), await service.token()
    found = await revisions(service, who)
    first = (await batch(service, who, found[:1])).json()["id"]
    assert (await batch(service, other, found[1:2], joins=first)).status_code == 404
    assert (await batch(service, who, found[1:2], joins=first, action="delete")).status_code == 409
    assert (await batch(service, who, found[1:2], joins=first, leave_changed=False)).status_code == 422
    assert (await batch(service, who, found[1:2], joins=first, expected_revision={})).status_code == 422
    assert (await batch(service, who, found[1:2], joins="0" * 26)).status_code == 404
    service.clock.forward(hours=1.1)
    assert (await batch(service, who, found[1:2], joins=first)).status_code == 409
    assert (await service.client.post(f"/api/v1/decisions/{first}/undo", headers=who)).status_code == 200
    service.clock.forward(hours=-1)
    assert (await batch(service, who, found[1:2], joins=first)).status_code == 409
    assert set((await statuses(service)).values()) == {"pending"} and len(ids) == 3


async def test_revisions_are_of_the_own_site_alone(service: Service) -> None:
    await service.held()
    await signed_in(service)  # who makes the site `other`
    here, there = await service.token(site="default"), await service.token(site="other")
    assert len(await revisions(service, here)) == 1 and await revisions(service, there) == []
    answer = await service.client.get("/api/v1/comments/revisions", params={"site": "default"}, headers=there)
    assert answer.status_code == 403
    found = await revisions(service, here)
    assert (await batch(service, there, found)).json()["comments"] == []


# --- the page ----------------------------------------------------------------------------------------------------------------


async def test_the_page_counts_names_the_act_and_asks_once(service: Service) -> None:
    ids = [await service.held() for _ in range(3)]
    other = await service.held("elsewhere")
    person = await signed_in(service, "moderator")
    queue = Page((await person.ask("GET", "/moderate?article=post&order=newest")).text)
    link = queue.link("All 3 that match this filter")
    page = Page((await person.ask("GET", link)).text)
    assert page.text("h1") == "All 3 that match" and "Pending · article post · newest first" in page.text()
    form = page.form("/moderate/matching")
    buttons = [words(one) for one in form.all("button[data-act]")]
    assert buttons == ["Approve all 3", "Spam all 3", "Reject all 3", "Delete all 3"]
    told = {name: form.value(name) for name in ("csrf_token", "expected_count", "status", "article", "order")}
    answer = await person.ask("POST", "/moderate/matching", data=told | {"action": "spam"})
    assert answer.status_code == 303, answer.text
    page = Page((await person.ask("GET", answer.headers["location"])).text)
    assert "3 comments filed as spam" in page.text() and "No comment matches" in page.text()
    found = await statuses(service)
    assert {found[id] for id in ids} == {"spam"} and found[other] == "pending"
    (undo,) = page.attributes(".notice form", "action")
    back = {"csrf_token": person.csrf, "back": "/moderate?article=post"}
    assert (await person.ask("POST", undo, data=back)).status_code == 303
    assert set((await statuses(service)).values()) == {"pending"}


async def test_another_number_is_said_on_the_page_and_changes_nothing(service: Service) -> None:
    await service.held()
    person = await signed_in(service, "moderator")
    form = Page((await person.ask("GET", "/moderate/matching")).text).form("/moderate/matching")
    told = {name: form.value(name) for name in ("csrf_token", "expected_count", "status")} | {"action": "delete"}
    await service.held()
    answer = await person.ask("POST", "/moderate/matching", data=told)
    assert answer.status_code == 409
    page = Page(answer.text)
    assert "2 comments match now, not 1; nothing changed." in page.text('[role="alert"]')
    assert page.form("/moderate/matching").value("expected_count") == "2"
    assert set((await statuses(service)).values()) == {"pending"}


async def test_the_page_refuses_what_is_malformed_and_too_many(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await signed_in(service, "moderator")
    assert "Nothing matches" in (await person.ask("GET", "/moderate/matching?q=zeppelin")).text
    assert (await person.ask("GET", "/moderate/matching?status=dull")).status_code == 422
    for _ in range(2):
        await service.held()
    for sent in ({"action": ""}, {"action": "spam"}, {"action": "spam", "expected_count": "two"}):
        answer = await person.ask("POST", "/moderate/matching", data={"csrf_token": person.csrf} | sent)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/moderate/matching")
    assert (await person.ask("POST", "/moderate/matching", data={"action": "spam"})).status_code == 403
    monkeypatch.setattr("moderation.queue.matching.MOST_MATCHED", 1)
    assert "More than 1 match: narrow the filters" in Page((await person.ask("GET", "/moderate/matching")).text).text()
    assert set((await statuses(service)).values()) == {"pending"}


# --- numbers that cost little --------------------------------------------------------------------------------------------------


async def test_a_number_is_exact_or_says_that_it_is_not(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def number(most: int = 1000, **asked: Any) -> str:
        async with service.services.database.reading() as session:
            return str(await store_matching.count(session, View(at=service.clock(), **asked), most))

    for n in range(6):
        await service.held("post" if n % 2 else "elsewhere")
    await service.post()
    assert await number() == "6" and await number(status="any") == "7" and await number(site="default") == "6"
    assert await number(article="post") == "3" and await number(rule="stranger-with-link") == "6"
    assert await number(rule="stranger-with-link", article="post") == "3" and await number(q="zeppelin") == "0"
    assert await number(q="town", article="post") == "3" and await number(site="other") == "0"
    monkeypatch.setattr("moderation.queue.store_search.MANY", 3)
    assert await number(3) == "6" and await number(3, rule="stranger-with-link") == "3+"
    assert await number(3, article="post", rule="stranger-with-link") == "3"
    assert await number(2, article="post", assigned="none") == "2+"
    assert await number(2, rule="stranger-with-link", q="zeppelin") == "0"
