"""Rejecting with a reason, what its author reads, and the one answer that brings the comment back, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.comments.decision import REASONS
from tests.conftest import Service
from tests.html import Page
from tests.intake.test_receipts import PAGE, path_of, read
from tests.queue.test_decide import set_password, sign_in

pytestmark = pytest.mark.anyio


async def rejected(service: Service, **more: Any) -> tuple[str, str]:
    """(id, path of the receipt) of a comment that a person has rejected."""
    told = (await service.post(body="See https://a.example/", email="ann@example.org")).json()
    sent = {"comments": [told["id"]], "action": "reject"} | more
    answer = await service.client.post("/api/v1/decisions", json=sent, headers=await service.token())
    assert answer.status_code == 200, answer.text
    return told["id"], path_of(told)


async def test_the_author_reads_the_reason_in_their_language(service: Service) -> None:
    id, path = await rejected(service, reason="off-topic", note="Try the other article.")
    receipt = await read(service, path)
    told = ("off-topic", "Try the other article.", None, True)
    assert tuple(receipt[name] for name in ("reason_code", "reason", "appeal", "can_appeal")) == told
    page = (await service.client.get(path, headers=PAGE)).text
    assert "It is not about the article." in page and "Try the other article." in page
    chinese = (await service.client.get(path, headers=PAGE | {"Accept-Language": "zh"})).text
    assert "它与文章无关。" in chinese
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())).json()
    assert shown["decisions"][0]["reason"] == "off-topic"


@pytest.mark.parametrize("wrong", [{"reason": "dull"}, {"reason": 7}, {"reason": "insult", "action": "spam"}])
async def test_a_wrong_reason_changes_nothing(service: Service, wrong: dict[str, Any]) -> None:
    id, who = await service.held(), await service.token()
    sent = {"comments": [id], "action": "reject"} | wrong
    answer = await service.client.post("/api/v1/decisions", json=sent, headers=who)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "reason"
    assert (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()["status"] == "pending"


async def test_an_appeal_brings_the_comment_back_once(service: Service) -> None:
    id, path = await rejected(service, reason="advertising")
    assert "Ask for a second look" in (await service.client.get(path, headers=PAGE)).text
    for wrong in ("", "  ", "x" * 1001):
        answer = await service.client.post(path, data={"act": "appeal", "appeal": wrong}, headers=PAGE)
        assert answer.status_code == 422
    assert (await read(service, path))["status"] == "rejected"
    words = "It is <b>my</b> own blog, and I earn nothing."
    sent = await service.client.post(path, data={"act": "appeal", "appeal": words})
    assert sent.status_code == 303
    after = Page((await service.client.get(sent.headers["location"], headers=PAGE)).text)
    assert after.text('[role="status"]') == "Your appeal was sent."
    receipt = await read(service, path)
    assert (receipt["status"], receipt["appeal"]["body"], receipt["can_appeal"]) == ("pending", words, False)
    who = await service.token()
    query = {"rule": "appeal"}
    (waits,) = (await service.client.get("/api/v1/comments", params=query, headers=who)).json()["comments"]
    assert (waits["id"], waits["appeal"]["body"]) == (id, words)
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert ("comment:appeal", id, "author") in [(e["action"], e["subject"], e["actor"]) for e in entries]
    assert "earn" not in str(entries)
    # rejected again, it stays rejected
    await service.client.post("/api/v1/decisions", json={"comments": [id], "action": "reject"}, headers=who)
    again = await service.client.post(path, data={"act": "appeal", "appeal": "Please!"}, headers=PAGE)
    assert again.status_code == 403
    page = (await service.client.get(path, headers=PAGE)).text
    assert "Ask for a second look" not in page and "It is &lt;b&gt;my&lt;/b&gt; own blog" in page


@pytest.mark.parametrize(("action", "says"), [("reject", "Rejected (off topic) by"), ("spam", "Filed as spam by")])
async def test_the_card_shows_the_earlier_decision_and_the_words_of_the_appeal(
    service: Service, action: str, says: str
) -> None:
    id = await service.held(email="ann@example.org")
    path = path_of({"receipt": service.services.links.receipt(id)})
    decision: dict[str, Any] = {"comments": [id], "action": action}
    decision |= {"reason": "off-topic", "note": "Try the <b>other</b> article."} if action == "reject" else {}
    who = await service.token()
    made = await service.client.post("/api/v1/decisions", json=decision, headers=who)
    assert made.status_code == 200, made.text
    service.clock.forward(minutes=1)
    assert (await service.client.post(path, data={"act": "appeal", "appeal": "It is about beans."})).status_code == 303
    (waits,) = (await service.client.get("/api/v1/comments", params={"rule": "appeal"}, headers=who)).json()["comments"]
    assert waits["appeal"]["body"] == "It is about beans."
    assert (waits["appeal"]["against"]["action"], waits["appeal"]["against"]["id"]) == (action, made.json()["id"])
    await set_password(service)
    await sign_in(service)
    for address in ("/moderate", f"/moderate/comments/{id}"):
        card = Page((await service.client.get(address)).text).text(".appeal")
        assert card.startswith(says) and "It is about beans." in card
        assert ("Try the <b>other</b> article." in card) is (action == "reject")
    # a later decision is not what the appeal was against
    service.clock.forward(minutes=1)
    await service.client.post("/api/v1/decisions", json={"comments": [id], "action": "reject"}, headers=who)
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    assert shown["appeal"]["against"]["id"] == made.json()["id"]


async def test_only_what_a_person_refused_can_be_appealed(service: Service) -> None:
    for told in ((await service.post()).json(), (await service.post(body="See https://a.example/")).json()):
        answer = await service.client.post(path_of(told), data={"act": "appeal", "appeal": "Why?"}, headers=PAGE)
        assert answer.status_code == 403
    spam = (await service.post(body="Buy cheap viagra http://pills.example casino loans http://casino.example")).json()
    answer = await service.client.post(path_of(spam), data={"act": "appeal", "appeal": "Why?"}, headers=PAGE)
    assert answer.status_code == 403
    assert (await read(service, path_of(spam)))["status"] == "pending"
    gone = (await service.post(body="See https://c.example/")).json()
    sent = {"comments": [gone["id"]], "action": "delete"}
    await service.client.post("/api/v1/decisions", json=sent, headers=await service.token())
    receipt = await read(service, path_of(gone))
    assert (receipt["status"], receipt["can_appeal"]) == ("rejected", False)


async def test_an_appeal_is_exported_and_erased_with_its_author(service: Service) -> None:
    _, path = await rejected(service)
    await service.client.post(path, data={"act": "appeal", "appeal": "A word of mine."})
    who, person = await service.token("privacy"), {"email": "ann@example.org"}
    exported = (await service.client.post("/api/v1/privacy/export", json=person, headers=who)).json()
    assert exported["appeals"][0]["body"] == "A word of mine."
    await service.client.post("/api/v1/privacy/erase", json=person, headers=who)
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT * FROM appeals") == []


async def test_the_document_names_the_reasons_and_the_appeal(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()
    paths, schemas = document["paths"], document["components"]["schemas"]
    reason, _ = schemas["DecisionIn"]["properties"]["reason"]["anyOf"]
    assert reason["enum"] == ["", *REASONS]
    assert {"appeal", "can_appeal", "reason", "reason_code"} <= schemas["ReceiptOut"]["properties"].keys()
    asked = {parameter["name"] for parameter in paths["/api/v1/comments"]["get"]["parameters"]}
    assert {"rule", "author", "sample"} <= asked
