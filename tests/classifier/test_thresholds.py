"""A promise is kept, or the answer is to hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from classifier import thresholds
from classifier.labels import LABELS
from classifier.thresholds import fewest, needed, parse, threshold, upper_bound
from tests.budget import long

SHARES = st.sampled_from([0.3, 0.1, 0.02, 0.01, 0.001])


@given(st.integers(1, 20_000), st.floats(0, 1), st.sampled_from([0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_the_bound_is_clopper_and_pearsons(decided: int, share: float, confidence: float) -> None:
    wrong = int(share * decided)
    expected = 1.0 if wrong == decided else float(beta.ppf(confidence, wrong + 1, decided - wrong))
    assert upper_bound(wrong, decided, confidence) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@given(st.integers(0, 12), SHARES)
@settings(deadline=None)
def test_the_fewest_decisions_are_the_fewest(wrong: int, share: float) -> None:
    count = needed(wrong, share)
    assert upper_bound(wrong, count) <= share < upper_bound(wrong, count - 1)


def test_the_rule_of_three() -> None:
    assert needed(0, 1 / 1000) == 2995
    assert needed(0, 1 / 100) == 299


@pytest.mark.parametrize(("share", "count"), [(1 / 1000, 4093), (1 / 100, 408), (0.1, 39)])
def test_the_fewest_decisions_suffice_and_one_less_does_not(share: float, count: int) -> None:
    """More than by the rule of three: the threshold is chosen on the same decisions."""
    assert fewest(share) == count
    sure, right = np.ones(count), np.zeros(count, bool)
    assert threshold(sure, right, share).at == 1.0
    assert threshold(sure[1:], right[1:], share).at is None


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9, 0.99]), st.booleans()), max_size=400),
    st.sampled_from([0.5, 0.3, 0.1]),
)
@settings(deadline=None)
def test_what_is_promised_holds_on_the_decisions_themselves(rows: list[tuple[float, bool]], share: float) -> None:
    sure, wrong = np.array([s for s, _ in rows], float), np.array([w for _, w in rows], bool)
    found = threshold(sure, wrong, share)
    if found.at is None:
        assert found.lacking is None or found.lacking > 0
        assert "hold" in found.why
        return
    acted = sure >= found.at
    assert (acted.sum(), (acted & wrong).sum()) == (found.decided, found.wrong)
    assert found.bound is not None
    assert upper_bound(found.wrong, found.decided) == found.bound <= share
    assert found.lacking == 0


@given(st.integers(20, 400), st.sampled_from([0.3, 0.1]))
@settings(deadline=None)
def test_a_stricter_promise_never_decides_more(size: int, share: float) -> None:
    rng = np.random.default_rng(size)
    sure = rng.random(size)
    wrong = rng.random(size) > sure**0.1
    loose, strict = threshold(sure, wrong, share), threshold(sure, wrong, share / 3)
    assert strict.decided <= loose.decided


@given(st.integers(1, 3000))
@settings(deadline=None)
def test_order_does_not_matter(size: int) -> None:
    rng = np.random.default_rng(size)
    sure, wrong = rng.integers(0, 50, size) / 50, rng.random(size) < 0.01
    mixed = rng.permutation(size)
    assert threshold(sure, wrong, 0.05) == threshold(sure[mixed], wrong[mixed], 0.05)


@long
def test_among_many_towns_the_promise_is_broken_in_at_most_one_in_twenty() -> None:
    """The truth is known here: the share that is really wrong above a threshold, over 200 drawn sets of decisions."""
    broken, kept = 0, 0
    for number in range(200):
        rng = np.random.default_rng(number)
        sure = rng.random(3_000)
        chance = 0.25 * (1 - sure) ** 2  # the surest are hardly ever wrong
        found = threshold(sure, rng.random(3_000) < chance, 0.02)
        if found.at is not None:
            kept += 1
            # the mean of 0.25 (1 - s)^2 over s from `at` to 1
            broken += 0.25 * (1 - found.at) ** 2 / 3 > 0.02
    assert kept > 150  # it does decide something
    assert broken <= 200 * 0.05


@given(st.integers(1, 250))
@settings(max_examples=30, deadline=None)
def test_the_lacking_decisions_are_about_enough(size: int) -> None:
    found = threshold(np.ones(size), np.zeros(size, bool), 0.01)
    assume(found.at is None)
    assert found.lacking is not None
    more = size + found.lacking
    assert threshold(np.ones(more), np.zeros(more, bool), 0.01).at is not None
    assert threshold(np.ones(more - 1), np.zeros(more - 1, bool), 0.01).at is None


def test_where_the_surest_are_wrong_more_decisions_do_not_help() -> None:
    found = threshold(np.linspace(0, 1, 500), np.ones(500, bool), 0.01)
    assert (found.at, found.lacking) == (None, None)
    assert "not mend" in found.why


def test_no_decisions_say_how_many_are_needed() -> None:
    found = threshold(np.zeros(0), np.zeros(0, bool), 0.01)
    assert found.at is None
    assert found.lacking == fewest(0.01)


def test_a_policy_of_all_labels() -> None:
    rng = np.random.default_rng(1)
    known, scores = [], []
    for _ in range(4_000):
        kind = rng.integers(3)
        labels = [{"spam": 0.0, "toxicity": 0.0}, {"spam": 1.0}, {"toxicity": 1.0}][kind]
        known.append(labels)
        said = dict.fromkeys(LABELS, 0.01)
        said |= {name: float(0.9 + rng.random() / 10) for name, value in labels.items() if value}
        scores.append(said)
    found = thresholds.policy(scores, known, reject=1 / 100, publish=1 / 100)
    assert found["publish"]["at"] == pytest.approx(0.01)  # nothing above 0.5 is published, kept promise or not
    assert found["publish"]["bound"] <= 1 / 100
    assert found["reject"]["spam"]["wrong"] == 0
    assert 0.9 <= found["reject"]["spam"]["at"] < 0.91
    assert found["reject"]["threat"]["at"] is None
    assert "0 bad" in found["reject"]["threat"]["why"]


@pytest.mark.parametrize("kind", [{"spam": 1.0}, {"spam": 0.0, "toxicity": 0.0}])
def test_decisions_of_one_kind_open_nothing(kind: dict[str, float]) -> None:
    """Where all that was decided was spam, rejecting everything would keep the promise."""
    rng = np.random.default_rng(1)
    scores = [dict.fromkeys(LABELS, float(rng.random())) for _ in range(9_000)]
    found = thresholds.policy(scores, [kind] * 9_000, reject=0.01, publish=0.01)
    assert found["publish"]["at"] is None
    assert all(one["at"] is None and one["lacking"] == thresholds.FEWEST for one in found["reject"].values())


def test_nothing_likely_good_is_rejected_and_nothing_likely_bad_published() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(30_000)
    scores = [dict.fromkeys(LABELS, float(one)) for one in p]
    spam = [{"spam": 1.0}] * 29_970 + [{"spam": 0.0, "toxicity": 0.0}] * 30
    assert thresholds.policy(scores, spam, reject=0.01, publish=0.01)["reject"]["spam"]["at"] >= 0.5
    good = [{"spam": 1.0}] * 30 + [{"spam": 0.0, "toxicity": 0.0}] * 29_970
    assert thresholds.policy(scores, good, reject=0.01, publish=0.01)["publish"]["at"] <= 0.5


def test_what_is_unknown_is_not_good() -> None:
    scores = [dict.fromkeys(LABELS, 0.0)] * 1_000
    found = thresholds.policy(scores, [{"toxicity": 0.0}] * 1_000, reject=0.01, publish=0.01)
    assert found["publish"]["decisions"] == 0
    assert found["publish"]["at"] is None


@pytest.mark.parametrize(("text", "share"), [("1/1000", 0.001), ("0.01", 0.01), (" 2 / 100 ", 0.02)])
def test_a_promise_is_read(text: str, share: float) -> None:
    assert parse(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "0", "1", "1/0", "1/x", "2/1", "-1/5", "nan", "inf", "1e400"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="share"):
        parse(text)


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="number"):
        threshold(np.array([math.nan]), np.array([False]), 0.1)
