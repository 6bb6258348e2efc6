"""The reader's sentence vectors as a site's correction reads them: standardised by the base's anchors, each of one length. numpy only.

Vectors of an encoder lie in a narrow cone (Ethayarajh, EMNLP 2019): as they are, any two texts are alike, and a decision on one would
move them all. Beside the mean of unrelated texts they point where their kind does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from classifier.linear import Floats

FILE = "anchor_vectors"
WEIGHT = 8.0
"""The kernel of a sentence vector with itself; that of a text's hashed words is about 2. Measured: see docs/classifier.md."""


class Sentences:
    """anchors: [anchors, width] float16, the reader's vectors of the base's anchors; zeros where the reader does not know the script.
    Raises ValueError for an array of another form."""

    def __init__(self, anchors: npt.NDArray[np.floating]) -> None:
        if anchors.ndim != 2 or anchors.dtype != np.float16 or not anchors.any() or not np.isfinite(anchors).all():
            raise ValueError(FILE)
        vectors = anchors.astype(np.float32)
        scripted = np.asarray(vectors.any(axis=1), bool)
        self.width = vectors.shape[1]
        self._mean = vectors[scripted].mean(axis=0)
        self._scale = np.maximum(vectors[scripted].std(axis=0), 1e-3)
        self.anchors = self.features(vectors, scripted)
        """[anchors, width] as `features` gives them."""

    def features(self, vectors: Floats, scripted: npt.NDArray[np.bool_]) -> Floats:
        """[texts, width] from the reader's vectors; zeros in a script that it does not know, where all texts look the same to it."""
        out = (vectors - self._mean) / self._scale
        length = np.sqrt(np.square(out).sum(axis=1, keepdims=True)) + 1e-6
        return np.asarray(np.where(scripted[:, None], out * (WEIGHT**0.5 / length), 0), dtype=np.float32)
