"""The queue as a page: where a decision leads back to, what the audit sample asks, and how many are shown."""

from __future__ import annotations

import pytest

from moderation.policy import error_rates
from moderation.queue import pages as queue_pages
from moderation.queue import store as stored_queue
from moderation.sites import store as sites
from moderation.sites.model import Article
from tests.conftest import Service
from tests.html import Page, attribute, words
from tests.team.test_roles import Person, signed_in

pytestmark = pytest.mark.anyio


async def shown(person: Person, url: str) -> Page:
    answer = await person.ask("GET", url)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def rows(page: Page) -> list[str]:
    return [id.removeprefix("row-") for id in page.attributes("li.row", "id")]


async def press(person: Person, page: Page, action: str, id: str) -> str:
    """A button of a row; the address of the page that comes after it."""
    form = page.form("/moderate/decisions")
    assert form.one(f'button[name="one"][value="{action}:{id}"]')
    told = {"csrf_token": person.csrf, "one": f"{action}:{id}"} | {
        name: form.value(name) for name in (f"seen-{id}", "back")
    }
    answer = await person.ask("POST", "/moderate/decisions", data=told)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def here(page: Page) -> str:
    return page.text(".shown")


async def test_a_decision_further_on_leads_back_to_the_same_place(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "PAGE", 2)
    words = ["Alder", "Birch and moss", "Cedar in the snow", "Dogwood", "Elm by a river"]
    ids = [await service.held(body=f"{word}: https://{n}.example/{word[:3]}") for n, word in enumerate(words)]
    person = await signed_in(service)
    first = await shown(person, "/moderate")
    assert rows(first) == ids[:2] and here(first) == "2 of 5"
    (more,) = first.attributes('a[rel="next"]', "href")
    second = await shown(person, more)
    assert rows(second) == ids[2:4]
    after = await shown(person, await press(person, second, "approve", ids[2]))
    assert rows(after) == ids[3:], "those that were passed over are not in the way again"
    after = await shown(person, await press(person, after, "approve", ids[3]))
    after = await shown(person, await press(person, after, "approve", ids[4]))
    assert rows(after) == [] and "This is the last page" in after.text()
    assert rows(await shown(person, after.link("Back to the first page"))) == ids[:2]
    assert rows(await shown(person, "/moderate")) == ids[:2]


async def test_the_second_look_stays_one_and_a_yes_counts(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    by_end: dict[str, list[str]] = {}
    while not (picked := next((ids for ids in by_end.values() if len(ids) == 2), [])):
        id = (await service.post()).json()["id"]
        by_end.setdefault(id[-1], []).append(id)
    for module in (error_rates, stored_queue):  # chance picks these two
        monkeypatch.setattr(module, "AUDIT_SAMPLE", picked[0][-1])
    person = await signed_in(service)
    page = await shown(person, "/moderate?status=approved&sample=1")
    assert rows(page) == picked and "Right: Approve" in page.text() and here(page) == "2 shown"
    page = await shown(person, await press(person, page, "approve", picked[0]))
    assert rows(page) == picked[1:], "still the audit sample, and the one that was right is done"
    page = await shown(person, await press(person, page, "reject", picked[1]))
    assert "The audit sample is complete" in page.text()
    told = (await person.ask("GET", "/api/v1/stats")).json()["audit_sample"]["published_removed"]
    assert (told["hits"], told["count"]) == (1, 2)
    elsewhere = await shown(person, "/moderate?status=approved")
    assert "Right: Approve" not in elsewhere.text(), "elsewhere it is no question"


async def test_a_single_comment_that_nobody_looked_at_can_be_found_right(service: Service) -> None:
    id = (await service.post()).json()["id"]
    person = await signed_in(service)
    assert "Right: Approve" in (await shown(person, f"/moderate/comments/{id}")).text()
    told = {"csrf_token": person.csrf, "comments": id, "action": "approve"}
    assert (await person.ask("POST", "/moderate/decisions", data=told)).status_code == 303
    assert "Right: Approve" not in (await shown(person, f"/moderate/comments/{id}")).text()
    staff = await person.ask("POST", f"/api/v1/comments/{id}/replies", json={"body": "Thank you.", "name": "Marta"})
    assert staff.status_code == 201, staff.text
    assert "Right: Approve" not in (await shown(person, f"/moderate/comments/{staff.json()['reply']['id']}")).text()


async def test_a_row_leads_to_its_article_and_to_all_that_waits_there(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_article(
            tx, Article(site="default", key="gate", title="Why a gate?", url="https://blog.example/gate?a=1&b=2")
        )
    id = await service.held("gate")
    await service.held("elsewhere")
    person = await signed_in(service)
    page = await shown(person, "/moderate")
    article = page.one(f'#row-{id} a[href="https://blog.example/gate?a=1&b=2"]')
    assert words(article) == "Why a gate?" and attribute(article, "rel") == "noopener noreferrer"
    (same,) = [attribute(a, "href") for a in page.all(f"#row-{id} a") if words(a) == "same article"]
    assert rows(await shown(person, same)) == [id]
    assert page.texts(".scores dt").count("identity attack") == 2
    assert page.texts("details.verdict > summary") == ["A link from somebody new: elsewhere.example"] * 2
    assert "Why a gate?" in (await shown(person, f"/moderate/comments/{id}")).text()


async def test_an_insult_rejected_by_one_key_teaches_that_it_was_one(service: Service) -> None:
    async def labels(id: str) -> list[str]:
        (taken,) = (await person.ask("GET", f"/api/v1/comments/{id}")).json()["decisions"]
        return list(taken["labels"])

    person = await signed_in(service)
    unlike = ("The bridge is closed", "My beans are late", "It rained in May", "Bees like lavender", "Who reads this")
    ids = [await service.held(body=f"{words}, see https://elsewhere.example/") for words in unlike]
    for id, told in (
        (ids[0], {"reason": "insult"}),
        (ids[1], {"reason": "insult", "labels": []}),
        (ids[2], {"reason": "off-topic"}),
    ):
        sent = {"comments": [id], "action": "reject"} | told
        assert (await person.ask("POST", "/api/v1/decisions", json=sent)).status_code == 200
    for id, more in ((ids[3], {}), (ids[4], {"labels": "threat"})):
        form = {"csrf_token": person.csrf, "one": f"reject:{id}", "reason": "insult"} | more
        assert (await person.ask("POST", "/moderate/decisions", data=form)).status_code == 303
    assert [await labels(id) for id in ids] == [["insult"], [], [], ["insult"], ["threat"]]
    told = (await person.ask("GET", "/api/v1/stats")).json()["agreement"]
    assert told["insult"]["count"] == 2 and told["threat"]["count"] == 1


async def test_a_wave_counts_as_all_that_it_stands_for(service: Service) -> None:
    for n in range(4):
        await service.held(body=f"Our company offers garden gates at half the price, number {n}: https://g{n}.example/")
    await service.held(body="An elm by the river, see https://elm.example/")
    page = await shown(await signed_in(service), "/moderate")
    assert len(rows(page)) == 2 and here(page) == "5 of 5"
