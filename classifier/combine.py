"""The second stage: a few dozen numbers per text → one calibrated probability per label. numpy only.

The inputs of a label are the mean log-odds of both views, the window excess of a long text and the log-odds of the hidden
units; for spam also the structure numbers; for some toxic labels also the inputs of the others (`identity_attack` is none of
them). It is fitted on rows that weights and units never saw, clean and disguised, and so it is the calibration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import structure
from classifier.labels import LABELS
from classifier.linear import VIEWS, Floats, Linear

OWN: tuple[str, ...] = ("whole text", "window_excess", "hidden units")
"""Separate views, the higher view and a second window improved no label."""
HIDDEN = OWN.index("hidden units")
SHARED: tuple[str, ...] = ("toxicity", "severe_toxicity", "obscene", "threat", "insult")
LEANING: frozenset[str] = frozenset({"severe_toxicity", "obscene", "insult"})
"""Labels that read the other SHARED labels too; the remaining ones lose by it (docs/classifier.md)."""
LIMIT = 8.0
"""The most that a site's correction moves a label, in log-odds."""
_COUNT = len(LABELS)
_LOW, _HIGH, _ONE = np.array(-30.0), np.array(30.0), np.array(1.0)
WIDTH = len(OWN) * _COUNT + len(structure.NAMES)


def names(label: str) -> tuple[str, ...]:
    """The names of the inputs of a label's stage."""
    if label == "spam":
        return OWN + structure.NAMES
    return OWN + (_others(label) if label in LEANING else ())


def _others(label: str) -> tuple[str, ...]:
    return tuple(other for other in SHARED if other != label)


def wide(linear: Linear, shape: Floats) -> Floats:
    """[texts, WIDTH] all possible inputs: OWN × labels, then the structure numbers."""
    return np.concatenate([linear.whole.mean(axis=1), linear.window_excess, linear.hidden, shape], axis=1)


def _columns(label: int) -> list[int]:
    """The columns of `wide` that a label's stage reads."""
    own = [block * _COUNT + label for block in range(len(OWN))]
    if LABELS[label] == "spam":
        return own + list(range(len(OWN) * _COUNT, WIDTH))
    return own + [LABELS.index(name) for name in names(LABELS[label])[len(OWN) :]]


def inputs(linear: Linear, label: int, shape: Floats) -> Floats:
    """[texts, inputs] of one label's stage."""
    return np.asarray(wide(linear, shape)[:, _columns(label)], dtype=np.float32)


class Combine:
    """stages: label → {"weights": [...], "bias": b}. A label without a stage was never trained and scores 0."""

    def __init__(self, stages: Mapping[str, Mapping[str, Any]]) -> None:
        self.weights = np.zeros((WIDTH, _COUNT), np.float32)
        self.bias = np.full(_COUNT, -20.0, np.float32)
        self.trained = [label in stages for label in LABELS]
        for column, label in enumerate(LABELS):
            if label not in stages:
                continue
            weights, bias = np.array(stages[label]["weights"], np.float32), float(stages[label]["bias"])
            if weights.shape != (len(names(label)),) or not np.isfinite(weights).all() or not np.isfinite(bias):
                raise ValueError(f"the second stage of {label} does not fit this code")
            self.weights[_columns(column), column] = weights
            self.bias[column] = bias

    def log_odds(self, linear: Linear, shape: Floats) -> Floats:
        """[texts, labels] log-odds, with the site's correction, which is added after calibration."""
        out = wide(linear, shape) @ self.weights + self.bias
        return np.asarray(out + np.minimum(np.maximum(linear.site, -LIMIT), LIMIT), dtype=np.float32)

    def gain(self) -> Floats:
        """[labels, labels] the derivative of each label's log-odds (rows) by the log-odds of one view for each label (columns)."""
        return np.asarray(self.weights[:_COUNT].T / VIEWS, dtype=np.float32)

    def hidden_gain(self) -> Floats:
        """[labels] the derivative of each label's log-odds by the hidden units' log-odds of the same label."""
        return np.asarray(self.weights[HIDDEN * _COUNT : (HIDDEN + 1) * _COUNT].diagonal(), dtype=np.float32)


def probability(log_odds: Floats) -> Floats:
    """Log-odds → 0..1. NaN gives 0.5."""
    z: npt.NDArray[np.float64] = np.maximum(log_odds, _LOW)
    np.minimum(z, _HIGH, out=z)
    np.negative(z, out=z)
    np.exp(z, out=z)
    z += _ONE
    np.reciprocal(z, out=z)
    flat = z.ravel()
    if not math.isfinite(np.dot(flat, flat)):
        z[np.isnan(z)] = 0.5
    return z.astype(np.float32)
