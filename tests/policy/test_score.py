"""POST /api/v1/score: a probability per label, an action, and why; nothing is stored."""

from __future__ import annotations

import pytest

from classifier.labels import LABELS
from tests.conftest import Service

pytestmark = pytest.mark.anyio


async def test_one_text_gets_scores_an_action_and_reasons(service: Service) -> None:
    who = await service.token("score")
    asked = {"text": "You are a stupid idiot and everyone hates you", "author": {"name": "Ann"}}
    told = (await service.client.post("/api/v1/score", json=asked, headers=who)).json()
    assert set(told["scores"]) == set(LABELS) and told["action"] == "hold" and told["model"]
    insults = [r for r in told["reasons"] if r.get("label") == "insult" and r.get("spans")]
    assert "idiot" in {asked["text"][a:b] for r in insults for a, b in r["spans"]}  # type: ignore[index]
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT id FROM submissions") == []


async def test_many_texts_come_back_in_order(service: Service) -> None:
    who = await service.token("score")
    texts = ["", "A calm remark about beans.", "You stupid idiot", *[f"Row {n}" for n in range(200)]]
    told = (await service.client.post("/api/v1/score", json={"texts": texts}, headers=who)).json()
    assert len(told["results"]) == len(texts)
    insult = [r["scores"]["insult"] for r in told["results"]]
    assert insult[2] > 0.9 > insult[1]


@pytest.mark.parametrize("asked", [{}, {"text": 1}, {"texts": "a"}, {"texts": [1]}, {"text": "a", "texts": []},
                                   {"text": "a", "author": 1}, {"texts": ["a"] * 1001}])  # fmt: skip
async def test_a_wrong_question_is_named(service: Service, asked: dict[str, object]) -> None:
    answer = await service.client.post("/api/v1/score", json=asked, headers=await service.token("score"))
    assert answer.status_code == 422 and answer.json()["errors"]


async def test_the_scope_is_needed(service: Service) -> None:
    assert (await service.client.post("/api/v1/score", json={"text": "a"})).status_code == 401
    answer = await service.client.post("/api/v1/score", json={"text": "a"}, headers=await service.token("moderate"))
    assert answer.status_code == 403
