"""A decision on all that match: as many as expected or none, one decision, undone as one, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Service

pytestmark = pytest.mark.anyio


async def decide(service: Service, match: dict[str, Any], count: object, action: str = "spam", **more: Any) -> Any:
    sent = {"match": match, "expected_count": count, "action": action} | more
    return await service.client.post("/api/v1/decisions", json=sent, headers=await service.token())


async def statuses(service: Service) -> dict[str, str]:
    answer = await service.client.get("/api/v1/comments", params={"status": "any"}, headers=await service.token())
    return {one["id"]: one["status"] for one in answer.json()["comments"]}


async def test_all_that_match_are_decided_and_undone_as_one(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderation.queue.matching.MOST", 2)
    monkeypatch.setattr("moderation.queue.matching.PAGE", 2)
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
