"""Attributions: the weight of every n-gram, given back to the characters of the text and summed per word. numpy only.

The gradient of the second stage weighs each view, and the slope of the hidden units in this text weighs the parts of their
sums. An n-gram's share is spread over its characters, which are followed back through the normalisation to the original text.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier import structure
from classifier.base import Base
from classifier.examples import Asked, Attribution
from classifier.hashing import NOTHING, OUT_OF_VOCABULARY_ROWS, SITE_BUCKETS, SIZES
from classifier.known_spam import LOG_ODDS
from classifier.labels import LABELS
from classifier.linear import OUT_OF_VOCABULARY, SITE_SCALE, VIEWS, WORDS, Floats, norm
from classifier.markup import with_origins
from classifier.views import LONGEST, Tracked, track_normalised, track_written

EACH_WAY = 5
"""Attributions per label up, and down."""
SPANS = 20
KNOWN = "known spam"
PHRASES = 8
"""Of a text, whose meaning is weighed: each costs one more reading."""
_UNSPACED = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters and kana: scripts without spaces, so a run of them is a sentence. Two characters stand for a word."""
_WORD = re.compile(rf"(?<!\w)\w(?:[ .*_-]\w){{2,30}}(?!\w|[.*_-]\w)|[{_UNSPACED}]{{1,2}}|[^\s{_UNSPACED}]+")
"""Spelled-out letters (`f u c k`) are one word."""
_EDGES = ".,;:!?()[]{}\"'<>*_~`。，、！？：；（）「」『』《》【】…“”‘’"


def attributions(base: Base, asked: Asked, correction: Floats | None = None) -> list[Attribution]:
    """Per label the strongest attributions, strongest first, up before down."""
    text = asked.text[:LONGEST]
    said, origins = with_origins(text)
    shape = base.structure.row(said, asked.author)
    tracked = track_written(said), track_normalised(said, base.fold)
    for view_of in tracked:
        view_of.origin = [origins[place] for place in view_of.origin]
    gain, slopes = base.combine.gain(), _slopes(base, tracked[-1].text)
    per_char = np.zeros((len(text) + 1, len(LABELS)))
    for view in range(VIEWS):
        by_units = slopes if view == VIEWS - 1 else None
        per_char[: len(text)] += _laid_out(base, view, tracked[view], len(text), gain, by_units, correction)
    pieces: list[Attribution] = []
    spans_of: dict[str, list[tuple[int, int]]] = defaultdict(list)
    weight_of: dict[str, npt.NDArray[np.float64]] = {}
    total = np.vstack([np.zeros(len(LABELS)), np.cumsum(per_char, axis=0)])
    for match in _WORD.finditer(text):
        low, high = match.start(), match.end()
        while low < high and text[low] in _EDGES:
            low += 1
        while high > low and text[high - 1] in _EDGES:
            high -= 1
        if low == high:
            low, high = match.span()
        name = text[low:high].lower()
        if len(spans_of[name]) < SPANS:
            spans_of[name].append((low, high))
        weight_of[name] = weight_of.get(name, np.zeros(len(LABELS))) + total[match.end()] - total[match.start()]
    of_table, of_phrases = _by_both(base, text)
    for column, label in enumerate(LABELS):
        if not base.combine.trained[column]:
            continue
        some = [
            Attribution(label, name, float(w[column] * of_table[column]), tuple(spans_of[name]))
            for name, w in weight_of.items()
        ]
        some += [
            Attribution(label, text[start:end].lower(), float(fall[column]), ((start, end),))
            for (start, end), fall in of_phrases
        ]
        if label == "spam":
            stage = base.combine.weights[-len(structure.NAMES) :, column]
            some += [
                Attribution(label, f"({name})", float(weight * of_table[column]) * value)
                for name, weight, value in zip(structure.NAMES, stage, shape, strict=True)
                if value
            ]
            if base.known_spam.knows(text):
                some.append(Attribution(label, f"({KNOWN})", LOG_ODDS))
        total_of_all = sum(abs(one.weight) for one in some)
        some = [replace(c, share=round(abs(c.weight) / total_of_all, 4)) for c in some if abs(c.weight) >= 0.01]
        some.sort(key=lambda one: (-one.weight, one.feature))
        up = [one for one in some if one.weight > 0][:EACH_WAY]
        down = [one for one in reversed(some) if one.weight < 0][:EACH_WAY]
        pieces += up + down
    return pieces


