"""The rules: each alone, their order, and what happens where one cannot run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from moderation.comments.submission import Submission
from moderation.policy import rules as policy
from moderation.policy.rules import Case, judge
from moderation.sites.site_settings import SiteSettings

SENT = Submission.of("A kind word about the bank of the river.", name="Ann", email="ann@example.org")
CLEAN = {"spam": 0.01, "toxicity": 0.02, "insult": 0.01}


def case(**more: Any) -> Case:
    given: dict[str, Any] = {"submission": SENT, "settings": SiteSettings(), "scores": CLEAN, "model": "m1"}
    return Case(**(given | more))


def test_a_harmless_comment_is_published_without_reasons() -> None:
    verdict = judge(case())
    assert (verdict.action, verdict.reasons, verdict.model) == ("publish", (), "m1")


@pytest.mark.parametrize(
    ("changed", "rule", "action"),
    [
        ({"settings": SiteSettings(disallowed=("river",))}, "disallowed", "spam"),
        ({"settings": SiteSettings(disallowed=("ANN",))}, "disallowed", "spam"),
        ({"settings": SiteSettings(disallowed=("example.org",))}, "disallowed", "spam"),
        ({"settings": SiteSettings(disallowed=("203.0.113.0/24",)), "address": "203.0.113.7"}, "disallowed", "spam"),
        ({"settings": SiteSettings(disallowed=("2001:db8::/32",)), "address": "2001:db8::1"}, "disallowed", "spam"),
        ({"scores": None}, "unscored", "hold"),
        ({"scores": CLEAN | {"spam": 0.99}}, "certain-spam", "spam"),
        ({"settings": SiteSettings(blocked=("bank",))}, "blocked-word", "hold"),
        ({"links": 3, "trusted": True}, "many-links", "hold"),
        ({"form": "missing"}, "form-token", "hold"),
        ({"form": "early"}, "form-token", "hold"),
        ({"form": "old"}, "form-token", "hold"),
        ({"scores": CLEAN | {"insult": 0.4}, "thresholds": {"insult": 0.3}}, "label", "hold"),
        ({"links": 1, "strange_links": 1}, "stranger-with-link", "hold"),
        ({"strange_website": True, "settings": SiteSettings(author_links="always")}, "stranger-with-link", "hold"),
        ({"settings": SiteSettings(hold="newcomers")}, "first-time", "hold"),
        ({"trusted": True, "settings": SiteSettings(hold="all")}, "review-all", "hold"),
    ],
)
def test_each_rule_fires_alone(changed: dict[str, Any], rule: str, action: str) -> None:
    verdict = judge(case(**changed))
    assert verdict.action == action
    assert [r.rule for r in verdict.reasons if r.rule == rule]


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": SiteSettings(disallowed=("press", "kin", "riv"))},  # parts of words
        {"settings": SiteSettings(disallowed=("203.0.113.0/24",)), "address": "203.0.114.7"},
        {"settings": SiteSettings(blocked=("ban",))},
        {"links": 2, "strange_links": 2, "trusted": True},
        {"links": 2},
        {"strange_website": True},
        {"trusted": True, "settings": SiteSettings(hold="newcomers")},
        {"form": "ok"},
        {"scores": CLEAN | {"insult": 0.29}, "thresholds": {"insult": 0.3}},
        {
            "scores": CLEAN | {"insult": 0.4},
            "thresholds": {"insult": 0.3},
            "settings": SiteSettings(hold_at={"insult": 0.5}),
        },
    ],
)
def test_and_stays_silent_next_to_it(changed: dict[str, Any]) -> None:
    assert judge(case(**changed)).action == "publish"


def test_all_that_fire_are_reasons_and_the_first_in_order_decides() -> None:
    everything = case(
        settings=SiteSettings(disallowed=("river",), blocked=("bank",)),
        scores=CLEAN | {"spam": 0.999},
        links=4,
        strange_links=4,
        form="missing",
    )
    verdict = judge(everything)
    fired = list(dict.fromkeys(r.rule for r in verdict.reasons))
    assert verdict.action == "spam"
    assert fired == [
        "disallowed",
        "certain-spam",
        "blocked-word",
        "many-links",
        "form-token",
        "label",
        "stranger-with-link",
    ]
    held = judge(replace(everything, settings=SiteSettings(), scores=None))
    assert (held.action, held.reasons[0].rule) == ("hold", "unscored")


def test_a_rule_that_cannot_run_holds_and_names_itself() -> None:
    def broken(case: Case) -> Any:
        raise ZeroDivisionError("with something private in it")

    verdict = judge(case(), (("broken", broken, "publish"), *policy.RULES))
    assert (verdict.action, verdict.reasons[0].rule) == ("hold", "broken")
    assert "private" not in verdict.reasons[0].note


def test_nothing_is_rejected_by_itself() -> None:
    assert "reject" not in {leads_to for _, _, leads_to in policy.RULES}


def test_reasons_point_at_the_words() -> None:
    (reason,) = judge(case(settings=SiteSettings(blocked=("bank",)))).reasons
    ((start, end),) = reason.spans
    assert SENT.body[start:end] == "bank"


def test_full_width_letters_do_not_hide_a_word() -> None:
    hidden = replace(SENT, body="my Ｂａｎｋ")
    assert judge(case(submission=hidden, settings=SiteSettings(blocked=("bank",)))).action == "hold"


def test_facts_hold_neither_address_nor_email() -> None:
    told = judge(case(address="203.0.113.7", settings=SiteSettings(disallowed=("203.0.113.7",))))
    assert "203.0.113.7" not in str(told) and "ann@" not in str(told)
