"""The extension that `kernelmodule.c` makes. Wrong sizes raise ValueError, arrays that are not contiguous too."""

from array import array
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CONSTANTS: Mapping[str, float]
SOURCES: str

class Model:
    def __new__(
        cls,
        table: Floats,
        fingerprints: npt.NDArray[np.uint8] | None,
        bias: Floats,
        terms: npt.NDArray[np.uint32],
        correction: Floats | None,
        shift: Floats | None,
        stage: Floats,
        stage_bias: Floats,
        hidden: npt.NDArray[np.int8],
        unit_scale: Floats,
        unit_bias: Floats,
        unit_out: Floats,
        unit_start: Floats,
        /,
    ) -> Model: ...
    def score(self, points: bytes, bounds: array[int], shapes: Floats, results: Floats, /) -> None: ...
