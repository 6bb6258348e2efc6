"""The second stage: a few dozen numbers per text → one calibrated probability per label. numpy only.

Per label: log-odds as written and normalised, the higher of the two, the highest window; for the toxic labels also
what the other toxic labels say (rare labels lean on common ones; `identity_attack` feeds no other); for spam the
structure numbers. Fitted on rows that the word weights never saw, clean and disguised, so it is the calibration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import structure
from classifier.labels import LABELS
from classifier.linear import Floats, Linear

OWN: tuple[str, ...] = ("as written", "normalised", "higher view", "rise in 200", "rise in 600")
SHARED: tuple[str, ...] = ("toxicity", "severe_toxicity", "obscene", "threat", "insult")
LIMIT = 8.0
"""The most that a site's correction may move a label, in log-odds."""
_COUNT = len(LABELS)
_LOW, _HIGH, _ONE = np.array(-30.0), np.array(30.0), np.array(1.0)
WIDTH = len(OWN) * _COUNT + len(structure.NAMES)


def names(label: str) -> tuple[str, ...]:
    """The names of the inputs of a label's stage."""
    return OWN + (structure.NAMES if label == "spam" else SHARED)


def wide(linear: Linear, shape: Floats) -> Floats:
    """[texts, WIDTH] everything that a stage may read: OWN × labels, then the structure."""
    written, normal = linear.whole[:, 0], linear.whole[:, 1]
    higher = np.maximum(written, normal)
    return np.concatenate([written, normal, higher, *linear.rise.transpose(1, 0, 2), shape], axis=1)


def inputs(linear: Linear, label: int, shape: Floats) -> Floats:
    """[texts, inputs] of one label, as its stage is fitted."""
    every = wide(linear, shape)
    own = every[:, [block * _COUNT + label for block in range(len(OWN))]]
    if LABELS[label] == "spam":
        return np.hstack([own, shape])
    return np.hstack([own, linear.whole[:, :, [LABELS.index(other) for other in SHARED]].mean(axis=1)])


def spread(label: int, weights: Floats) -> Floats:
    """[WIDTH] a label's stage laid out over `wide`."""
    out = np.zeros(WIDTH, np.float32)
    for block in range(len(OWN)):
        out[block * _COUNT + label] += weights[block]
    if LABELS[label] == "spam":
        out[len(OWN) * _COUNT :] = weights[len(OWN) :]
    else:
        for other, weight in zip(SHARED, weights[len(OWN) :], strict=True):
            for view in (0, 1):
                out[view * _COUNT + LABELS.index(other)] += weight / 2
    return out


class Combine:
    """stages: label → {"weights": [...], "bias": b}. A label without a stage was never trained: its score stays 0."""

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
            self.weights[:, column] = spread(column, weights)
            self.bias[column] = bias

    def log_odds(self, linear: Linear, shape: Floats) -> Floats:
        """[texts, labels] log-odds; the sites' corrections are added here, after calibration."""
        out = wide(linear, shape) @ self.weights + self.bias
        return np.asarray(out + np.minimum(np.maximum(linear.site, -LIMIT), LIMIT), dtype=np.float32)

    def gain(self, view: int, higher: Floats) -> Floats:
        """[labels, labels] how much each label's log-odds (rows) move with this view's of each label (columns).

        higher: [labels] 1 where this view is the higher one."""
        block = self.weights[view * _COUNT : (view + 1) * _COUNT]
        top = self.weights[2 * _COUNT : 3 * _COUNT]
        return np.asarray((block + top * higher[:, None]).T, dtype=np.float32)


def probability(log_odds: Floats) -> Floats:
    """Log-odds → 0..1, finite whatever comes in."""
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
