"""A site's decisions → a correction of the base, live only if it does better on later decisions.

It reads hashed words, and of a base with a second reader the sentence vector too, so that decisions teach a kind of comment and not its
words alone. The correction lies in the span of the decided texts and of the base's anchors, a few hundred unrelated texts whose scores it is
fitted to keep. So the fit is in its dual form, with one number per text, and takes milliseconds. The constants are measured: see
docs/classifier.md.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from classifier import registry
from classifier.base import Base, Correction, correction_of, open_base, open_correction
from classifier.combine import LIMIT
from classifier.examples import Asked, Example
from classifier.hashing import SITE_BUCKETS
from classifier.labels import LABELS
from classifier.linear import VIEWS
from classifier.markup import plain
from classifier.training import matrix
from classifier.training.estimate import prepare
from classifier.training.matrix import targets
from classifier.training.published import Published, ask

OF_ONE_AUTHOR = 20
ALIKE = 0.8
"""Cosine from which two texts belong to one wave, of which one is learnt: thirty copies are one example."""
FEWEST = 10
FEWEST_NEW = 5
MOST = 2_000
"""Decisions that count: the latest."""
BLOCKS = 8
PULL = 0.03
"""L2 regularisation. It is weak: a decided text may move its own kind by several log-odds."""
ANCHOR_WEIGHT = 0.5
SHIFT = 1.0
"""The value of one more feature, which every text of the site has and the anchors lack: by it the whole site may shift, by at most
MOST_SHIFT log-odds."""
MOST_SHIFT = 4.0
BOTH = 3
"""Decisions of each kind with which a label of the site may shift all the way. With one or two it may shift a third or two thirds
of it, so that decisions of one kind alone move other texts little."""
ALONE = 10
"""Bad comments that count as half a good one where none was approved: a site where ten of ten are spam has more of it than most. So
decisions of one kind make a site a little stricter, and never more lenient."""
HARM = 0.01
"""Mean log loss that a candidate may add: the upper end of the paired 90 % interval, by a bootstrap. With five to twenty decisions
one large gain widens a normal interval so far that it looks like a risk."""
SAMPLES = 2_000

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """The result, with the reason in words and its figures."""

    promoted: bool
    why: str
    version: str | None
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lesson:
    """Decided texts first, anchors last. sentences: [texts, width], of a base with a reader; kernel: [texts, texts] of both; target: NaN
    = unknown; offset: the base's log-odds."""

    phi: sparse.csr_matrix
    sentences: Reals | None
    kernel: Reals
    target: Reals
    offset: Reals
    weight: Reals
    decided: int


