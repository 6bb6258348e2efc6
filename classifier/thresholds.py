"""An operator's error budget → the thresholds that keep it, or the advice to hold with the number of decisions still needed.

A promise is a share, such as *at most 1 in 1,000 comments rejected without a human is good*. A threshold keeps it where the upper
95 % bound of the error rate (Clopper and Pearson, 1934), on decisions the model never saw, is at or below it.

The best of many tested thresholds looks better than it is. So thresholds are tested from strict to loose, in an order that the
scores alone fix, up to the first failure: fixed-sequence testing, as in Angelopoulos et al., "Learn then test" (2021). Three
sequences begin where 0, 2 and 8 mistakes are acceptable, each with a third of the 5 %, so that one odd decision at the top does
not end all of them. numpy only, for the service.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.labels import LABELS

CONFIDENCE = 0.95
CARRIED = (0, 2, 8)
"""Mistakes that the first step of each sequence allows."""
EACH = 1 - (1 - CONFIDENCE) / len(CARRIED)
"""The confidence of each sequence, so that all together have CONFIDENCE."""
STRIDE = 1.002
"""Each step of a sequence has at least this many times the decisions of the step before."""
EVEN = 0.5
FEWEST = 20
"""Decisions of each kind that a threshold needs."""
MOST = 10_000_000
"""Decisions beyond which asking for more is no advice."""

Bools = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where an action may be taken without a human. at: None = hold. bound: the upper 95 % bound of the error rate.

    lacking: how many more decisions like these would keep the promise; None where more would not help."""

    action: str
    label: str
    at: float | None
    promise: float
    decisions: int
    decided: int
    wrong: int
    bound: float | None
    lacking: int | None
    why: str


def parse(text: str) -> float:
    """`1/1000` or `0.001` → a share between 0 and 1, both excluded. Raises ValueError."""
    above, _, below = text.partition("/")
    try:
        share = float(above) / (float(below) if below else 1.0)
    except (ValueError, ZeroDivisionError):
        share = math.nan
    if not 0 < share < 1:
        raise ValueError("a promise is a share such as 1/1000 or 0.001")
    return share


def upper_bound(wrong: int, decided: int, confidence: float = CONFIDENCE) -> float:
    """The upper Clopper–Pearson bound of an error rate, from `wrong` mistakes in `decided`."""
    if not 0 <= wrong <= decided:
        raise ValueError("wrong is not between 0 and decided")
    if wrong == decided:
        return 1.0
    low, high = wrong / decided, 1.0
    for _ in range(50):
        p = (low + high) / 2
        low, high = (low, p) if kept(wrong, decided, p, confidence) else (p, high)
    return high


def kept(wrong: int, decided: int, promise: float, confidence: float = CONFIDENCE) -> bool:
    """Whether the upper bound is at or below the promise."""
    if wrong >= decided:
        return False
    up = np.arange(wrong + 1, dtype=np.float64)
    ways = np.concatenate([[0.0], np.cumsum(np.log((decided - up[1:] + 1) / up[1:]))])
    terms = ways + up * math.log(promise) + (decided - up) * math.log1p(-promise)
    top = float(terms.max())
    return top + math.log(float(np.exp(terms - top).sum())) <= math.log1p(-confidence)


def needed(wrong: int, promise: float, confidence: float = CONFIDENCE) -> int:
    """The fewest decisions with which `wrong` mistakes keep the promise."""
    low, high = wrong, max(2 * wrong, 16)
    while not kept(wrong, high, promise, confidence):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if kept(wrong, middle, promise, confidence) else (middle, high)
    return high


def fewest(promise: float) -> int:
    """The fewest decisions with which any threshold keeps the promise: all of them right, and EACH of confidence.

    4,093 for 1/1000, 408 for 1/100. A threshold chosen without looking at the decisions would need 2,995 and 299."""
    return needed(0, promise, EACH)


