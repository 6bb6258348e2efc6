"""Rows → word weights: logistic regressions of scikit-learn on the served n-grams, with hidden units; one table per fold.

The constants are measured: see docs/classifier.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import sparse

from classifier import structure
from classifier.examples import Author
from classifier.hashing import BUCKETS, ROWS, Hasher
from classifier.labels import LABELS
from classifier.linear import VIEWS, Floats, Table
from classifier.progress import log
from classifier.structure import Structure
from classifier.training import matrix, vocabulary
from classifier.training.backprop import fit_hidden
from classifier.training.dataset import FOLDS, Rows
from classifier.training.soft_labels import fit_soft
from classifier.training.unknown import GUESSED, GUESSING, guesses
from classifier.views import Fold, as_written, normalised

C: Mapping[str, float] = dict.fromkeys(LABELS, 1.0)
"""Inverse regularisation."""
SMALL = 10_000
"""Rows. A label with fewer is regularised less, in proportion, and one fit of all rows is served instead of the mean."""
BESIDE_WORDS, FREER = 0.7, 4.0
"""With fewer than SMALL rows of `spam`, its structure numbers are fitted together with the n-grams: the factor of a structure
number, and the factor of C. The second stage learns little from the scores of so few rows."""
_BEYOND_WORDS: Mapping[str, float] = {
    "dynahate": 0.25, "hatemojibuild": 0.25, "toxigen": 0.4, "implicit_hate": 0.4, "cad": 0.5, "sbic": 0.6, "fox_news": 0.5,
}  # fmt: skip
"""Collections in which sentences decide and words hardly do; they are the second reader's."""
EMPHASIS: Mapping[str, Mapping[str, float]] = {
    "toxicity": {"olid": 1.5, "de_germeval2018": 4.0, "davidson": 0.6, "ko_beep": 1.5, "zh_cold": 1.5, **_BEYOND_WORDS},
    "insult": {"impermium": 3.0, "de_germeval2018": 3.0},
    "obscene": {"de_germeval2018": 3.0},
    "threat": _BEYOND_WORDS,
    "identity_attack": {"jigsaw": 1.7, "edos": 1.5, **_BEYOND_WORDS},
}
"""Factors on the weight of a source's rows for one label: higher where few rows stand for a kind of place or a language."""
OWN_BIAS = 1.0
"""The feature of each source's own bias, which is fitted and then dropped: words do not have to explain the differences between
sources. The second stage sets the common bias."""


def prepare(texts: Sequence[str], fold: Fold) -> tuple[list[str], list[str]]:
    """Both views of every text."""
    return [as_written(text) for text in texts], [normalised(text, fold) for text in texts]


class Fitted(NamedTuple):
    """folds: a table per fold, fitted without the rows of the fold, which it scores as unseen rows; served: the table that is
    served; structure_weights: [names] of `spam`, where they were fitted with the words."""

    folds: list[Table]
    served: Table
    structure_weights: Floats | None


def fit_tables(
    rows: Rows,
    use: npt.NDArray[np.bool_],
    shape: Structure,
    fold: Fold,
    hasher: Hasher,
    jobs: int,
    labels: Sequence[str] = LABELS,
) -> Fitted:
    """The word weights of `labels` and both views from the rows in `use`.

    The served table is the mean of the folds' tables; for a label with fewer than SMALL rows, a fit of all rows. Hidden units
    cannot be averaged: the served ones are a fit of all rows. They always learn all labels."""
    chosen = np.flatnonzero(use)
    examples = [rows.examples[i] for i in chosen]
    part = rows.fold[chosen]
    told = matrix.targets(examples)
    y = np.broadcast_to(told, (FOLDS, len(chosen), len(LABELS)))
    small = [label for label in labels if np.count_nonzero(~np.isnan(told[:, LABELS.index(label)])) < SMALL]
    names = sorted({rows.bias[i] for i in chosen})
    place = np.array([names.index(rows.bias[i]) for i in chosen])
    own = sparse.csr_matrix((np.full(len(place), OWN_BIAS, np.float32), (np.arange(len(place)), place)))
    looks = None
    if "spam" in small:  # without authors: what the corpora have of them is how one blog stored them
        looks = shape.rows([e.text for e in examples], [Author()] * len(examples)) * np.float32(BESIDE_WORDS)
    structure_weights = np.zeros(len(structure.NAMES), np.float32)
    weight = _emphasised(rows.weight[chosen], [e.source for e in examples])
    weights = np.zeros((FOLDS + 1, VIEWS, ROWS, len(LABELS) + 1), np.float32)
    bias = np.full((FOLDS + 1, VIEWS, len(LABELS)), -5.0, np.float32)
    views = prepare([e.text for e in examples], fold)
    hasher = hasher.with_fingerprints(vocabulary.bucket_fingerprints(hasher, views, matrix.READ))
    for view in (1, 0):  # normalised first: it guesses unknown labels better
        chars, words = matrix.counts(hasher, views[view])
        log(f"view {view}: {len(chosen)} texts, {chars.nnz + words.nnz} n-grams")
        seen = np.bincount(chars.indices, minlength=ROWS) + np.bincount(words.indices, minlength=ROWS)
        idf = np.sqrt(
            np.log((1 + len(chosen)) / (1 + seen)) + 1
        )  # the root ranks as well as the full idf and stays near 1
        squares = np.where(np.arange(ROWS) < BUCKETS, idf**2, 0).astype(np.float16)
        weights[:, view, :, -1] = squares
        idf = np.where(squares > 0, np.sqrt(squares.astype(np.float32)), idf).astype(np.float32)
        full, _, _ = matrix.weighted(chars, words, idf, squares.astype(np.float32))
        del chars, words
        lesson = _Lesson(full, full[:, :BUCKETS], own, weight, looks)
        if view == 1:
            hidden = Parallel(n_jobs=jobs, prefer="threads")(
                delayed(fit_hidden)(lesson.neutral, told, weight, place, part != n, idf[:BUCKETS], f"without fold {n}")
                for n in range(FOLDS + 1)
            )
        if view == 1 and set(labels) & set(GUESSED):
            y = _filled(lesson, y, part, jobs)
        taught = [(y[n], part != n, f"view {view}, without fold {n}") for n in range(FOLDS)]
        taught.append((told, part >= 0, f"view {view}, all folds"))
        tasks = [(left_out, LABELS.index(label)) for left_out in range(FOLDS) for label in labels]
        tasks += [(FOLDS, LABELS.index(label)) for label in small]
        models = Parallel(n_jobs=jobs, prefer="threads")(
            delayed(lesson.fit)(column, *taught[left_out]) for left_out, column in tasks
        )
        for (left_out, column), found in zip(tasks, models, strict=True):
            if found is not None:
                bias[left_out, view, column] = found.bias
                weights[left_out, view, : len(found.coef), column] = np.clip(
                    found.coef * idf[: len(found.coef)], -6e4, 6e4
                )
                if found.structure_weights is not None and left_out == FOLDS:
                    structure_weights += found.structure_weights * np.float32(BESIDE_WORDS / VIEWS)
    for label in set(labels) - set(small):
        column = LABELS.index(label)
        weights[FOLDS, :, :, column] = weights[:FOLDS, :, :, column].mean(axis=0)
        bias[FOLDS, :, column] = bias[:FOLDS, :, column].mean(axis=0)
    served = Table(weights[FOLDS].astype(np.float16), bias[FOLDS], hasher, hidden[FOLDS])
    folds = [Table(weights[left_out], bias[left_out], hasher, hidden[left_out]) for left_out in range(FOLDS)]
    return Fitted(folds, served, None if looks is None else structure_weights)


