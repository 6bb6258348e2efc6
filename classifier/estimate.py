"""Rows → word weights: logistic regressions of scikit-learn on the n-grams that are served, a table per fold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifier import matrix
from classifier.gather import FOLDS, Rows, say
from classifier.hashing import BUCKETS, ROWS, Hasher
from classifier.labels import LABELS
from classifier.linear import VIEWS, Floats, Table
from classifier.views import Fold, as_written, normalised

C: Mapping[str, float] = {**dict.fromkeys(LABELS, 1.0), "spam": 3.0}
"""Inverse regularisation. On unseen rows, mean AUC over sources of toxicity: 0.3 0.834 · 1 0.842 · 3 0.842 · 10 0.838 ·
30 0.834; insult 0.855 · 0.861 · 0.860 · 0.855 · 0.850."""
STEPS = 100
OWN_BIAS = 1.0
"""Every source gets a bias of its own while fitting (dropped afterwards; the second stage sets the common one), so that
words need not explain why one source has more of a label than another. Toxicity on unseen rows of Jigsaw 0.964 → 0.971,
wiki_context 0.830 → 0.872, mean over sources 0.842 → 0.854. Not for spam: there whole sources are ham."""


def prepare(texts: Sequence[str], fold: Fold) -> tuple[list[str], list[str]]:
    """Both views of every text."""
    return [as_written(text) for text in texts], [normalised(text, fold) for text in texts]


def fit_soft(
    x: sparse.csr_matrix, y: Floats, weight: Floats, c: float, steps: int = STEPS
) -> LogisticRegression | None:
    """Logistic regression on shares: a row of share p counts as p of a 1 and 1 - p of a 0. None without both kinds."""
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


def fit_tables(
    rows: Rows, use: npt.NDArray[np.bool_], fold: Fold, hasher: Hasher, jobs: int, labels: Sequence[str] = LABELS
) -> list[Table]:
    """The word weights of `labels` and both views from the rows in `use`: a table per fold, without that fold's rows."""
    chosen = np.flatnonzero(use)
    examples = [rows.examples[i] for i in chosen]
    weight, part = rows.weight[chosen], rows.fold[chosen]
    y = matrix.targets(examples)
    names = sorted({rows.bias[i] for i in chosen})
    place = [names.index(rows.bias[i]) for i in chosen]
    own = sparse.csr_matrix((np.full(len(place), OWN_BIAS, np.float32), (np.arange(len(place)), place)))
    weights = np.zeros((FOLDS, VIEWS, ROWS, len(LABELS) + 1), np.float32)
    bias = np.full((FOLDS, VIEWS, len(LABELS)), -5.0, np.float32)
    for view, texts in enumerate(prepare([e.text for e in examples], fold)):
        chars, words = matrix.counts(hasher, texts)
        say(f"view {view}: {len(texts)} texts, {chars.nnz + words.nnz} n-grams")
        seen = np.bincount(chars.indices, minlength=ROWS) + np.bincount(words.indices, minlength=ROWS)
        idf = np.sqrt(np.log((1 + len(texts)) / (1 + seen)) + 1)  # the root is worth as much as the whole, and nears 1
        squares = np.where(np.arange(ROWS) < BUCKETS, idf**2, 0).astype(np.float16)
        weights[:, view, :, -1] = squares
        idf = np.where(squares > 0, np.sqrt(squares.astype(np.float32)), idf).astype(np.float32)
        full, _, _ = matrix.weighted(chars, words, idf, squares.astype(np.float32))
        del chars, words
        neutral = full[:, :BUCKETS]

        def one(left_out: int, column: int, full: Any = full, neutral: Any = neutral, view: int = view) -> Any:
            known = np.flatnonzero(~np.isnan(y[:, column]) & (part != left_out))
            if LABELS[column] not in labels:
                return None
            x = (full if LABELS[column] == "identity_attack" else neutral)[known]
            width = x.shape[1]
            tilt = np.ones(width, np.float32)
            if LABELS[column] != "spam":
                tilt = _tilt(x, y[known, column], weight[known])
                x = sparse.hstack([x @ sparse.diags(tilt), own[known]], format="csr", dtype=np.float32)
            model = fit_soft(x, y[known, column], weight[known], C[LABELS[column]])
            if model is None:
                return None
            say(f"view {view}, without fold {left_out}: {LABELS[column]} from {len(known)} texts")
            mean = float((own[known] @ model.coef_[0][width:]).mean()) if model.coef_.shape[1] > width else 0.0
            return model.coef_[0][:width] * tilt, float(model.intercept_[0]) + mean

        tasks = [(left_out, column) for left_out in range(FOLDS) for column in range(len(LABELS))]
        models = Parallel(n_jobs=jobs, prefer="threads")(delayed(one)(*task) for task in tasks)
        for (left_out, column), found in zip(tasks, models, strict=True):
            if found is not None:
                coef, bias[left_out, view, column] = found
                weights[left_out, view, : len(coef), column] = np.clip(coef * idf[: len(coef)], -6e4, 6e4)
    return [Table(weights[left_out], bias[left_out], hasher) for left_out in range(FOLDS)]


def averaged(tables: Sequence[Table]) -> Table:
    """One table that scores as the mean of all: what is served."""
    weights = np.mean([table.weights for table in tables], axis=0, dtype=np.float32).astype(np.float16)
    return Table(
        np.asarray(weights), np.mean([table.bias for table in tables], axis=0, dtype=np.float32), tables[0].hasher
    )


def _tilt(x: sparse.csr_matrix, y: Floats, weight: Floats) -> Floats:
    """[columns] how one-sided each n-gram is: |log-count ratio| ** 0.5 (Wang and Manning, ACL 2012), folded into the table.

    On unseen rows toxicity of Jigsaw 0.9713 → 0.9729, mean over sources 0.8538 → 0.8554; insult 0.8597 → 0.8608."""
    up = np.asarray(x.T @ (y * weight)).ravel() + 1
    down = np.asarray(x.T @ ((1 - y) * weight)).ravel() + 1
    return np.asarray(np.abs(np.log((up / up.sum()) / (down / down.sum()))) ** 0.5 + 0.1, dtype=np.float32)
