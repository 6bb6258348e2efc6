"""The stage that joins table and reader, the correction of long texts, and the thresholds: all from rows that neither saw."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from classifier.base import Base
from classifier.combine import probability
from classifier.examples import Asked, Example
from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.progress import counted
from classifier.reader import Reader, Reading
from classifier.together import INPUTS, Stages, Together
from classifier.training import attack, calibrate
from classifier.training.dataset import STAGE, Rows
from classifier.training.matrix import targets
from classifier.training.soft_labels import fit_soft

OF_A_SOURCE = 700
"""Rows of one source; all of the blogs and of everyday comments."""
FEWEST = 25
"""Rows of each kind with which a line of a label is fitted. Below, it is HALVES where the reader knows the words, and else
TABLE_ALONE."""
HALVES = {"table": 0.5, "reader": 0.5, "bias": 0.0}
TABLE_ALONE = {"table": 1.0, "reader": 0.0, "bias": 0.0}
OF_THE_TABLE = frozenset(["obscene"])
"""Labels that are left to the table. Obscene is a matter of words; of tweets, the sources know only obscene ones to be so or not, and
the reader calls four of five harmless tweets obscene (the table one in ten)."""
WRITTEN = frozenset(["dynahate", "hatemojibuild", "toxigen", "de_gahd", "paradetox"])
"""Collections of sentences written to fool a classifier, or to be its examples."""
SCALES = 0.4, 2.5
"""Of log-odds that were fitted already: beyond, the comments are too few or too easy to say."""
ALARMS = 0.0075
"""Share of good comments in places with spam that may reach a spam score of 0.5."""
LONG_ALARMS = 0.98
"""Quantile of good texts that is the same for long and short ones."""
BLOG = 400.0
"""The weight that one blog has at most."""
PADDED = 900
"""Characters of the padding before and after a text."""
BATCH = 64

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Heard:
    """Rows and what both said: first the clean rows, then disguised copies. windows: [texts] the number of windows of a text."""

    examples: list[Example]
    weight: Floats
    everyday: Bools
    clean: int
    table: Floats
    reading: Reading
    windows: npt.NDArray[np.int64]


def listen(base: Base, reader: Reader, rows: Rows, seed: int) -> Heard:
    """The STAGE rows as both read them, a third of them once more in a disguise."""
    rng = random.Random(seed)  # noqa: S311 - which rows are read is no secret
    of: dict[str, list[int]] = {}
    for place in rows.of(STAGE):
        whole = rows.everyday[place]
        of.setdefault("" if whole else rows.examples[place].source, []).append(place)
    chosen = sorted(
        place
        for name, found in of.items()
        for place in (found if not name else rng.sample(found, min(len(found), OF_A_SOURCE)))
    )
    good = [
        rows.examples[place].text[:600]
        for place in chosen
        if rows.everyday[place] and max(rows.examples[place].labels.values()) < 0.5
    ] or [attack.PADDING]
    examples = [rows.examples[place] for place in chosen]
    copied = []
    for number, example in enumerate(examples[: len(chosen)]):
        if rng.random() < calibrate.DISGUISED:
            kind = rng.choice((*attack.KINDS, "padding"))
            text = example.text[:1500]
            if kind == "padding":
                text = f"{_padding(good, rng)} {text} {_padding(good, rng)}"
            else:
                text = attack.disguise(text, kind, rng)
            copied.append(number)
            examples.append(Example(text, example.labels, example.author, example.source, example.group))
    every = [*range(len(chosen)), *copied]
    weight = rows.weight[np.array(chosen)[every]].copy()
    weight[len(chosen) :] *= calibrate.DISGUISED_WEIGHT
    everyday = rows.everyday[np.array(chosen)[every]].copy()
    everyday[len(chosen) :] = False
    texts = [example.text for example in examples]
    table = table_log_odds(base, examples)
    reading = read_all(reader, texts)
    return Heard(examples, weight, everyday, len(chosen), table, reading, np.array([reader.windows(t) for t in texts]))


def _padding(good: Sequence[str], rng: random.Random) -> str:
    size, out = rng.randrange(200, PADDED), ""
    while len(out) < size:
        out = f"{out} {rng.choice(good)}"
    return out


def table_log_odds(base: Base, examples: Sequence[Example]) -> Floats:
    """[texts, labels] by the table alone."""
    out = [
        base.log_odds([Asked(e.text, e.author) for e in examples[low : low + 256]])
        for low in range(0, len(examples), 256)
    ]
    return np.concatenate(out) if out else np.zeros((0, len(LABELS)), np.float32)


def read_all(reader: Reader, texts: Sequence[str]) -> Reading:
    """All texts, with a line of progress now and then."""
    starts = counted(range(0, len(texts), BATCH), f"of {math.ceil(len(texts) / BATCH)} batches read")
    parts = [reader.read(texts[low : low + BATCH]) for low in starts]
    return Reading(
        np.concatenate([part.log_odds for part in parts]),
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.scripted for part in parts]),
        np.concatenate([part.known for part in parts]),
    )


def excess(heard: Heard) -> dict[str, float]:
    """Per label what the logarithm of the number of windows is worth, so that length alone raises no good text: within a source, since
    sources of long texts are other places too, and a mean over the sources. The reading must be of a reader without a correction."""
    y = targets(heard.examples)
    source = np.array([example.source for example in heard.examples])
    long, scripted = heard.windows > 1, heard.reading.scripted
    out = {}
    for column, label in enumerate(LABELS):
        good = (y[:, column] < 0.5) & scripted
        z = heard.reading.log_odds[:, column]
        rises, weights = [0.0], [1.0]
        for name in sorted(set(source.tolist())):
            many, few = good & long & (source == name), good & ~long & (source == name)
            if min(many.sum(), few.sum()) >= FEWEST:
                rise = float(np.quantile(z[many], LONG_ALARMS) - np.quantile(z[few], LONG_ALARMS))
                rises.append(rise / float(np.log(heard.windows[many]).mean()))
                weights.append(float(many.sum()))
        out[label] = round(max(0.0, float(np.average(rises, weights=weights))), 4)
    return out


def corrected(heard: Heard, of: dict[str, float]) -> Heard:
    """The same with the correction of long texts."""
    less = np.log(heard.windows)[:, None] * np.array([of[label] for label in LABELS], np.float32)
    return replace(
        heard, reading=replace(heard.reading, log_odds=np.asarray(heard.reading.log_odds - less, np.float32))
    )


def stages(heard: Heard) -> Stages:
    """Both lines: of texts whose words the reader knows rather than not, and of the others. There the reader has a say on spam alone:
    of a language that it hardly knows it hears the tone wrongly, and holds what is only blunt."""
    mine = heard.reading.known >= 0.5
    others = _lines(heard, heard.reading.scripted & ~mine, TABLE_ALONE)
    return {
        "known": _lines(heard, heard.reading.scripted & mine, HALVES),
        "foreign": {label: others[label] if label == "spam" else dict(TABLE_ALONE) for label in LABELS},
    }


def quiet(heard: Heard, found: Stages, of: Mapping[str, float]) -> Stages:
    """The same, with the line of other languages for spam lowered until it holds no more of their everyday good comments than
    `calibrate.FALSE_ALARMS`: the thresholds are mostly of English. of: label → threshold."""
    column = LABELS.index("spam")
    line = dict(found["foreign"]["spam"])
    clean = np.arange(len(heard.examples)) < heard.clean
    good = of_sites(heard) & clean & heard.reading.scripted & (heard.reading.known < 0.5)
    good &= targets(heard.examples)[:, column] < 0.5
    if good.sum() >= FEWEST:
        z = Together(found).log_odds(heard.table[good], picked(heard.reading, good))[:, column]
        at = math.log(of["spam"] / (1 - of["spam"]))
        line["bias"] = round(line["bias"] - max(0.0, float(np.quantile(z, 1 - calibrate.FALSE_ALARMS)) - at), 6)
    return {"known": found["known"], "foreign": dict(found["foreign"]) | {"spam": line}}


def picked(reading: Reading, some: Bools) -> Reading:
    """A reading of some of its texts."""
    return Reading(reading.log_odds[some], reading.vectors[some], reading.scripted[some], reading.known[some])


def _lines(heard: Heard, asked: Bools, without: dict[str, float]) -> dict[str, dict[str, float]]:
    """Label → the weights of `together.INPUTS` and the bias. asked: [texts] the rows of a line; without: the line of a label with
    too few of them."""
    y = targets(heard.examples)
    clean = np.arange(len(y)) < heard.clean
    sources = sorted({example.source for example in heard.examples})
    own = np.zeros((len(y), len(sources)), np.float32)
    own[np.arange(len(y)), [sources.index(example.source) for example in heard.examples]] = 1
    everyday, spammed = of_sites(heard), calibrate.with_spam(heard.examples)
    out = {}
    for column, label in enumerate(LABELS):
        if label in OF_THE_TABLE:
            out[label] = dict(TABLE_ALONE)
            continue
        known = np.flatnonzero(~np.isnan(y[:, column]) & asked)
        so = y[known, column]
        both = np.stack([heard.table[known, column], heard.reading.log_odds[known, column]], axis=1)
        if min(int((so >= 0.5).sum()), int((so < 0.5).sum())) < FEWEST:
            out[label] = dict(without)
            continue
        weight = _evened(heard, known) if label == "spam" else heard.weight[known]
        # A collection's share of bad texts is its own; for spam it is what tells moderated blogs from others.
        weights = _weights(both, None if label == "spam" else own[known], so, weight)
        z = both.astype(np.float64) @ weights
        scale, bias = _calibrated(z, so, everyday[known], clean[known])
        if label == "spam":
            good = z[everyday[known] & spammed[known] & (so < 0.5)] * scale
            if len(good):
                bias = min(bias, -float(np.quantile(good, 1 - ALARMS)))
        out[label] = {name: round(float(weights[n] * scale), 6) for n, name in enumerate(INPUTS)} | {
            "bias": round(bias, 6)
        }
    return out


def of_sites(heard: Heard) -> Bools:
    """[texts] everyday comments, without those that people wrote for a collection: such are no comments of any site."""
    found: Bools = heard.everyday & np.array([example.source not in WRITTEN for example in heard.examples], bool)
    return found


def _calibrated(z: npt.NDArray[np.float64], y: Floats, everyday: Bools, clean: Bools) -> tuple[float, float]:
    """Scale and bias on everyday comments, if these have FEWEST of each kind; else on all clean ones."""
    for some in (everyday & clean, clean):
        if min(int((y[some] >= 0.5).sum()), int((y[some] < 0.5).sum())) >= FEWEST:
            scale, bias = calibrate.on_everyday(z, y, some, some)
            if SCALES[0] <= scale <= SCALES[1]:
                return scale, bias
    return 1.0, 0.0


def _weights(both: Floats, own: Floats | None, y: Floats, weight: Floats) -> npt.NDArray[np.float64]:
    """Of table and reader, none below 0: a reader that a fit turns round is left out."""
    used = [0, 1]
    while True:
        x = both[:, used] if own is None else np.hstack([both[:, used], own])
        model = fit_soft(x, y, weight, 1.0, 500)
        out = np.zeros(2)
        if model is None:
            return np.array([0.5, 0.5])
        found = model.coef_[0][: len(used)]
        if (found >= 0).all() or len(used) == 1:
            out[used] = np.maximum(found, 0)
            return out
        used = [used[int(found.argmax())]]


def _evened(heard: Heard, known: npt.NDArray[np.int64]) -> Floats:
    """Weights in which no blog has more than BLOG."""
    place = np.array([heard.examples[i].group or heard.examples[i].source for i in known])
    out = heard.weight[known].copy()
    for name in sorted(set(place.tolist())):
        out[place == name] *= min(1.0, BLOG / max(float(out[place == name].sum()), 1e-9))
    return out


def thresholds(heard: Heard, found: Stages) -> dict[str, float]:
    """Per label as `calibrate.set_thresholds` says, of the clean rows."""
    p = probability(Together(found).log_odds(heard.table, heard.reading))
    clean = heard.clean
    return calibrate.set_thresholds(p[:clean], heard.examples[:clean], of_sites(heard)[:clean])
