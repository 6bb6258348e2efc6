"""Hidden units: a bag of n-grams with one hidden layer (Iyyer et al., *Deep Unordered Composition*, ACL 2015). numpy only.

A unit is a weighted sum over the n-grams of the normalised view, divided by the text's length as a label's log-odds are, and
squashed by tanh: a few of its words saturate it. All labels share the units, so labels with few rows learn from labels with
many (Caruana, *Multitask Learning*, 1997). Identity terms are excluded. `training/backprop.py` fits the units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import memory
from classifier.hashing import BUCKETS, ROWS
from classifier.labels import LABELS

Floats = npt.NDArray[np.float32]

UNITS = 16
"""Gain on Jigsaw's fold left out, mean AUC of six labels: 8 units +0.0044, 12 +0.0048, 16 +0.0053, 32 +0.0051."""
_BYTE = 127


@dataclass(frozen=True, slots=True)
class Hidden:
    """rows × scale: [ROWS, UNITS] the contribution of an n-gram to each unit, times its idf; zeros for identity terms.

    Fitted rows are float32 with a scale of 1; rows from a model folder are int8. bias: [UNITS] of a text without n-grams;
    out: [UNITS, labels] weights of the units; start: [labels] log-odds without any unit."""

    rows: npt.NDArray[np.float32] | npt.NDArray[np.int8]
    scale: Floats
    bias: Floats
    out: Floats
    start: Floats

    @classmethod
    def silent(cls) -> Hidden:
        """Units that add nothing to any text."""
        shapes = (ROWS, UNITS), (UNITS,), (UNITS, len(LABELS)), (len(LABELS),)
        return cls.fitted(*(np.zeros(shape, np.float32) for shape in shapes))

    @classmethod
    def fitted(cls, rows: Floats, bias: npt.ArrayLike, out: npt.ArrayLike, start: npt.ArrayLike) -> Hidden:
        small = (np.asarray(array, np.float32) for array in (bias, out, start))
        return cls(rows, np.ones(UNITS, np.float32), *small)

    def log_odds(self, sums: Floats) -> Floats:
        """[..., UNITS] sums over a text's n-grams → [..., labels]."""
        return np.asarray(np.tanh(sums + self.bias) @ self.out + self.start, dtype=np.float32)

    def slopes(self, sums: Floats) -> Floats:
        """[UNITS, labels] the secant slope of each unit in a text with these sums: parts of a sum times the slope add up to the
        whole effect of the unit on the label. sums: [UNITS]."""
        moved = np.tanh(sums + self.bias) - np.tanh(self.bias)
        flat = np.abs(sums) < 1e-3
        slope = np.where(flat, 1 - np.tanh(self.bias) ** 2, moved / np.where(flat, 1, sums))
        return np.asarray(slope[:, None] * self.out, dtype=np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """In the format of a model folder: one byte a weight, with a scale for each unit."""
        assert self.rows.dtype == np.float32, "only fitted units are written"
        scale = np.maximum(np.abs(self.rows).max(axis=0), 1e-12) / _BYTE
        return {
            "hidden": np.round(self.rows[:BUCKETS] / scale).astype(np.int8),
            "hidden_scale": scale.astype(np.float32),
            "hidden_bias": self.bias,
            "hidden_out": self.out,
            "hidden_start": self.start,
        }

    @classmethod
    def read(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Hidden:
        """The inverse of `arrays`. Raises ValueError with the name of an array of a wrong shape or type."""
        shapes = {
            "hidden": ((BUCKETS, UNITS), np.int8),
            "hidden_scale": ((UNITS,), np.float32),
            "hidden_bias": ((UNITS,), np.float32),
            "hidden_out": ((UNITS, len(LABELS)), np.float32),
            "hidden_start": ((len(LABELS),), np.float32),
        }
        for name, (shape, kind) in shapes.items():
            array = arrays.get(name)
            if array is None or array.shape != shape or array.dtype != kind or not np.isfinite(array).all():
                raise ValueError(name)
        rows = memory.zeros((ROWS, UNITS), np.int8)
        rows[:BUCKETS] = arrays["hidden"]
        return cls(rows, *(np.array(arrays[f"hidden_{name}"]) for name in ("scale", "bias", "out", "start")))
