"""Corpora → a base model: loaded, fitted, calibrated, measured and written with its card."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier import structure
from classifier.base import Base
from classifier.combine import Combine, probability
from classifier.examples import Example
from classifier.hashing import BUCKETS, Hasher
from classifier.hidden import UNITS
from classifier.identity import TERMS
from classifier.known_spam import FILE as KNOWN_FILE
from classifier.labels import LABELS
from classifier.linear import FINGERPRINTS_FILE, VIEWS, Floats, Table
from classifier.progress import log
from classifier.registry import read, write
from classifier.structure import Structure
from classifier.training import calibrate, corpora, known_spam, matrix
from classifier.training.anchors import READ, drawn, stored
from classifier.training.author import fit_author
from classifier.training.calibrate import FALSE_ALARMS, Unseen
from classifier.training.dataset import FOLDS, REPORT_SHARE, STAGE, STAGE_SHARE, TRAIN, Rows, load_rows
from classifier.training.estimate import C, fit_tables, prepare
from classifier.training.metrics import evaluate
from classifier.views import Fold

CODE = "5"
FEWEST_STAGE = 2_000
"""STAGE rows with which thresholds are set on them."""


def train(data: Path, out: Path, seed: int = 1, jobs: int = 2, date: str = "", names: Sequence[str] = ()) -> Path:
    """A new version in the folder `out`; the pointer stays. With people's `names` it reads the author's name and website too.
    Raises ValueError for a folder without corpora."""
    started = time.monotonic()
    fold = Fold(corpora.confusables(data))
    rows, sources = load_rows(data, fold, seed)
    if not rows.examples or len(sources) < 2:
        raise ValueError(f"no corpora in {data.name}: see docs/classifier.md for the files it wants")
    log(f"{len(rows.examples)} texts without repeats, read in {time.monotonic() - started:.0f} s")
    shape = Structure(corpora.shorteners(data), corpora.disposable(data))
    taught = rows.part == TRAIN
    tables, table, structure_weights = fit_tables(rows, taught, shape, fold, Hasher(TERMS), jobs)
    found = calibrate.unseen(tables, rows, taught, shape, fold, seed)
    stages = calibrate.fit_stages(rows, found, structure_weights=structure_weights)
    thresholds = calibrate.set_thresholds(*on_stage(rows, table, stages, shape, fold, found))
    kept = anchors(table, fold, rows, found, calibrate.scores(stages, found), seed)
    known = known_spam.remembered(rows, fold)
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), UTC)
    now = date or moment.isoformat(timespec="seconds")
    arrays = table.arrays()
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()[:8]
    card = {
        "kind": "base",
        "date": now,
        "code": CODE,
        "seed": seed,
        "labels": list(LABELS),
        "features": {
            "views": ["as written", "normalised"],
            "characters": [3, 5],
            "characters of dense scripts": [2, 5],
            "words": [1, 2],
            "word weight": 1.5,
            "buckets": BUCKETS,
            "n-grams known": int(np.count_nonzero(arrays[FINGERPRINTS_FILE])),
            "hidden units": UNITS,
            "identity terms": len(TERMS),
            "structure": list(structure.NAMES),
        },
        "regularisation": dict(C),
        "thresholds": thresholds,
        "threshold promise": f"at most {FALSE_ALARMS:.0%} of everyday good comments held, per label, on rows and blogs left out of the fit",
        "calibration": stages,
        "known spam": known_spam.measured(known, rows, fold),
        "sources": sources,
        "split": f"{STAGE_SHARE} % for the stage with a reader and {REPORT_SHARE} % for reports, by hash of the text (pairs as groups), and "
        f"whole blogs for both; {FOLDS} folds, blogs, videos and spam "
        "collections as groups: each row's second stage sees scores of the fit without its fold, and the served weights "
        "are the mean of all; where a label has few rows, and for the hidden units, those of one fit of all",
    }
    content = {
        "confusables": fold.confusables,
        "shorteners": sorted(shape.shorteners),
        "disposable": sorted(shape.disposable),
        "identity": sorted(TERMS),
    }
    version = f"{now[:10].replace('-', '')}-{digest}"
    arrays |= kept | {KNOWN_FILE: known}
    if names:
        author = fit_author(unwritten(version, card, content, arrays), data, names, seed)
        arrays, card = arrays | author.arrays, card | {"author": author.card}
    log("measuring on unseen files")
    target = write(out, version, card | {"metrics": measured(data, version, card, content, arrays)}, content, arrays)
    log(f"{version} written after {time.monotonic() - started:.0f} s")
    return target


def on_stage(
    rows: Rows, table: Table, stages: dict[str, dict[str, Any]], shape: Structure, fold: Fold, found: Unseen
) -> tuple[Floats, list[Example], npt.NDArray[np.bool_]]:
    """(probabilities, examples, whether they are everyday) of the STAGE rows; in a corpus with few of them, of the rows that the
    folds left out."""
    places = rows.of(STAGE)
    if len(places) < FEWEST_STAGE:
        places = found.row[: found.clean].tolist()
        p = calibrate.scores(stages, found)
    else:
        texts = [rows.examples[i].text for i in places]
        numbers = shape.rows(texts, [rows.examples[i].author for i in places])
        p = probability(Combine(stages).log_odds(table.score(prepare(texts, fold)), numbers))
    return p, [rows.examples[i] for i in places], rows.everyday[places]


def with_author(base: Base, data: Path, names: Sequence[str], out: Path, seed: int = 1) -> Path:
    """A version like `base` that reads the author's name and website as `fit_author` teaches it. Raises ValueError."""
    author = fit_author(base, data, names, seed)
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), UTC)
    now = moment.isoformat(timespec="seconds")
    arrays = {name: np.array(array) for name, array in base.folder.arrays.items()} | author.arrays
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()[:8]
    card = base.folder.card | {"date": now, "author": author.card}
    files = base.folder.kept_files()
    return write(out, f"{now[:10].replace('-', '')}-{digest}", card, base.folder.data, arrays, files)


def unwritten(version: str, card: Mapping[str, Any], content: Mapping[str, Any], arrays: Mapping[str, Any]) -> Base:
    """A version that is not written yet, ready to score."""
    with tempfile.TemporaryDirectory() as beside:
        write(Path(beside), version, card, content, arrays)
        return Base(read(Path(beside), version))


def measured(
    data: Path, version: str, card: Mapping[str, Any], content: Mapping[str, Any], arrays: Mapping[str, Any]
) -> dict[str, Any]:
    """The metrics of a version that is not written yet."""
    report = evaluate(unwritten(version, card, content, arrays), data)
    return {name: value for name, value in report.items() if name not in ("time", "model")}


def anchors(
    table: Table,
    fold: Fold,
    rows: Rows,
    found: Unseen,
    p: Floats,
    seed: int,
    without: npt.NDArray[np.bool_] | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """A few hundred texts as hashed features, whose scores the sites' corrections are fitted to keep. without: [rows] rows to leave
    out."""
    places = [place for place, i in enumerate(found.row[: found.clean]) if without is None or not without[i]]
    chosen = [places[n] for n in drawn([rows.examples[found.row[place]] for place in places], seed)]
    texts = [rows.examples[found.row[place]].text[:READ] for place in chosen]
    squares = [table.weights[view, :, -1].astype(np.float32) for view in range(VIEWS)]
    return stored(matrix.folded(table.hasher, prepare(texts, fold), squares), p[chosen])
