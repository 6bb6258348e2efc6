"""The time to score a comment, beside stock scikit-learn, by turns in one run.

Each comment is new to both sides and cut to 300 characters. The same comment again, whose rows are in the cache, is a figure of its
own. Times are processor time, so that other programs do not count, and a second thread does. Stock computes all labels by one
product, without validation.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from classifier.base import Base
from classifier.combine import probability
from classifier.examples import Asked
from classifier.labels import LABELS

SIZE = 300
TIMED = 1000
READ = 20_000
"""Comments of any length for the fit of stock."""
TEXT = (
    "We moved the tomatoes to the south wall last spring and they did much better; my neighbour, who has grown them "
    "for thirty years, says that the soil matters more than the sun. I'd still like to know what you feed them with, "
    "since mine turn yellow in August. See https://garden.example/yellow for a photo of the leaves."
)


def bench(base: Base, texts: Sequence[str], seed: int = 1) -> dict[str, Any]:
    """µs for one comment of 300 characters and all labels, and the ratio of stock scikit-learn's time to it."""
    timed, unmet, read = _comments(texts, seed)
    stock = _stock(read)
    plain = Base(base.folder, reader=False)
    plain.kernel = None

    def our(texts: Sequence[str], base: Base = base) -> Callable[[], object]:
        asked = [Asked(text) for text in texts]
        return lambda: probability(base.log_odds(asked))

    ours, theirs, again, by_numpy, batch, their_batch = [], [], [], [], [], []
    for low in range(0, len(timed), 32):  # by turns of 32 comments, so that both sides keep their caches
        some = timed[low : low + 32]
        batch.append(_timed(our(unmet[low : low + 32])) / len(unmet[low : low + 32]))
        ours += [_timed(our([text])) for text in some]
        again += [_timed(our([TEXT[:SIZE]])) for _ in some]
        by_numpy += [_timed(our([text], plain)) for text in some]
        theirs += [_timed(partial(stock, [text])) for text in some]
        their_batch.append(_timed(partial(stock, unmet[low : low + 32])) / len(unmet[low : low + 32]))
    return {
        "one at a time, median": round(float(np.median(ours)), 1),
        "one at a time, p99": round(float(np.quantile(ours, 0.99)), 1),
        "the same comment again, median": round(float(np.median(again[1:] or again)), 1),
        "where the kernel is not built, median": round(float(np.median(by_numpy)), 1),
        "in batches of 32": round(float(np.median(batch)), 1),
        "stock TfidfVectorizer, one at a time, median": round(float(np.median(theirs)), 1),
        "stock TfidfVectorizer, in batches of 32": round(float(np.median(their_batch)), 1),
        "times faster": round(float(np.median(theirs) / np.median(ours)), 1),
        "comments": len(timed),
    }


def _comments(texts: Sequence[str], seed: int) -> tuple[list[str], list[str], list[str]]:
    """Comments to time one by one, as many to time in batches, and others for the fit."""
    found = sorted({text[:SIZE] for text in texts})
    random.Random(seed).shuffle(found)  # noqa: S311 - which comments are timed is no secret
    whole = [text for text in found if len(text) == SIZE]
    count = min(TIMED, len(whole) // 3)
    if not count:
        return [TEXT[:SIZE]], [TEXT[:SIZE]], [TEXT, TEXT[::-1]]
    apart = set(whole[: 2 * count])
    return whole[:count], whole[count : 2 * count], [text for text in found if text not in apart][:READ]


def _stock(read: Sequence[str]) -> Callable[[Sequence[str]], object]:
    """Words 1–2, characters 2–5, and one linear model with a column per label."""
    from scipy.special import expit
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    union = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    weights = np.random.default_rng(1).normal(size=(union.fit_transform(read).shape[1], len(LABELS)))
    return lambda texts: expit(union.transform(texts) @ weights)


def _timed(act: Callable[[], object]) -> float:
    start = time.process_time_ns()
    act()
    return (time.process_time_ns() - start) / 1000
