"""Blocks as a list: by whom, why and until when; over by themselves, lifted by a person; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.core.problem import Invalid
from moderation.core.signing import Signer
from moderation.core.times import iso
from moderation.policy import blocks, settings_history
from moderation.policy import store_settings_history as past_settings
from moderation.policy.rejudge import PastSettings
from moderation.privacy import retention
from moderation.sites import store as sites
from moderation.sites.assignments import parsed
from moderation.sites.model import DAY
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service
from tests.html import Page, csrf
from tests.queue.test_block import SENT, status
from tests.queue.test_decide import set_password, sign_in
from tests.team.test_roles import signed_in

pytestmark = pytest.mark.anyio
LIST = "/api/v1/sites/default/blocks"
RULES = "/api/v1/sites/default/rules"


async def block(service: Service, who: dict[str, str], id: str, target: str, **how: str) -> Any:
    answer = await service.client.post(f"/api/v1/comments/{id}/block", json={"target": target, **how}, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()["blocks"]


async def listed(service: Service, who: dict[str, str], **query: Any) -> Any:
    answer = await service.client.get(LIST, headers=who, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def house(service: Service) -> SiteSettings:
    async with service.services.database.reading() as session:
        return (await settings_history.site_of(session, "default")).settings


@pytest.mark.parametrize("target", ["author", "network", "domain:blog.example"])
async def test_a_block_fires_until_its_end_and_is_then_over(service: Service, target: str) -> None:
    who, id = await service.token(), await service.held(**SENT)
    sent = {"email": SENT["email"], "body": "A walk along the river, as in https://blog.example/one"}
    await block(service, who, id, target, lasts="day", reason="  A ring of   pills. ")
    (one,) = (await listed(service, who))["blocks"]
    end = service.clock() + DAY
    assert (one["reason"], one["until"], one["over"], one["from_comment"]) == (
        "A ring of pills.",
        iso(end),
        False,
        True,
    )
    assert one["created_at"] == iso(service.clock()) and one["moderator"] and one["comment"] == id
    assert await status(service, who, **sent) == "spam"
    service.clock.now = end - 2_000
    assert (
        await status(service, who, **sent | {"body": "The tomatoes of https://blog.example/two are late this year."})
        == "spam"
    )
    service.clock.now = end
    # Over before any task has looked: it fires no more, and the list says so.
    assert (
        await status(service, who, **sent | {"body": "A photograph of the old gate: https://blog.example/3"}) != "spam"
    )
    (one,) = (await listed(service, who))["blocks"]
    assert one["over"] is True
    assert await blocks.is_any_over(service.services.database, service.clock)
    assert await blocks.end_over(service.services.database, service.clock()) == 1
    told = await listed(service, who)
    assert told["total"] == 0 and told["blocks"] == [] and [o["until"] for o in told["over"]] == [iso(end)]
    assert told["over"][0]["over"] is True and told["over"][0]["reason"] == "A ring of pills."
    now = await house(service)
    assert now.disallowed == () and now.disallowed_until == {}
    assert not await blocks.is_any_over(service.services.database, service.clock)
    service.clock.forward(hours=24 * 31)
    await retention.purge(service.services.database, retention.Keep(), service.clock())
    assert (await listed(service, who))["over"] == []


async def test_blocking_again_sets_another_end_and_without_one_it_stays(service: Service) -> None:
    who, id = await service.token(), await service.held(**SENT)
    await block(service, who, id, "author", lasts="week")
    week = (await house(service)).disallowed_until
    await block(service, who, id, "author", lasts="month")
    month = (await house(service)).disallowed_until
    assert week.keys() == month.keys() and max(week.values()) < max(month.values())
    await block(service, who, id, "author")
    now = await house(service)
    assert now.disallowed_until == {} and len(now.disallowed) == 1
    service.clock.forward(hours=24 * 40)
    assert await status(service, who, email=SENT["email"]) == "spam"
    for wrong in ({"lasts": "year"}, {"lasts": 7}, {"reason": "x" * 201}):
        sent = {"target": "author"} | wrong
        answer = await service.client.post(f"/api/v1/comments/{id}/block", json=sent, headers=who)
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] in wrong


async def test_the_list_names_each_kind_and_never_an_address(service: Service) -> None:
    who, id = await service.token(), await service.held(**SENT, name="Eve")
    given = ["casino", "*.bad.example", "203.0.113.0/24", "mallory@bad.example"]
    await service.client.put(RULES, json={"disallowed": given}, headers=who)
    for target in ("author", "network"):
        await block(service, who, id, target)
    told = await listed(service, who)
    assert [(one["kind"], one["value"], one["name"]) for one in told["blocks"]] == [
        ("network", None, None),
        ("author", None, "Eve"),
        ("author", None, None),
        ("network", "203.0.113.0/24", None),
        ("domain", "*.bad.example", None),
        ("word", "casino", None),
    ]
    assert all(one["moderator"] and one["until"] is None for one in told["blocks"])
    assert "mallory" not in str(told) and "127.0.0.1" not in str(told)
    first = await listed(service, who, limit=4)
    rest = await listed(service, who, limit=4, cursor=first["next"])
    assert [*first["blocks"], *rest["blocks"]] == told["blocks"] and rest["next"] is None
    for cursor in ("x", "-1", "1" * 9):
        wrong = await service.client.get(LIST, headers=who, params={"cursor": cursor})
        assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "cursor"


async def test_a_block_is_lifted_by_its_entry(service: Service) -> None:
    who, id = await service.token(), await service.held(**SENT)
    await block(service, who, id, "author", lasts="week", reason="A ring.")
    (one,) = (await listed(service, who))["blocks"]
    answer = await service.client.post(f"{LIST}/lift", json={"entry": one["entry"]}, headers=who)
    assert answer.json() == {"site": "default", "total": 0}
    assert await status(service, who, email=SENT["email"]) != "spam"
    assert await listed(service, who) == {"site": "default", "total": 0, "blocks": [], "over": [], "next": None}
    again = await service.client.post(f"{LIST}/lift", json={"entry": one["entry"]}, headers=who)
    assert again.status_code == 404
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert ("author:unblock", id) in [(e["action"], e["subject"]) for e in entries]
    assert one["entry"] not in str(entries) and "ring" not in str(entries)


async def test_who_may_lift_what(service: Service) -> None:
    who, id = await service.token(), await service.held(**SENT)
    await service.client.put(RULES, json={"disallowed": ["casino"]}, headers=who)
    await block(service, who, id, "author")
    here, there = await signed_in(service, "moderator", "default"), await signed_in(service, "administrator", "other")
    author, word = [one["entry"] for one in (await listed(service, who))["blocks"]]
    assert word == "casino"
    assert (await here.ask("POST", f"{LIST}/lift", json={"entry": word})).status_code == 403
    for entry in (author, word):
        assert (await there.ask("POST", f"{LIST}/lift", json={"entry": entry})).status_code == 404
    assert (await there.ask("GET", LIST)).status_code == 404
    assert (await there.ask("GET", "/moderate/blocks?site=default")).status_code == 404
    form = {"csrf_token": there.csrf, "site": "default", "entry": author}
    assert (await there.ask("POST", "/moderate/blocks/lift", data=form)).status_code == 404
    assert (await here.ask("POST", f"{LIST}/lift", json={"entry": author})).status_code == 200
    assert (await house(service)).disallowed == ("casino",)


async def test_ends_are_settings_that_change_and_are_undone_with_the_list(service: Service) -> None:
    who = await service.token()
    end = "2027-02-01T12:00:00.000Z"
    sent = {
        "disallowed": ["casino", "eve@bad.example"],
        "disallowed_until": {"casino": "2027-02-01 12:00", "eve@bad.example": end},
    }
    told = (await service.client.put(RULES, json=sent, headers=who)).json()["rules"]
    assert set(told["disallowed_until"]) == set(told["disallowed"]) and set(told["disallowed_until"].values()) == {end}
    assert "eve@" not in str(told)
    kept = (await service.client.put(RULES, json={"max_links": 5}, headers=who)).json()["rules"]
    assert kept["disallowed_until"] == told["disallowed_until"]
    gone = (await service.client.put(RULES, json={"disallowed": ["casino"]}, headers=who)).json()["rules"]
    assert gone["disallowed_until"] == {"casino": end}, "an end goes with its entry"
    async with service.services.database.transaction() as tx:
        newest = await past_settings.latest(tx, "default")
        assert newest
        await settings_history.put_back(tx, "default", newest.id, "operator", service.clock())
    assert (await house(service)).disallowed_until == told["disallowed_until"]
    log = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert all("author:" not in str(entry["detail"]) and "casino" not in str(entry["detail"]) for entry in log)
    for wrong in ("casino", ["casino"], {"casino": "soon"}, {"casino": 5}, {"casino": None}):
        answer = await service.client.put(RULES, json={"disallowed_until": wrong}, headers=who)
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "disallowed_until", wrong


def test_settings_in_force_compile_once_until_the_next_end() -> None:
    settings = SiteSettings(
        disallowed=("casino", "pills", "a.example", "example"),
        disallowed_until={"casino": "2027-01-01T00:00:00.000Z", "a.example": "2027-01-02T00:00:00.000Z"},
    )
    first, second = 1_798_761_600_000, 1_798_848_000_000
    assert settings.in_force(first - 1) is settings
    assert settings.in_force(first).disallowed == ("pills", "a.example", "example")
    assert settings.in_force(first) is settings.in_force(second - 1)
    assert settings.in_force(second).disallowed == ("pills", "example")
    assert settings == SiteSettings.of(settings.stored()), "what is kept beside the settings is none"
    past = PastSettings(settings, [])
    assert past.at(first - 1) is settings
    later = past.at(second)
    assert later and later.disallowed == ("pills", "example")


async def test_what_a_domain_reaches_is_offered_last(service: Service) -> None:
    who = await service.token()
    good = await service.held(body="A good read: https://good.example/1")
    decision = {"comments": [good], "action": "approve"}
    assert (await service.client.post("/api/v1/decisions", json=decision, headers=who)).status_code == 200
    await set_password(service)
    await sign_in(service)
    id = await service.held(body="https://good.example/2 and https://pills.example/3", email="eve@pills.example")
    page = Page((await service.client.get("/moderate")).text)
    offered = page.all(f'#row-{id} button[name="target"]')
    assert [one["value"] for one in offered] == [
        "article", "author", "domain:pills.example", "domain:good.example", "network",
    ]  # fmt: skip
    assert ["delete" in (one.get("class") or []) for one in offered] == [False, False, False, True, True]


async def test_the_page_blocks_for_a_week_lists_and_lifts(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    id = await service.held(**SENT, name="Eve")
    page = (await service.client.get("/moderate")).text
    form = {
        "csrf_token": csrf(page),
        "back": "/moderate",
        "target": "author",
        f"lasts-{id}": "week",
        f"because-{id}": "A ring",
    }
    assert (await service.client.post(f"/moderate/comments/{id}/block", data=form)).status_code == 303
    (until,) = (await house(service)).disallowed_until.values()
    assert until == iso(service.clock() + 7 * DAY)
    shown = Page((await service.client.get("/moderate")).text)
    assert f"Let the author in again (blocked until {until[:10]})" in shown.text()
    listed = Page((await service.client.get("/moderate/blocks")).text)
    (row,) = listed.texts(".blocks li")
    assert "Author Eve" in row and "A ring" in row and "by moderator@example.org" in row and "until" in row
    lift = {"csrf_token": csrf(page), "site": "default", "entry": listed.value("entry")}
    assert (await service.client.post("/moderate/blocks/lift", data=lift | {"csrf_token": "x"})).status_code == 403
    done = await service.client.post("/moderate/blocks/lift", data=lift)
    after = Page((await service.client.get(done.headers["location"])).text)
    assert "It is lifted" in after.text() and "Nothing is blocked" in after.text()
    assert (await house(service)).disallowed == ()


async def test_entries_of_before_this_was_kept_are_listed_too(service: Service) -> None:
    who = await service.token()
    async with service.services.database.transaction() as tx:
        site = await settings_history.site_of(tx, "default")
        old = site.settings.model_copy(update={"disallowed": ("casino",)})
        await sites.put_site(tx, type(site)(key=site.key, name=site.name, settings=old), service.clock())
    (one,) = (await listed(service, who))["blocks"]
    assert (one["value"], one["moderator"], one["created_at"]) == ("casino", None, None)
    lifted = await service.client.post(f"{LIST}/lift", json={"entry": "casino"}, headers=who)
    assert lifted.status_code == 200 and (await house(service)).disallowed == ()


def test_ends_are_not_assigned_on_the_command_line() -> None:
    signer = Signer(b"sixteen bytes and more")
    assert parsed(["disallowed_until=default"], SiteSettings(), signer) == {"disallowed_until": None}
    with pytest.raises(Invalid, match="blocking"):
        parsed(["disallowed_until=casino:2027-01-01"], SiteSettings(), signer)
