"""The second stage and the thresholds, fitted on scores of tables that never saw the row: so the stage is the calibration.

The constants are measured: see docs/classifier.md.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import combine, structure
from classifier.combine import Combine, probability
from classifier.examples import Example
from classifier.labels import LABELS
from classifier.linear import Floats, Linear, Table
from classifier.structure import Structure
from classifier.training import attack, matrix
from classifier.training.dataset import Rows, place_of
from classifier.training.estimate import SMALL, prepare
from classifier.training.soft_labels import fit_soft
from classifier.views import Fold

AUTHOR_WEIGHTS = {
    "author url": 0.2,
    "author name long": 0.2,
    "author name digits": 0.1,
    "author mail disposable": 0.5,
}
"""Set by hand: what the corpora have of authors is how one blog stored them."""
DISGUISED = 0.35
DISGUISED_WEIGHT = 0.5
FALSE_ALARMS = 0.02
"""Share of everyday good comments at or above a shipped threshold, per label."""
LIMITS = 0.1, 0.9
"""Of a threshold."""
BESIDE = 1.0
"""Weight of the hidden units' log-odds beside those of the remaining inputs; 0 for a label with fewer than SMALL rows. It is set by
hand: a fit gives most labels the units alone, and a plain sum ranks better. The window excess, measured on one of the two
parts, counts for both."""
BLOG = 2_000.0
SPAM_ALARMS, LINKED_ALARMS = 0.0075, 0.075
"""Share of good comments that may score 0.5 or more, without a link and with one, in collections with spam and in places that the
fit never saw. Most false alarms have a link; one bias for both would hide spam without a link. A site's own decisions shift the
bias back (`train.SHIFT`), and a rule holds links of first-time authors."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows scored by tables that were fitted without them: first the clean rows, then disguised copies of some.

    row: [texts] their numbers in `Rows`; clean: the number of clean rows."""

    row: npt.NDArray[np.int64]
    clean: int
    linear: Linear
    shape: Floats


def unseen(
    tables: Sequence[Table], rows: Rows, use: npt.NDArray[np.bool_], shape: Structure, fold: Fold, seed: int
) -> Unseen:
    """Every row in `use` by the table of its fold, and a third of them once more, disguised."""
    rng = random.Random(seed)  # noqa: S311 - which rows are disguised, not a secret
    row = np.flatnonzero(use & ~rows.copy)
    texts = [rows.examples[i].text for i in row]
    good = [
        rows.examples[i].text[:600] for i in row if rows.everyday[i] and max(rows.examples[i].labels.values()) < 0.5
    ] or [attack.PADDING]

    def padding() -> str:
        # Good comments of the corpora; the text that `evaluate` pads with stays unseen.
        size, out = rng.randrange(200, 900), ""
        while len(out) < size:
            out = f"{out} {rng.choice(good)}"
        return out

    extra = [place for place in range(len(row)) if rng.random() < DISGUISED]
    for place in extra:
        kind = rng.choice((*attack.KINDS, "padding"))  # padding twice: it costs the most recall
        text = texts[place][:1500]
        texts.append(f"{padding()} {text}{padding()}" if kind == "padding" else attack.disguise(text, kind, rng))
    every = np.concatenate([row, row[extra]])
    linear = Linear.empty(len(every))
    for left_out, table in enumerate(tables):
        mine = np.flatnonzero(rows.fold[every] == left_out)
        found = table.score(prepare([texts[place] for place in mine], fold))
        linear.put(mine, found)
    return Unseen(every, len(row), linear, shape.rows(texts, [rows.examples[i].author for i in every]))


def fit_stages(
    rows: Rows,
    found: Unseen,
    labels: Sequence[str] = LABELS,
    without: npt.NDArray[np.bool_] | None = None,
    structure_weights: Floats | None = None,
) -> dict[str, dict[str, Any]]:
    """The second stage of every label. without: [rows of the corpus] the rows to leave out; structure_weights: [names] of `spam`
    where they were fitted with the words, so that the stage only scales them."""
    y = matrix.targets([rows.examples[i] for i in found.row])
    weight = rows.weight[found.row].copy()
    weight[found.clean :] *= DISGUISED_WEIGHT
    clean = np.arange(len(weight)) < found.clean
    allowed = np.ones(len(weight), bool) if without is None else ~without[found.row]
    everyday = rows.everyday[found.row] & clean
    shape = found.shape.copy()
    place = np.array([place_of(rows.examples[i]) for i in found.row])
    moderated = everyday & with_spam([rows.examples[i] for i in found.row])
    by_hand = [structure.NAMES.index(name) for name in AUTHOR_WEIGHTS]
    shape[:, by_hand] = 0
    names = sorted(set(rows.bias))
    own = np.zeros((len(weight), len(names)), np.float32)
    own[np.arange(len(weight)), [names.index(rows.bias[i]) for i in found.row]] = 1
    stages: dict[str, dict[str, Any]] = {}
    for column, label in enumerate(LABELS):
        known = np.flatnonzero(~np.isnan(y[:, column]) & allowed)
        x = combine.inputs(found.linear, column, shape)[known]
        # [inputs, fitted weights]: one for each input except the hidden units, whose weight is set
        ways = np.delete(np.eye(x.shape[1], dtype=np.float32), combine.HIDDEN, axis=1)
        if label == "spam" and structure_weights is not None:
            ways = ways[:, : combine.HIDDEN]
            ways[len(combine.OWN) :, combine.OWN.index("whole text")] = structure_weights
        learnt = x @ ways
        width = ways.shape[1]
        if label != "spam":
            learnt = np.hstack([learnt, own[known]])
        counts = _evened(weight[known], place[known]) if label == "spam" else weight[known]
        model = fit_soft(learnt, y[known, column], counts, 1.0, 500) if label in labels else None
        if model is None:
            continue
        beside = BESIDE if np.count_nonzero(known < found.clean) >= SMALL else 0.0
        weights = ways.astype(np.float64) @ model.coef_[0][:width].astype(np.float64)
        weights[combine.HIDDEN] = beside
        weights[combine.OWN.index("window_excess")] *= 1 + beside
        z = x.astype(np.float64) @ weights
        scale, bias = on_everyday(z, y[known, column], everyday[known], clean[known])
        weights *= scale
        if label == "spam":
            link = combine.names(label).index("link")
            good = moderated[known] & (y[known, column] < 0.5)
            bias, less = _few_alarms(z[good] * scale, x[good, link] > 0, bias)
            weights[link] -= less
            for name, value in AUTHOR_WEIGHTS.items():
                weights[combine.names(label).index(name)] = value
        stages[label] = {
            "inputs": combine.names(label),
            "weights": [round(float(value), 6) for value in weights],
            "bias": round(bias, 6),
        }
    return stages


def on_everyday(
    z: npt.NDArray[np.float64], y: Floats, everyday: npt.NDArray[np.bool_], clean: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Scale and bias with which `z` are log-odds on everyday comments: the share of insults in collections selected for them is
    far from that of a site."""
    for some in (everyday, clean):
        if some.any():
            model = fit_soft(z[some, None], y[some], np.ones(int(some.sum()), np.float32), 1e3, 300)
            if model is not None and model.coef_[0][0] > 0:
                return float(model.coef_[0][0]), float(model.intercept_[0])
    return 1.0, 0.0


