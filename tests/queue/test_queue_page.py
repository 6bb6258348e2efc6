"""The queue as a page: where a decision leads back to, what the second look asks, and how many are shown."""

from __future__ import annotations

import re
from html import unescape

import pytest

from moderation.policy import error_rates
from moderation.queue import pages as queue_pages
from moderation.queue import store as stored_queue
from moderation.sites import store as sites
from moderation.sites.model import Article
from tests.conftest import Service
from tests.team.test_roles import Person, signed_in

pytestmark = pytest.mark.anyio


async def shown(person: Person, url: str) -> str:
    answer = await person.ask("GET", url)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(page: str) -> list[str]:
    return re.findall(r'<li class="row" id="row-([0-9a-z]+)"', page)


async def press(person: Person, page: str, action: str, id: str) -> str:
    """A button of a row; the address of the page that comes after it."""
    seen = re.search(rf'name="seen-{id}" value="(\d+)"', page)
    back = re.search(r'name="back" value="([^"]*)"', page)
    assert seen and back
    assert f'name="one" value="{action}:{id}"' in page, "there is no such button"
    told = {"csrf_token": person.csrf, "one": f"{action}:{id}", f"seen-{id}": seen[1], "back": unescape(back[1])}
    answer = await person.ask("POST", "/moderate/decisions", data=told)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def here(page: str) -> str:
    found = re.search(r'<span class="shown">(.*?)</span>\n', page)
    assert found
    return re.sub("<[^>]+>", "", found[1])


async def test_a_decision_further_on_leads_back_to_the_same_place(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_pages, "PAGE", 2)
    words = ["Alder", "Birch and moss", "Cedar in the snow", "Dogwood", "Elm by a river"]
    ids = [await service.held(body=f"{word}: https://{n}.example/{word[:3]}") for n, word in enumerate(words)]
    person = await signed_in(service)
    first = await shown(person, "/moderate")
    assert rows(first) == ids[:2] and here(first) == "2 of 5"
    more = re.search(r'href="([^"]+)" rel="next"', first)
    assert more
    second = await shown(person, unescape(more[1]))
    assert rows(second) == ids[2:4]
    after = await shown(person, await press(person, second, "approve", ids[2]))
    assert rows(after) == ids[3:], "those that were passed over are not in the way again"
    after = await shown(person, await press(person, after, "approve", ids[3]))
    after = await shown(person, await press(person, after, "approve", ids[4]))
    assert rows(after) == [] and "Nothing more comes after this" in after and "Back to the first page" in after
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
    assert rows(page) == picked and "Right: Approve" in page and here(page) == "2 shown"
    page = await shown(person, await press(person, page, "approve", picked[0]))
    assert rows(page) == picked[1:], "still the second look, and the one that was right is done"
    page = await shown(person, await press(person, page, "reject", picked[1]))
    assert "All that was picked has been looked at" in page
    told = (await person.ask("GET", "/api/v1/stats")).json()["audit_sample"]["published_removed"]
    assert (told["hits"], told["count"]) == (1, 2)
    assert "Right: Approve" not in await shown(person, "/moderate?status=approved"), "elsewhere it is no question"


async def test_a_single_comment_that_nobody_looked_at_can_be_found_right(service: Service) -> None:
    id = (await service.post()).json()["id"]
    person = await signed_in(service)
    assert "Right: Approve" in await shown(person, f"/moderate/comments/{id}")
    told = {"csrf_token": person.csrf, "comments": id, "action": "approve"}
    assert (await person.ask("POST", "/moderate/decisions", data=told)).status_code == 303
    assert "Right: Approve" not in await shown(person, f"/moderate/comments/{id}")
    staff = await person.ask("POST", f"/api/v1/comments/{id}/replies", json={"body": "Thank you.", "name": "Marta"})
    assert staff.status_code == 201, staff.text
    assert "Right: Approve" not in await shown(person, f"/moderate/comments/{staff.json()['reply']['id']}")


async def test_a_row_leads_to_its_article_and_to_all_that_waits_there(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_article(tx, Article("default", "gate", "Why a gate?", "https://blog.example/gate?a=1&b=2"))
    id = await service.held("gate")
    await service.held("elsewhere")
    person = await signed_in(service)
    page = await shown(person, "/moderate")
    assert 'href="https://blog.example/gate?a=1&amp;b=2" rel="noopener noreferrer"><bdi>Why a gate?</bdi>' in page
    same = re.search(r'<a href="([^"]+)">same article</a>', page)
    assert same and rows(await shown(person, unescape(same[1]))) == [id]
    assert page.count("4 other labels") == 2 and page.count("identity attack</dt>") == 2
    assert "Why a gate?" in await shown(person, f"/moderate/comments/{id}")


async def test_an_insult_rejected_by_one_key_teaches_that_it_was_one(service: Service) -> None:
    async def labels(id: str) -> list[str]:
        (taken,) = (await person.ask("GET", f"/api/v1/comments/{id}")).json()["decisions"]
        return list(taken["labels"])

    person = await signed_in(service)
    ids = [await service.held() for _ in range(5)]
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
