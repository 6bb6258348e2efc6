"""Readers' reports: they bring a published comment to moderators, and tell nobody anything, on both databases."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import pytest

from moderation.comments import store_reports
from moderation.comments.store_reports import REASONS
from moderation.privacy import retention
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service
from tests.html import Page
from tests.queue.test_decide import set_password, sign_in

pytestmark = pytest.mark.anyio
ARTICLE = "/sites/default/articles/post/comments"
RECEIVED = {"status": "received"}


async def published(service: Service, body: str = "A harmless word.", email: str = "ann@example.org") -> str:
    told = (await service.post(body=body, email=email)).json()
    assert told["status"] == "approved"
    return str(told["id"])


async def report(service: Service, id: str, reason: str = "insult", note: str = "", by: str = "198.51.100.1") -> None:
    service.services.authenticator.trusted = (ip_network("203.0.113.9/32"),)
    sent = {"reason": reason, "note": note}
    answer = await service.client.post(f"{ARTICLE}/{id}/reports", json=sent, headers={"X-Forwarded-For": by})
    assert (answer.status_code, answer.json()) == (202, RECEIVED), answer.text


async def reported(service: Service) -> list[dict[str, Any]]:
    query = {"status": "approved", "rule": "report"}
    answer = await service.client.get("/api/v1/comments", params=query, headers=await service.token())
    return list(answer.json()["comments"])


async def decide(service: Service, id: str, action: str) -> str:
    answer = await service.client.post(
        "/api/v1/decisions", json={"comments": [id], "action": action}, headers=await service.token()
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def test_a_report_brings_a_published_comment_to_moderators_and_changes_nothing_else(service: Service) -> None:
    id = await published(service)
    before = await service.thread()
    assert await reported(service) == []
    await report(service, id, note="  Look at the second line. ")
    assert await service.thread() == before
    (shown,) = await reported(service)
    (told,) = shown["reports"]
    assert shown["id"] == id and shown["status"] == "approved"
    assert {name: told[name] for name in ("reason", "label", "note", "weight")} == {
        "reason": "insult", "label": "insult", "note": "Look at the second line.", "weight": 0.5,
    }  # fmt: skip
    assert told.keys() == {"reason", "label", "note", "weight", "created_at", "outcome"}, "nothing of who reported"


async def test_a_second_report_of_the_same_reader_is_received_and_counts_for_nothing(service: Service) -> None:
    id = await published(service)
    await report(service, id, "spam")
    await report(service, id, "hate", "again")
    (shown,) = await reported(service)
    assert [one["reason"] for one in shown["reports"]] == ["spam"]


@pytest.mark.parametrize("id", ["nothing", "0" * 26, "01j00000000000000000000000"])
async def test_a_report_on_what_is_not_there_is_received_too(service: Service, id: str) -> None:
    await report(service, id)
    assert await reported(service) == []


async def test_a_report_on_a_held_comment_or_under_another_article_counts_for_nothing(service: Service) -> None:
    held, id = await service.held(), await published(service)
    await report(service, held)
    elsewhere = f"/sites/default/articles/other/comments/{id}/reports"
    assert (await service.client.post(elsewhere, json={"reason": "spam"})).status_code == 202
    assert await reported(service) == []


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "reason"),
        ({"reason": "dull"}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": "spam", "note": "x" * 501}, "note"),
        ({"reason": "spam", "note": "a\0b"}, "note"),
        ({"reason": "spam", "note": "\ud800"}, "note"),
    ],
)
async def test_a_malformed_report_says_what_is_wrong(service: Service, sent: dict[str, object], field: str) -> None:
    id = await published(service)
    content = json.dumps(sent)
    answer = await service.client.post(
        f"{ARTICLE}/{id}/reports", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert field in answer.text or answer.status_code == 400
    assert await reported(service) == []


async def test_harmless_falls_silent_until_the_text_changes(service: Service) -> None:
    told = (await service.post(body="A word.", email="ann@example.org")).json()
    id = told["id"]
    await report(service, id)
    await decide(service, id, "approve")
    assert await reported(service) == []
    await report(service, id, by="198.51.100.2")
    assert await reported(service) == []
    await service.client.patch(
        f"{ARTICLE}/{id}", json={"body": "Another word."}, headers={"Edit-Token": told["edit_token"]}
    )
    await decide(service, id, "approve")
    await report(service, id, by="198.51.100.3")
    assert [one["id"] for one in await reported(service)] == [id]


async def test_an_undone_decision_opens_the_reports_again(service: Service) -> None:
    id = await published(service)
    await report(service, id)
    decision = await decide(service, id, "spam")
    undone = await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=await service.token())
    assert undone.status_code == 200
    assert [one["id"] for one in await reported(service)] == [id]


async def test_a_reader_who_was_right_weighs_more_than_one_who_was_not(service: Service) -> None:
    for number, (action, by) in enumerate((("spam", "198.51.100.1"), ("approve", "198.51.100.2"))):
        id = await published(service, f"A word, number {number}.", f"n{number}@example.org")
        await report(service, id, by=by)
        await decide(service, id, action)
    last = await published(service, "The last word.", "last@example.org")
    await report(service, last, by="198.51.100.1")
    await report(service, last, by="198.51.100.2")
    (shown,) = await reported(service)
    assert sorted(one["weight"] for one in shown["reports"]) == [0.33, 0.67]


async def test_no_number_of_reports_unpublishes_unless_the_site_says_so(service: Service) -> None:
    id = await published(service)
    for number in range(12):
        await report(service, id, by=f"198.51.100.{number}")
    assert (await service.thread())["count"] == 1
    async with service.services.database.transaction() as tx:
        await sites.put_site(
            tx, Site(key="default", name="Mine", settings=SiteSettings(reports_hold=2)), service.clock()
        )
    service.services.directory.forget()
    other = await published(service, "Another word.", "bob@example.org")
    await report(service, other)
    assert (await service.thread())["count"] == 2
    await report(service, other, by="198.51.100.7")
    assert (await service.thread())["count"] == 1
    shown = (await service.client.get(f"/api/v1/comments/{other}", headers=await service.token())).json()
    assert shown["status"] == "pending" and len(shown["reports"]) == 2
    await decide(service, other, "approve")
    await report(service, other, by="198.51.100.8")
    assert (await service.thread())["count"] == 2, "a person has decided"


async def test_a_flood_of_one_reader_is_received_and_not_stored(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moderation.queue.reports.AN_HOUR", 2)
    ids = [await published(service, f"Word {n}.", f"n{n}@example.org") for n in range(4)]
    for id in ids[:3]:
        await report(service, id)
    assert {one["id"] for one in await reported(service)} == set(ids[:2])
    service.clock.forward(hours=2)
    await report(service, ids[3])
    assert {one["id"] for one in await reported(service)} == {*ids[:2], ids[3]}


def key_of(service: Service) -> str:
    return service.services.signer.network_key("198.51.100.1")


async def test_who_reported_is_forgotten_after_ninety_days_and_the_report_stays(service: Service) -> None:
    id = await published(service)
    await report(service, id)
    database = service.services.database
    for days, kept in ((89, True), (91, False)):
        await retention.purge(database, retention.Keep(), service.clock() + days * retention.DAY)
        async with database.reading() as session:
            (one,) = (await store_reports.open_of(session, "default", [id]))[id]
        assert (one.reporter == key_of(service)) is kept
        assert one.reporter


async def test_a_report_goes_with_its_comment(service: Service) -> None:
    id = await published(service)
    await report(service, id, note="words")
    async with service.services.database.transaction() as tx:
        await tx.execute("DELETE FROM comments WHERE id = ?", id)
    async with service.services.database.reading() as session:
        assert not await session.fetch("SELECT 1 FROM reports")


async def test_a_redacted_piece_leaves_the_notes_too(service: Service) -> None:
    id = await published(service, "Our neighbour Bertha Example told me.")
    await report(service, id, "personal-data", "It names Bertha Example to all.")
    answer = await service.client.post(
        f"/api/v1/comments/{id}/redact", json={"text": "Bertha Example"}, headers=await service.token()
    )
    assert answer.status_code == 200
    assert (
        "Bertha Example" not in (await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())).text
    )


async def test_the_page_needs_no_script(service: Service) -> None:
    id = await published(service)
    address = f"{ARTICLE}/{id}/report"
    page = Page((await service.client.get(address)).text)
    assert "A harmless word." in page.text(".said")
    assert [node["value"] for node in page.all("input[name=reason]")] == list(REASONS)
    wrong = await service.client.post(address, data={"note": "no reason"})
    assert wrong.status_code == 422 and "Please choose what is wrong." in wrong.text and "no reason" in wrong.text
    sent = await service.client.post(address, data={"reason": "threat", "note": "at the end"})
    assert sent.status_code == 303
    after = Page((await service.client.get(sent.headers["location"])).text)
    assert after.text('[role="status"]') == "Thank you. The moderators will look at it."
    (shown,) = await reported(service)
    assert [(one["reason"], one["label"]) for one in shown["reports"]] == [("threat", "threat")]
    chinese = await service.client.get(address, headers={"Accept-Language": "zh"})
    assert "举报评论" in chinese.text


async def test_the_page_of_what_is_not_published_shows_no_word_of_it(service: Service) -> None:
    held = await service.held(body="A secret word https://a.example/")
    page = await service.client.get(f"{ARTICLE}/{held}/report")
    assert page.status_code == 200 and "secret" not in page.text


async def test_comments_of_an_unlisted_page_are_neither_shown_nor_reported(service: Service) -> None:
    id = await published(service, "A word of a private page.")
    async with service.services.database.transaction() as tx:
        await tx.execute("UPDATE articles SET is_listed = 0 WHERE site = 'default' AND article = 'post'")
    page = await service.client.get(f"{ARTICLE}/{id}/report")
    assert page.status_code == 200 and "private page" not in page.text
    await report(service, id)
    assert await reported(service) == []


async def test_the_console_has_a_tab_of_what_is_reported(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    assert "Reported" not in (await service.client.get("/moderate")).text
    id = await published(service)
    await report(service, id, "hate", "the last sentence")
    page = (await service.client.get("/moderate", params={"status": "approved", "rule": "report"})).text
    assert "rule=report" in page and 'aria-current="page">Reported <span class="count">1' in page
    assert "Reported by a reader as hateful" in page and "the last sentence" in page