def learn(
    models: Path, site: str, examples: Sequence[Example], *, published: Published | None = None, live: bool = True
) -> Outcome:
    """Retraining for one site: caps, fit, comparison on later decisions; the pointer moves if the candidate is better, and would hold
    no more of what the site has `published` than is allowed.

    live=False: such a candidate is written, and the pointer stays. Raises ModelError."""
    base = open_base(models)
    taught = sorted((e for e in examples if e.labels and e.text.strip()), key=lambda e: e.when)
    capped = _per_author(taught)[-2 * MOST :]
    phi = features(base, [e.text for e in capped])
    kept = _per_wave(phi)[-MOST:]
    chosen, phi = [capped[i] for i in kept], phi[kept]
    figures: dict[str, Any] = {"decisions": len(examples), "after hygiene": len(chosen), "base": base.version}
    if len(chosen) < FEWEST:
        lacking = FEWEST - len(chosen)
        why = f"{len(chosen)} decisions that teach something are too few; {lacking} more are needed"
        return Outcome(False, why, None, figures)
    lesson = _lesson(base, chosen, phi)
    folder = registry.site_folder(models, site)
    serving, today, until = _live(folder, base, lesson)
    when = np.array([e.when for e in chosen])
    order = np.arange(len(chosen))
    if when[0] == when[-1]:  # one moment for all: a fixed random order instead of that of time
        order = np.random.default_rng(0).permutation(len(chosen))
    first = max(FEWEST // 2, len(order) // 4)
    if until is not None:
        first = max(first, int(np.searchsorted(when, until, side="right")))
    if len(order) - first < FEWEST_NEW:
        lacking = FEWEST_NEW - (len(order) - first)
        why = f"too few decisions since the current version; {lacking} more are needed to compare"
        return Outcome(False, why, None, figures)
    candidate, current = _chained(lesson, today, order, first)
    difference = candidate - current
    mean = float(difference.mean())
    bound = _bound(difference)
    figures |= {
        "compared on": len(difference),
        "log loss now": round(float(current.mean()), 5),
        "log loss candidate": round(float(candidate.mean()), 5),
        "change": round(mean, 5),
        "90 % bound of harm": round(bound, 5),
    }
    if not mean < 0:
        return Outcome(False, "the candidate is not better on later decisions", None, figures)
    if bound > HARM:
        return Outcome(
            False, "the candidate may be worse on later decisions: the bound of harm is too high", None, figures
        )
    arrays = _solve(lesson, np.arange(len(chosen)))
    moment = datetime.now(UTC)
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()[:8]
    version = f"c{moment:%Y%m%d%H%M%S%f}-{digest}"
    card = {
        "kind": "correction",
        "date": moment.isoformat(),
        "base": base.checksum,
        "base version": base.version,
        "labels": list(LABELS),
        "until": float(when[-1]),
        "before": serving.version if serving else registry.BARE,
        "figures": figures,
    }
    why = "better on later decisions"
    if published is not None:
        answer = ask(base, published, serving, correction_of(base, version, arrays, card))
        figures |= answer.figures
        if answer.is_refusal:
            return Outcome(False, f"{why}, but refused: {answer}", None, figures)
        why = f"{why}; {answer}"
    registry.write(folder, version, card, {}, arrays)
    if live:
        registry.point(folder, version)
        print(f"{version} is live for this site", file=sys.stderr)
    registry.prune(folder)
    return Outcome(live, why if live else f"{why}; it is not live", version, figures)


def _per_author(examples: Sequence[Example]) -> list[Example]:
    """The first OF_ONE_AUTHOR examples of each author: a flood displaces nothing earlier."""
    count: Counter[str] = Counter()
    out = []
    for example in examples:
        if example.author_key:
            count[example.author_key] += 1
            if count[example.author_key] > OF_ONE_AUTHOR:
                continue
        out.append(example)
    return out


def _per_wave(phi: sparse.csr_matrix) -> list[int]:
    """The places of the texts to keep: the first of each wave of near-duplicates."""
    length = np.sqrt(np.asarray(phi.multiply(phi).sum(axis=1)).ravel()) + 1e-9
    unit = (sparse.diags(1 / length) @ phi).tocsr()
    alike = (unit @ unit.T).toarray() >= ALIKE
    kept: list[int] = []
    for number in range(unit.shape[0]):
        if not kept or not alike[number, kept].any():
            kept.append(number)
    return kept


def features(base: Base, texts: Sequence[str]) -> sparse.csr_matrix:
    """Texts as a correction of `base` reads them: [texts, SITE_BUCKETS]."""
    squares = [base.table.weights[view, :, -1].astype(np.float32) for view in range(VIEWS)]
    return matrix.folded(base.table.hasher, prepare([plain(text) for text in texts], base.fold), squares)


def _lesson(base: Base, examples: Sequence[Example], phi: sparse.csr_matrix) -> Lesson:
    arrays = base.folder.arrays
    start = np.array(arrays["anchor_start"])
    anchors = sparse.csr_matrix(
        (arrays["anchor_value"].astype(np.float32), arrays["anchor_index"].astype(np.int32), start),
        shape=(len(start) - 1, SITE_BUCKETS),
    )
    score = np.clip(np.array(arrays["anchor_score"], np.float64), 1e-4, 1 - 1e-4)
    both = sparse.vstack([phi, anchors], format="csr")
    kernel = (both @ both.T).toarray().astype(np.float64)
    reading, sentences = base.reader.read([e.text for e in examples]) if base.reader else None, None
    if reading and base.sentences:
        ours = base.sentences.features(reading.vectors, reading.scripted)
        sentences = np.vstack([ours, base.sentences.anchors]).astype(np.float64)
        kernel += sentences @ sentences.T
    decided = base.read([Asked(e.text, e.author) for e in examples], reading=reading)
    offset = np.vstack([decided.astype(np.float64), np.log(score / (1 - score))])
    target = np.vstack([targets(examples).astype(np.float64), score])
    weight = np.concatenate([np.ones(len(examples)), np.full(len(score), ANCHOR_WEIGHT)])
    return Lesson(both, sentences, kernel, target, offset, weight, len(examples))


def _live(folder: Path, base: Base, lesson: Lesson) -> tuple[Correction | None, Reals, float | None]:
    """The live correction, its log-odds for the decided texts, and the moment of the last decision that it learnt from."""
    offset = lesson.offset[: lesson.decided]
    version = registry.pointer(folder)
    if version is None or version == registry.BARE:
        return None, offset, None
    try:
        correction = open_correction(folder, version, base)
    except registry.ModelError as error:
        print(f"the current correction is ignored: {error}", file=sys.stderr)
        return None, offset, None
    moved = lesson.phi[: lesson.decided] @ correction.weights.astype(np.float64) + correction.shift
    if lesson.sentences is not None and correction.vector_weights is not None:
        moved = moved + lesson.sentences[: lesson.decided] @ correction.vector_weights
    return correction, offset + np.clip(moved, -LIMIT, LIMIT), float(correction.card["until"])


def _chained(lesson: Lesson, live: Reals, order: npt.NDArray[np.int64], first: int) -> tuple[Reals, Reals]:
    """Log loss per later decision, of candidates that learnt from the earlier ones only, and of the live version."""
    candidate, current = [], []
    edges = np.unique(np.linspace(first, len(order), min(BLOCKS, len(order) - first) + 1).astype(int))
    for low, high in pairwise(edges):
        dual = _dual(lesson, order[:low])
        later = order[low:high]
        known = np.concatenate([order[:low], np.arange(lesson.decided, len(lesson.weight))])
        moved = lesson.kernel[np.ix_(later, known)] @ dual + _shift(lesson, order[:low], dual)
        candidate.append(_loss(lesson.offset[later] + np.clip(moved, -LIMIT, LIMIT), lesson.target[later]))
        current.append(_loss(live[later], lesson.target[later]))
    return np.concatenate(candidate), np.concatenate(current)


def _loss(log_odds: Reals, target: Reals) -> Reals:
    """[texts] mean over the known labels."""
    z = np.clip(log_odds, -12, 12)
    loss = np.logaddexp(0, z) - np.nan_to_num(target) * z
    known = ~np.isnan(target)
    return np.asarray((loss * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1), dtype=np.float64)


def _bound(difference: Reals) -> float:
    """The upper end of the 90 % interval of the mean."""
    if len(difference) < 2:
        return 1.0
    rng = np.random.default_rng(0)
    drawn = np.array([difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(SAMPLES)])
    return float(np.quantile(drawn, 0.95))


def _dual(lesson: Lesson, taught: npt.NDArray[np.int64]) -> Reals:
    """[taught + anchors, labels] dual weights; zeros for a label without decisions."""
    anchors = np.arange(lesson.decided, len(lesson.weight))
    rows = np.concatenate([taught, anchors])
    out = np.zeros((len(rows), len(LABELS)))
    for column in range(len(LABELS)):
        if np.isnan(lesson.target[taught, column]).all():
            continue
        known = np.flatnonzero(~np.isnan(lesson.target[rows, column]))
        use = rows[known]
        ours = (use < lesson.decided) * SHIFT * _freedom(lesson, taught, column)
        kernel = lesson.kernel[np.ix_(use, use)] + np.outer(ours, ours)
        out[known, column] = _fit(kernel, lesson.target[use, column], lesson.offset[use, column], lesson.weight[use])
    return out


def _fit(kernel: Reals, target: Reals, offset: Reals, weight: Reals) -> Reals:
    def loss(dual: Reals) -> tuple[float, Reals]:
        moved = kernel @ dual
        z = offset + moved
        value = float((weight * (np.logaddexp(0, z) - target * z)).sum() + PULL / 2 * dual @ moved)
        slope = weight * (1 / (1 + np.exp(-np.clip(z, -30, 30))) - target) + PULL * dual
        return value, kernel @ slope

    found = minimize(loss, np.zeros(len(target)), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(found.x, dtype=np.float64)


def _freedom(lesson: Lesson, taught: npt.NDArray[np.int64], column: int) -> float:
    """0 … 1: the share of MOST_SHIFT that the site may shift."""
    target = lesson.target[taught, column]
    bad, good = int((target >= 0.5).sum()), int((target < 0.5).sum())
    return min(BOTH, bad, good or (0.5 if bad >= ALONE else 0)) / BOTH


def _shift(lesson: Lesson, taught: npt.NDArray[np.int64], dual: Reals) -> Reals:
    """[labels] the shift of the whole site."""
    free = np.array([_freedom(lesson, taught, column) for column in range(len(LABELS))])
    moved = (SHIFT * free) ** 2 * dual[: len(taught)].sum(axis=0)
    return np.asarray(np.clip(moved, -MOST_SHIFT * free, MOST_SHIFT * free), dtype=np.float64)


def _solve(lesson: Lesson, taught: npt.NDArray[np.int64]) -> dict[str, registry.Array]:
    """The arrays of a correction: sums over all texts, so that no text's own vector is kept."""
    rows = np.concatenate([taught, np.arange(lesson.decided, len(lesson.weight))])
    dual = _dual(lesson, taught)
    sums = {"weights": lesson.phi[rows].T @ dual}
    if lesson.sentences is not None:
        sums["vector_weights"] = lesson.sentences[rows].T @ dual
    halves = {name: np.clip(array, -6e4, 6e4).astype(np.float16) for name, array in sums.items()}
    return halves | {"shift": _shift(lesson, taught, dual).astype(np.float32)}
