"""Pseudo-labels: unknown labels of a source, filled with the expectation of a fit on other sources, as soft targets.

Only one row in eight, of Jigsaw, Civil Comments and a few others, has `insult`, `threat`, `obscene` or `severe_toxicity`. A first
fit guesses these labels for other rows (pseudo-labels: Lee, ICML workshop 2013; soft targets: Hinton et al., 2015). A guess comes
from a fit that saw neither the row nor the fold that the table leaves out, so that this fold stays unseen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.training.dataset import FOLDS
from classifier.training.soft_labels import fit_soft

_COMMON: tuple[str, ...] = ("toxicity", "severe_toxicity", "obscene", "threat", "insult")
GUESSING: tuple[str, ...] = (*_COMMON, "identity_attack")
GUESSED: tuple[str, ...] = GUESSING[1:]
"""All but `toxicity`, which nearly all sources have (Jigsaw on unseen rows: 0.972 with guesses and without)."""
SHARE = 0.3
"""The share of rows without a label that get a guess; measured in docs/classifier.md."""
SURELY_NOT = 0.02
"""A lower guess counts as 0: a soft target takes two rows to fit, and nearly all guesses are this low."""

Bools = npt.NDArray[np.bool_]


def guesses(log_odds: Floats, y: Floats, weight: Floats, fold: npt.NDArray[np.int8], own: sparse.csr_matrix) -> Floats:
    """[folds, rows, labels] guesses where `y` is unknown, for the table that leaves each fold out; NaN elsewhere.

    log_odds: [folds, rows, GUESSING] by fits on one fold alone; y: [rows, labels], NaN = unknown; weight: [rows, labels];
    own: [rows, sources] the source of a row. For the table without fold f, a row of fold g is guessed by the fit on the third
    fold."""
    out = np.full((FOLDS, *y.shape), np.nan, np.float32)
    some = np.random.default_rng(0).random(len(y)) < SHARE
    for left_out in range(FOLDS):
        inside = fold != left_out
        seen = np.zeros(log_odds.shape[1:], np.float32)
        for mine in range(FOLDS):
            others = [other for other in range(FOLDS) if other not in (left_out, mine)]
            seen[fold == mine] = log_odds[others].mean(axis=0)[fold == mine]
        for label in GUESSED:
            column = LABELS.index(label)
            known = inside & ~np.isnan(y[:, column])
            # The guess of identity_attack reads identity terms, so it is an input of no other label.
            inputs = seen if label == "identity_attack" else seen[:, : len(_COMMON)]
            expected = _stage(inputs, y[:, column], weight[:, column], known, own)
            if expected is not None:
                empty = inside & some & np.isnan(y[:, column])
                out[left_out, empty, column] = np.where(expected < SURELY_NOT, 0, expected)[empty]
    return out


def _stage(seen: Floats, y: Floats, weight: Floats, known: Bools, own: sparse.csr_matrix) -> Floats | None:
    """All labels' guesses → the probability of one label, fitted with a bias for each source."""
    rows = np.flatnonzero(known)
    model = fit_soft(
        sparse.hstack([sparse.csr_matrix(seen[rows]), own[rows]], format="csr"), y[rows], weight[rows], 1.0
    )
    if model is None:
        return None
    width = seen.shape[1]
    coef = model.coef_[0]
    z = seen @ coef[:width] + model.intercept_[0] + np.average(own[rows] @ coef[width:])
    return np.asarray(1 / (1 + np.exp(-z)), dtype=np.float32)
