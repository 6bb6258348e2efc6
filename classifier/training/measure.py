"""Labels and probabilities → figures with intervals. Bootstrap (95 %, over rows) for curves, Wilson for shares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

DRAWS = 200
BINS = 15
POINTS = 200
EDGES = 1500
ENOUGH = 10
TARGETS = (1.0, 0.999, 0.998, 0.997, 0.996, 0.995, 0.993, 0.99, 0.985, 0.98, 0.97)

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Reals = npt.NDArray[np.float64]
Curve = list[tuple[float, float]]


def measure(p: Floats, y: Bools, threshold: float, seed: int = 1) -> dict[str, Any]:
    """All figures of one label on one set of rows."""
    out: dict[str, Any] = {"rows": len(y), "positives": int(y.sum())}
    ranked = Ranked(p, y)
    for name, (value, low, high) in ranked.all(seed).items():
        out[name] = value
        out[f"{name} 95 %"] = [low, high]
    held = p >= threshold
    out["threshold"] = threshold
    for name, hits, among in (
        ("precision", y & held, held),
        ("recall", y & held, y),
        ("false alarms", held & ~y, ~y),
    ):
        out[name], out[f"{name} 95 %"] = share(int(hits.sum()), int(among.sum()))
    return out


def share(hits: int, among: int) -> tuple[float | None, list[float]]:
    """A share and its 95 % interval (Wilson, 1927)."""
    if not among:
        return None, []
    z = 1.959964
    p, n = hits / among, among
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return round(p, 4), [round(max(middle - reach, 0.0), 4), round(min(middle + reach, 1.0), 4)]


class Ranked:
    """Rows ranked by score; AUC, average precision and calibration error of any weighting of them."""

    def __init__(self, p: Floats, y: Bools) -> None:
        order = np.argsort(-p, kind="stable")
        self.p, self.y = p[order].astype(np.float64), y[order].astype(np.float64)
        self.last = np.flatnonzero(np.append(self.p[1:] != self.p[:-1], True))
        self.bin = np.minimum((self.p * BINS).astype(int), BINS - 1)

    def figures(self, weight: Reals) -> Reals:
        """[3] AUC, average precision, calibration error."""
        up, every = weight * self.y, weight
        hits, taken = np.cumsum(up)[self.last], np.cumsum(every)[self.last]
        false = taken - hits
        said = np.bincount(self.bin, weight * self.p, BINS)
        so = np.bincount(self.bin, up, BINS)
        error = float(np.abs(said - so).sum() / max(taken[-1], 1e-12))
        if not hits[-1] or not false[-1]:
            return np.array([np.nan, np.nan, error])
        steps = np.diff(false, prepend=0.0)
        auc = float((steps * (hits - np.diff(hits, prepend=0.0) / 2)).sum() / (hits[-1] * false[-1]))
        precision = hits / np.maximum(taken, 1e-12)
        average = float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])
        return np.array([auc, average, error])

    def all(self, seed: int) -> dict[str, tuple[float, float, float]]:
        """Name → value and 95 % interval."""
        rng = np.random.default_rng(seed)
        size = len(self.p)
        drawn = np.array(
            [
                self.figures(np.bincount(rng.integers(0, size, size), minlength=size).astype(np.float64))
                for _ in range(DRAWS)
            ]
        )
        low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
        value = self.figures(np.ones(size))
        names = ("auc", "average precision", "calibration error")
        return {
            name: (round(float(value[i]), 4), round(float(low[i]), 4), round(float(high[i]), 4))
            for i, name in enumerate(names)
        }


def precision_recall(p: Floats, y: Bools) -> Curve:
    """(recall, precision) by falling threshold."""
    ranked = Ranked(p, y)
    hits = np.cumsum(ranked.y)[ranked.last]
    recall, precision = hits / max(hits[-1], 1), hits / (ranked.last + 1)
    even = np.searchsorted(recall, np.linspace(0, 1, POINTS - 1)).clip(0, len(recall) - 1)
    even = np.unique(np.append(even, len(recall) - 1))
    return thinned(recall[even], precision[even])


def reliability(p: Floats, y: Bools, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean probability, share of positives, rows) in bins of equal width with at least ENOUGH rows."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    return [
        (round(float(p[at].mean()), 4), round(float(y[at].mean()), 4), int(at.sum()))
        for at in (place == number for number in range(bins))
        if at.sum() >= ENOUGH
    ]


def calibration_error(p: Floats, y: Bools) -> float:
    """Mean distance of probability and share of positives in BINS bins of equal width, weighted by rows."""
    return round(float(Ranked(p, y).figures(np.ones(len(p)))[2]), 4)


def triage(p: Floats, y: Bools) -> Curve:
    """(share decided alone, accuracy of it), the surest first: by the distance of the log-odds from even."""
    order = np.argsort(-np.abs(p - 0.5), kind="stable")
    right = np.cumsum((p[order] >= 0.5) == y[order]) / np.arange(1, len(p) + 1)
    return thinned(np.arange(1, len(p) + 1) / len(p), right)


def triage_of_two(p: Floats, y: Bools) -> Curve:
    """The same with the best two thresholds for each accuracy."""
    out = []
    for accuracy in TARGETS:
        low, high = two_thresholds(p, y, accuracy)
        out.append((round(float(((p < low) | (p >= high)).mean()), 4), accuracy))
    return out


def decided_alone(p: Floats, y: Bools, accuracy: float = 0.995, seed: int = 1) -> dict[str, Any]:
    """The share decided without a human (good below one threshold, bad from another on) with at least `accuracy` right.

    "same rows": both thresholds are chosen on the rows that they are measured on, as in published triage curves, which is slightly
    optimistic. "other half": they are chosen on one random half and measured on the other, both ways; the accuracy may fall
    short."""
    rng = np.random.default_rng(seed)
    half = np.zeros(len(p), bool)
    half[rng.permutation(len(p))[: len(p) // 2]] = True
    taken, right = 0, 0
    for side in (half, ~half):
        low, high = two_thresholds(p[side], y[side], accuracy)
        mine = ~side
        sure = (p[mine] < low) | (p[mine] >= high)
        taken += int(sure.sum())
        right += int((sure & ((p[mine] >= high) == y[mine])).sum())
    low, high = two_thresholds(p, y, accuracy)
    sure = (p < low) | (p >= high)
    return {
        "accuracy": accuracy,
        "same rows": share(int(sure.sum()), len(p))[0],
        "same rows 95 %": share(int(sure.sum()), len(p))[1],
        "other half": round(taken / max(len(p), 1), 4),
        "other half accuracy": round(right / taken, 4) if taken else None,
        "surest first": max((x for x, so in triage(p, y) if so >= accuracy), default=0.0),
    }


def two_thresholds(p: Floats, y: Bools, accuracy: float) -> tuple[float, float]:
    """(low, high): good below low, bad from high on; together the largest share with at least `accuracy` right."""
    edges = np.append(np.unique(p), np.inf)
    if len(edges) > EDGES:
        edges = edges[np.unique(np.linspace(0, len(edges) - 1, EDGES).astype(int))]
    place = np.searchsorted(edges, p, side="right")  # how many edges a row lies at or above
    bad = np.cumsum(np.bincount(place[y], minlength=len(edges) + 1))[:-1]
    below = np.cumsum(np.bincount(place, minlength=len(edges) + 1))[:-1]
    above, good_above = len(p) - below, (len(p) - int(y.sum())) - (below - bad)
    taken = below[:, None] + above[None, :]
    fine = bad[:, None] + good_above[None, :] <= (1 - accuracy) * taken + 1e-9
    fine &= edges[:, None] <= edges[None, :]
    best = int(np.where(fine, taken, -1).argmax())
    return float(edges[best // len(edges)]), float(edges[best % len(edges)])


def thinned(x: Reals, y: Reals) -> Curve:
    """At most POINTS points, the ends among them."""
    at = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(int)) if len(x) else np.zeros(0, int)
    return [(round(float(x[i]), 4), round(float(y[i]), 4)) for i in at]
