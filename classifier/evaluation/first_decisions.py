"""A site's first decisions: the error on the rest of its comments, after 20 and 100 of them, beside the error of the base.

With a second reader, by hashed words alone and by words and sentences, on blogs that neither table nor reader nor stage saw.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.base import Base, Correction, open_base, open_correction
from classifier.combine import probability
from classifier.evaluation.cells import Report, table
from classifier.evaluation.reader import left_out
from classifier.examples import Asked, Example
from classifier.linear import Floats
from classifier.progress import log
from classifier.reader import Reading
from classifier.registry import point, site_folder, write
from classifier.sentences import FILE as VECTORS_FILE
from classifier.training.measure import reliability
from classifier.training.reader_stage import read_all
from classifier.training.train import learn

DECISIONS = (20, 100)
DRAWS = 10
BATCH = 256
WORDS, BOTH = "words", "words and sentences"
"""What a correction reads."""
SHOWN = ("error after", "fall", "fall, worst draw")

Bools = npt.NDArray[np.bool_]


def beside(base: Base, data: Path) -> dict[str, Any]:
    """Per blog of the reports with enough comments of both kinds: the figures of `learnt`, by WORDS and BOTH. Raises ValueError for a
    base without sentence vectors."""
    if base.reader is None or base.sentences is None:
        raise ValueError(f"{base.version} has no second reader with anchors of its own: train it with train-reader")
    out = {}
    for part in left_out(base, data):
        examples = [example for example in part.examples if "spam" in example.labels]
        kinds = {example.labels["spam"] >= 0.5 for example in examples}
        if part.kind == "blog left out" and len(kinds) == 2 and len(examples) >= 2 * min(DECISIONS):
            log(f"first decisions of {part.name}")
            out[part.name] = by_what(base, examples)
    return out


def by_what(base: Base, examples: Sequence[Example]) -> dict[str, Any]:
    """The figures of `learnt` for one place, by WORDS and BOTH."""
    arrays = {name: np.array(array) for name, array in base.folder.arrays.items()}
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        for what, left in ((WORDS, {VECTORS_FILE}), (BOTH, set())):
            models = Path(folder) / what
            kept = {name: array for name, array in arrays.items() if name not in left}
            write(models, "asked", base.folder.card, base.folder.data, kept, base.folder.kept_files())
            point(models, "asked")
            out[what] = learnt(models, examples)
    return out


def learnt(models: Path, examples: Sequence[Example]) -> dict[str, Any]:
    """The error on a place's other comments after 20 and 100 random decisions. models: a folder with the base, in which the corrections are
    left; examples: of the place, with a label `spam`."""
    base = open_base(models)
    asks = [Asked(example.text, example.author) for example in examples]
    y = np.array([example.labels["spam"] >= 0.5 for example in examples])
    reading = read_all(base.reader, [one.text for one in asks]) if base.reader else None
    before = _spam(base, asks, reading)
    out: dict[str, Any] = {}
    for count in DECISIONS:
        if len(asks) < 2 * count:
            continue
        fell, error, gap = [], [], []
        for draw in range(DRAWS):
            site = f"{count}-{draw}"
            chosen = np.random.default_rng(draw).permutation(len(asks))[:count]
            rest = np.setdiff1d(np.arange(len(asks)), chosen)
            taught = [
                Example(asks[n].text, {"spam": float(y[n]), **({} if y[n] else {"toxicity": 0.0})}, asks[n].author)
                for n in chosen
            ]
            outcome = learn(models, site, taught)
            after = before
            if outcome.promoted and outcome.version:
                correction = open_correction(site_folder(models, site), outcome.version, base)
                after = _spam(base, asks, reading, correction)
            was, now = ((p[rest] >= 0.5) != y[rest] for p in (before, after))
            fell.append(1 - float(now.sum()) / max(int(was.sum()), 1))
            error.append((float(was.mean()), float(now.mean())))
            gap.append(calibration_error(after[rest], y[rest]))
        was_now = np.array(error).mean(axis=0)
        out[f"{count} decisions"] = {
            "error of the base": round(float(was_now[0]), 4),
            "error after": round(float(was_now[1]), 4),
            "fall": round(1 - float(was_now[1] / was_now[0]), 3) if was_now[0] else 0.0,
            "fall, worst draw": round(min(fell), 3),
            "calibration error after": round(float(np.mean(gap)), 4),
        }
    out["calibration error of the base"] = calibration_error(before, y)
    return out


def _spam(base: Base, asks: list[Asked], reading: Reading | None, correction: Correction | None = None) -> Floats:
    """Probabilities of spam, in batches."""
    parts = []
    for low in range(0, len(asks), BATCH):
        some, read = asks[low : low + BATCH], reading and reading.part(slice(low, low + BATCH))
        parts.append(probability(base.read(some, [correction] * len(some) if correction else (), read))[:, 0])
    return np.concatenate(parts)


def calibration_error(p: Floats, y: Bools) -> float:
    """Mean distance of probability and share of spam, in ten bins."""
    return round(sum(abs(said - so) * count for said, so, count in reliability(p, y)) / max(len(p), 1), 4)


def lines(found: Report) -> list[str]:
    """The figures of `beside` as Markdown, with the mean over the places."""
    rows: list[tuple[object, ...]] = []
    for step in (f"{count} decisions" for count in DECISIONS):
        asked = {place: (by[WORDS][step], by[BOTH][step]) for place, by in found.items() if step in by[WORDS]}
        cells = [(place, step, *_cells(words, both)) for place, (words, both) in asked.items()]
        rows += cells
        if len(cells) > 1:
            rows.append(
                ("mean", step, *(round(float(np.mean(column)), 3) for column in list(zip(*cells, strict=True))[2:]))
            )
    head = ("place", "after", "error of the base", *(f"{name}, {what}" for what in (WORDS, BOTH) for name in SHOWN))
    return ["## A site's first decisions, by what its correction reads", "", *table(head, rows)]


def _cells(words: Report, both: Report) -> list[float]:
    return [words["error of the base"], *(figures[name] for figures in (words, both) for name in SHOWN)]
