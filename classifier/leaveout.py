"""Spam on blogs and videos that training never saw: each is left out whole, and the rest is trained on again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from classifier import corpora, fit
from classifier.combine import Combine, probability
from classifier.hashing import Hasher
from classifier.identity import TERMS
from classifier.structure import Structure
from classifier.views import Fold

FEW = 30
"""A group with fewer spam texts reports its false alarms only."""


def leave_out(data: Path, seed: int = 1, jobs: int = 2) -> dict[str, Any]:
    """Blogs: the whole recipe without that blog. Videos: trained on the other videos alone, as others report it."""
    fold = Fold(corpora.confusables(data))
    rows, _ = fit.gather(data, fold, seed)
    shape = Structure(corpora.shorteners(data), corpora.disposable(data))
    source = np.array([e.source for e in rows.examples])
    group = np.array([e.group for e in rows.examples])
    everything = np.array([("spam" in e.labels) for e in rows.examples])
    out: dict[str, Any] = {}
    for title, name, among in (
        ("blogs", "blog_comments", everything),
        ("videos", "youtube_uci", source == "youtube_uci"),
    ):
        found = {}
        for one in sorted(set(group[source == name].tolist())):
            fit.say(f"without {one}")
            found[one] = _without(rows, among & (group != one), group == one, fold, shape, seed, jobs)
        if found:
            out[title] = found
    return out


def _without(
    rows: fit.Rows,
    taught: npt.NDArray[np.bool_],
    asked: npt.NDArray[np.bool_],
    fold: Fold,
    shape: Structure,
    seed: int,
    jobs: int,
) -> dict[str, Any]:
    hasher = Hasher(TERMS)
    table = fit.fit_table(rows, taught & (rows.part == 0), fold, hasher, jobs, ("spam",))
    later = np.flatnonzero(taught & (rows.part > 0))
    held = [rows.examples[i] for i in later]
    stages = fit.fit_stages(table, shape, fold, held, rows.weight[later], seed, ("spam",))
    unseen = [rows.examples[i] for i in np.flatnonzero(asked)]
    texts = [e.text for e in unseen]
    numbers = shape.rows(texts, [e.author for e in unseen])
    p = probability(Combine(stages).log_odds(table.score(fit.prepare(texts, fold)), numbers))[:, 0]
    y = np.array([e.labels["spam"] >= 0.5 for e in unseen])
    good = p[~y]
    out: dict[str, Any] = {"rows": len(y), "spam": int(y.sum())}
    if len(good):
        out["good at >= 0.5"] = round(float((good >= 0.5).mean()), 4)
        out["good at >= 0.99"] = round(float((good >= 0.99).mean()), 4)
    if y.sum() >= FEW and len(good):
        out |= {
            "auc": round(float(roc_auc_score(y, p)), 4),
            "accuracy": round(float(((p >= 0.5) == y).mean()), 4),
            "spam at >= 0.5": round(float((p[y] >= 0.5).mean()), 4),
            "spam at >= 0.99": round(float((p[y] >= 0.99).mean()), 4),
        }
    return out