def _evened(weight: Floats, place: npt.NDArray[np.str_]) -> Floats:
    """Weights in which a blog counts as at most BLOG texts, so that the one unmoderated blog does not dominate."""
    out = weight.copy()
    for name in sorted({name for name in place.tolist() if name.startswith("blog_comments/")}):
        out[place == name] *= min(1.0, BLOG / max(float(weight[place == name].sum()), 1e-9))
    return out


def _few_alarms(good: npt.NDArray[np.float64], linked: npt.NDArray[np.bool_], bias: float) -> tuple[float, float]:
    """The bias, lowered until at most SPAM_ALARMS of the good comments without a link reach 0.5, and the reduction of the link's
    weight until at most LINKED_ALARMS of those with a link do. good: log-odds without the bias."""

    def lowered(some: npt.NDArray[np.float64], alarms: float, bias: float) -> float:
        return min(bias, -float(np.quantile(some, 1 - alarms))) if len(some) else bias

    plain = lowered(good[~linked], SPAM_ALARMS, bias)
    return plain, plain - lowered(good[linked], LINKED_ALARMS, plain)


def set_thresholds(p: Floats, examples: Sequence[Example], everyday: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Per label the lowest threshold that holds at most FALSE_ALARMS of everyday good comments, within LIMITS; for spam, of those
    without a link in sources that have spam too: other places are far from any, and a stranger's link waits anyhow.

    p: [texts, labels] of rows that no fit saw; everyday: [texts]."""
    y = matrix.targets(examples)
    of_spam = with_spam(examples) & np.array(["http://" not in example.text for example in examples], bool)
    out = {}
    for column, label in enumerate(LABELS):
        good = y[:, column] < 0.5
        for some in (everyday & (of_spam | (label != "spam")), everyday):
            if (good & some).any():
                good &= some
                break
        at = float(np.quantile(p[good, column], 1 - FALSE_ALARMS)) if good.any() else 0.5
        out[label] = round(min(max(at, LIMITS[0]), LIMITS[1]), 4)
    return out


def with_spam(examples: Sequence[Example]) -> npt.NDArray[np.bool_]:
    """[examples] whether a text's source has spam."""
    sources = {example.source for example in examples if example.labels.get("spam", 0) >= 0.5}
    return np.array([example.source in sources for example in examples], bool)


def scores(stages: dict[str, dict[str, Any]], found: Unseen) -> Floats:
    """[clean texts, labels] probabilities."""
    clean = found.clean
    return probability(Combine(stages).log_odds(found.linear.part(slice(0, clean)), found.shape[:clean]))
