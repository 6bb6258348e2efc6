"""Scores of other systems on the reported rows, from the files of `benchmarks/peers.py`.

DIR/NAME.jsonl has one line per row, `{"key": …, "scores": {label: number}}`. The key is a hash of the text, so no text is copied, and
each score belongs to its row. Any system can be compared by such a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.training.measure import Ranked, share

Answers = Mapping[str, Mapping[str, float]]
LEARNT = {"alt-profanity-check": ("jigsaw", "davidson", "paradetox")}
"""Sources that a peer was trained on by its own account, or that are derived from these: it has seen their rows."""
BINARY = 3
"""A peer with at most this many different scores answers yes or no."""


def key(text: str) -> str:
    """A hash that identifies a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def read(folder: Path) -> dict[str, Answers]:
    """Name → key → label → score. Raises ValueError with the file and line of a malformed row."""
    found: dict[str, Answers] = {}
    for path in sorted(folder.glob("*.jsonl")):
        answers: dict[str, Mapping[str, float]] = {}
        with open(path, "rb") as lines:
            for number, raw in enumerate(lines, 1):
                try:
                    row = json.loads(raw)
                    answers[str(row["key"])] = {str(name): float(value) for name, value in row["scores"].items()}
                except (ValueError, TypeError, KeyError, AttributeError):
                    raise ValueError(f"{path.name}, line {number}: not a key and its scores") from None
        found[path.stem] = answers
    if not found:
        raise ValueError("no peer's scores are in that folder: see benchmarks/peers.py")
    return found


def beside(
    ours: npt.NDArray[np.floating[Any]],
    y: npt.NDArray[np.bool_],
    texts: Sequence[str],
    label: str,
    answers: Mapping[str, Answers],
    seed: int = 1,
) -> dict[str, dict[str, Any]]:
    """Peer → figures on the rows that it scored for this label: its AUC, our AUC, and both recalls at the peer's false alarms (its
    yes is a score from 0.5 on), the fair comparison with a yes-or-no list."""
    out: dict[str, dict[str, Any]] = {}
    keys = [key(text) for text in texts]
    for name, said in answers.items():
        known = np.array([label in said.get(one, {}) for one in keys], bool)
        theirs = np.array([said[one][label] for one, has in zip(keys, known, strict=True) if has], np.float64)
        mine, so = ours[known], y[known]
        if not len(so) or so.all() or not so.any():
            continue
        yes = theirs >= 0.5
        alarms, alarms_interval = share(int((yes & ~so).sum()), int((~so).sum()))
        their_recall, their_interval = share(int((yes & so).sum()), int(so.sum()))
        at = np.quantile(mine[~so], 1 - float((yes & ~so).sum() / (~so).sum()), method="higher")
        our_yes = mine > at
        our_recall, our_interval = share(int((our_yes & so).sum()), int(so.sum()))
        figures = Ranked(theirs, so).all(seed)
        out[name] = {
            "rows": len(so),
            "auc": figures["auc"][0],
            "auc 95 %": list(figures["auc"][1:]),
            "our auc": Ranked(mine, so).all(seed)["auc"][0],
            "average precision": figures["average precision"][0],
            "false alarms": alarms,
            "false alarms 95 %": alarms_interval,
            "recall": their_recall,
            "recall 95 %": their_interval,
            "our recall at its false alarms": our_recall,
            "our recall at its false alarms 95 %": our_interval,
            "yes or no": len(np.unique(theirs)) <= BINARY,
        }
    return out
