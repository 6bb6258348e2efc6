"""What waits for a person is never counted as published, and a wave is one example in every rate."""

from __future__ import annotations

import pytest

from classifier import similar
from classifier.labels import LABELS
from moderation.policy import error_rates, thresholds
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.store_verdicts import Outcome, marked
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service


def outcome(number: int, action: str, judged: str, *, waits: bool = False, spam: float = 0.01) -> Outcome:
    return Outcome(
        submission=f"{number:026}", action=action, labels=(), decided_at=number, judged_action=judged,
        scores=dict.fromkeys(LABELS, 0.01) | {"spam": spam}, judged_at=number, model="base", waits=waits,
    )  # fmt: skip


def test_what_a_link_holds_is_not_counted_as_published() -> None:
    held = [outcome(n, "spam", "hold", waits=True) for n in range(29)]
    published = [outcome(100 + n, "approve", "publish") for n in range(3)]
    found = thresholds.promised([*held, *published], "base", SiteSettings(), {}, 1 / 1000, 1 / 100)
    assert found["published"]["today"]["count"] == 3 and found["published"]["today"]["wrong"] == 0
    assert found["decisions"] == 32


def test_of_a_wave_one_counts() -> None:
    text = "Cheap watches and free shipping for all readers of this page, order number {}"
    keys = {f"{n:026}": similar.keys(similar.shingles(text.format(n))) for n in range(30)}
    wave = marked([outcome(n, "spam", "hold") for n in range(30)], keys)
    assert [one.is_repeat for one in wave] == [False] + [True] * 29
    alone = outcome(99, "approve", "hold")
    assert error_rates.overturned([*wave, alone], "hold", error_rates.approved) | {"interval": None} == {
        "count": 2, "hits": 1, "share": 0.5, "interval": None,
    }  # fmt: skip
    assert error_rates.agreement([*wave, alone])["spam"]["count"] == 2


def test_another_decision_on_one_of_a_wave_counts_for_itself() -> None:
    keys = {f"{n:026}": similar.keys(similar.shingles("the same words in both of them, all of them")) for n in range(3)}
    found = marked([outcome(0, "spam", "hold"), outcome(1, "approve", "hold"), outcome(2, "spam", "publish")], keys)
    assert [one.is_repeat for one in found] == [False, False, False]


def test_of_thirty_unlike_texts_each_counts() -> None:
    words = [
        "river",
        "bean",
        "hinge",
        "frost",
        "newt",
        "oyster",
        "ferry",
        "salt",
        "kiln",
        "lute",
        "madrigal",
        "otter",
        "plum",
        "quartz",
        "rake",
        "sedge",
        "thistle",
        "urn",
    ]
    keys = [
        similar.keys(similar.shingles(" ".join(words[n % 18 :] + words[: n % 18]) if n % 2 else words[n % 18]))
        for n in range(18)
    ]
    assert len(set(similar.first_of_wave(keys[::2]))) == 9


@pytest.mark.anyio
async def test_a_stored_wave_is_one_example(service: Service) -> None:
    for _ in range(4):
        await service.decide(await service.held(), "spam")
    await service.decide(
        await service.held(body="My aunt keeps bees and wrote it all down at https://bees.example/log"), "spam"
    )
    async with service.services.database.reading() as session:
        found = await decided_verdicts.outcomes(session, "default", 0)
    assert len(found) == 5 and sum(not one.is_repeat for one in found) == 2 and all(one.waits for one in found)
