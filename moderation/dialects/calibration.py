"""Thresholds carried over: from a site's record of another service's scores to a Scale for each attribute, or the reason why its
record carries none.

The line links equal shares: the probability that 5 % of the texts reach belongs to the score that 5 % of them reached
(equipercentile linking; Kolen and Brennan, Test Equating, ch. 2). It rises by construction. The alternative, the mean old score at
each probability (isotonic regression), shrinks towards the middle, and an old threshold would let most through
(`benchmarks/carried_over.py` sets both side by side).

numpy is imported here, so commands import this module when they are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moderation.dialects.perspective import ATTRIBUTES
from moderation.dialects.scale import Scale
from moderation.dialects.threshold_log import Entry

Floats = np.ndarray[Any, np.dtype[np.float64]]
FEWEST = 300
"""Pairs that carry a line."""
SPREAD = 0.05
"""The least distance between the 1st and the 99th percentile, of the old scores and of ours."""
ORDER = 0.3
"""The least rank correlation, at the lower end of its interval."""
FOLDS, RESAMPLES, SEED = 5, 400, 20_261_231
POINTS_MOST = 100
SHOWN = 20
"""Disagreements."""
USUAL = (0.5, 0.7, 0.8, 0.85, 0.9)
"""Old thresholds that the report translates: Coral's is .80, Discourse's are .85 and .90."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text, the old service's score and ours. `line` is of the log."""

    line: int
    text: str
    theirs: float
    ours: float
    done: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its bootstrap interval of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """An old threshold: ours, and the shares of texts that reach it, before and now, and of equal calls."""

    old: float
    new: Interval
    flagged_before: float
    flagged_now: float
    agreement: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """One attribute's line and how well it does. `highest`: the highest old score of the log. `removed`: the number of texts that the
    site removed, and the shares of them that the old and the new call flag, if the log says."""

    attribute: str
    scale: Scale
    pairs: int
    correlation: Interval
    highest: float
    thresholds: Sequence[Translated]
    disagreements: Sequence[Pair]
    removed: tuple[int, float, float] | None


class Refused(Exception):
    """The record cannot carry a line. The message says why."""


def pairs_of(
    entries: Iterable[tuple[int, Entry]], attributes: Iterable[str]
) -> tuple[dict[str, dict[str, tuple[int, float, str]]], list[str]]:
    """Attribute → text → (line, old score, done); the last of equal texts counts. And the names that no label here answers."""
    pairs: dict[str, dict[str, tuple[int, float, str]]] = {}
    unknown = dict[str, None]()
    chosen = set(attributes)
    for line, entry in entries:
        for name, score in entry.scores.items():
            if chosen and name not in chosen:
                continue
            if name in ATTRIBUTES:
                pairs.setdefault(name, {})[entry.text] = (line, score, entry.done)
            else:
                unknown[name] = None
    return pairs, list(unknown)


def calibrate(attribute: str, pairs: Sequence[Pair], at: float) -> Calibration:
    """The line of an attribute. `at` is the old threshold whose disagreements are shown. Raises Refused."""
    theirs = np.array([pair.theirs for pair in pairs], dtype=np.float64)
    ours = np.array([pair.ours for pair in pairs], dtype=np.float64)
    rng = np.random.default_rng(SEED)
    correlation = checked(attribute, ours, theirs, rng)
    scale = fit(ours, theirs)
    held_out = cross_fitted(ours, theirs, rng)
    resampled = [scale_of_sample(ours, theirs, rng) for _ in range(RESAMPLES)]
    thresholds = []
    for old in sorted({*USUAL, at}):
        if 10 <= int((theirs >= old).sum()) <= len(pairs) - 10 or old == at:
            thresholds.append(translated(old, scale, resampled, theirs, held_out, rng))
    before, now = theirs >= at, held_out >= at
    apart = sorted(np.flatnonzero(before != now).tolist(), key=lambda i: -abs(float(theirs[i] - held_out[i])))
    removed = np.array([pair.done == "removed" for pair in pairs])
    return Calibration(
        attribute=attribute,
        scale=scale,
        pairs=len(pairs),
        correlation=correlation,
        highest=float(theirs.max()),
        thresholds=thresholds,
        disagreements=[pairs[i] for i in apart[:SHOWN]],
        removed=(int(removed.sum()), float(before[removed].mean()), float(now[removed].mean()))
        if removed.any()
        else None,
    )


def checked(attribute: str, ours: Floats, theirs: Floats, rng: np.random.Generator) -> Interval:
    """The rank correlation of pairs that can carry a line. Raises Refused."""
    if len(ours) < FEWEST:
        raise Refused(f"{attribute}: {len(ours)} different texts are too few; at least {FEWEST} carry a line.")
    for name, scores in (("old scores", theirs), ("scores here", ours)):
        low, high = np.quantile(scores, (0.01, 0.99))
        if high - low < SPREAD:
            raise Refused(
                f"{attribute}: the {name} have no spread: 98 % of them lie between {low:.2f} and {high:.2f}. "
                "Add texts of the other kind."
            )
    correlation = rank_correlation(ours, theirs, rng)
    if correlation.low < ORDER:
        raise Refused(
            f"{attribute}: the old scores do not rise with ours (rank correlation {correlation.value:.2f}, "
            f"{correlation.low:.2f} to {correlation.high:.2f}; at least {ORDER} is needed). The two measure different things here, "
            "and no line between them would keep a threshold's meaning."
        )
    return correlation


