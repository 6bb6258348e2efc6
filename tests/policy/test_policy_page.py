"""The policy page: every setting with its meaning, promises beside thresholds, wrong values at their fields, undo."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from classifier.labels import LABELS
from moderation.db.database import Row
from moderation.policy import pages as policy
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy import thresholds as error_budget
from moderation.policy.store_verdicts import Outcome
from moderation.sites import site_settings as rules
from moderation.sites.site_settings import SKIPPABLE, SiteSettings
from tests.conftest import Service
from tests.html import Page
from tests.policy.test_settings import signed_in

PAGE = "/moderate/policy"


def test_the_page_has_every_setting() -> None:
    assert sorted((*policy.SETTINGS, *policy.ELSEWHERE)) == sorted(rules.DEFAULTS)


async def form(service: Service, csrf: str, **changes: Any) -> dict[str, Any]:
    """The form as the page serves it, filled in by a browser."""
    page = Page((await service.client.get(PAGE)).text)
    found: dict[str, Any] = {"csrf_token": csrf, "site": "default"}
    found |= {name: page.value(name) for name in ("seen", "fields")}
    typed = policy.typed_of(await read(service))
    found |= {name: value for name, value in typed.items() if value is not False}
    return found | changes


async def read(service: Service) -> SiteSettings:
    told = (await service.client.get("/api/v1/sites/default/rules")).json()["rules"]
    return SiteSettings.of(told)


async def save(service: Service, typed: dict[str, Any]) -> Any:
    service.clock.forward(seconds=1)
    return await service.client.post(PAGE, data=typed)


@pytest.mark.anyio
async def test_what_is_saved_holds_from_the_next_comment_on_and_one_click_undoes_it(service: Service) -> None:
    csrf = await signed_in(service, "administrator")
    assert (await service.post(body="A word about turnips.")).status_code == 201
    typed = await form(service, csrf, blocked="turnips\n\nann@example.org\n", max_links="2", hold="newcomers")
    answer = await save(service, typed | {"hold_at.insult": "0.25", "trust_skips": ["label"]})
    assert answer.status_code == 303, answer.text
    now = await read(service)
    assert now.blocked[0] == "turnips" and now.blocked[1].startswith("author:")
    assert (now.max_links, now.hold, now.hold_at, now.trust_skips) == (2, "newcomers", {"insult": 0.25}, ("label",))
    assert now.require_name and now.honeypot == "hold"
    page = Page((await service.client.get(answer.headers["location"])).text)
    assert "The policy is saved" in page.text()
    (what,) = page.texts("tr:has(form) > td:nth-of-type(3)")
    changes = dict(change.split(" ", 1) for change in what.split("; "))
    assert changes["max_links"] == "3 → 2" and changes["blocked"] == "0 → 2"
    assert changes["hold"] == "suspects → newcomers" and changes["hold_at"] == "nothing → insult 0.25"
    history = (await service.client.get("/moderate/history")).text
    assert "hold suspects → newcomers" in history and "hold_at nothing → insult 0.25" in history and "{" not in history
    held = await service.post(body="Another word about turnips.")
    assert held.status_code == 202
    undo = {"csrf_token": csrf, "site": "default", "version": page.value("version")}
    service.clock.forward(seconds=1)
    answer = await service.client.post(PAGE + "/undo", data=undo)
    assert answer.status_code == 303
    assert await read(service) == SiteSettings()
    assert (await service.post(body="A third word about turnips.")).status_code == 201
    # the undo is a change like any other, so it can be undone
    latest, _ = Page((await service.client.get(PAGE)).text).attributes('[name="version"]', "value")
    await service.client.post(PAGE + "/undo", data=undo | {"version": latest})
    assert await read(service) == now
    log = (await service.client.get("/api/v1/audit")).json()["entries"]
    acts = [e["action"] for e in log if e["action"].startswith("rules:")]
    assert sorted(acts) == ["rules:change", "rules:undo", "rules:undo"]
    assert "turnips" not in str(log) and "author:" not in str(log)


@pytest.mark.anyio
async def test_wrong_values_are_named_at_their_fields_with_what_was_typed(service: Service) -> None:
    csrf = await signed_in(service, "administrator")
    wrong = {"max_links": "many", "spam_at": "1.5", "hold_at.insult": "often", "disallowed": "casino\n***",
             "close_after_days": "-1", "honeypot": "delete"}  # fmt: skip
    answer = await save(service, await form(service, csrf, **wrong, blocked="a kept <line>"))
    assert answer.status_code == 422
    page = Page(answer.text)
    for name, typed in (wrong | {"blocked": "a kept <line>"}).items():
        assert page.has(f"#policy-{name.replace('.', '-')}-wrong") == (name in wrong), name
        if name != "honeypot":  # there are no other choices
            assert page.value(name) == typed
    assert "6 settings need your attention; nothing has changed" in page.text()
    assert await read(service) == SiteSettings()
    # an emptied number is its default again
    assert (await save(service, await form(service, csrf, max_links="7"))).status_code == 303
    assert (await save(service, await form(service, csrf, max_links=" "))).status_code == 303
    assert (await read(service)).max_links == 3


@pytest.mark.anyio
async def test_two_who_change_at_once_do_not_overwrite_each_other(service: Service) -> None:
    csrf = await signed_in(service, "administrator")
    mine = await form(service, csrf, max_links="5")
    await service.client.put(
        "/api/v1/sites/default/rules", json={"spam_at": 0.9}, headers=await service.token("moderate")
    )
    answer = await save(service, mine)
    assert answer.status_code == 409 and "Somebody else has changed the rules" in answer.text
    page = Page(answer.text)
    assert page.value("max_links") == "5"
    assert await read(service) == SiteSettings(spam_at=0.9)
    assert (await save(service, mine | {"seen": page.value("seen")})).status_code == 303
    assert await read(service) == SiteSettings(max_links=5)


@pytest.mark.anyio
async def test_who_may_change_and_who_may_only_read(service: Service) -> None:
    assert (await service.client.get(PAGE)).status_code == 303
    csrf = await signed_in(service, "moderator")
    page = (await service.client.get(PAGE)).text
    assert "Only an administrator changes the policy" in page and "Save the policy" not in page
    typed = await form(service, csrf, max_links="5")
    assert (await save(service, typed)).status_code == 403
    assert (await service.client.post(PAGE + "/undo", data=typed | {"version": "x"})).status_code == 403
    csrf = await signed_in(service, "administrator")
    assert (await save(service, typed)).status_code == 403  # another session's token
    assert (await save(service, typed | {"csrf_token": csrf, "site": "nowhere"})).status_code == 404
    assert (await service.client.get(PAGE, params={"site": "nowhere"})).status_code == 404
    unknown = {"csrf_token": csrf, "site": "default", "version": "no-such"}
    assert (await service.client.post(PAGE + "/undo", data=unknown)).status_code == 404
    assert await read(service) == SiteSettings()


@pytest.mark.anyio
async def test_a_list_too_long_for_a_form_stays_as_it_is(service: Service) -> None:
    csrf = await signed_in(service, "administrator")
    many = [f"word{n} and another" for n in range(6_000)]
    headers = await service.token("moderate")
    assert (
        await service.client.put("/api/v1/sites/default/rules", json={"blocked": many}, headers=headers)
    ).status_code == 200
    page = Page((await service.client.get(PAGE)).text)
    assert "has 6000 entries, too many for a form" in page.text() and not page.has('[name="blocked"]')
    typed = await form(service, csrf, max_links="5")
    typed.pop("blocked")
    assert (await save(service, typed)).status_code == 303
    now = await read(service)
    assert now.max_links == 5 and len(now.blocked) == 6_000


@pytest.mark.anyio
async def test_without_decisions_the_page_says_to_hold_and_how_many_are_lacking(service: Service) -> None:
    await signed_in(service, "administrator")
    page = Page((await service.client.get(PAGE)).text)
    keeps = page.texts('td[data-label="Thresholds within the budget"]')
    # 1/1000 needs ln (0.05 / 3) / ln 0.999 of them without a mistake, 1/100 ln (0.05 / 3) / ln 0.99
    for told, lacking in zip(keeps, ("4,093", "408"), strict=True):
        assert told.startswith("Hold ") and f"About {lacking} more decisions are needed" in told
    assert "Fill in these thresholds" not in page.text()
    wrong = Page((await service.client.get(PAGE, params={"filed": "2", "published": "1/50"})).text)
    filed, published = wrong.texts("tbody th")[:2]
    assert wrong.has("#policy-filed-wrong") and "At most 1/50 of what is published" in published
    assert "At most 1/1000 of what is filed" in filed, "the table says what it has worked out, not what was typed"
    percent = Page((await service.client.get(PAGE, params={"filed": "0.2 %", "published": "5%"})).text)
    assert not percent.has("[id$=-wrong]") and "At most 5% of what is published" in percent.texts("tbody th")[1]
    assert "About 80 more decisions are needed" in percent.text()  # ln (0.05 / 3) / ln 0.95 is 79.8


def outcome(action: str, spam: float, model: str = "m+default.3") -> Outcome:
    scores = dict.fromkeys(LABELS, 0.01) | {"spam": spam}
    return Outcome(
        submission="c",
        action=action,
        labels=(),
        decided_at=0,
        judged_action="hold",
        scores=scores,
        judged_at=0,
        model=model,
    )


def test_promises_come_from_decisions_that_carry_them_and_from_this_model_alone() -> None:
    house = SiteSettings(spam_at=0.99)
    decided = [outcome("spam", 0.9 + n / 100_000) for n in range(5_000)]
    decided += [outcome("approve", 0.1 + n / 100_000) for n in range(1_000)]
    told = error_budget.promised(decided, "m", house, {}, 1 / 1000, 1 / 100)
    assert told["decisions"] == 6_000
    assert 0.9 <= told["filed"]["at"] <= 0.901  # the least sure of those that were spam, as far as the walk steps
    assert told["filed"]["bound"] <= 1 / 1000 and told["published"]["bound"] <= 1 / 100
    assert 0.1 <= told["published"]["at"] < 0.9
    assert told["filed"]["today"] == {"count": 0, "wrong": 0, "bound": None}
    assert told["published"]["today"]["count"] == 1_000 and told["published"]["today"]["wrong"] == 0
    few = error_budget.promised(decided[:100] + decided[-100:], "m", house, {}, 1 / 1000, 1 / 100)
    assert few["filed"]["at"] is None and few["filed"]["lacking"] > 1_000
    assert error_budget.promised(decided, "another", house, {}, 1 / 1000, 1 / 100)["decisions"] == 0


@pytest.mark.anyio
async def test_thresholds_that_keep_a_promise_are_filled_in_and_not_yet_saved(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = service.services.scorer.classifier.version
    decided = [outcome("spam", 0.95, version)] * 5_000 + [outcome("approve", 0.2, version)] * 1_000

    async def stored(*_: Any) -> list[Outcome]:
        return decided

    monkeypatch.setattr("moderation.policy.store_verdicts.outcomes", stored)
    await signed_in(service, "administrator")
    page = (await service.client.get(PAGE)).text
    assert "Fill in these thresholds" in page
    filled = Page((await service.client.get(PAGE, params={"fill": "1"})).text)
    assert filled.value("spam_at") == "0.95" and filled.value("hold_at.insult") == "0.2"
    assert "They are not saved yet" in filled.text() and await read(service) == SiteSettings()


def test_every_rule_that_trust_may_skip_is_offered() -> None:
    assert set(SKIPPABLE) >= set(SiteSettings().trust_skips)


DIFFERENT = (
    "The same happened in our town last year, see https://blog.example/1",
    "My aunt keeps bees and wrote it all down at https://bees.example/log",
    "A table of frost dates by county: https://frost.example/table",
    "There is a film about this hinge, https://film.example/hinge it is called",
    "Ours came from https://seeds.example/ and nearly all of them sprouted",
)
"""No near-duplicates: a wave counts once."""


@pytest.mark.anyio
@pytest.mark.parametrize("page", [PAGE, "/moderate/stats"])
async def test_whoever_opens_the_page_keeps_nobody_from_posting(
    service: Service, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    await signed_in(service, "administrator")
    who = await service.token()
    for action, body in zip(("approve", "spam", "reject", "approve", "spam"), DIFFERENT, strict=True):
        decided = {"comments": [await service.held(body=body)], "action": action}
        assert (await service.client.post("/api/v1/decisions", json=decided, headers=who)).status_code == 200
    async with service.services.database.reading() as session:
        at_once = await decided_verdicts.outcomes(session, "default", 0)
        monkeypatch.setattr(decided_verdicts, "PAGE", 2)
        assert await decided_verdicts.outcomes(session, "default", 0) == at_once and len(at_once) == 5
        assert await decided_verdicts.outcomes(session, "default", 0, most=3) == at_once[2:]
    on_the_loop = list[bool]()
    one_of = decided_verdicts.outcome_of

    def watched(row: Row) -> Outcome:
        on_the_loop.append(threading.current_thread() is threading.main_thread())
        return one_of(row)

    monkeypatch.setattr(decided_verdicts, "outcome_of", watched)
    assert (await service.client.get(page)).status_code == 200
    assert on_the_loop == [False] * 5
