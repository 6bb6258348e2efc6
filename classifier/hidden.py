"""Hidden units: what sums of weights cannot say. numpy only.

A unit is one more sum over the n-grams of the normalised view, weighed and divided by the text's length as a label's log-odds
are, and then squeezed by tanh: a few of its words make it sure, twenty do not make it surer. All labels share the units, so
that the few rows that know a threat stand on what many know of insults (Caruana, *Multitask Learning*, 1997). It is a bag
of n-grams with one hidden layer (Iyyer et al., *Deep Unordered Composition*, ACL 2015); `backprop.py` fits it.

Identity terms are not among its n-grams, in any label's sight.
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
"""Jigsaw's fold left out, mean of six labels: 8 units +0.0044, 12 +0.0048, 16 +0.0053, 32 +0.0051."""
_BYTE = 127


@dataclass(frozen=True, slots=True)
class Hidden:
    """rows × scale: [ROWS, UNITS] what an n-gram adds to each unit, its idf in it; zeros where an identity term stands.

    As fitted, rows are float32 and scale is 1; as read, they are the bytes that a folder keeps. bias: [UNITS] of a text without
    n-grams; out: [UNITS, labels] what each unit adds to the labels; start: [labels]."""

    rows: npt.NDArray[np.float32] | npt.NDArray[np.int8]
    scale: Floats
    bias: Floats
    out: Floats
    start: Floats

    @classmethod
    def silent(cls) -> Hidden:
        """Units that say nothing of any text."""
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
        """[UNITS, labels] what a part of a unit's sum is worth for each label in the text that has these sums: the parts come
        to what all of them together moved the label. sums: [UNITS]."""
        moved = np.tanh(sums + self.bias) - np.tanh(self.bias)
        flat = np.abs(sums) < 1e-3
        slope = np.where(flat, 1 - np.tanh(self.bias) ** 2, moved / np.where(flat, 1, sums))
        return np.asarray(slope[:, None] * self.out, dtype=np.float32)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As a model folder keeps it: a byte a weight, with a scale for each unit."""
        assert self.rows.dtype == np.float32, "a folder keeps what was fitted"
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
        """What `arrays` made. Raises ValueError with the name of an array that is not of the shape this program reads."""
        shapes = {
            "hidden": ((BUCKETS, UNITS), np.int8),
            "hidden_scale": ((UNITS,), np.float32),
            "hidden_bias": ((UNITS,), np.float32),
            "hidden_out": ((UNITS, len(LABELS)), np.float32),
            "hidden_start": ((len(LABELS),), np.float32),
        }
        for name, (shape, kind) in shapes.items():
            found = arrays.get(name)
            if found is None or found.shape != shape or found.dtype != kind or not np.isfinite(found).all():
                raise ValueError(name)
        rows = memory.zeros((ROWS, UNITS), np.int8)
        rows[:BUCKETS] = arrays["hidden"]
        return cls(rows, *(np.array(arrays[f"hidden_{name}"]) for name in ("scale", "bias", "out", "start")))
