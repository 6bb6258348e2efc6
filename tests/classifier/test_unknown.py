"""Labels that a source does not know are guessed, and a guess never knows what it must not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from classifier.labels import LABELS
from classifier.training.dataset import FOLDS
from classifier.training.unknown import GUESSED, GUESSING, SURELY_NOT, guesses

ROWS = 600
INSULT, IDENTITY = LABELS.index("insult"), LABELS.index("identity_attack")


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray, np.ndarray, sparse.csr_matrix]:
    """Every second row knows its labels; fits of one fold alone are right about them, all labels alike."""
    rng = np.random.default_rng(3)
    bad = rng.random(ROWS) < 0.3
    log_odds = np.repeat(np.where(bad, 3.0, -3.0)[None, :, None], FOLDS, axis=0).repeat(len(GUESSING), axis=2)
    y = np.repeat(bad.astype(np.float32)[:, None], len(LABELS), axis=1)
    y[1::2] = np.nan
    fold = (np.arange(ROWS) // 2 % FOLDS).astype(np.int8)
    own = sparse.csr_matrix(np.ones((ROWS, 1), np.float32))
    return log_odds.astype(np.float32), y, fold, own


def _guess(log_odds: np.ndarray, y: np.ndarray, fold: np.ndarray, own: sparse.csr_matrix) -> np.ndarray:
    return guesses(log_odds, y, np.ones((ROWS, len(LABELS)), np.float32), fold, own)


def test_only_what_is_unknown_is_guessed_and_only_in_some_rows(case: tuple) -> None:  # type: ignore[type-arg]
    log_odds, y, fold, own = case
    out = _guess(log_odds, y, fold, own)
    assert np.isnan(out[:, ::2]).all(), "what a source says is never replaced"
    assert 0.1 < (~np.isnan(out[0, 1::2, INSULT])).mean() < 0.3
    for label in set(LABELS) - set(GUESSED):
        assert np.isnan(out[:, :, LABELS.index(label)]).all()


def test_a_guess_says_what_the_other_fits_expect(case: tuple) -> None:  # type: ignore[type-arg]
    log_odds, y, fold, own = case
    out = _guess(log_odds, y, fold, own)[0, :, INSULT]
    made = ~np.isnan(out)
    bad = log_odds[0, :, 0] > 0
    assert (out[made & bad] > 0.8).all()
    assert (out[made & ~bad] < 0.1).all()
    assert not ((out[made] > 0) & (out[made] < SURELY_NOT)).any()


def test_nothing_of_the_fold_left_out_counts(case: tuple) -> None:  # type: ignore[type-arg]
    log_odds, y, fold, own = case
    before = _guess(log_odds, y, fold, own)
    for left_out in range(FOLDS):
        other_fit, other_truth = log_odds.copy(), y.copy()
        other_fit[left_out] *= -1
        other_truth[fold == left_out] = 1 - other_truth[fold == left_out]
        after = _guess(other_fit, other_truth, fold, own)
        assert np.isnan(before[left_out][fold == left_out]).all()
        np.testing.assert_array_equal(after[left_out], before[left_out])


def test_no_row_is_guessed_by_a_fit_that_saw_it(case: tuple) -> None:  # type: ignore[type-arg]
    log_odds, y, fold, own = case
    blind = log_odds.copy()
    for mine in range(FOLDS):
        blind[mine, fold == mine] = 99.0
    np.testing.assert_array_equal(_guess(blind, y, fold, own), _guess(log_odds, y, fold, own))


def test_identity_attack_feeds_no_other_label(case: tuple) -> None:  # type: ignore[type-arg]
    log_odds, y, fold, own = case
    other = log_odds.copy()
    other[:, :, GUESSING.index("identity_attack")] *= -2
    before, after = _guess(log_odds, y, fold, own), _guess(other, y, fold, own)
    for label in GUESSED:
        column = LABELS.index(label)
        same = np.array_equal(before[:, :, column], after[:, :, column], equal_nan=True)
        assert same == (label != "identity_attack"), label
