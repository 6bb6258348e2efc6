from __future__ import annotations

import numpy as np
import pytest

from classifier.combine import probability


def test_a_probability_is_finite_whatever_comes_in() -> None:
    found = probability(np.array([[0, np.nan, np.inf, -np.inf, 1e30, -1]], np.float32))
    assert found[0] == pytest.approx([0.5, 0.5, 1, 0, 1, 1 / (1 + np.e)], abs=1e-6)
    assert found.dtype == np.float32
