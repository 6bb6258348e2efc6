from __future__ import annotations

import numpy as np
import pytest

from classifier import structure
from classifier.combine import Combine, names, probability
from classifier.labels import LABELS
from classifier.linear import Linear


def test_a_probability_is_finite_whatever_comes_in() -> None:
    found = probability(np.array([[0, np.nan, np.inf, -np.inf, 1e30, -1]], np.float32))
    assert found[0] == pytest.approx([0.5, 0.5, 1, 0, 1, 1 / (1 + np.e)], abs=1e-6)
    assert found.dtype == np.float32


def test_what_the_hidden_units_say_of_a_label_moves_that_label_alone() -> None:
    rng = np.random.default_rng(1)
    stages = {label: {"weights": rng.normal(size=len(names(label))).tolist(), "bias": 0.0} for label in LABELS}
    combine, shape = Combine(stages), np.zeros((1, len(structure.NAMES)), np.float32)
    before = combine.log_odds(Linear.empty(1), shape)
    for column in range(len(LABELS)):
        linear = Linear.empty(1)
        linear.hidden[0, column] = 2
        moved = (combine.log_odds(linear, shape) - before)[0]
        assert moved[column] == pytest.approx(2 * combine.hidden_gain()[column], abs=1e-5)
        assert not np.delete(moved, column).any()
