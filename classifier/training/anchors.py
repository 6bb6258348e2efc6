"""Anchors: a few hundred unrelated texts of a base, whose scores the sites' corrections are fitted to keep. Their words are stored
hashed, and beside a reader as its sentence vectors, never as texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.base import Base
from classifier.combine import probability
from classifier.examples import Example
from classifier.linear import Floats
from classifier.reader import Reader
from classifier.sentences import FILE as VECTORS_FILE
from classifier.together import Stages, Together
from classifier.training.reader_stage import read_all, table_log_odds
from classifier.training.train import features

ANCHORS = 400
READ = 500
"""Characters of an anchor that are read."""


def drawn(examples: Sequence[Example], seed: int) -> list[int]:
    """The places of the anchors: half of them good, a quarter spam, a quarter toxic."""
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    groups: list[list[int]] = [[], [], []]
    for place, example in enumerate(examples):
        bad = example.labels.get("toxicity", 0) >= 0.5
        groups[1 if example.labels.get("spam", 0) >= 0.5 else 2 if bad else 0].append(place)
    return sorted(
        place
        for group, share in zip(groups, (0.5, 0.25, 0.25), strict=True)
        for place in rng.sample(group, min(len(group), int(ANCHORS * share)))
    )


def stored(phi: sparse.csr_matrix, scores: Floats) -> dict[str, npt.NDArray[Any]]:
    """As a version keeps them. phi: [anchors, SITE_BUCKETS]; scores: [anchors, labels]."""
    phi.sort_indices()
    return {
        "anchor_index": phi.indices.astype(np.uint16),
        "anchor_value": phi.data.astype(np.float16),
        "anchor_start": phi.indptr.astype(np.int32),
        "anchor_score": scores.astype(np.float32),
    }


def of_both(
    base: Base, reader: Reader, stages: Stages, examples: Sequence[Example], seed: int
) -> dict[str, npt.NDArray[Any]]:
    """Anchors of a version with a reader, from rows that neither table nor reader saw: their words, the scores of both, and their
    sentence vectors, zeros where the reader does not know the script."""
    chosen = [replace(examples[place], text=examples[place].text[:READ]) for place in drawn(examples, seed)]
    texts = [example.text for example in chosen]
    reading = read_all(reader, texts)
    scores = probability(Together(stages).log_odds(table_log_odds(base, chosen), reading))
    vectors = np.where(reading.scripted[:, None], reading.vectors, 0).astype(np.float16)
    return stored(features(base, texts), scores) | {VECTORS_FILE: vectors}
