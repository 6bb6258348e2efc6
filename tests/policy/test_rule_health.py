"""Rules that err: counted hits, overturned ones, muting and its end, through HTTP."""

from __future__ import annotations

import json
import random
from collections import Counter
from ipaddress import ip_network
from typing import Any

import pytest

from moderation.duplicates import duplicates
from moderation.policy import store_rule_health as rule_health
from moderation.sites import store as sites
from moderation.sites.model import DAY, Site
from tests.conftest import Service
from tests.policy.test_defences import KIND, by_form, latest, set_rules, verdict_of

pytestmark = pytest.mark.anyio


async def decide(service: Service, ids: list[str], action: str) -> str:
    answer = await service.client.post(
        "/api/v1/decisions", json={"comments": ids, "action": action}, headers=await service.token()
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def undo(service: Service, decision: str) -> None:
    answer = await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=await service.token())
    assert answer.status_code == 200, answer.text


async def caught(service: Service, count: int, text: str = KIND, status: int = 202, networks: int = 9) -> list[str]:
    """Comments that only differ by a number, a few seconds apart, from so many networks in turn."""
    service.services.authenticator.trusted = (ip_network("203.0.113.9/32"),)
    ids = []
    for number in range(count):
        service.clock.forward(seconds=2)
        headers = {"X-Forwarded-For": f"198.51.100.{number % networks}"}
        answer = await service.post(body=f"{text} {number} {service.clock.now}", headers=headers)
        assert answer.status_code == status
        ids.append(answer.json()["id"])
    return ids


async def report(service: Service) -> dict[str, dict[str, Any]]:
    answer = await service.client.get("/api/v1/sites/default/rules", headers=await service.token())
    return {entry["rule"]: entry for entry in answer.json()["counts"]}


async def counted(service: Service, rule: str) -> tuple[int, int, int]:
    entry = (await report(service)).get(rule, {"hits": 0, "decided": 0, "overturned": 0})
    return entry["hits"], entry["decided"], entry["overturned"]


async def unmute(service: Service, rule: str) -> int:
    path = f"/api/v1/sites/default/rules/{rule}/unmute"
    return (await service.client.post(path, headers=await service.token())).status_code


async def test_hits_and_what_became_of_them_are_counted_and_an_undo_takes_it_back(service: Service) -> None:
    await set_rules(service, blocked=["river"])
    ids = await caught(service, 4)
    await caught(service, 2, "Nothing to see.", 201)
    assert await counted(service, "blocked-word") == (4, 0, 0)
    one = await decide(service, ids[:2], "approve")
    assert await counted(service, "blocked-word") == (4, 2, 2)
    service.clock.forward(seconds=1)
    await decide(service, ids[1:3], "spam")  # the second of those approved was a mistake
    assert await counted(service, "blocked-word") == (4, 3, 1)
    last = await decide(service, ids[3:], "hold")  # still undecided
    assert await counted(service, "blocked-word") == (4, 3, 1)
    await undo(service, last)
    third = await decide(service, ids[3:], "approve")
    assert await counted(service, "blocked-word") == (4, 4, 2)
    service.clock.forward(hours=48)
    await undo(service, third)  # taken back from the day that it was counted on
    assert await counted(service, "blocked-word") == (4, 3, 1)
    conflict = await service.client.post(f"/api/v1/decisions/{one}/undo", headers=await service.token())
    assert conflict.status_code == 409
    assert await counted(service, "blocked-word") == (4, 3, 1)


