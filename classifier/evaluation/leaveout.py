"""Spam in places that training never saw: blogs, videos and whole collections are left out, and the gain of a site's first
decisions is measured on the rest of its comments."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from classifier.combine import Combine, probability
from classifier.evaluation.first_decisions import calibration_error, learnt
from classifier.hashing import Hasher
from classifier.identity import TERMS
from classifier.labels import LABELS
from classifier.linear import Floats, Table
from classifier.progress import log
from classifier.registry import point, write
from classifier.structure import Structure
from classifier.training import calibrate, corpora
from classifier.training.calibrate import Unseen
from classifier.training.dataset import Rows, load_rows
from classifier.training.estimate import Fitted, fit_tables, prepare
from classifier.training.fit import anchors
from classifier.views import Fold

Bools = npt.NDArray[np.bool_]
Stages = dict[str, dict[str, Any]]

FEW = 30
"""A group with fewer spam texts reports its false alarms only."""
BOLDER = 2.0
"""Added to all log-odds, to show the cost of a base that misses less. It brings the videos' calibration error below 0.1."""


class Recipe:
    """The training of a base, for spam alone."""

    def __init__(self, data: Path, seed: int, jobs: int) -> None:
        self.fold = Fold(corpora.confusables(data))
        self.rows, _ = load_rows(data, self.fold, seed)
        self.shape = Structure(corpora.shorteners(data), corpora.disposable(data))
        self.hasher = Hasher(TERMS)
        self.seed, self.jobs = seed, jobs

    def fit(self, taught: Bools) -> tuple[Fitted, Unseen]:
        """Tables of the rows in `taught`, and their scores of each other's rows."""
        tables = fit_tables(self.rows, taught, self.shape, self.fold, self.hasher, self.jobs, ("spam",))
        return tables, calibrate.unseen(tables.folds, self.rows, taught, self.shape, self.fold, self.seed)

    def ask(self, table: Table, stages: Stages, asked: Bools) -> Floats:
        """Probabilities of spam for the rows in `asked`."""
        examples = [self.rows.examples[i] for i in np.flatnonzero(asked)]
        texts = [e.text for e in examples]
        numbers = self.shape.rows(texts, [e.author for e in examples])
        return probability(Combine(stages).log_odds(table.score(prepare(texts, self.fold)), numbers))[:, 0]


def leave_out(data: Path, seed: int = 1, jobs: int = 2) -> dict[str, Any]:
    """Figures of blogs, videos and collections, each scored by a fit and a second stage that saw neither it nor the other groups of
    its fold. YouTube also as in publications: trained on the other videos alone."""
    recipe = Recipe(data, seed, jobs)
    rows = recipe.rows
    source = np.array([e.source for e in rows.examples])
    group = np.array([e.group for e in rows.examples])
    asked = np.array(["spam" in e.labels for e in rows.examples]) & ~rows.copy
    log("without each fold")
    (tables, _, structure_weights), found = recipe.fit(np.ones(len(rows.examples), bool))
    out: dict[str, Any] = {}
    decided: dict[str, Any] = {}
    for title, name in (("blogs", "blog_comments"), ("videos", "youtube_uci")):
        figures = {}
        for one in sorted(set(group[(source == name) & asked].tolist())):
            mine = (group == one) & asked
            stages = calibrate.fit_stages(rows, found, ("spam",), group == one, structure_weights)
            table = tables[int(rows.fold[mine][0])]
            figures[one] = _figures(rows, mine, recipe.ask(table, stages, mine))
            if figures[one].get("auc"):
                log(f"first decisions of {one}")
                decided[one] = _decided(recipe, table, stages, found, mine)
        if figures:
            out[title] = figures
    whole = {}
    for name in ("blog_comments_modern", "reddit_ads", "sms"):
        mine = (source == name) & asked
        if mine.any():
            stages = calibrate.fit_stages(rows, found, ("spam",), source == name, structure_weights)
            whole[name] = _figures(rows, mine, recipe.ask(tables[int(rows.fold[mine][0])], stages, mine))
    for name in ("youtube_uci", "blog_comments"):
        mine = (source == name) & asked
        if mine.any() and (source[asked] != name).any():
            log(f"without {name}")
            others, theirs = recipe.fit(source != name)
            stages = calibrate.fit_stages(rows, theirs, ("spam",), structure_weights=others.structure_weights)
            whole[name] = _figures(rows, mine, recipe.ask(others.served, stages, mine)) if stages else {}
    out["collections"] = whole
    alone = {}
    videos = source == "youtube_uci"
    for one in sorted(set(group[videos].tolist())):
        others, theirs = recipe.fit(videos & (group != one))
        stages = calibrate.fit_stages(rows, theirs, ("spam",), structure_weights=others.structure_weights)
        alone[one] = _figures(rows, (group == one) & asked, recipe.ask(others.served, stages, (group == one) & asked))
    if alone:
        out["videos, trained on the other videos alone"] = alone
    if decided:
        out["a site's first decisions"] = decided
    return out


def _figures(rows: Rows, asked: Bools, p: Floats) -> dict[str, Any]:
    y = np.array([rows.examples[i].labels["spam"] >= 0.5 for i in np.flatnonzero(asked)])
    good = p[~y]
    clipped = np.clip(p.astype(np.float64), 1e-6, 1 - 1e-6)
    bolder = probability(np.asarray(np.log(clipped / (1 - clipped)) + BOLDER, np.float32))
    out: dict[str, Any] = {"rows": len(y), "spam": int(y.sum())}
    if len(good):
        out["good at >= 0.5"] = round(float((good >= 0.5).mean()), 4)
        out["good at >= 0.99"] = round(float((good >= 0.99).mean()), 4)
        out[f"good at >= 0.5, bolder by {BOLDER:g}"] = round(float((bolder[~y] >= 0.5).mean()), 4)
    if y.any():
        out["spam at >= 0.5"] = round(float((p[y] >= 0.5).mean()), 4)
        out["spam published blindly (< 0.1)"] = round(float((p[y] < 0.1).mean()), 4)
    if y.sum() >= FEW and len(good):
        out |= {
            "auc": round(float(roc_auc_score(y, p)), 4),
            "accuracy": round(float(((p >= 0.5) == y).mean()), 4),
            "calibration error": calibration_error(p, y),
            f"calibration error, bolder by {BOLDER:g}": calibration_error(bolder, y),
        }
    return out


def _decided(recipe: Recipe, table: Table, stages: Stages, found: Unseen, asked: Bools) -> dict[str, Any]:
    """The figures of `first_decisions.learnt` for the rows of a place."""
    rows = recipe.rows
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder)
        card = {"labels": list(LABELS), "calibration": stages, "thresholds": dict.fromkeys(LABELS, 0.5)}
        content = {
            "confusables": recipe.fold.confusables,
            "shorteners": sorted(recipe.shape.shorteners),
            "disposable": sorted(recipe.shape.disposable),
            "identity": sorted(TERMS),
        }
        arrays = table.arrays() | anchors(
            table, recipe.fold, rows, found, calibrate.scores(stages, found), recipe.seed, asked
        )
        write(models, "left-out", card, content, arrays)
        point(models, "left-out")
        return learnt(models, [rows.examples[i] for i in np.flatnonzero(asked)])
