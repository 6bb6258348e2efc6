"""The served n-grams as sparse matrices for scikit-learn. Training only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.examples import Example
from classifier.hashing import COLUMNS, NOTHING, OUT_OF_VOCABULARY_ROWS, ROWS, SITE_BUCKETS, Grams, Hasher
from classifier.labels import LABELS
from classifier.linear import OUT_OF_VOCABULARY, SITE_SCALE, WORDS, Floats
from classifier.views import LONGEST

READ = 1_500
"""Characters of a training text that are read; windows of long texts are scored with the same weights."""
_BATCH = 400


def counts(
    hasher: Hasher, texts: Sequence[str], cut: int = READ, *, width: int = ROWS
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Counts of the table's rows: characters and words, each [texts, width] float32. A width of COLUMNS includes n-grams out of
    vocabulary."""
    chars, words = [], []
    for low in range(0, len(texts), _BATCH):
        batch = [text[:cut].rstrip() for text in texts[low : low + _BATCH]]
        grams = hasher.grams(batch)
        chars.append(_count(grams.chars, _text_of(grams, len(grams.chars), 0), len(batch), width))
        words.append(_count(grams.words, _text_of(grams, len(grams.words), 2), len(batch), width))
    empty = sparse.csr_matrix((0, width), dtype=np.float32)
    return (
        sparse.vstack(chars, format="csr") if chars else empty,
        sparse.vstack(words, format="csr") if words else empty,
    )


def _text_of(grams: Grams, size: int, low: int) -> npt.NDArray[np.int64]:
    text_of = np.zeros(size, np.int64)
    for segment, text in zip(grams.segments, grams.text_of, strict=True):
        text_of[segment[low] : segment[low + 1]] = text
    return text_of


def _count(rows: npt.NDArray[np.int64], text_of: npt.NDArray[np.int64], texts: int, width: int) -> sparse.csr_matrix:
    flat = rows.ravel()
    real = (flat != NOTHING) & (flat < width)
    column = flat[real].astype(np.int32)
    row = np.repeat(text_of, rows.shape[1])[real].astype(np.int32)
    ones = np.ones(len(column), np.float32)
    return sparse.coo_matrix((ones, (row, column)), shape=(texts, width)).tocsr()


def weighted(
    chars: sparse.csr_matrix, words: sparse.csr_matrix, idf: Floats, squares: Floats
) -> tuple[sparse.csr_matrix, Floats, Floats]:
    """TF-IDF of both blocks, each over its length, words × WORDS: [texts, columns]; and the two lengths [texts].

    idf: [columns] values; squares: [columns] what each adds to the length (0 for identity rows)."""
    chars_norm = np.sqrt(chars @ squares + 1.0)
    words_norm = np.sqrt(words @ squares + 1.0)
    both = sparse.diags(1 / chars_norm) @ chars + sparse.diags(WORDS / words_norm) @ words
    scaled = (both @ sparse.diags(idf)).tocsr().astype(np.float32)
    return scaled, chars_norm, words_norm


def one_sided(x: sparse.csr_matrix, y: Floats, weight: Floats) -> Floats:
    """[columns] how one-sided each n-gram is, its scale while fitting: |log-count ratio| ** 0.5 (Wang and Manning, ACL 2012).
    Measured in docs/classifier.md."""
    up = np.asarray(x.T @ (y * weight)).ravel() + 1
    down = np.asarray(x.T @ ((1 - y) * weight)).ravel() + 1
    return np.asarray(np.abs(np.log((up / up.sum()) / (down / down.sum()))) ** 0.5 + 0.1, dtype=np.float32)


def folded(hasher: Hasher, views: Sequence[Sequence[str]], squares: Sequence[Floats]) -> sparse.csr_matrix:
    """Texts as features of a site's correction: [texts, SITE_BUCKETS], each of a length of about 1.

    views: the prepared texts, view by view; squares: [ROWS] of the table, per view."""
    total = None
    for texts, known in zip(views, squares, strict=True):
        square = np.zeros(COLUMNS, np.float32)
        square[:ROWS], square[OUT_OF_VOCABULARY_ROWS:] = known, OUT_OF_VOCABULARY
        chars, words = counts(hasher, texts, LONGEST, width=COLUMNS)
        value, _, _ = weighted(chars, words, np.sqrt(square), square)
        coo = value.tocoo()
        shape = (value.shape[0], SITE_BUCKETS)
        part = sparse.coo_matrix((coo.data * SITE_SCALE, (coo.row, coo.col % SITE_BUCKETS)), shape=shape).tocsr()
        total = part if total is None else total + part
    assert total is not None
    return total


def targets(examples: Sequence[Example]) -> Floats:
    """[examples, labels]; NaN where the label is unknown."""
    out = np.full((len(examples), len(LABELS)), np.nan, np.float32)
    for number, example in enumerate(examples):
        for column, label in enumerate(LABELS):
            value = example.labels.get(label)
            if value is not None:
                out[number, column] = value
    return out
