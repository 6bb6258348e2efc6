"""The site's own error rates, through the API and the page, on both databases."""

from __future__ import annotations

import re

import pytest

from moderation.core.ids import ALPHABET
from moderation.policy import error_rates
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.store_verdicts import Outcome
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service

pytestmark = pytest.mark.anyio


async def decide(service: Service, who: dict[str, str], id: str, action: str, **more: object) -> str:
    told = await service.client.post("/api/v1/decisions", json={"comments": [id], "action": action} | more, headers=who)
    assert told.status_code == 200, told.text
    return str(told.json()["id"])


async def test_figures_count_what_came_what_was_decided_and_what_was_overturned(service: Service) -> None:
    who = await service.token()
    published = [(await service.post()).json()["id"] for _ in range(3)]
    held = [await service.held() for _ in range(3)]
    service.clock.forward(minutes=10)
    await decide(service, who, published[0], "spam")
    await decide(service, who, held[0], "approve")
    await decide(service, who, held[1], "reject", labels=["insult"])
    undone = await decide(service, who, published[1], "delete")
    await service.client.post(f"/api/v1/decisions/{undone}/undo", headers=who)
    told = (await service.client.get("/api/v1/stats", headers=who)).json()
    assert told["submissions"] == {"total": 6, "publish": 3, "hold": 3, "spam": 0}
    assert told["decisions"] == {"total": 3, "spam": 1, "approve": 1, "reject": 1}
    assert (told["published_removed"]["hits"], told["published_removed"]["count"]) == (1, 1)
    assert (told["held_approved"]["hits"], told["held_approved"]["count"]) == (1, 2)
    assert told["agreement"]["insult"]["count"] == 1
    assert told["agreement"]["spam"]["count"] == 2
    assert told["weeks"][0]["labels"]["spam"] == told["agreement"]["spam"]
    assert told["in_queue"]["waiting"] == 1 and told["in_queue"]["median_s"] >= 600
    assert sum(b["count"] for b in told["reliability"]["spam"]) == 2
    lines = (await service.client.get("/metrics")).text.splitlines()
    for line in ('decided{action="publish"} 1.0', 'overturned{action="publish"} 1.0', 'decided{action="hold"} 2.0',
                 'overturned{action="hold"} 1.0'):  # fmt: skip
        assert f"moderation_verdicts_{line}" in lines
    assert "# TYPE moderation_audit_sample_overturned gauge" in lines
    ends = {id[-1] for id in published + held}
    async with service.services.database.reading() as session:
        assert (await decided_verdicts.tallied(session, 0, published[0][-1]))["publish"] == (1, 1)
        assert await decided_verdicts.tallied(session, 0, next(c for c in ALPHABET if c not in ends)) == {}


async def test_what_the_page_shows_is_in_the_metrics_too(service: Service) -> None:
    async def lines(name: str) -> dict[str, float]:
        text = (await service.client.get("/metrics")).text
        found = re.findall(rf"^moderation_{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    who = await service.token()
    first, second, third = [await service.held() for _ in range(3)]
    assert await lines("label_decided") == {}
    await decide(service, who, first, "approve")
    await decide(service, who, second, "spam")
    assert await lines("label_decided") == {}, "they are not read at every scrape"
    service.clock.forward(minutes=11)
    stats = (await service.client.get("/api/v1/stats", headers=who)).json()
    assert await lines("label_decided") == {f'label="{name}"': one["count"] for name, one in stats["agreement"].items()}
    assert await lines("label_agreed") == {f'label="{name}"': one["hits"] for name, one in stats["agreement"].items()}
    curve = {f'from="{b["from"]}",label="{name}"': b for name, bins in stats["reliability"].items() for b in bins}
    for name, of in (("decided", "count"), ("said", "mean"), ("share", "share")):
        assert await lines(f"reliability_{name}") == {key: round(b[of], 4) for key, b in curve.items()}
    assert (await lines("label_decided"))['label="spam"'] == 2 and third not in str(curve)


async def test_only_since_then_and_only_one_s_own_site(service: Service) -> None:
    who = await service.token()
    await service.post()
    service.clock.forward(hours=24 * 40)
    await service.post()
    assert (await service.client.get("/api/v1/stats", headers=who)).json()["submissions"]["total"] == 1
    assert (await service.client.get("/api/v1/stats?since=60d", headers=who)).json()["submissions"]["total"] == 2
    old = await service.client.get("/api/v1/stats?since=2020-01-01T00:00:00%2B02:00", headers=who)
    assert old.json()["submissions"]["total"] == 2
    for wrong in ("yesterday", "0d", "99999d", "2026-13-01"):
        assert (await service.client.get("/api/v1/stats", params={"since": wrong}, headers=who)).status_code == 422
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="elsewhere", name="Elsewhere"), service.clock())
    other = await service.token(site="elsewhere")
    assert (await service.client.get("/api/v1/stats?site=default", headers=other)).status_code == 403
    assert (await service.client.get("/api/v1/stats", headers=other)).json()["submissions"]["total"] == 0
    assert (await service.client.get("/api/v1/stats")).status_code == 401


async def test_the_second_look_is_a_sample_that_nobody_has_decided(service: Service) -> None:
    who = await service.token()
    ids = [(await service.post()).json()["id"] for _ in range(60)]
    wanted = {id for id in ids if error_rates.is_sampled(id)}
    asked = {"status": "approved", "sample": "1", "limit": "200"}
    shown = (await service.client.get("/api/v1/comments", params=asked, headers=who)).json()["comments"]
    assert {c["id"] for c in shown} == wanted
    for id in wanted:
        await decide(service, who, id, "approve")
    assert (await service.client.get("/api/v1/comments", params=asked, headers=who)).json()["comments"] == []
    told = (await service.client.get("/api/v1/stats", headers=who)).json()["audit_sample"]["published_removed"]
    assert (told["hits"], told["count"], told["picked"]) == (0, len(wanted), len(wanted))


def outcome(id: str, action: str, judged: str, spam: float) -> Outcome:
    return Outcome(
        submission=id,
        action=action,
        labels=(),
        decided_at=2_000,
        judged_action=judged,
        scores={"spam": spam, "toxicity": 0.1},
        judged_at=1_000,
    )


def test_the_sample_s_rate_is_not_that_of_what_people_came_upon() -> None:
    decided = [outcome("x0", "approve", "publish", 0.1), *(outcome("x1", "spam", "publish", 0.2),) * 3]
    found = error_rates.report({"publish": 64}, decided, {"publish": 2})
    assert found["published_removed"]["share"] == 0.75
    assert found["audit_sample"]["published_removed"]["share"] == 0
    assert found["audit_sample"]["published_removed"]["picked"] == 2, "one of them has not been looked at yet"


def test_wilson_s_interval_holds_the_share_and_never_leaves_0_to_1() -> None:
    assert error_rates.interval(0, 0) is None
    for hits, count in ((0, 1), (1, 1), (3, 10), (500, 1000)):
        low, high = error_rates.interval(hits, count) or [2, -2]
        assert 0 <= low <= hits / count <= high <= 1
    assert error_rates.interval(5, 10) == [0.2366, 0.7634]


def test_reliability_bins_hold_every_text_once() -> None:
    found = error_rates.reliability(
        [outcome(str(n), "spam" if n > 5 else "approve", "hold", n / 10) for n in range(11)], "spam"
    )
    assert sum(b["count"] for b in found) == 11
    assert [b["share"] for b in found][:6] == [0] * 6 and found[-1]["count"] == 2
