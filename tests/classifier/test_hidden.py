"""Hidden units: what they learn that sums cannot, how they are kept, and what a part of their sums is worth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from classifier.hashing import BUCKETS, ROWS
from classifier.hidden import UNITS, Hidden
from classifier.labels import LABELS
from classifier.training.backprop import fit_hidden
from classifier.training.soft_labels import fit_soft

INSULT, TOXICITY = LABELS.index("insult"), LABELS.index("toxicity")
Floats = npt.NDArray[np.float32]


def either_or(texts: int = 800) -> tuple[sparse.csr_matrix, Floats]:
    """Texts with one of two words, both or neither: toxic is the one without the other. Twelve n-grams a word, and noise."""
    rng = np.random.default_rng(1)
    which = rng.random((texts, 2)) < 0.5
    noise = (rng.random((texts, 200)) < 0.05).astype(np.float32)
    dense = np.hstack([np.repeat(which, 12, axis=1).astype(np.float32), noise]) / 4
    x = sparse.csr_matrix(dense)
    wide = sparse.csr_matrix((x.data, x.indices * 997, x.indptr), shape=(texts, BUCKETS), dtype=np.float32)
    y = np.full((texts, len(LABELS)), np.nan, np.float32)
    y[:, TOXICITY] = which[:, 0] != which[:, 1]
    return wide, y


def fitted(x: sparse.csr_matrix, y: Floats, use: npt.NDArray[np.bool_] | None = None) -> Hidden:
    everywhere = np.ones(len(y), bool) if use is None else use
    ones = np.ones((len(y), len(LABELS)), np.float32)
    return fit_hidden(x, y, ones, np.zeros(len(y), np.int64), everywhere, np.ones(BUCKETS, np.float32), "a test")


def said(hidden: Hidden, x: sparse.csr_matrix) -> Floats:
    return hidden.log_odds(x @ hidden.rows[:BUCKETS])


def test_they_learn_what_no_sum_of_weights_can_say() -> None:
    x, y = either_or()
    odd = np.arange(len(y)) % 2 == 1
    hidden = fitted(x, y, odd)
    right = (said(hidden, x)[~odd, TOXICITY] > 0) == (y[~odd, TOXICITY] > 0.5)
    line = fit_soft(x[odd], y[odd, TOXICITY], np.ones(int(odd.sum()), np.float32), 1.0)
    assert line is not None
    by_line = (line.decision_function(x[~odd]) > 0) == (y[~odd, TOXICITY] > 0.5)
    assert by_line.mean() < 0.65
    assert right.mean() > 0.95


def test_the_same_rows_give_the_same_bytes() -> None:
    x, y = either_or(200)
    first, second = fitted(x, y).arrays(), fitted(x, y).arrays()
    assert {name: array.tobytes() for name, array in first.items()} == {n: a.tobytes() for n, a in second.items()}


def test_an_unknown_label_is_not_a_no() -> None:
    """Rows that know insults alone, and none of them toxic or not, leave what is said of toxicity where it is good."""
    x, y = either_or()
    y[::2, INSULT], y[::2, TOXICITY] = y[::2, TOXICITY], np.nan
    found = said(fitted(x, y), x)
    for label in (INSULT, TOXICITY):
        known = ~np.isnan(y[:, label])
        assert ((found[known, label] > 0) == (y[known, label] > 0.5)).mean() > 0.9


def test_rows_that_are_not_to_be_used_are_not() -> None:
    x, y = either_or(300)
    use = np.arange(len(y)) < 200
    other = y.copy()
    other[200:, TOXICITY] = 1 - other[200:, TOXICITY]
    assert np.array_equal(fitted(x, y, use).rows, fitted(x, other, use).rows)


def test_a_label_of_one_kind_gets_nothing() -> None:
    x, y = either_or(100)
    y[:, INSULT] = 0
    hidden = fitted(x, y)
    assert hidden.out[:, TOXICITY].any()
    assert not hidden.out[:, INSULT].any()
    y[:, TOXICITY] = 1
    assert not said(fitted(x, y), x).any(), "nothing to learn from: units that say nothing"


def random(seed: int, size: float = 0.3) -> Hidden:
    rng = np.random.default_rng(seed)
    rows = np.zeros((ROWS, UNITS), np.float32)
    rows[:BUCKETS] = rng.standard_t(4, (BUCKETS, UNITS)) * size
    small = rng.normal(size=UNITS), rng.normal(size=(UNITS, len(LABELS))), rng.normal(size=len(LABELS))
    return Hidden.fitted(rows, *small)


def test_a_folder_keeps_them_to_half_a_step_of_a_byte() -> None:
    hidden = random(1)
    arrays = hidden.arrays()
    assert arrays["hidden"].dtype == np.int8
    read = Hidden.read(arrays)
    assert (
        np.abs(read.rows[:BUCKETS] * read.scale - hidden.rows[:BUCKETS]).max()
        <= np.abs(hidden.rows).max() / 127 / 2 * 1.001
    )
    assert not read.rows[BUCKETS:].any()
    for name in ("bias", "out", "start"):
        assert np.array_equal(getattr(read, name), getattr(hidden, name))


@pytest.mark.parametrize("name", ["hidden", "hidden_scale", "hidden_bias", "hidden_out", "hidden_start"])
def test_what_is_missing_or_of_another_shape_is_named(name: str) -> None:
    arrays = random(2).arrays()
    for broken in (
        {one: array for one, array in arrays.items() if one != name},
        arrays | {name: arrays[name][:-1]},
        arrays | {name: arrays[name].astype(np.float64)},
        arrays | {name: np.full_like(arrays[name], np.nan)} if name != "hidden" else {},
    ):
        with pytest.raises(ValueError, match="^hidden" if name == "hidden" else f"^{name}$"):
            Hidden.read(broken)


@given(seed=st.integers(0, 50), size=st.sampled_from([0.0, 1e-6, 1e-3, 0.1, 1.0, 30.0]), parts=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_the_parts_of_a_sum_are_worth_together_what_it_moved(seed: int, size: float, parts: int) -> None:
    hidden = HIDDEN
    split = np.random.default_rng(seed).normal(0, size, (parts, UNITS)).astype(np.float32)
    sums = split.sum(axis=0)
    moved = hidden.log_odds(sums) - hidden.log_odds(np.zeros(UNITS, np.float32))
    assert (split @ hidden.slopes(sums)).sum(axis=0) == pytest.approx(moved, abs=1e-3 * max(1.0, size))


HIDDEN = random(3)
