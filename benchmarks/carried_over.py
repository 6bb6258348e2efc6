"""Two lines from one service's scores to another's, on simulated scores: equal shares, as `calibrate-thresholds`, and isotonic regression.

    .venv/bin/python -m benchmarks.carried_over

Two services see the same texts and correlate; each has its own scale. 2,000 pairs are fitted, 18,000 compared at the old threshold .80;
figures are means over 20 draws.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from sklearn.isotonic import IsotonicRegression

from moderation.dialects.calibration import fit

FITTED, COMPARED, DRAWS, OLD = 2_000, 18_000, 20, 0.80


def drawn(rng: np.random.Generator, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """Our scores and theirs: most texts are harmless, and the two scales differ."""
    a, b = rng.standard_normal((2, FITTED + COMPARED))
    b = correlation * a + np.sqrt(1 - correlation**2) * b
    return norm.cdf(a) ** 6, norm.cdf(b) ** 9.5


def main() -> None:
    print(
        "| correlation | flagged before | isotonic: flagged, equal calls | equal shares: flagged, equal calls |\n|---|---|---|---|"
    )
    for correlation in (0.85, 0.70):
        rng, rows = np.random.default_rng(1), []
        for _ in range(DRAWS):
            ours, theirs = drawn(rng, correlation)
            line = IsotonicRegression(out_of_bounds="clip").fit(ours[:FITTED], theirs[:FITTED])
            scale = fit(ours[:FITTED], theirs[:FITTED])
            before = theirs[FITTED:] >= OLD
            isotonic = line.predict(ours[FITTED:]) >= OLD
            equal = np.array([scale.old(p) for p in ours[FITTED:].tolist()]) >= OLD
            rows.append([m.mean() for m in (before, isotonic, isotonic == before, equal, equal == before)])
        a, b, c, d, e = 100 * np.mean(rows, axis=0)
        print(f"| {correlation:.2f} | {a:.2f} % | {b:.2f} %, {c:.1f} % | {d:.2f} %, {e:.1f} % |")


if __name__ == "__main__":
    main()