def threshold(
    sure: Reals, wrong: Bools, promise: float, action: str = "", label: str = "", floor: float = -math.inf
) -> Threshold:
    """The loosest threshold that keeps the promise. sure: [decisions] how sure the action is; wrong: [decisions] whether it errs.

    The action may be taken where it is at least as sure as `at`, which is never below `floor`. Raises ValueError for a score that
    is not finite."""
    if not np.isfinite(sure).all():
        raise ValueError("a score is not a number")
    order = np.argsort(-sure, kind="stable")
    order = order[sure[order] >= floor]
    ranked = sure[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.zeros(0, np.int64)
    counts, mistakes = last + 1, np.cumsum(wrong[order], dtype=np.int64)[last]
    best = -1
    for carried in CARRIED:
        step = int(np.searchsorted(counts, needed(carried, promise, EACH)))
        while step < len(counts) and kept(int(mistakes[step]), int(counts[step]), promise, EACH):
            best = max(best, step)
            step = max(step + 1, int(np.searchsorted(counts, counts[step] * STRIDE)))
    if best >= 0:
        decided, failed = int(counts[best]), int(mistakes[best])
        bound = upper_bound(failed, decided)
        why = f"{failed} of {decided} were wrong: with 95 % confidence at most {bound:.3%} are"
        at = float(ranked[last[best]])
        return Threshold(action, label, at, promise, len(sure), decided, failed, bound, 0, why)
    lacking, why = _lacking(counts, mistakes, len(sure), promise)
    return Threshold(action, label, None, promise, len(sure), 0, 0, None, lacking, why)


def _lacking(
    counts: npt.NDArray[np.int64], mistakes: npt.NDArray[np.int64], decisions: int, promise: float
) -> tuple[int | None, str]:
    """How many more decisions like these are needed, and a sentence that says so."""
    if not len(counts):
        few = fewest(promise)
        return few, f"there is nothing to go by: hold. At least {few} sure decisions are needed, without a mistake"
    times = math.inf
    # The longest run without a mistake and a few longer ones: each is a possible threshold.
    clean = int(np.searchsorted(mistakes, 1))
    if clean:
        times = fewest(promise) / int(counts[clean - 1])
    for step in np.unique(np.geomspace(1, len(counts), 40).astype(int)) - 1:
        decided, failed = int(counts[step]), int(mistakes[step])
        if failed and failed / decided < promise:
            low, high = 1.0, 2.0
            while not kept(round(failed * high), round(decided * high), promise, EACH) and high * decided < MOST:
                low, high = high, 2 * high
            while high - low > 0.01 * low:
                middle = (low + high) / 2
                enough = kept(round(failed * middle), round(decided * middle), promise, EACH)
                low, high = (low, middle) if enough else (middle, high)
            times = min(times, high)
    more = math.ceil((times - 1) * decisions - 1e-6) if math.isfinite(times) else MOST
    if more >= MOST:
        return None, "even what the model is surest of was wrong too often: hold. More decisions alone will not mend it"
    more = max(more, 1)
    return more, f"{decisions} decisions cannot carry the promise: hold. About {more} more are needed"


def policy(
    scores: Sequence[Mapping[str, float]],
    known: Sequence[Mapping[str, float]],
    reject: float,
    publish: float,
    labels: Sequence[str] = LABELS,
) -> dict[str, Any]:
    """All thresholds of a policy. scores: of a model that never saw the decisions; known: the decisions, absent = unknown.

    publish: a comment up to `at` on every label may be published. reject, per label: a comment from `at` on may be rejected.
    A score below 0.5 is never rejected and one above never published: where nearly all decisions are spam, rejecting everything
    would keep the promise as well."""
    names = [label for label in labels if all(label in one for one in scores)]
    p = np.array([[one[label] for label in names] for one in scores], np.float64).reshape(len(scores), len(names))
    bad = np.array([any(value >= 0.5 for value in one.values()) for one in known], bool)
    # A good comment was judged for both reasons to take a comment down, and passed.
    good = ~bad & np.array(["spam" in one and "toxicity" in one for one in known], bool)
    clear = good | bad
    highest = p.max(axis=1) if len(names) else np.zeros(len(p))
    found = _of_both(-highest[clear], bad[clear], publish, "publish", "", -EVEN, int(bad.sum()), int(good.sum()))
    out: dict[str, Any] = {"publish": asdict(found) | {"at": None if found.at is None else -found.at}, "reject": {}}
    for column, label in enumerate(names):
        usable = clear | np.array([label in one for one in known], bool)
        so = sum(one.get(label, 0.0) >= 0.5 for one in known)
        passed = int((usable & ~bad).sum())
        args = p[usable, column], ~bad[usable], reject, "reject", label, EVEN
        out["reject"][label] = asdict(_of_both(*args, so, passed))
    return out


def _of_both(
    sure: Reals, wrong: Bools, promise: float, action: str, label: str, floor: float, bad: int, good: int
) -> Threshold:
    """As `threshold`, given FEWEST decisions of both kinds; else hold."""
    lacking = max(FEWEST - bad, FEWEST - good)
    if lacking > 0:
        kinds = f"{bad} bad and {good} good decisions"
        why = f"{kinds} are too few of one kind to judge by: hold. At least {FEWEST} of each are needed"
        return Threshold(action, label, None, promise, len(sure), 0, 0, None, lacking, why)
    return threshold(sure, wrong, promise, action, label, floor)
