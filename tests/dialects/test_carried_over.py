"""A key whose thresholds were carried over speaks the old scale, and says so."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from moderation.dialects.scale import token_id_of
from moderation.team import access, store_scales
from moderation.team.store_scales import KeyScale
from tests.conftest import Service

INSULT = "You are a stupid idiot and should shut up."


async def analyze(
    service: Service, key: str, *, headers: dict[str, str] | None = None, **attributes: Any
) -> httpx.Response:
    body = {"comment": {"text": INSULT}, "requestedAttributes": attributes, "languages": ["en"]}
    return await service.client.post(f"/v1alpha1/comments:analyze?key={key}", json=body, headers=headers)


def value(answer: httpx.Response, name: str) -> float:
    assert answer.status_code == 200, answer.text
    return float(answer.json()["attributeScores"][name]["summaryScore"]["value"])


@pytest.mark.anyio
async def test_scores_and_thresholds_are_on_the_old_scale_for_that_key_alone(service: Service) -> None:
    services = service.services
    keys = []
    for _ in range(2):
        async with services.database.transaction() as tx:
            keys.append(await access.add_token(tx, services.signer, "default", frozenset({"score"}), service.clock()))
    ours = await analyze(service, keys[0], TOXICITY={}, INSULT={})
    p = value(ours, "TOXICITY")
    assert p > 0.5 and "x-score-scale" not in ours.headers
    principal = await services.keys.principal(keys[0], "")
    assert principal
    async with services.database.transaction() as tx:
        made = KeyScale(
            site="default", token=token_id_of(principal.name), attribute="TOXICITY", points=[(p, 0.25)], model="m", pairs=500,
            created_at=service.clock(),
        )  # fmt: skip
        await store_scales.put(tx, made)
    carried = await analyze(service, keys[0], TOXICITY={}, INSULT={})
    assert carried.headers["x-score-scale"] == "carried-over"
    assert value(carried, "TOXICITY") == pytest.approx(0.25, abs=0.01)
    assert value(carried, "INSULT") == value(ours, "INSULT")
    assert "TOXICITY" not in (await analyze(service, keys[0], TOXICITY={"scoreThreshold": 0.3})).json().get(
        "attributeScores", {}
    )
    other = await analyze(service, keys[1], TOXICITY={})
    assert value(other, "TOXICITY") == p and "x-score-scale" not in other.headers
    pinned = await analyze(service, keys[0], headers={"X-Model-Version": ours.headers["x-model-version"]}, TOXICITY={})
    assert value(pinned, "TOXICITY") == p and "x-score-scale" not in pinned.headers
