"""Rows → the memory of known spam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from classifier.examples import Example
from classifier.known_spam import Hashes, KnownSpam, runs
from classifier.training.dataset import STAGE, TRAIN, Rows
from classifier.views import Fold

FEWEST = 2
"""Spam texts that have a run; no good one may."""


def remembered(rows: Rows, fold: Fold) -> Hashes:
    """The runs of spam in the TRAIN rows, of which no text is there twice."""
    spam, good = ([runs(e.text, fold) for e in rows_of(rows, TRAIN, bad)] for bad in (True, False))
    nothing = np.zeros(0, np.uint32)
    found, count = np.unique(np.concatenate([*spam, nothing]), return_counts=True)
    return np.setdiff1d(found[count >= FEWEST], np.concatenate([*good, nothing]))


def measured(hashes: Hashes, rows: Rows, fold: Fold) -> dict[str, Any]:
    """Of the STAGE rows, and of good ones that quote a spam comment beside as many words of their own: how many are known."""
    known = KnownSpam(hashes, fold)
    spam, good = (list(rows_of(rows, STAGE, bad)) for bad in (True, False))
    told = [text for text in (e.text for e in good) if 40 <= len(text) <= 400]
    quotes = [f"{e.text[: len(own)]} {own}" for e, own in zip(spam, told, strict=False)]
    return {
        "runs": len(hashes),
        "spam": len(spam),
        "spam known": sum(known.knows(e.text) for e in spam),
        "good": len(good),
        "good known": sum(known.knows(e.text) for e in good),
        "quotes": len(quotes),
        "quotes known": sum(map(known.knows, quotes)),
    }


def rows_of(rows: Rows, part: int, bad: bool) -> Iterable[Example]:
    """The rows of a part whose `spam` is told, and is or is not."""
    for place in rows.of(part):
        said = rows.examples[place].labels.get("spam")
        if said is not None and (said >= 0.5) == bad:
            yield rows.examples[place]
