"""What if: verdicts replayed from what is stored beside them, under other rules or another model, with nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moderation.policy import pages as policy
from moderation.policy import store_settings_history as past_settings
from moderation.policy.store_settings_history import KEPT
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service
from tests.html import Page
from tests.policy.test_settings import signed_in

URL = "/api/v1/what-if"


async def ask(service: Service, given: dict[str, Any] | None = None, **more: Any) -> Any:
    answer = await service.client.post(
        URL, json={"site": "default", "rules": given or {}} | more, headers=await service.token("moderate")
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rules(service: Service, **given: Any) -> None:
    service.clock.forward(seconds=1)
    headers = await service.token("moderate")
    assert (await service.client.put("/api/v1/sites/default/rules", json=given, headers=headers)).status_code == 200


def moves(found: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(move["from"], move["to"]): move["count"] for move in found["changes"]}


@pytest.mark.anyio
async def test_the_same_rules_change_nothing_and_others_change_what_they_would_have(service: Service) -> None:
    link = await service.held()
    await service.post(body="A word about turnips.")
    await service.post(body="A word about beets.")
    await rules(service, disallowed=["pills"])
    await service.post(body="A word about pills.")
    same = await ask(service)
    assert (same["verdicts"], same["changed"], same["examples"]) == (4, 0, [])
    assert moves(await ask(service, {"blocked": ["turnips"]})) == {("publish", "hold"): 1}
    assert moves(await ask(service, {"disallowed": ["turnips"]})) == {("publish", "spam"): 1, ("spam", "publish"): 1}
    assert moves(await ask(service, {"hold_at": {"insult": 0}}))[("publish", "hold")] == 2
    assert moves(await ask(service, {"spam_at": 0}))[("publish", "spam")] == 2
    found = await ask(service, {"hold": "newcomers", "disallowed": None})
    assert moves(found) == {("publish", "hold"): 2, ("spam", "hold"): 1}
    assert found["rules"] == {"hold": ["suspects", "newcomers"], "disallowed": [1, 0]}
    example = found["examples"][-1]
    assert example["reasons"] == ["first-time"] and example["excerpt"].startswith("A word about")
    assert example["url"] == f"/moderate/comments/{example['id']}"
    assert link not in str(found["examples"])  # held before and after
    # asking changes nothing
    now = await service.client.get("/api/v1/sites/default/rules", headers=await service.token())
    assert SiteSettings.of(now.json()["rules"]) == SiteSettings(disallowed=("pills",))


@pytest.mark.anyio
async def test_the_changes_stand_beside_what_moderators_decided(service: Service) -> None:
    ids = [(await service.post(body=f"Turnips, part {n}.")).json()["id"] for n in range(3)]
    headers = await service.token()
    for action, id in zip(("spam", "approve"), ids, strict=False):
        sent = {"comments": [id], "action": action}
        assert (await service.client.post("/api/v1/decisions", json=sent, headers=headers)).status_code == 200
        service.clock.forward(seconds=1)
    found = await ask(service, {"blocked": ["turnips"]})
    (move,) = found["changes"]
    assert (move["count"], move["agree"], move["disagree"], move["already"]) == (3, 1, 1, 0)
    assert found["decided"] == {"agree": 1, "disagree": 1}
    said = {one["id"]: (one["decided"], one["agrees"]) for one in found["examples"]}
    assert said == dict(zip(ids, [("spam", True), ("approve", False), (None, None)], strict=True))
    # once the rule is live, the past is what it was, and today's rules would change it already
    await rules(service, blocked=["turnips"])
    (move,) = (await ask(service))["changes"]
    assert (move["count"], move["already"]) == (3, 3)


@pytest.mark.anyio
async def test_only_the_days_asked_for_and_only_this_site(service: Service) -> None:
    await service.post(body="Turnips of long ago.")
    service.clock.forward(hours=24 * 3)
    await service.post(body="Turnips of today.")
    assert (await ask(service, {"blocked": ["turnips"]}, days=1))["changed"] == 1
    assert (await ask(service, {"blocked": ["turnips"]}, days=30))["changed"] == 2


@pytest.mark.anyio
async def test_what_is_not_kept_is_not_guessed(service: Service) -> None:
    await service.post(body="A kind word.")
    await service.held()
    # whether a new network would have matched nobody knows any more; of what is held anyway it makes no difference
    found = await ask(service, {"blocked": ["203.0.113.0/24"]})
    assert found["changed"] == 0
    assert found["not_replayed"]["why"] == {"address": 1} and len(found["not_replayed"]["comments"]) == 1
    # an entry that stood then, and stands still, answers as it did
    await rules(service, blocked=["203.0.113.0/24"])
    assert (await service.post(body="Another kind word.")).status_code == 202
    found = await ask(service, {"blocked": ["203.0.113.0/24", "beets"]})
    # the first came before the entry stood
    assert found["changed"] == 0 and found["not_replayed"]["why"] == {"address": 1}
    found = await ask(service, {"blocked": []})
    assert moves(found) == {("hold", "publish"): 1} and found["not_replayed"]["count"] == 0


@pytest.mark.anyio
async def test_an_erased_text_is_replayed_as_far_as_it_needs_no_text(service: Service) -> None:
    id = (await service.post(body="A kind word.")).json()["id"]
    async with service.services.database.transaction() as tx:
        await tx.execute("UPDATE submissions SET body = '', author_key = id WHERE site = 'default' AND id = ?", id)
    assert (await ask(service, {"hold": "newcomers"}))["changed"] == 1
    found = await ask(service, {"blocked": ["kind"]})
    assert found["changed"] == 0 and found["not_replayed"] == {"count": 1, "why": {"erased": 1}, "comments": [id]}


@pytest.mark.anyio
async def test_a_candidate_model_scores_the_stored_texts_anew(service: Service, tmp_path: Path) -> None:
    id = (await service.post(body="A kind word.")).json()["id"]
    version = service.services.scorer.classifier.version
    found = await ask(service, model=version)
    assert found["model"] == version and found["verdicts"] == 1 and found["changed"] == 0
    assert found["unchanged"] == {"publish": 1} and found["labels"] == {} and found["log_loss"] is None
    async with service.services.database.transaction() as tx:  # as if another model had scored it
        await tx.execute(
            """UPDATE submissions SET action = 'spam', scores = '{"spam": 0.999}' WHERE site = 'default'"""
        )
    assert (await ask(service))["changed"] == 0
    headers = await service.token()
    sent: dict[str, Any] = {"comments": [id], "action": "approve"}
    assert (await service.client.post("/api/v1/decisions", json=sent, headers=headers)).status_code == 200
    found = await ask(service, model=version)
    assert moves(found) == {("spam", "publish"): 1} and found["decided"] == {"agree": 1, "disagree": 0}
    assert found["labels"]["spam"] == {"decided": 1, "from": 0, "to": 1}
    assert found["log_loss"]["to"] < found["log_loss"]["from"]
    assert (await ask(service))["labels"] == {}, "the scores are the same"
    for wrong in ("no-such-version", "../../etc", "x" * 5000, "", 1, "\u00e9"):
        sent = {"site": "default", "model": wrong}
        answer = await service.client.post(URL, json=sent, headers=headers)
        assert answer.status_code == 422, wrong
        assert [e["field"] for e in answer.json()["errors"]] == ["model"]


@pytest.mark.anyio
async def test_who_may_ask_and_what_is_refused(service: Service) -> None:
    assert (await service.client.post(URL, json={"site": "default"})).status_code == 401
    for scope, site, status in (("score", "*", 403), ("moderate", "default", 200)):
        headers = await service.token(scope, site)
        assert (await service.client.post(URL, json={"site": "default"}, headers=headers)).status_code == status
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), service.clock())
    headers = await service.token("moderate", "other")
    assert (await service.client.post(URL, json={"site": "default"}, headers=headers)).status_code == 404
    assert (await service.client.post(URL, json={"site": "other"}, headers=headers)).status_code == 200
    headers = await service.token()
    sent: dict[str, Any] = {"site": "DEFAULT", "days": 0, "rules": [], "model": 3}
    answer = await service.client.post(URL, json=sent, headers=headers)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["site", "days", "rules", "model"]
    answer = await service.client.post(URL, json={"site": "default", "rules": {"max_links": -1}}, headers=headers)
    assert [e["field"] for e in answer.json()["errors"]] == ["max_links"]
    assert (await service.client.post(URL, json={"site": "nowhere"}, headers=headers)).status_code == 404


@pytest.mark.anyio
async def test_the_page_shows_what_would_change_before_it_is_saved(service: Service) -> None:
    await service.post(body="A <b>word</b> about turnips.", name="Ann <i>")
    assert (await service.client.get("/moderate/what-if")).status_code == 303
    csrf = await signed_in(service, "moderator")
    page = Page((await service.client.get("/moderate/what-if")).text)
    fields = page.value("fields")
    assert "Save the policy" not in page.text()
    typed = {k: v for k, v in policy.typed_of(SiteSettings()).items() if v is not False}
    typed |= {"csrf_token": csrf, "site": "default", "fields": fields, "days": "7", "blocked": "turnips"}
    page = Page((await service.client.post("/moderate/what-if", data=typed)).text)
    assert page.text("#what-if-found") == "1 of 1 verdict of the last 7 days would change"
    (example,) = page.texts("[aria-label=Examples] tbody tr")
    assert "blocked 0 → 1" in page.texts("#what-if-found + p") and "Ann <i>" in example and "blocked word" in example
    assert page.value("blocked") == "turnips"
    wrong = await service.client.post("/moderate/what-if", data=typed | {"max_links": "x", "model": "nope"})
    assert wrong.status_code == 422 and Page(wrong.text).has("#policy-max_links-wrong")
    wrong = await service.client.post("/moderate/what-if", data=typed | {"model": "nope"})
    assert wrong.status_code == 422 and Page(wrong.text).has("#what-if-model-wrong")
    assert (await service.client.post("/moderate/what-if", data=typed | {"csrf_token": "x"})).status_code == 403
    await signed_in(service, "administrator")
    assert Page((await service.client.get("/moderate/what-if")).text).has('[formaction="/moderate/policy"]')


@pytest.mark.anyio
async def test_before_the_changes_that_are_kept_nobody_knows_which_networks_stood(service: Service) -> None:
    await rules(service, blocked=["203.0.113.0/24"])
    assert (await service.post(body="A kind word.")).status_code == 202
    assert (await ask(service, {"blocked": ["203.0.113.0/24", "beets"]}))["not_replayed"]["count"] == 0
    for n in range(KEPT + 1):
        await rules(service, max_links=10 + n)
    async with service.services.database.reading() as session:
        kept = await past_settings.versions(session, "default", 100)
    assert len(kept) == KEPT and kept[0].settings.max_links == 10 + KEPT - 1
    found = await ask(service, {"blocked": ["203.0.113.0/24", "beets"]})
    assert found["changed"] == 0 and found["not_replayed"]["why"] == {"address": 1}
