"""Training and serving are the same function: the served sums beside scikit-learn's decision_function."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from classifier.hashing import BUCKETS
from classifier.labels import LABELS
from classifier.linear import VIEWS, Linear
from classifier.serving import Base
from classifier.training import matrix
from classifier.views import as_written, normalised

TEXTS = st.lists(
    st.one_of(
        st.text(max_size=300), st.sampled_from(["gay teacher, you nitwit!", "", "x", "garden  bread\nriver " * 60])
    ),
    min_size=1,
    max_size=4,
)


def linear(base: Base, texts: list[str]) -> Linear:
    """By what serves: compiled, where it is built. `test_kernel.py` holds that numpy says the same."""
    if base.kernel:
        return base.kernel.linear(texts)
    return base.table.score([[as_written(t) for t in texts], [normalised(t, base.fold) for t in texts]])


@pytest.mark.parametrize("label", LABELS)
@given(texts=TEXTS)
@settings(max_examples=15, deadline=None)
def test_served_log_odds_are_the_estimators(base: Base, label: str, texts: list[str]) -> None:
    views = [as_written(t) for t in texts], [normalised(t, base.fold) for t in texts]
    served = linear(base, texts).whole
    column = LABELS.index(label)
    for view in range(VIEWS):
        table = base.table.weights[view].astype(np.float64)
        squares = table[:, -1]
        idf = np.where(squares > 0, np.sqrt(squares), 1.0)
        estimator = LogisticRegression()
        estimator.classes_ = np.array([0, 1])
        estimator.coef_ = (table[:, column] / idf)[None, :]
        estimator.intercept_ = np.array([float(base.table.bias[view, column])])
        chars, words = matrix.counts(base.table.hasher, views[view], 20_000)
        x, _, _ = matrix.weighted(chars.astype(np.float64), words.astype(np.float64), idf, squares)
        expected = estimator.decision_function(x)
        assert served[:, view, column] == pytest.approx(
            expected, abs=1e-6 * max(1.0, float(np.abs(expected).max()) * 10)
        )


@given(texts=TEXTS)
@settings(max_examples=15, deadline=None)
def test_served_hidden_units_are_what_they_were_fitted_on(base: Base, texts: list[str]) -> None:
    hidden, squares = base.table.hidden, base.table.weights[-1, :, -1].astype(np.float64)
    idf = np.where(squares > 0, np.sqrt(squares), 1.0)
    chars, words = matrix.counts(base.table.hasher, [normalised(t, base.fold) for t in texts], 20_000)
    x, _, _ = matrix.weighted(chars.astype(np.float64), words.astype(np.float64), idf, squares)
    expected = np.tanh(x @ (hidden.rows * hidden.scale / idf[:, None]) + hidden.bias) @ hidden.out + hidden.start
    assert linear(base, texts).hidden == pytest.approx(expected, abs=1e-4)


def test_hidden_units_do_not_see_identity_terms(base: Base) -> None:
    assert base.table.hidden.rows[:BUCKETS].any()
    assert not base.table.hidden.rows[BUCKETS:].any()


def test_only_identity_attack_has_weights_on_identity_rows(base: Base) -> None:
    rows = base.table.weights[:, BUCKETS:, :]
    others = [i for i in range(len(LABELS) + 1) if i != LABELS.index("identity_attack")]
    assert not rows[:, :, others].any()


def test_a_batch_is_the_sum_of_its_texts(base: Base) -> None:
    texts = ["garden bread", "you nitwit " * 80, "", "glimmerpills http://a.example"]
    together = linear(base, texts)
    for number in range(len(texts)):
        alone = linear(base, [texts[number]])
        assert together.whole[number] == pytest.approx(alone.whole[0], abs=1e-5)
        assert together.window_excess[number] == pytest.approx(alone.window_excess[0], abs=1e-5)
