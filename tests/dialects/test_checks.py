"""Comments that are kept elsewhere: judged, decided and erased here, and never public."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moderation.comments import store as comments
from moderation.dialects.checks import submission_of
from moderation.dialects.mentions import without_mentions
from moderation.dialects.model import Check
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer import commands as transfer
from tests.conftest import Service

CHECKS = "/api/v1/sites/default/checks"
KIND = "A kind word about the garden: the beans grow well this year."
CASINO = (
    "Best online casino bonus!!! Win cash now at https://casino-bonus.example/win and https://casino-bonus.example/free"
)


async def check(service: Service, *, scopes: str = "score,teach", status: int = 200, **fields: Any) -> Any:
    answer = await service.client.post(CHECKS, json={"text": KIND} | fields, headers=await service.token(scopes))
    assert answer.status_code == status, answer.text
    return answer.json()


async def queue(service: Service, **query: Any) -> list[dict[str, Any]]:
    answer = await service.client.get("/api/v1/comments", params=query, headers=await service.token())
    assert answer.status_code == 200, answer.text
    return list(answer.json()["comments"])


@pytest.mark.anyio
async def test_a_check_is_judged_stored_and_told_by_its_keepers_id(service: Service) -> None:
    made = await check(
        service, id="wp-7", name="Ann", email="ann@example.org", ip="198.51.100.7", article="https://blog.example/beans"
    )
    assert (made["id"], made["action"], made["status"]) == ("wp-7", "publish", "approved")
    assert 0 <= made["scores"]["spam"] < 0.5 and made["model"]
    again = await service.client.get(f"{CHECKS}/wp-7", headers=await service.token("score"))
    assert again.json()["status"] == "approved"


@pytest.mark.anyio
async def test_nothing_of_a_check_is_public(service: Service) -> None:
    secret = "An unusual word: quagswagging in the garden."
    for article in ("post", "https://blog.example/post", ""):
        await check(service, text=secret + article, article=article, name="Ann")
    places = (
        "/sites/default/articles/post/comments", "/sites/default/feed", "/sites/default/articles/post/feed",
        "/sites/default/counts?article=post&article=checks:", "/sites/default/articles/checks:/comments",
        "/sites/default/articles/post/related",
    )  # fmt: skip
    for place in places:
        answer = await service.client.get(place)
        assert "quagswagging" not in answer.text, place
        assert '"count":1' not in answer.text.replace(" ", ""), place
    assert (await service.client.get("/sites/default/articles/checks:/comments")).status_code == 404
    assert len(await queue(service, status="any", q="quagswagging")) == 3  # moderators see it


@pytest.mark.anyio
async def test_spam_and_links_wait_or_are_filed_and_say_why(service: Service) -> None:
    made = await check(service, text=CASINO, id="s", name="Best Casino")
    assert made["action"] in ("hold", "spam") and made["reasons"]
    assert any(reason.get("label") == "spam" for reason in made["reasons"])


@pytest.mark.anyio
async def test_store_false_keeps_nothing_and_needs_score_alone(service: Service) -> None:
    made = await check(service, scopes="score", store=False, id="x", text="A rare word: xylopolist.")
    assert made["action"] == "publish" and "status" not in made
    assert (await service.client.get(f"{CHECKS}/x", headers=await service.token("score"))).status_code == 404
    assert await queue(service, status="any", q="xylopolist") == []


@pytest.mark.anyio
async def test_storing_and_deciding_need_teach_and_no_page_may(service: Service) -> None:
    await check(service, scopes="score", status=403)
    await check(service, id="a")
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), service.clock())
    decision = {"action": "spam"}
    for headers, status in (
        (await service.token("score"), 403),
        (await service.token("score,teach") | {"Origin": "https://page.example"}, 403),
        (await service.token("score,teach", site="other"), 404),
        ({}, 401),
    ):
        answer = await service.client.post(f"{CHECKS}/a/decisions", json=decision, headers=headers)
        assert answer.status_code == status, (headers, answer.text)
    assert (await queue(service, status="approved"))[0]["status"] == "approved"


@pytest.mark.anyio
async def test_the_same_check_is_one_comment(service: Service) -> None:
    token = await service.token("score,teach")
    fields = {"text": KIND, "name": "Ann", "email": "ann@example.org", "article": "a"}
    ids = [(await service.client.post(CHECKS, json=fields, headers=token)).json()["id"] for _ in range(3)]
    assert len(set(ids)) == 1
    other = (
        await service.client.post(CHECKS, json=fields | {"name": "Bob", "email": "b@example.org"}, headers=token)
    ).json()
    assert other["id"] not in ids
    assert len(await queue(service, status="any")) == 2


@pytest.mark.anyio
async def test_many_from_one_network_are_no_flood(service: Service) -> None:
    token = await service.token("score,teach")
    for number in range(40):
        fields = {"text": f"{KIND} {number}", "ip": "198.51.100.7", "name": f"Ann {number}", "id": str(number)}
        answer = await service.client.post(CHECKS, json=fields, headers=token)
        assert answer.status_code == 200, answer.text


@pytest.mark.anyio
async def test_a_decision_teaches_a_later_one_replaces_it(service: Service) -> None:
    await check(
        service, id="https://social.example/notes/1?x=y", kind="fediverse", format="html", text="<p>Hello there</p>"
    )
    token = await service.token("score,teach")
    path = f"{CHECKS}/https%3A%2F%2Fsocial.example%2Fnotes%2F1%3Fx%3Dy"
    for action, status in (("spam", "spam"), ("approve", "approved")):
        service.clock.forward(seconds=1)
        answer = await service.client.post(f"{path}/decisions", json={"action": action}, headers=token)
        assert answer.status_code == 200 and answer.json()["status"] == status, answer.text
    assert (await service.client.get(path, headers=token)).json()["status"] == "approved"
    async with service.services.database.reading() as session:
        from moderation.comments import store_decisions as decisions

        taught = [one.action for one in await decisions.taught(session, "default")]
    assert taught[-1] == "approve"


@pytest.mark.anyio
async def test_many_decisions_at_once(service: Service) -> None:
    token = await service.token("score,teach")
    checks = [{"text": f"{KIND} {n}", "id": f"c{n}", "name": f"Ann {n}"} for n in range(5)]
    made = (await service.client.post(CHECKS, json={"checks": checks}, headers=token)).json()["results"]
    assert [one["id"] for one in made] == [f"c{n}" for n in range(5)]
    decided = [{"id": f"c{n}", "action": "reject", "labels": ["insult"]} for n in (0, 4)] + [
        {"id": "none", "action": "spam"}
    ]
    answer = await service.client.post(f"{CHECKS}/decisions", json={"decisions": decided}, headers=token)
    assert [one["code"] for one in answer.json()["results"]] == ["decided", "decided", "not_found"]
    wrong = await service.client.post(
        f"{CHECKS}/decisions", json={"decisions": [{"id": "c1", "action": "burn"}]}, headers=token
    )
    assert wrong.status_code == 422
    assert len(await queue(service, status="rejected")) == 2


@pytest.mark.anyio
async def test_what_the_keepers_people_approved_stays_so_when_they_mend_it(service: Service) -> None:
    token = await service.token("score,teach")
    await check(service, id="m", name="Ann")
    await service.client.post(f"{CHECKS}/m/decisions", json={"action": "approve"}, headers=token)
    mended = (await service.client.patch(f"{CHECKS}/m", json={"text": KIND + " Mended."}, headers=token)).json()
    assert mended["status"] == "approved"


@pytest.mark.anyio
async def test_an_edit_is_judged_anew_and_never_lifts_a_decision(service: Service) -> None:
    token = await service.token("score,teach")
    await check(service, id="e", name="Ann")
    edited = (await service.client.patch(f"{CHECKS}/e", json={"text": CASINO}, headers=token)).json()
    assert edited["action"] != "publish" and edited["status"] in ("pending", "spam")
    await service.client.post(f"{CHECKS}/e/decisions", json={"action": "spam"}, headers=token)
    lifted = (await service.client.patch(f"{CHECKS}/e", json={"text": KIND}, headers=token)).json()
    assert lifted["status"] == "spam"
    assert (await service.client.patch(f"{CHECKS}/none", json={"text": KIND}, headers=token)).status_code == 404


@pytest.mark.anyio
async def test_an_erased_check_is_gone(service: Service) -> None:
    token = await service.token("score,teach,moderate")
    made = await check(service, id="g", text="A rare word: zoanthropy.", email="ann@example.org", name="Ann")
    assert made["status"] == "approved"
    assert (await service.client.delete(f"{CHECKS}/g", headers=token)).status_code == 204
    assert (await service.client.get(f"{CHECKS}/g", headers=token)).status_code == 404
    assert await queue(service, status="any", q="zoanthropy") == []
    exported = json.dumps(
        (
            await service.client.post(
                "/api/v1/privacy/export", json={"email": "ann@example.org"}, headers=await service.token("privacy")
            )
        ).json()
    )
    assert "zoanthropy" not in exported


@pytest.mark.anyio
async def test_a_reply_finds_its_parent_by_the_keepers_id(service: Service) -> None:
    await check(service, id="p", article="a")
    await check(service, id="r", article="a", parent="p", text="Thank you, so do mine.", name="Bob")
    await check(service, id="q", article="a", parent="unknown", text="Thank you, so do ours.", name="Eve")
    by_name = {one["author"]["name"]: one for one in await queue(service, status="any")}
    assert by_name["Bob"]["parent"] and by_name["Eve"]["parent"] is None


@pytest.mark.anyio
async def test_a_trusted_authors_link_is_published_and_a_mention_is_no_link(service: Service) -> None:
    link = f"{KIND} See https://allotment.example/beans"
    assert (await check(service, text=link, name="Ann"))["action"] == "hold"
    assert (await check(service, text=link, name="Bea", trusted=True))["action"] == "publish"
    mention = '<p><span class="h-card"><a href="https://social.example/@ann" class="u-url mention">@<span>ann</span></a></span> Good morning!</p>'
    assert (await check(service, text=mention, format="html", kind="fediverse", name="Cid"))["action"] == "publish"
    assert (await check(service, text="@ann@social.example Good morning!", kind="fediverse", name="Dan"))[
        "action"
    ] == "publish"
    spam = '<p><a href="https://allotment.example/x" class="mention">@ann</a> Good morning!</p>'
    assert (await check(service, text=spam, format="html", kind="fediverse", name="Eve"))["action"] == "hold"


@pytest.mark.anyio
async def test_what_is_missing_or_unusable_costs_nothing(service: Service) -> None:
    odd = {
        "email": "no address",
        "url": "javascript:alert(1)",
        "ip": "nowhere",
        "name": " \u202e ",
        "date": "yesterday",
    }
    assert (await check(service, **odd))["action"] == "publish"
    assert (await check(service, text="", store=False))["action"] in ("publish", "hold")
    await check(service, text=5, status=422)
    await check(service, kind="letter", status=422)
    await check(service, checks=[{"text": "x"}], status=422)


@pytest.mark.anyio
async def test_a_webhook_carries_the_keepers_id(service: Service) -> None:
    from moderation.outbox import events

    await check(service, id="wp-9")
    async with service.services.database.reading() as session:
        comment = (await comments.by_external_id(session, "default", ["wp-9"]))["wp-9"]
    assert events.document(comment, "never")["external_id"] == "wp-9"
    assert events.gone(comment)["external_id"] == "wp-9"


def test_a_plain_text_keeps_its_characters() -> None:
    text = "a < b && c > d\n\nList<String> &amp; *stars*"
    assert submission_of(Check(text=text)).text == text


def test_mentions_are_words() -> None:
    assert without_mentions('<a class="mention" href="https://s.example/@ann">@ann</a> hi') == "@ann hi"
    assert without_mentions('<a href="https://s.example/tags/beans" rel="tag">#<span>beans</span></a>') == "#beans"
    assert "spam.example" in without_mentions('<a class="mention" href="https://spam.example/pills">@ann</a>')
    assert without_mentions("@ann@s.example and ann@s.example") == "@ann and ann@s.example"


@pytest.mark.anyio
async def test_checks_survive_an_export_and_stay_hidden(service: Service, tmp_path: Path) -> None:
    await check(service, id="wp-1", article="https://blog.example/beans", name="Ann", text="A rare word: borborygmus.")
    services = service.services
    for format in ("wxr", "jsonl"):
        path = tmp_path / f"export.{format}"
        site = Site(key="default", name="My site")
        await transfer.run_export(services.database, services.links, site, format, str(path), service.clock)
        assert ("borborygmus" in path.read_text()) == (format == "jsonl")
    async with services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="copy", name="Copy"), service.clock())
    await transfer.run_import(services.database, services.signer, "copy", str(path), None, None, service.clock)
    async with services.database.reading() as session:
        copy = (await comments.by_external_id(session, "copy", ["wp-1"]))["wp-1"]
        article = (await sites.articles(session, "copy", [copy.article]))[copy.article]
    assert not article.is_listed and article.key.startswith("checks:")


@pytest.mark.anyio
async def test_checks_are_counted_for_their_key(service: Service) -> None:
    token = await service.token("score,teach")
    key = token["Authorization"].removeprefix("Bearer ")
    checks = [{"text": KIND, "name": "Ann", "store": False}, {"text": CASINO, "name": "Best Casino"}]
    made = await service.client.post(CHECKS, json={"checks": checks, "store": False}, headers=token)
    assert made.status_code == 200
    body = {"comment": {"text": KIND}, "requestedAttributes": {"TOXICITY": {}}}
    assert (await service.client.post(f"/v1alpha1/comments:analyze?key={key}", json=body)).status_code == 200
    assert (await service.client.get("/1.2/usage-limit", params={"api_key": key})).json()["usage"] == 3
    (sites_of_month,) = [
        rows
        for rows in (await service.client.get("/1.2/key-sites", params={"api_key": key})).json().values()
        if isinstance(rows, list)
    ]
    assert {row["site"]: row["api_calls"] for row in sites_of_month} == {"checks": "2", "perspective": "1"}
