"""The figures beside scikit-learn's and beside counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from classifier.training import measure

ROWS = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=80).filter(
    lambda rows: len({y for _, y in rows}) == 2
)


def arrays(rows: list[tuple[int, bool]]) -> tuple[measure.Floats, measure.Bools]:
    return np.array([p / 20 for p, _ in rows]), np.array([y for _, y in rows])


@given(ROWS)
@settings(deadline=None)
def test_the_curves_are_scikit_learns(rows: list[tuple[int, bool]]) -> None:
    p, y = arrays(rows)
    auc, average, _ = measure.Ranked(p, y).figures(np.ones(len(p)))
    assert auc == pytest.approx(roc_auc_score(y, p))
    assert average == pytest.approx(average_precision_score(y, p))


@given(ROWS, st.integers(0, 99))
@settings(deadline=None)
def test_a_weight_is_a_row_repeated(rows: list[tuple[int, bool]], seed: int) -> None:
    p, y = arrays(rows)
    times = np.random.default_rng(seed).integers(0, 3, len(p))
    again = np.repeat(np.arange(len(p)), times)
    order = np.argsort(-p, kind="stable")
    weighted = measure.Ranked(p, y).figures(times[order].astype(float))
    if 0 < y[again].sum() < len(again):
        repeated = measure.Ranked(p[again], y[again]).figures(np.ones(len(again)))
        assert weighted == pytest.approx(repeated, nan_ok=True)


def test_calibration_error_by_hand() -> None:
    p, y = np.array([0.9] * 10 + [0.1] * 10), np.array([True] * 8 + [False] * 12)
    figures = measure.Ranked(p, y).figures(np.ones(20))
    assert figures[2] == pytest.approx((10 * 0.1 + 10 * 0.1) / 20)


def test_wilson_by_hand() -> None:
    assert measure.share(0, 0) == (None, [])
    assert measure.share(0, 100) == (0.0, [0.0, 0.037])
    assert measure.share(50, 100) == (0.5, [0.4038, 0.5962])


@given(ROWS, st.sampled_from([0.5, 0.8, 0.95, 1.0]))
@settings(deadline=None)
def test_two_thresholds_keep_the_accuracy_and_none_decide_more(rows: list[tuple[int, bool]], accuracy: float) -> None:
    p, y = arrays(rows)

    def judged(low: float, high: float) -> tuple[int, int]:
        sure = (p < low) | (p >= high)
        return int(sure.sum()), int((sure & ((p >= high) == y)).sum())

    taken, right = judged(*measure.two_thresholds(p, y, accuracy))
    assert right >= accuracy * taken - 1e-6
    edges = [*(n / 20 for n in range(21)), np.inf]
    found = [judged(low, high) for low in edges for high in edges if low <= high]
    assert taken == max(count for count, fine in found if fine >= accuracy * count - 1e-6)


def test_the_same_seed_is_the_same_figure() -> None:
    rng = np.random.default_rng(1)
    p, y = rng.random(500), rng.random(500) < 0.3
    assert measure.measure(p, y, 0.5, 7) == measure.measure(p, y, 0.5, 7)
    assert measure.decided_alone(p, y) == measure.decided_alone(p, y)
    low, high = measure.measure(p, y, 0.5)["auc 95 %"]
    assert low < measure.measure(p, y, 0.5)["auc"] < high


def test_curves_begin_and_end() -> None:
    p, y = np.linspace(0, 1, 1000), np.linspace(0, 1, 1000) > 0.5
    curve = measure.precision_recall(p, y)
    assert len(curve) <= measure.POINTS
    assert curve[-1] == (1.0, pytest.approx(0.5, abs=0.01))
    assert sum(rows for _, _, rows in measure.reliability(p, y)) == 1000
    assert measure.triage(p, y)[-1] == (1.0, 1.0)
    assert measure.triage_of_two(p, y)[0] == (1.0, 1.0)
