"""scikit-learn's logistic regression for targets between 0 and 1."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifier.linear import Floats

STEPS = 100


def fit_soft(
    x: sparse.csr_matrix, y: Floats, weight: Floats, c: float, steps: int = STEPS
) -> LogisticRegression | None:
    """A row with target p counts as p of a 1 and 1 - p of a 0. None without rows of both kinds."""
    up, down = np.flatnonzero(y > 0), np.flatnonzero(y < 1)
    if not len(up) or not len(down) or not (y >= 0.5).any() or not (y < 0.5).any():
        return None
    rows = np.concatenate([up, down])
    classes = np.concatenate([np.ones(len(up)), np.zeros(len(down))])
    weights = np.concatenate([weight[up] * y[up], weight[down] * (1 - y[down])])
    model = LogisticRegression(C=c, solver="lbfgs", max_iter=steps, tol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stopping early is part of the regularisation here
        model.fit(x[rows], classes, sample_weight=weights)
    return model
