"""Table and reader together: both log-odds of a label → one, by lines that were fitted on rows neither saw. numpy only.

So the stage is the calibration. One line is for texts whose words the reader knows, one for texts in other languages, and a text
between lies between; in a script that the reader does not know, the table's log-odds stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.reader import Reading

INPUTS = ("table", "reader")
KINDS = ("known", "foreign")
Stages = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Kind → label → {"table": weight, "reader": weight, "bias": b}."""


class Together:
    """A label without a line is the table's alone. Raises ValueError for lines that are not finite."""

    def __init__(self, stages: Stages) -> None:
        self.weights = np.zeros((len(KINDS), len(INPUTS), len(LABELS)), np.float32)
        self.weights[:, 0] = 1
        self.bias = np.zeros((len(KINDS), len(LABELS)), np.float32)
        for place, kind in enumerate(KINDS):
            for label, line in stages[kind].items():
                column = LABELS.index(label)
                self.weights[place, :, column] = [float(line[name]) for name in INPUTS]
                self.bias[place, column] = float(line["bias"])
        if not np.isfinite(self.weights).all() or not np.isfinite(self.bias).all():
            raise ValueError("a stage of table and reader is not finite")

    def log_odds(self, table: Floats, reading: Reading) -> Floats:
        """[texts, labels] log-odds of both."""
        known, foreign = (
            table * self.weights[place, 0] + reading.log_odds * self.weights[place, 1] + self.bias[place]
            for place in range(len(KINDS))
        )
        share = reading.known[:, None]
        both = share * known + (1 - share) * foreign
        return np.asarray(np.where(reading.scripted[:, None], both, table), dtype=np.float32)

    def gain(self, scripted: bool, known: float) -> Floats:
        """[inputs, labels] the derivative of a text's log-odds by what table and reader say. scripted, known: of a Reading's row."""
        if not scripted:
            return np.array([[1.0], [0.0]], np.float32).repeat(len(LABELS), axis=1)
        return np.asarray(known * self.weights[0] + (1 - known) * self.weights[1], dtype=np.float32)
