"""Compare a candidate with the current version on later decisions: better, same or worse, with an interval.

The measure is the mean log loss over the known labels, paired: both models score the same rows. Rows of one author or thread
depend on each other, so the bootstrap draws groups.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import jsonl, registry, similar
from classifier.base import Base, Correction, open_base, open_correction
from classifier.examples import Asked, Example
from classifier.labels import LABELS
from classifier.progress import counted

HARM = 0.01
"""Mean log loss that a candidate may add: the upper end of the 90 % interval, as in a site's own learning."""
FEWEST = 30
DRAWS = 2_000
BATCH = 256

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contender:
    """A base, or a base and one site's correction. checksum: of the correction if there is one, else of the base."""

    version: str
    checksum: str
    base: Base
    correction: Correction | None = None
    until: float = 0.0
    """The moment of the last decision that it learnt from, Unix seconds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result. A change is candidate minus current, so below 0 is better."""

    verdict: str
    why: str
    candidate: dict[str, str]
    current: dict[str, str]
    rows: int
    groups: int
    left_out: dict[str, int]
    figures: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows_sha256: str = ""


def contender(models: Path | None, version: str | None = None, site: str = "") -> Contender:
    """One side of a comparison. version: None = the current one (for a site without a live correction, the bare base).

    Raises ModelError."""
    if not site:
        base = open_base(models, version)
        return Contender(base.version, base.checksum, base, until=float(base.folder.card.get("until", 0.0)))
    base = open_base(models)
    folder = registry.site_folder(models or registry.SHIPPED, site)
    name = version or registry.pointer(folder)
    if name is None or name == registry.BARE:
        return Contender(registry.BARE, base.checksum, base)
    correction = open_correction(folder, name, base)
    checksum = registry.read(folder, name).checksum
    return Contender(name, checksum, base, correction, float(correction.card.get("until", 0.0)))


def log_odds(side: Contender, examples: Sequence[Example]) -> Reals:
    """[examples, labels]"""
    parts = []
    for low in counted(range(0, len(examples), BATCH), f"batches of {BATCH} scored by {side.version}"):
        asked = [Asked(e.text, e.author) for e in examples[low : low + BATCH]]
        parts.append(side.base.read(asked, [side.correction] * len(asked) if side.correction else ()))
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, len(LABELS)))


def compare(candidate: Contender, current: Contender, examples: Sequence[Example], seed: int = 1) -> Comparison:
    """The verdict, with its figures."""
    later = max(candidate.until, current.until)
    unseen = [e for e in examples if not later or e.when > later]
    known = [e for e in sorted(unseen, key=lambda e: (e.when, e.text)) if e.labels]
    waves = similar.first_of_wave(similar.keys(similar.shingles(e.text)) for e in known)
    usable = [example for number, example in enumerate(known) if waves[number] == number]
    left_out = {
        "not later than what a side learnt from": len(examples) - len(unseen),
        "repeated, near-duplicates or without a label": len(unseen) - len(usable),
    }
    sides = (
        {"version": candidate.version, "checksum": candidate.checksum},
        {"version": current.version, "checksum": current.checksum},
    )
    told = hashlib.sha256("\n".join(jsonl.line(e) for e in usable).encode()).hexdigest()
    group = _groups(usable)
    count = int(group.max()) + 1 if len(group) else 0
    if count < FEWEST:
        why = f"{count} unseen, independent decisions cannot tell; {FEWEST - count} more are needed"
        return Comparison("worse", why, *sides, len(usable), count, left_out, rows_sha256=told)
    y = np.array([[e.labels.get(label, np.nan) for label in LABELS] for e in usable], np.float64)
    new, old = (log_odds(side, usable) for side in (candidate, current))
    losses = _loss(new, y), _loss(old, y)
    change = losses[0] - losses[1]
    low, high = interval(change, group, seed)
    verdict, why = judge(float(change.mean()), low, high)
    figures = {
        "log loss candidate": round(float(losses[0].mean()), 5),
        "log loss current": round(float(losses[1].mean()), 5),
        "change": round(float(change.mean()), 5),
        "change 90 %": [round(low, 5), round(high, 5)],
        "answers that differ at 0.5": int(((new >= 0) != (old >= 0)).any(axis=1).sum()),
    }
    return Comparison(
        verdict, why, *sides, len(usable), count, left_out, figures, _per_label(new, old, y, group, seed), told
    )


def judge(mean: float, low: float, high: float) -> tuple[str, str]:
    """better: the whole interval is below 0; worse: it is above 0, or harm above HARM is possible; same: otherwise. And why."""
    if high < 0:
        return "better", "its log loss is lower, and so is the whole 90 % interval of the change"
    if low > 0:
        return "worse", "its log loss is higher, and so is the whole 90 % interval of the change"
    if high > HARM:
        return "worse", f"harm cannot be ruled out: at worst it adds {high:.3f} to the log loss, more than {HARM}"
    lower = "lower" if mean < 0 else "no lower"
    return (
        "same",
        f"its log loss is {lower}, and the 90 % interval of the change has both signs and no harm above {HARM}",
    )


def interval(change: Reals, group: npt.NDArray[np.int64], seed: int, share: float = 0.9) -> tuple[float, float]:
    """Bootstrap over groups of the mean change per row."""
    total = np.bincount(group, weights=change)
    size = np.bincount(group).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = np.empty(DRAWS)
    for number in range(DRAWS):
        rows = rng.integers(0, len(total), len(total))
        drawn[number] = total[rows].sum() / size[rows].sum()
    low, high = np.quantile(drawn, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def _groups(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """[examples] group numbers: rows of one author, or else of one thread, are one group."""
    names = [e.author_key or e.group or f"\0{number}" for number, e in enumerate(examples)]
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([place[name] for name in names], np.int64)


def _loss(z: Reals, y: Reals) -> Reals:
    """[rows] mean log loss over the known labels."""
    z = np.clip(z, -12, 12)
    known = ~np.isnan(y)
    loss = np.logaddexp(0, z) - np.nan_to_num(y) * z
    return np.asarray((loss * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1), dtype=np.float64)


def _per_label(new: Reals, old: Reals, y: Reals, group: npt.NDArray[np.int64], seed: int) -> dict[str, dict[str, Any]]:
    out = {}
    for column, label in enumerate(LABELS):
        known = np.flatnonzero(~np.isnan(y[:, column]))
        if not len(known):
            continue
        target = y[known, column, None]
        change = _loss(new[known, column, None], target) - _loss(old[known, column, None], target)
        _, dense = np.unique(group[known], return_inverse=True)
        low, high = interval(change, dense.astype(np.int64), seed)
        out[label] = {
            "rows": len(known),
            "positives": int((y[known, column] >= 0.5).sum()),
            "change": round(float(change.mean()), 5),
            "change 90 %": [round(low, 5), round(high, 5)],
        }
    return out


def kept(folder: Path, version: str) -> Path:
    """The file of a candidate's last comparison, beside its folder: the folder's checksums stay."""
    return folder / f"{version}.compared.json"


def keep(folder: Path, comparison: Comparison) -> Path:
    """Writes a comparison to the file that `promote` reads."""
    path = kept(folder, comparison.candidate["version"])
    registry.write_json(path, asdict(comparison))
    return path
