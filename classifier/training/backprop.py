"""Rows → hidden units, by backpropagation. Training only.

scikit-learn's network has neither dropout nor rows with unknown labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.hashing import BUCKETS, ROWS
from classifier.hidden import UNITS, Floats, Hidden
from classifier.labels import LABELS
from classifier.progress import log
from classifier.training.matrix import one_sided

EPOCHS = 4
BATCH, STEPS = 1024, 40
"""Texts a step at most, and steps an epoch at least."""
RATE = 0.2
"""The rate of Adagrad (Duchi et al., JMLR 2011), with one sum of squares per n-gram; it falls to a twentieth."""
DROPPED = 0.6
"""Dropout: the share of a text's n-grams that a step leaves out (Srivastava et al., JMLR 2014)."""
COUNTS: Mapping[str, float] = {"spam": 0.7, "severe_toxicity": 2.0, "obscene": 1.5, "threat": 3.0, "insult": 1.5}
"""Weight of a row for each label: higher where few rows have the label."""
_BEFORE = 1e-6


def fit_hidden(
    x: sparse.csr_matrix,
    y: Floats,
    weight: Floats,
    place: npt.NDArray[np.int64],
    use: npt.NDArray[np.bool_],
    idf: Floats,
    what: str,
) -> Hidden:
    """Units from the rows in `use`, all labels at once. A label with rows of one kind only gets zero weights.

    x: [texts, BUCKETS] the normalised view without identity terms, idf: [BUCKETS] in it; y, weight: [texts, labels], NaN =
    unknown; place: [texts] the source of each, which gets a bias of its own for every label, as in the linear part."""
    known = ~np.isnan(y) & use[:, None]
    both = np.logical_and(((y >= 0.5) & known).any(axis=0), ((y < 0.5) & known).any(axis=0))
    if not both.any():
        return Hidden.silent()
    counts = np.array([COUNTS.get(label, 1.0) for label in LABELS], np.float32)
    weight = np.where(known & both, weight, 0) * counts
    target = np.nan_to_num(y)
    # One tilt for all labels, because they share the units: that of the label that most rows have.
    most = int(np.argmax(np.where(both, known.sum(axis=0), 0)))
    teaching = np.flatnonzero(known[:, most])
    tilt = one_sided(x[teaching], y[teaching, most], weight[teaching, most])
    tilt /= np.sqrt(np.mean(tilt**2))
    rng = np.random.default_rng(0)
    net = _Net(rng, int(place.max()) + 1)
    chosen = np.flatnonzero((weight > 0).any(axis=1))
    batch = int(np.clip(len(chosen) // STEPS, 1, BATCH))
    for epoch in range(EPOCHS):
        rate = RATE * (1 - epoch / EPOCHS + 0.05)
        order = rng.permutation(chosen)
        for low in range(0, len(order), batch):
            mine = order[low : low + batch]
            seen = x[mine]
            seen.data *= tilt[seen.indices] * ((rng.random(seen.nnz) >= DROPPED) / np.float32(1 - DROPPED))
            net.step(seen, target[mine], weight[mine], place[mine], rate)
    log(f"{what}: {UNITS} hidden units from {len(chosen)} texts")
    rows = np.zeros((ROWS, UNITS), np.float32)
    rows[:BUCKETS] = net.rows * (tilt * idf)[:, None]
    own = np.array([net.own[place[known[:, k]], k].mean() if both[k] else 0.0 for k in range(len(LABELS))])
    return Hidden.fitted(rows, net.bias, net.out * both, net.start + own)


class _Net:
    """rows: [BUCKETS, UNITS]; bias: [UNITS]; out: [UNITS, labels]; start: [labels]; own: [sources, labels]."""

    def __init__(self, rng: np.random.Generator, sources: int) -> None:
        labels = len(LABELS)
        self.rows = rng.normal(0, 0.1, (BUCKETS, UNITS)).astype(np.float32)
        self.out = rng.normal(0, UNITS**-0.5, (UNITS, labels)).astype(np.float32)
        self.bias = np.zeros(UNITS, np.float32)
        self.start = np.full(labels, -3, np.float32)
        self.own = np.zeros((sources, labels), np.float32)
        self._row_squares = np.full(BUCKETS, _BEFORE, np.float32)
        small = self.out, self.bias, self.start, self.own
        self._small = [(array, np.full_like(array, _BEFORE)) for array in small]

    def step(self, x: sparse.csr_matrix, y: Floats, weight: Floats, place: npt.NDArray[np.int64], rate: float) -> None:
        """One step down the weighted log loss of these texts."""
        unit = np.tanh(x @ self.rows + self.bias)
        z = unit @ self.out + self.start + self.own[place]
        wrong = ((1 / (1 + np.exp(-z)) - y) * weight / len(y)).astype(np.float32)
        back = (wrong @ self.out.T) * (1 - unit * unit)
        own = np.zeros_like(self.own)
        np.add.at(own, place, wrong)
        columns = x.tocsc()
        touched = np.flatnonzero(np.diff(columns.indptr))
        slope = columns[:, touched].T @ back
        self._row_squares[touched] += (slope * slope).mean(axis=1)
        self.rows[touched] -= rate * slope / np.sqrt(self._row_squares[touched])[:, None]
        slopes = unit.T @ wrong, back.sum(axis=0), wrong.sum(axis=0), own
        for (array, squares), down in zip(self._small, slopes, strict=True):
            squares += down * down
            array -= rate * down / np.sqrt(squares)
