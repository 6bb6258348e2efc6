"""The second stage: a few dozen numbers per text → one calibrated probability per label. numpy only.

Inputs per label: log-odds as written and normalised, the higher of the two, and the highest window; for spam the
structure numbers too. Fitted on rows that the word weights never saw, clean and attacked, so it is the calibration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from classifier import structure
from classifier.labels import LABELS
from classifier.linear import Floats, Linear

SCORES: tuple[str, ...] = ("as written", "normalised", "higher view", "worst window")


def inputs(linear: Linear, label: int, shape: Floats) -> Floats:
    """[texts, inputs] of one label."""
    whole, worst = linear.whole[:, :, label], linear.worst[:, :, label]
    higher = whole.max(axis=1)
    columns = np.column_stack([whole, higher, worst.mean(axis=1) - whole.mean(axis=1)])
    return np.hstack([columns, shape]) if LABELS[label] == "spam" else columns


def names(label: str) -> tuple[str, ...]:
    """The names of the columns of `inputs`."""
    return SCORES + (structure.NAMES if label == "spam" else ())


class Combine:
    """stages: label → {"weights": [...], "bias": b}. A label without a stage has probability 0 (never trained)."""

    def __init__(self, stages: Mapping[str, Mapping[str, Any]]) -> None:
        self.weights: list[Floats | None] = []
        self.bias: list[float] = []
        for label in LABELS:
            stage = stages.get(label)
            if stage is None:
                self.weights.append(None)
                self.bias.append(0.0)
                continue
            weights = np.array(stage["weights"], np.float32)
            bias = float(stage["bias"])
            if weights.shape != (len(names(label)),) or not np.isfinite(weights).all() or not np.isfinite(bias):
                raise ValueError(f"the second stage of {label} does not fit this code")
            self.weights.append(weights)
            self.bias.append(bias)

    def log_odds(self, linear: Linear, shape: Floats) -> Floats:
        """[texts, labels] log-odds; the sites' corrections are added here, after calibration."""
        out = np.full((len(shape), len(LABELS)), -20.0, np.float32)
        for label, weights in enumerate(self.weights):
            if weights is not None:
                out[:, label] = inputs(linear, label, shape) @ weights + self.bias[label]
        return np.asarray(out + np.clip(linear.site, -LIMIT, LIMIT), dtype=np.float32)


LIMIT = 6.0
"""The most that a site's correction may move a label, in log-odds."""


def probability(log_odds: Floats) -> Floats:
    """Log-odds → 0..1, finite whatever comes in."""
    z = np.clip(np.nan_to_num(log_odds.astype(np.float64), nan=0.0), -30.0, 30.0)
    return np.asarray(1.0 / (1.0 + np.exp(-z)), dtype=np.float32)
