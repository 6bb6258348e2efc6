"""Saved filters: a list under a name, as a tab with its number; one's own, and the team's."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.privacy import data_requests
from moderation.queue import filters
from moderation.team import members
from tests.conftest import Service
from tests.html import Page
from tests.queue.test_team import UNLIKE, principal
from tests.team.test_roles import Person, signed_in

pytestmark = pytest.mark.anyio


async def act(person: Person, act: str, **fields: str) -> Any:
    return await person.ask("POST", "/moderate/filters", data={"csrf_token": person.csrf, "act": act} | fields)


async def save(person: Person, name: str, **fields: str) -> str:
    person.service.clock.forward(seconds=1)
    answer = await act(person, "save", name=name, **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def saved(person: Person) -> list[dict[str, Any]]:
    answer = await person.ask("GET", "/api/v1/filters")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["filters"]
    return found


async def test_the_present_list_is_saved_and_stands_as_a_tab_with_its_number(service: Service) -> None:
    ids = [await service.held(body=f"{words}, see https://elsewhere.example/") for words in UNLIKE]
    await service.held("elsewhere", body="Bees like lavender, see https://elsewhere.example/")
    person = await signed_in(service, "moderator")
    page = Page((await person.ask("GET", "/moderate?article=post&order=newest")).text)
    form = page.form("/moderate/filters")
    told = {name: form.value(name) for name in ("status", "article", "order")}
    where = await save(person, "  Under   the post ", **told)
    page = Page((await person.ask("GET", where)).text)
    assert page.attributes("li.row", "id") == [f"row-{id}" for id in reversed(ids)]
    assert page.texts(".saved nav a")[0] == "Under the post 3"
    assert page.attributes(".saved nav a[aria-current]", "aria-current") == ["page"]
    assert not page.all("#save-name"), "it is saved already"
    await service.decide(ids[0], "spam")
    (one,) = await saved(person)
    assert (one["name"], one["count"], one["is_exact"], one["team"]) == ("Under the post", 2, True, False)
    assert one["query"] == {"status": "pending", "article": "post", "order": "newest"}
    page = Page((await person.ask("GET", "/moderate")).text)
    assert page.texts(".saved nav a")[0] == "Under the post 2" and page.link("Under the post 2") == where


async def test_the_oldest_stands_first_and_names_can_be_changed(service: Service) -> None:
    person = await signed_in(service, "moderator")
    for name in ("Zinnias", "Asters"):
        await save(person, name, q=name)
    first, second = await saved(person)
    assert [first["name"], second["name"]] == ["Zinnias", "Asters"]
    assert (await act(person, "rename", filter=first["id"], name="Beans")).status_code == 303
    for wrong in ("", " ", "x" * 41, "asters", "a\x07b"):
        answer = await act(person, "rename", filter=first["id"], name=wrong)
        assert answer.status_code == 422 and "nothing changed" in Page(answer.text).text('[role="alert"]')
    assert [one["name"] for one in await saved(person)] == ["Beans", "Asters"]
    page = Page((await person.ask("GET", "/moderate/filters")).text)
    assert "Pending · “Zinnias”" in page.text()
    assert (await act(person, "delete", filter=first["id"])).status_code == 303
    assert [one["name"] for one in await saved(person)] == ["Asters"]
    assert (await act(person, "delete", filter=first["id"])).status_code == 404


async def test_there_are_twelve_at_most(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderation.queue.saved.MOST", 2)
    person = await signed_in(service)
    for name in ("One", "Two"):
        await save(person, name, q=name)
    answer = await act(person, "save", name="Three", q="three")
    assert answer.status_code == 409 and "There are 2 already" in Page(answer.text).text()
    await save(person, "Three", q="three", team="1")
    assert len(await saved(person)) == 3


@pytest.mark.parametrize("wrong", [{"status": "dull"}, {"rule": "no-rule"}, {"author": "x"}, {"order": "best"}])
async def test_filters_that_are_none_are_not_saved(service: Service, wrong: dict[str, str]) -> None:
    person = await signed_in(service, "moderator")
    assert (await act(person, "save", name="Wrong", **wrong)).status_code == 422
    assert await saved(person) == []


async def test_the_teams_are_an_administrators_to_order_and_every_members_to_use(service: Service) -> None:
    chief, local, here, there = [
        await signed_in(service, *who)
        for who in (
            ("administrator", "*"),
            ("administrator", "default"),
            ("moderator", "default"),
            ("moderator", "other"),
        )
    ]
    await save(chief, "Everywhere", q="zeppelin", team="1")
    await save(local, "Only here", rule="many-links", team="1")
    await save(local, "My own", q="own")
    await save(chief, "Over there", site="other", team="1")
    assert (await act(here, "save", name="Mine for all", q="x", team="1")).status_code == 403
    assert (await act(local, "save", name="Not mine", site="other", team="1")).status_code == 403
    assert (await act(local, "save", name="Not mine", site="other")).status_code == 403

    async def names(person: Person) -> list[str]:
        return [one["name"] for one in await saved(person)]

    assert await names(chief) == ["Everywhere", "Only here", "Over there"]
    assert await names(here) == ["Everywhere", "Only here"]
    assert await names(local) == ["Everywhere", "Only here", "My own"]
    assert await names(there) == ["Everywhere", "Over there"]
    ids = {one["name"]: one["id"] for person in (chief, local) for one in await saved(person)}
    for person, name, status in (
        (here, "Only here", 403),
        (local, "Everywhere", 403),
        (here, "My own", 404),
        (chief, "My own", 404),
        (there, "Only here", 404),
    ):
        for what in ("rename", "delete"):
            assert (await act(person, what, filter=ids[name], name="Other")).status_code == status, (name, what)
    assert (await act(chief, "rename", filter=ids["Only here"], name="Links")).status_code == 303
    history = (await local.ask("GET", "/api/v1/audit")).json()["entries"]
    assert [one["action"] for one in history if one["action"].startswith("filter:")] == ["filter:rename", "filter:save"]


async def test_a_tab_counts_the_own_site_alone(service: Service) -> None:
    await service.held()
    chief, there = await signed_in(service), await signed_in(service, "moderator", "other")
    await save(chief, "Links", rule="stranger-with-link", team="1")
    assert [one["count"] for one in await saved(chief)] == [1]
    assert [one["count"] for one in await saved(there)] == [0]


async def test_whoever_leaves_takes_their_own_along(service: Service) -> None:
    chief, ann = await signed_in(service), await signed_in(service, "moderator")
    await save(ann, "Hers", q="x")
    await save(chief, "The team's", q="x", team="1")
    async with service.services.database.transaction() as tx:
        await members.remove(tx, principal(chief), ann.moderator.id, service.clock())
        rows = await tx.fetch("SELECT name FROM saved_filters WHERE site = '*'")
    assert [row[0] for row in rows] == ["The team's"]


async def test_what_names_a_person_goes_with_the_person(service: Service) -> None:
    email = "ines@readers.example"
    id = await service.held(email=email)
    person = await signed_in(service)
    await save(person, "Ines", author=id, status="any")
    await save(person, "Her address", q=f"late {email}")
    await save(person, "Others", q="ben@readers.example")
    services = service.services
    subject = data_requests.data_subject_of(services.signer, email)
    told = await data_requests.export(services.database, subject, 30)
    assert [one["name"] for one in told["saved_filters"]] == ["Ines", "Her address"]
    here = data_requests.data_subject_of(services.signer, email, "default")
    assert (await data_requests.export(services.database, here, 30))["saved_filters"] == []
    await data_requests.erase(services.database, subject, "operator", service.clock())
    assert [one["name"] for one in await saved(person)] == ["Others"]


def test_two_lists_that_show_the_same_are_one_document() -> None:
    one = filters.canonical({"status": "", "order": "oldest", "q": "", "label": "insult"})
    assert one == filters.canonical({"label": "insult", "status": "pending", "cursor": "x"})
    assert not filters.is_worth_a_tab({"status": "spam"}) and filters.is_worth_a_tab(one)


def test_a_filter_is_said_in_words() -> None:
    asked = {
        "status": "pending,spam", "site": "g", "article": "a", "label": "identity_attack", "rule": "many-links", "author": "x",
        "q": "late", "assigned": "me", "sample": "1", "order": "worst",
    }  # fmt: skip
    assert filters.said(asked, {"g": "Garden"}) == (
        "Pending or Spam · Garden · article a · identity attack · many links · one author · “late” · assigned to me · audit sample · worst first"
    )
    assert filters.said({"snoozed": "only", "assigned": "m1"}, {"m1": "Ann"}) == "Snoozed · of Ann"