class _Found(NamedTuple):
    """coef: [columns]; bias: the mean over sources; structure_weights: [names], where there are `looks`."""

    coef: Floats
    bias: float
    structure_weights: Floats | None


class _Lesson(NamedTuple):
    """One view of all texts. neutral: [texts, BUCKETS] without identity terms; own: [texts, sources]; weight: [texts, labels];
    looks: [texts, names] the structure numbers that `spam` is fitted with, or None."""

    full: sparse.csr_matrix
    neutral: sparse.csr_matrix
    own: sparse.csr_matrix
    weight: Floats
    looks: Floats | None

    def fit(self, column: int, y: Floats, use: npt.NDArray[np.bool_], what: str) -> _Found | None:
        """One label from the rows in `use` that know it; y: [texts, labels]."""
        known = np.flatnonzero(~np.isnan(y[:, column]) & use)
        target, weight = y[known, column], self.weight[known, column]
        x = (self.full if LABELS[column] == "identity_attack" else self.neutral)[known]
        width = x.shape[1]
        tilt = matrix.one_sided(x, target, weight)
        blocks = [x @ sparse.diags(tilt), self.own[known]]
        c = C[LABELS[column]] * max(1.0, SMALL / len(known))
        looks = self.looks if LABELS[column] == "spam" else None
        if looks is not None:
            blocks.append(sparse.csr_matrix(looks[known]))
            c *= FREER
        x = sparse.hstack(blocks, format="csr", dtype=np.float32)
        model = fit_soft(x, target, weight, c)
        if model is None:
            return None
        log(f"{what}: {LABELS[column]} from {len(known)} texts")
        coef = model.coef_[0]
        sources = width + self.own.shape[1]
        mean = float((self.own[known] @ coef[width:sources]).mean())
        bias = float(model.intercept_[0]) + mean
        return _Found(coef[:width] * tilt, bias, None if looks is None else coef[sources:])


def _filled(lesson: _Lesson, y: Floats, part: npt.NDArray[np.int8], jobs: int) -> Floats:
    """[folds, texts, labels] the targets of the table without each fold, with guesses for unknown labels."""
    tasks = [(mine, LABELS.index(label)) for mine in range(FOLDS) for label in GUESSING]
    models = Parallel(n_jobs=jobs, prefer="threads")(
        delayed(lesson.fit)(column, y[0], part == mine, f"a guess from fold {mine}") for mine, column in tasks
    )
    log_odds = np.zeros((FOLDS, len(part), len(GUESSING)), np.float32)
    for number, found in enumerate(models):
        if found is not None:
            mine, place = divmod(number, len(GUESSING))
            x = lesson.full if len(found.coef) > BUCKETS else lesson.neutral
            log_odds[mine, :, place] = x @ found.coef + found.bias
    guessed = guesses(log_odds, y[0], lesson.weight, part, lesson.own)
    return np.where(np.isnan(y), guessed, y)


def _emphasised(weight: Floats, source: Sequence[str]) -> Floats:
    """[texts, labels] weights with their EMPHASIS."""
    out = np.repeat(weight[:, None], len(LABELS), axis=1)
    for label, factors in EMPHASIS.items():
        out[:, LABELS.index(label)] *= np.array([factors.get(name, 1.0) for name in source], np.float32)
    return out
