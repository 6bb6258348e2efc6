"""comments:suggestscore: feedback that becomes a decision of the key's site."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from moderation.dialects.checks import TAUGHT_A_DAY
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service
from tests.dialects.perspective import SUGGEST, Client, client_of, error_of

pytestmark = pytest.mark.anyio

TEXT = "You are a quagswagging fool."


def suggested(value: float = 1, attribute: str = "TOXICITY", text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {"comment": {"text": text}, "attributeScores": {attribute: {"summaryScore": {"value": value}}}} | more


def coral(value: float, id: str = "b1c2", text: str = TEXT) -> dict[str, Any]:
    """As Coral sends it."""
    entry = {"url": f"https://news.example/story?commentID={id}", "Coral_comment_id": id}
    return suggested(
        value,
        text=text,
        context={"entries": [{"text": json.dumps(entry)}]},
        languages=["en"],
        communityId="Coral:https://comments.news.example/",
        clientToken=f"comment:{id}",
    )


@pytest.fixture
async def client(service: Service) -> Client:
    return await client_of(service, "score,teach")


async def suggest(client: Client, body: Any, **headers: str) -> httpx.Response:
    return await client.post(SUGGEST, json.dumps(body).encode(), **headers)


async def taught(client: Client, body: Any) -> dict[str, Any]:
    answer = await suggest(client, body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def comments(service: Service, site: str = "default") -> list[dict[str, Any]]:
    """Every stored comment with its decisions, the latest last."""
    who = await service.token()
    listed = (await service.client.get("/api/v1/comments", params={"status": "any", "site": site}, headers=who)).json()
    return [
        (await service.client.get(f"/api/v1/comments/{one['id']}", headers=who)).json() for one in listed["comments"]
    ]


async def test_a_suggestion_is_answered_with_what_was_sent_and_detected(client: Client) -> None:
    assert await taught(client, suggested()) == {"detectedLanguages": ["en"]}
    document = await taught(client, coral(1))
    assert document == {"clientToken": "comment:b1c2", "requestedLanguages": ["en"], "detectedLanguages": ["en"]}
    german = suggested(
        text="Das ist doch alles völliger Unsinn, was du da schreibst.", languages=["fr"], clientToken=""
    )
    assert await taught(client, german) == {
        "clientToken": "",
        "requestedLanguages": ["fr"],
        "detectedLanguages": ["de"],
    }


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("scores", "status", "labels"), [
    ({"TOXICITY": 1}, "rejected", ["toxicity"]),
    ({"TOXICITY": 0.5, "PROFANITY": 1, "THREAT": 0.2}, "rejected", ["toxicity", "obscene"]),
    ({"SEVERE_TOXICITY": 1.0}, "rejected", ["severe_toxicity"]),
    ({"TOXICITY": 1, "SPAM": 1}, "spam", []),
    ({"TOXICITY": 0, "SPAM": 0.49}, "approved", []),
    ({"INSULT": 0}, "approved", []),
])  # fmt: skip
async def test_scores_become_the_decision_that_says_the_same(
    service: Service, client: Client, scores: dict[str, float], status: str, labels: list[str]
) -> None:
    body = suggested(
        attributeScores={
            name: {"summaryScore": {"value": value, "type": "PROBABILITY"}} for name, value in scores.items()
        }
    )
    await taught(client, body)
    (comment,) = await comments(service)
    assert (comment["status"], comment["body"]) == (status, TEXT)
    (decision,) = comment["decisions"]
    assert decision["labels"] == labels and decision["moderator"].startswith("token:")


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_spans_speak_for_the_whole_where_no_summary_does(service: Service, client: Client) -> None:
    spans = [{"begin": 0, "end": 3, "score": {"value": value}} for value in (0, 1, 0)]
    await taught(client, suggested(attributeScores={"INSULT": {"spanScores": spans}}))
    await taught(
        client, suggested(text="Fine.", attributeScores={"INSULT": {"summaryScore": {"value": 0}, "spanScores": spans}})
    )
    assert {comment["body"]: comment["status"] for comment in await comments(service)} == {
        TEXT: "rejected",
        "Fine.": "approved",
    }


async def test_the_same_token_again_is_a_correction(service: Service, client: Client) -> None:
    await taught(client, coral(1))
    await taught(client, coral(0))
    (comment,) = await comments(service)
    assert comment["status"] == "approved" and len(comment["decisions"]) == 2
    await taught(client, coral(1))
    (comment,) = await comments(service)
    assert comment["status"] == "rejected"
    await taught(client, coral(1, id="other"))
    await taught(client, coral(1) | {"communityId": "Coral:https://elsewhere.example/"})
    assert len(await comments(service)) == 3


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_without_a_token_the_same_text_is_the_same_comment(service: Service, client: Client) -> None:
    for value in (1, 0):
        await taught(client, suggested(value))
    (comment,) = await comments(service)
    assert comment["status"] == "approved"
    await taught(client, suggested(text="Another one."))
    assert len(await comments(service)) == 2


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_a_changed_text_under_the_same_token_is_what_was_decided(service: Service, client: Client) -> None:
    await taught(client, coral(1))
    await taught(client, coral(1, text="An edited text, as rude as before."))
    (comment,) = await comments(service)
    assert comment["body"] == "An edited text, as rude as before." and comment["status"] == "rejected"


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_it_teaches_the_keys_own_site_and_is_never_public(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="blog", name="Blog"), service.clock())
    await taught(await client_of(service, "teach", "blog"), suggested(0))
    assert len(await comments(service, "blog")) == 1 and await comments(service) == []
    for place in ("/sites/blog/feed", "/sites/blog/counts?article=checks:", "/sites/blog/articles/checks:/comments"):
        assert "quagswagging" not in (await service.client.get(place)).text
    await taught(await client_of(service, "teach", "*"), suggested(0))
    assert len(await comments(service)) == 1


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_teaching_needs_its_scope_a_server_and_an_allowance(service: Service, client: Client) -> None:
    answer = await suggest(await client_of(service, "score"), suggested())
    assert answer.status_code == 403 and error_of(answer)["details"][0]["reason"] == "API_KEY_SERVICE_BLOCKED"
    for origin in ("https://blog.example", "http://comments.test", "null"):
        answer = await suggest(client, suggested(), Origin=origin)
        assert answer.status_code == 403 and error_of(answer)["status"] == "PERMISSION_DENIED"
    assert await comments(service) == []
    principal = await service.services.keys.principal(client.key, "")
    assert principal
    service.services.checks._taught[principal.token_hash, service.clock() // 86_400_000] = TAUGHT_A_DAY
    answer = await suggest(client, suggested())
    assert answer.status_code == 429 and answer.headers["retry-after"]
    assert error_of(answer)["status"] == "RESOURCE_EXHAUSTED"
    assert error_of(answer)["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert await comments(service) == []


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("body", "message"), [
    ({}, "Comment must be non-empty."),
    (suggested(text="x" * 20_481), "Comment text too long."),
    (suggested(comment={"text": "a", "type": "HTML"}), "Currently, only 'PLAIN_TEXT' comments are supported"),
    ({"comment": {"text": "a"}}, "Missing attribute_scores"),
    (suggested(attributeScores={}), "Missing attribute_scores"),
    (suggested(attributeScores={"TOXICITY": {}}), "Missing attribute_scores"),
    (suggested(attributeScores={"TOXICITY": {"spanScores": []}}), "Missing attribute_scores"),
    (suggested(attribute="FLIRTATION"), "Unknown requested attribute: FLIRTATION"),
    (suggested(context={"entries": [{}], "articleAndParentComment": {}}), "Context can have either entries or"),
    (suggested(2), "Invalid JSON payload received. "), (suggested(-0.1), "Invalid JSON payload received. "),
    (suggested(attributeScores=[]), "Invalid JSON payload received. "), (suggested(languages="en"), "Invalid JSON payload received. "),
    (suggested(attributeScores={"TOXICITY": {"summaryScore": {"value": "1"}}}), "Invalid JSON payload received. "),
    (suggested(attributeScores={"TOXICITY": {"spanScores": [1]}}), "Invalid JSON payload received. "),
])  # fmt: skip
async def test_a_wrong_suggestion_is_named_and_changes_nothing(
    service: Service, client: Client, body: Any, message: str
) -> None:
    answer = await suggest(client, body)
    assert answer.status_code == 400 and error_of(answer)["message"].startswith(message)
    assert await comments(service) == []


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_hostile_texts_are_stored_as_they_can_be(service: Service, client: Client) -> None:
    for text in ("half \ud83d", "\u0301" * 5_000, "<b>bold</b> & [x](http://a)", "x" * 20_480, "\u202e", " ", "a\r\nb"):
        await taught(client, suggested(text=text, clientToken=f"\ud83d{text[:9]}", communityId="\x7f"))
    bodies = {comment["body"] for comment in await comments(service)}
    assert "half \ufffd" in bodies


async def test_unknown_keys_from_one_network_are_slowed_down(service: Service, client: Client) -> None:
    for number in range(100):
        assert (await suggest(Client(service, f"nobody{number}"), {})).status_code == 400
    answer = await client.ask({})
    assert answer.status_code == 429 and answer.headers["retry-after"]
    error = error_of(answer)
    assert error["message"].startswith("Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)'")
    service.clock.forward(minutes=16)
    assert (await client.ask({})).status_code == 400
