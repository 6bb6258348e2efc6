"""The rows for reports: test files, sources that were never trained on, and the unseen part of the others; and the check that
training has none of them, in the same or nearly the same words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.examples import Example
from classifier.training import corpora
from classifier.training.dataset import key, load_rows
from classifier.training.parts import Part, parts
from classifier.views import Fold, normalised

SHINGLE = 8
"""Words of a run that two texts rarely share by chance."""
NEARLY = 0.5
"""Share of a text's runs in training, from which it counts as nearly in training."""


@dataclass(frozen=True)
class Split:
    """parts: the rows for reports. taught: the rows for training; plain: the same without copies.

    sources: the lines that a card has on its sources."""

    parts: list[Part]
    taught: list[Example]
    plain: list[Example]
    sources: list[dict[str, Any]]
    fold: Fold
    own: int
    """How many of `parts`, at the end, are unseen rows of training sources."""


def split(data: Path, seed: int) -> Split:
    """The split of the folder in a training with this seed."""
    fold = Fold(corpora.confusables(data))
    rows, sources = load_rows(data, fold, seed)
    taught, plain, held = [], [], defaultdict(list)
    for example, part, is_copy in zip(rows.examples, rows.part, rows.copy, strict=True):
        if part < 2:
            taught.append(example)
            plain += [] if is_copy else [example]
        elif not is_copy:
            held[example.source].append(example)
    found = parts(data, fold)
    own = [Part(f"{name}, unseen rows", name, "unseen rows", examples) for name, examples in sorted(held.items())]
    return Split([*found, *own], taught, plain, sources, fold, len(own))


def fits(card: dict[str, Any], found: Split) -> str:
    """How a model's card differs from this split; "" where it was trained on it."""
    told = {line["file"]: (line.get("sha256"), line["rows"]) for line in card.get("sources", [])}
    here = {line["file"]: (line.get("sha256"), line["rows"]) for line in found.sources}
    differs = sorted(name for name in told.keys() | here.keys() if told.get(name) != here.get(name))
    return f"the model was trained on another state of {', '.join(differs)}" if differs else ""


def repeats(found: Split) -> tuple[dict[str, Any], dict[str, list[bool]]]:
    """Per part: how many rows are in training, and how many nearly (half of their runs of eight words are); and per part: [rows]
    whether a row is one of these."""
    known = {key(e.text, found.fold) for e in found.taught}
    wanted: dict[int, bool] = {}
    shingled = {}
    for part in found.parts:
        shingled[part.name] = [_shingles(e.text, found.fold) for e in part.examples]
        wanted.update((one, False) for row in shingled[part.name] for one in row)
    for example in found.taught:
        for one in _shingles(example.text, found.fold):
            if one in wanted:
                wanted[one] = True
    counted, masks = {}, {}
    for part in found.parts:
        same = [key(e.text, found.fold) in known for e in part.examples]
        near = [bool(row) and sum(wanted[one] for one in row) / len(row) >= NEARLY for row in shingled[part.name]]
        masks[part.name] = [one or other for one, other in zip(same, near, strict=True)]
        counted[part.name] = {
            "rows": len(same),
            "in training": sum(same),
            "nearly in training": sum(masks[part.name]) - sum(same),
        }
    return counted, masks


def _shingles(text: str, fold: Fold) -> set[int]:
    words = ["".join(filter(str.isalnum, word)) for word in normalised(text, fold).split()]
    words = [word for word in words if word]
    return {hash(tuple(words[at : at + SHINGLE])) for at in range(len(words) - SHINGLE + 1)}