def _by_both(base: Base, text: str) -> tuple[Floats, list[tuple[tuple[int, int], Floats]]]:
    """[labels] what the table's part counts beside the reader's, and the phrases with what each raises the labels by its meaning: the
    fall without it (occlusion: Zeiler and Fergus, ECCV 2014)."""
    if base.reader is None or base.together is None:
        return np.ones(len(LABELS), np.float32), []
    of_table, of_reader = base.together.gain(*base.reader.known(text))
    words = [match.span() for match in re.finditer(r"\S+", text)]
    if len(words) < 2 or not of_reader.any():
        return of_table, []
    length = math.ceil(len(words) / PHRASES)
    runs = [words[at : at + length] for at in range(0, len(words), length)]
    spans = [(run[0][0], run[-1][1]) for run in runs]
    return of_table, list(zip(spans, base.reader.without(text, spans) * of_reader, strict=True))


def _slopes(base: Base, text: str) -> Floats:
    """[UNITS, labels] the effect of a part of a hidden unit's sum on each label in this text."""
    return base.table.hidden.slopes(base.table.unit_sums(text)) * base.combine.hidden_gain()


def _laid_out(
    base: Base,
    view: int,
    tracked: Tracked,
    size: int,
    gain: Floats,
    slopes: Floats | None,
    correction: Floats | None,
) -> npt.NDArray[np.float64]:
    """[characters of the original, labels]"""
    out = np.zeros((size, len(LABELS)))
    if not tracked.text:
        return out
    grams = base.table.hasher.grams([tracked.text])
    table, hidden = base.table.weights[view], base.table.hidden
    count = len(LABELS)
    origin = np.array([tracked.origin[0], *tracked.origin, tracked.origin[-1]])
    blocks = (
        (grams.chars, np.arange(len(grams.chars)), SIZES, 1.0),
        (grams.words, grams.word_start, None, WORDS),
    )
    for rows, start, lengths, scale in blocks:
        if not len(rows):
            continue
        inside = np.minimum(rows.ravel(), NOTHING)
        picked = table[inside].astype(np.float64)
        squares = picked[:, count]
        share = picked[:, :count] @ gain.T
        if slopes is not None:
            share += hidden.rows[inside] * hidden.scale @ slopes
        share *= scale / norm(float(squares.sum()))
        if correction is not None:
            squares = np.where(rows.ravel() >= OUT_OF_VOCABULARY_ROWS, OUT_OF_VOCABULARY, squares)
            values = np.sqrt(squares) * (scale * SITE_SCALE / norm(float(squares.sum())))
            share += values[:, None] * correction[rows.ravel() % SITE_BUCKETS]
        share = share.reshape(*rows.shape, count)
        for column in range(rows.shape[1]):
            if lengths is not None:
                stop = start + lengths[column]
            elif column in (0, 2):
                stop = grams.word_end
            else:
                stop = np.append(grams.word_end[1:], grams.word_end[-1:])
            stop = np.minimum(stop, len(origin))
            each = share[:, column] / np.maximum(stop - start, 1)[:, None]
            steps = np.zeros((len(origin) + 1, count))
            np.add.at(steps, start[start < len(origin)], each[start < len(origin)])
            np.add.at(steps, stop[start < len(origin)], -each[start < len(origin)])
            np.add.at(out, origin, np.cumsum(steps, axis=0)[: len(origin)])
    return out
