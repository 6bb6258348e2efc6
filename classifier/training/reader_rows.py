"""Rows → what the reader trains on: a part of the table's, in disguises, masked and with their terms, and templates of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.identity import TERMS
from classifier.labels import LABELS
from classifier.reader_input import Masker
from classifier.training import attack, synthetic
from classifier.training.dataset import FEW, SYNTHETIC_OF_FEW, TRAIN, Rows
from classifier.training.matrix import targets
from classifier.views import Fold

Floats = npt.NDArray[np.float32]

IDENTITY = LABELS.index("identity_attack")
DISGUISED = 0.35
"""Share of the training texts that are disguised: by padding half of the time, since the normalised view undoes most other
disguises, and swapped letters are the costliest of the rest."""
SECOND_PASSES = 0.6
"""Share of the texts with identity terms that are read once more with these, for `identity_attack` alone."""
SHARE = 1.0
"""Of these rows that one pass reads: an hour and a quarter on one core with bf16."""
LONGEST = 1_200
"""Characters of a training text that are read."""
OWN_WEIGHT = 1.0
"""Of the reader's own templates."""

MOST: dict[str, int] = {
    "civil_spans": 9_000, "wiki_context": 4_500, "davidson": 4_500, "olid": 8_000, "edos": 9_000, "stormfront": 4_000,
    "paradetox": 7_000, "de_germeval2018": 2_500, "blog_comments": 7_000, "youtube_gambling_id": 2_500, "sms": 1_500,
    "synthetic": 4_000, "pull_request_blogs": 20_000, "telegram_ru": 2_500, "dynahate": 20_000, "fr_mlma": 700,
    "measuring_hate_speech": 10_000, "implicit_hate": 4_000, "toxigen": 5_000, "cad": 4_000, "hatexplain": 2_500,
    "de_gahd": 3_000, "de_germeval2021": 2_000, "pt_told": 3_000, "tr_offenseval": 1_500,
    "zh_cold": 0, "ko_beep": 0, "ko_kmhas": 0, "ar_mlma": 0,
}  # fmt: skip
"""Rows of a large source that are read. None of Chinese, Korean and Arabic: the base hardly knows their letters, and the reader is
left out of the sum there."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the network reads. targets: [texts, labels], NaN = unknown or another pass's; weight: [texts]."""

    texts: list[str]
    targets: Floats
    weight: Floats


def lessons(rows: Rows, fold: Fold, seed: int, share: float = SHARE) -> Lessons:
    """The TRAIN rows, at most MOST of a source and `share` of that, and the reader's own templates: disguised in part, masked and in
    the second pass."""
    rng = random.Random(seed)  # noqa: S311 - which rows are read and disguised is no secret
    taught = rows.of(TRAIN)
    own = list(synthetic.texts(seed, 1.0 if len(taught) > FEW else SYNTHETIC_OF_FEW, synthetic.READER_TEMPLATES))
    examples = [*(rows.examples[place] for place in taught), *own]
    weight = np.concatenate([rows.weight[taught], np.full(len(own), OWN_WEIGHT, np.float32)])
    of: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        of.setdefault(example.source if place < len(taught) else "own", []).append(place)
    good = [
        rows.examples[place].text[:160]
        for place in taught
        if rows.everyday[place] and max(rows.examples[place].labels.values()) < 0.5
    ] or [attack.PADDING]
    masker = Masker(TERMS, fold)
    texts: list[str] = []
    places: list[int] = []
    second: list[bool] = []
    for name, found in sorted(of.items()):
        most = round(min(MOST.get(name, 10**9), len(found)) * share)
        for place in sorted(rng.sample(found, most)):
            example = examples[place]
            masked, original = masker.read(disguised(example.text, good, rng))
            if not masked:
                continue
            texts.append(masked)
            places.append(place)
            second.append(False)
            if original and "identity_attack" in example.labels and rng.random() < SECOND_PASSES:
                texts.append(original)
                places.append(place)
                second.append(True)
    y = targets([examples[place] for place in places])
    other = np.array(second)
    termed = np.array([("[MASK]" in text) for text in texts])
    y[termed, IDENTITY] = np.nan  # a masked text does not say whom it is about
    y[other[:, None] & (np.arange(len(LABELS)) != IDENTITY)] = np.nan
    kept = np.flatnonzero(~np.isnan(y).all(axis=1))
    return Lessons([texts[i] for i in kept], y[kept], weight[np.array(places)[kept]])


def disguised(text: str, good: Sequence[str], rng: random.Random) -> str:
    """The beginning of a text, and with the chance DISGUISED in a disguise."""
    text = text[:LONGEST]
    if rng.random() >= DISGUISED:
        return text
    if rng.random() < 0.5:
        before, after = rng.choice(good), rng.choice(good)
        short = text[:300]
        return (f"{before} {short}", f"{short} {after}", f"{before} {short} {after}")[rng.randrange(3)]
    return attack.disguise(text, "swaps" if rng.random() < 0.5 else rng.choice(attack.KINDS[:-1]), rng)