def fit(ours: Floats, theirs: Floats) -> Scale:
    """The line that links equal shares, dense at both ends, where thresholds stand."""
    n = len(ours)
    tails = np.geomspace(1 / n, 0.5, POINTS_MOST // 2 - 1)
    levels = np.unique(np.concatenate([[0], tails, 1 - tails, [1]]))
    x, y = np.quantile(ours, levels), np.quantile(theirs, levels)
    single, index = np.unique(x, return_inverse=True)
    means = np.bincount(index, weights=y) / np.bincount(index)
    heights = np.clip(np.maximum.accumulate(means), 0, 1)
    return Scale.of(list(zip(single.tolist(), heights.tolist(), strict=True)))


def scale_of_sample(ours: Floats, theirs: Floats, rng: np.random.Generator) -> Scale:
    drawn = rng.integers(0, len(ours), len(ours))
    return fit(ours[drawn], theirs[drawn])


def cross_fitted(ours: Floats, theirs: Floats, rng: np.random.Generator) -> Floats:
    """Each text's score on the old scale, by a line that was fitted without it."""
    fold = rng.permutation(len(ours)) % FOLDS
    scores = np.empty(len(ours))
    for k in range(FOLDS):
        scale = fit(ours[fold != k], theirs[fold != k])
        scores[fold == k] = [scale.old(p) for p in ours[fold == k].tolist()]
    return scores


def translated(
    old: float, scale: Scale, resampled: Sequence[Scale], theirs: Floats, held_out: Floats, rng: np.random.Generator
) -> Translated:
    equal = ((theirs >= old) == (held_out >= old)).astype(np.float64)
    # a share's bootstrap distribution is binomial
    shares = rng.binomial(len(equal), equal.mean(), 4000) / len(equal)
    places = [one.new(old) for one in resampled]
    return Translated(
        old=old,
        new=interval(scale.new(old), places),
        flagged_before=float((theirs >= old).mean()),
        flagged_now=float((held_out >= old).mean()),
        agreement=interval(float(equal.mean()), shares),
    )


def rank_correlation(ours: Floats, theirs: Floats, rng: np.random.Generator) -> Interval:
    """Spearman's, with equal ranks for equal values."""
    a, b = ranks(ours), ranks(theirs)
    values = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(0, len(a), len(a))
        values.append(correlation_of(a[drawn], b[drawn]))
    return interval(correlation_of(a, b), values)


def correlation_of(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def ranks(values: Floats) -> Floats:
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    after = np.cumsum(counts)
    means: Floats = (after - counts + after + 1)[index] / 2.0
    return means


def interval(value: float, values: Sequence[float] | Floats) -> Interval:
    low, high = np.quantile(np.asarray(values), (0.025, 0.975))
    return Interval(value=value, low=float(low), high=float(high))


def report(one: Calibration, at: float) -> str:
    """The report for an operator, who owns the texts in it."""
    main = next(row for row in one.thresholds if row.old == at)
    lines = [
        f"{one.attribute}: {one.pairs} texts; rank correlation {one.correlation.value:.2f} "
        f"({one.correlation.low:.2f} to {one.correlation.high:.2f}).",
        f"Your {short(at)} is our {short(main.new.value)} ({short(main.new.low)} to {short(main.new.high)}); "
        f"{percent(main.agreement.value)} of the calls agree ({percent(main.agreement.low)} to {percent(main.agreement.high)}).",
        "",
        "  old    here               flagged before    now    calls agree",
    ]
    lines += [
        f"  {short(row.old)}    {short(row.new.value)} ({short(row.new.low)} to {short(row.new.high)})"
        f"   {percent(row.flagged_before):>7}    {percent(row.flagged_now):>10}    {percent(row.agreement.value):>7}"
        for row in one.thresholds
    ]
    if one.highest < 0.95:
        lines.append(f"No text reached more than {short(one.highest)}: above it the line is a straight one to 1.")
    if one.removed:
        n, before, now = one.removed
        lines.append(
            f"Of {n} texts that were removed, {percent(before)} reached {short(at)} before, {percent(now)} now."
        )
    if one.disagreements:
        lines += [
            "",
            f"The {len(one.disagreements)} clearest disagreements at {short(at)} (line, before, now, done, text):",
        ]
        lines += [
            f"  {pair.line}  {pair.theirs:.2f}  {one.scale.old(pair.ours):.2f}  {pair.done or '-'}  {excerpt(pair.text)}"
            for pair in one.disagreements
        ]
    return "\n".join(lines)


def excerpt(text: str) -> str:
    """The start of a text on one line, without characters that a terminal would obey."""
    plain = "".join(c if c.isprintable() else " " for c in text[:400])
    line = " ".join(plain.split())
    return line if len(line) <= 100 else line[:99] + "…"


def short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def model_of(versions: Mapping[str, int]) -> str:
    """The version that scored most texts: a model may change during a long run."""
    return max(versions, key=lambda name: versions[name])
