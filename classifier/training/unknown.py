"""Labels that a source does not know, filled in with what a fit on the others expects there: soft targets, not truth.

Only Jigsaw, Civil Comments and a few others know `insult`, `threat`, `obscene` or `severe_toxicity`: one row in eight. The
words of the other rows would teach these labels nothing. So a first fit guesses (Lee, ICML workshop 2013: pseudo-labels;
soft ones as by Hinton et al., 2015). A guess never comes from a fit that saw the row, nor from the fold that the table
leaves out: what is left out stays unseen to the last.
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
"""Not `toxicity`, which nearly all sources know (Jigsaw on unseen rows: 0.972 with guesses and without)."""
SHARE = 0.3
"""Of the rows that do not know a label, how many are filled in. On unseen rows, mean AUC over sources: obscene 0.805 → 0.822,
threat 0.900 → 0.904, severe_toxicity 0.969 → 0.971, insult 0.832 → 0.834 (all of the rows: 0.835, for twice the time), identity_attack 0.803
→ 0.805."""
SURELY_NOT = 0.02
"""A guess below is taken as 0: a soft target is two rows to fit, and nearly all guesses are this low."""

Bools = npt.NDArray[np.bool_]


def guesses(log_odds: Floats, y: Floats, weight: Floats, fold: npt.NDArray[np.int8], own: sparse.csr_matrix) -> Floats:
    """[folds, rows, labels] what to expect where `y` is unknown, for the table that leaves each fold out; NaN elsewhere.

    log_odds: [folds, rows, GUESSING] by fits on that one fold alone; y: [rows, labels], NaN = unknown; weight: [rows, labels]; own: [rows, sources]
    which source a row is of. A row of fold g is guessed, for the table without f, by the fit on the third fold."""
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
            # Identity terms count in the guess of identity_attack, which feeds no other label.
            inputs = seen if label == "identity_attack" else seen[:, : len(_COMMON)]
            expected = _stage(inputs, y[:, column], weight[:, column], known, own)
            if expected is not None:
                empty = inside & some & np.isnan(y[:, column])
                out[left_out, empty, column] = np.where(expected < SURELY_NOT, 0, expected)[empty]
    return out


def _stage(seen: Floats, y: Floats, weight: Floats, known: Bools, own: sparse.csr_matrix) -> Floats | None:
    """All labels' guesses → one label's, with a bias for each source so that no source's share is taken for another's."""
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