async def test_counts_are_what_a_recount_finds_whatever_moderators_do(service: Service) -> None:
    """Random decisions, second thoughts, undos and edits; then the same from the submissions and decisions alone."""
    await set_rules(service, blocked=["river"], disallowed=["oar"], honeypot="hold")
    chance = random.Random(7)
    posted = []
    for number in range(12):
        words = chance.choice(["river", "oar", "river oar", "https://blog.example/1", "calm"])
        posted.append((await service.post(body=f"A word on {words}, number {number}.")).json())
        service.clock.forward(hours=chance.choice([0, 5]))
    for one in posted[-3:]:
        path = f"/sites/default/articles/post/comments/{one['id']}"
        await service.client.patch(path, json={"body": "The river again."}, headers={"Edit-Token": one["edit_token"]})
    ids, taken = [one["id"] for one in posted], list[str]()
    for _ in range(40):
        service.clock.forward(minutes=chance.randrange(60))
        if taken and chance.random() < 0.4:
            path = f"/api/v1/decisions/{taken.pop(chance.randrange(len(taken)))}/undo"
            await service.client.post(path, headers=await service.token())
        else:
            action = chance.choice(["approve", "approve", "spam", "reject", "delete", "hold"])
            taken.append(await decide(service, chance.sample(ids, chance.randrange(1, 5)), action))
    database = service.services.database
    async with database.reading() as session:
        kept = {
            (row[0], row[1]): tuple(int(n) for n in row[2:])
            for row in await session.fetch("SELECT rule, day, hits, decided, overturned FROM rule_counts")
        }
        judged = await session.fetch("SELECT id, revision, action, reasons, created_at FROM submissions")
        standing = await session.fetch(
            "SELECT submission, judged_revision, action FROM decisions WHERE undone_at IS NULL AND action <> 'hold' ORDER BY id"
        )
    outcome = {(row[0], row[1]): row[2] for row in standing}
    hits, decided, overturned = Counter[Any](), Counter[Any](), Counter[Any]()
    for id, revision, action, reasons, at in judged:
        for rule in {r["rule"] if r["rule"] != "label" else f"label:{r['label']}" for r in json.loads(reasons)}:
            hits[rule, at // DAY] += 1
            if action != "publish" and (id, revision) in outcome:
                decided[rule, at // DAY] += 1
                overturned[rule, at // DAY] += outcome[id, revision] == "approve"
    assert kept == {key: (hits[key], decided[key], overturned[key]) for key in hits}
    assert len(hits) > 2 and sum(overturned.values()) > 2


async def test_a_rule_that_is_mostly_overturned_only_holds_and_says_so_everywhere(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        duplicates, "ENOUGH", 1_000
    )  # these comments are near-duplicates: no wave of theirs may decide here
    await set_rules(service, disallowed=["river"])
    ids = await caught(service, 25)
    await decide(service, ids[:3], "spam")
    for id in ids[3:19]:
        await decide(service, [id], "approve")
    assert (await report(service))["disallowed"]["muted"] is None  # 16 of 19
    await decide(service, ids[19:20], "approve")
    (muted,) = [e for e in (await report(service)).values() if e["muted"]]  # 17 of 20: more than four in five
    assert muted["rule"] == "disallowed" and muted["does"] == "spam" and muted["muted"]["why"] == "overturned"

    (held,) = await caught(service, 1)
    assert await verdict_of(service, held) == ("pending", "hold", ["disallowed"])
    shown = (await service.client.get(f"/api/v1/comments/{held}", headers=await service.token())).json()
    note = next(r["note"] for r in shown["verdict"]["reasons"] if r.get("rule") == "disallowed")
    assert note == "word: river; muted, so it only holds: moderators mostly overturn it"
    metrics = (await service.client.get("/metrics")).text
    assert 'moderation_rule_muted{rule="disallowed"} 1.0' in metrics
    assert 'moderation_rule_overturned{rule="disallowed"} 17.0' in metrics
    assert 'moderation_rule_hits_total{rule="disallowed"} 26.0' in metrics
    log = (await service.client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
    entry = next(e for e in log if e["action"] == "rule:mute")
    assert (entry["subject"], entry["actor"], entry["detail"]) == ("disallowed", "service", {"why": "overturned"})

    assert await unmute(service, "disallowed") == 200
    assert await unmute(service, "disallowed") == 404
    (filed,) = await caught(service, 1)
    assert await verdict_of(service, filed) == ("spam", "spam", ["disallowed"])
    await decide(service, ids[20:24], "approve")  # of before: they say nothing of the rule as it is trusted now
    assert (await report(service))["disallowed"]["muted"] is None
    log = (await service.client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
    assert "rule:unmute" in [e["action"] for e in log]


async def test_a_muted_rule_leaves_it_to_the_others_to_say_spam(service: Service) -> None:
    await set_rules(service, disallowed=["river"], honeypot="spam")
    await decide(service, await caught(service, 20), "approve")
    await by_form(service, website="x")
    found = await verdict_of(service, await latest(service, "spam"))
    assert found == ("spam", "spam", ["disallowed", "honeypot"])


async def test_a_rule_that_holds_anyway_is_only_remarked_upon(service: Service) -> None:
    await set_rules(service, blocked=["river"])
    await decide(service, await caught(service, 20), "approve")
    assert (await report(service))["blocked-word"]["muted"]["why"] == "overturned"
    (held,) = await caught(service, 1)
    shown = (await service.client.get(f"/api/v1/comments/{held}", headers=await service.token())).json()
    assert shown["status"] == "pending"
    assert shown["verdict"]["reasons"][0]["note"] == "word: river; moderators mostly overturn it"


async def test_one_network_switches_no_rule_off_by_being_caught(service: Service) -> None:
    await set_rules(service, disallowed=["river"])
    ids = await caught(service, 56, networks=1)
    assert (await report(service))["disallowed"]["muted"] is None
    assert {(await verdict_of(service, id))[0] for id in ids} == {"spam"}


async def test_a_rule_that_suddenly_catches_everything_only_holds(service: Service) -> None:
    await caught(service, 5, "Nothing to see.", 201)
    await set_rules(service, disallowed=["river"])
    ids = await caught(service, 45)
    assert (await report(service))["disallowed"]["muted"] is None  # 45 of the last 50 are nine in ten, not more
    ids += await caught(service, 1)
    assert (await report(service))["disallowed"]["muted"]["why"] == "sudden"
    (held,) = await caught(service, 1)
    assert [(await verdict_of(service, id))[0] for id in (*ids[-2:], held)] == ["spam", "spam", "pending"]
    assert await unmute(service, "disallowed") == 200
    await caught(service, 5)
    assert (await report(service))["disallowed"]["muted"] is None  # spared for a day: a moderator has looked


async def test_what_always_caught_most_is_no_surprise(service: Service) -> None:
    await set_rules(service, disallowed=["river"])
    today = service.clock() // DAY
    await caught(service, 8)
    service.clock.forward(hours=24)
    database = service.services.database
    async with database.reading() as session:
        assert (await rule_health.counts(session, "default", today, today + 1))["disallowed"].hits == 8
        assert await rule_health.submitted(session, "default", today, today + 1) == 8
    await caught(service, 55)
    assert (await report(service))["disallowed"]["muted"] is None


async def test_fifty_in_a_row_over_many_hours_are_no_wave(service: Service) -> None:
    await set_rules(service, disallowed=["river"])
    for _ in range(52):
        service.clock.forward(minutes=2)
        await service.post(body=f"{KIND} {service.clock.now}")
    assert (await report(service))["disallowed"]["muted"] is None


async def test_sites_are_counted_apart(service: Service) -> None:
    database = service.services.database
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), service.clock())
    await set_rules(service, disallowed=["river"])
    await decide(service, await caught(service, 20), "approve")
    async with database.reading() as session:
        found = await sites.sites(session)
        assert set(found["default"].muted) == {"disallowed"} and not found["other"].mutes
        assert await rule_health.counts(session, "other") == {}
    answer = await service.client.get("/api/v1/sites/other/rules", headers=await service.token(site="default"))
    assert answer.status_code == 404
