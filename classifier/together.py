"""Table and reader together: both log-odds of a label → one, by a line that was fitted on rows neither saw. numpy only.

So the stage is the calibration. In a script that the reader does not know, the table's log-odds stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.reader import Reading

INPUTS = ("table", "reader")


class Together:
    """stages: label → {"table": weight, "reader": weight, "bias": b}. A label without a stage is the table's alone."""

    def __init__(self, stages: Mapping[str, Mapping[str, Any]]) -> None:
        self.weights = np.zeros((len(INPUTS), len(LABELS)), np.float32)
        self.weights[0] = 1
        self.bias = np.zeros(len(LABELS), np.float32)
        for label, stage in stages.items():
            column = LABELS.index(label)
            self.weights[:, column] = [float(stage[name]) for name in INPUTS]
            self.bias[column] = float(stage["bias"])
        if not np.isfinite(self.weights).all() or not np.isfinite(self.bias).all():
            raise ValueError("a stage of table and reader is not finite")

    def log_odds(self, table: Floats, reading: Reading) -> Floats:
        """[texts, labels] log-odds of both."""
        both = table * self.weights[0] + reading.log_odds * self.weights[1] + self.bias
        return np.asarray(np.where(reading.known[:, None], both, table), dtype=np.float32)
