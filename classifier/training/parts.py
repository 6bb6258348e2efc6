"""The rows for reports, in parts, and the scores of a model on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.base import Base
from classifier.combine import probability
from classifier.examples import Asked, Example
from classifier.labels import LABELS
from classifier.training import corpora, synthetic
from classifier.training.matrix import targets
from classifier.views import Fold, normalised

REPORT_ONLY = ("unhealthy", "pt_hatebr", "ethos", "code_review")
"""Non-commercial or copyleft sources: for reports only, never for the shipped model."""
LANGUAGE = {
    "zh_cold": "zh",
    "ko_beep": "ko",
    "pt_hatebr": "pt",
    "pt_told": "pt",
    "de_germeval2018": "de",
    "de_germeval2021": "de",
    "de_gahd": "de",
    "youtube_gambling_id": "id",
    "tr_offenseval": "tr",
    "fr_mlma": "fr",
    "ru_vk": "ru",
    "telegram_ru": "ru",
}
"""Of sources in other languages than English."""
EVERYDAY = frozenset(source.name for source in corpora.SOURCES if source.everyday)
HEADLINE = "jigsaw/test_carved"

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Said = Mapping[str, Floats]
"""Name of a part → [rows, labels] probabilities."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are reported together. kind: why no fit saw them."""

    name: str
    source: str
    kind: str
    examples: list[Example]

    @property
    def language(self) -> str:
        return LANGUAGE.get(self.source, "en")


def parts(data: Path, fold: Fold) -> list[Part]:
    """Official test parts, whole sources that were never trained on, and the held-out texts of our own. Each text counts once."""
    never = [path for name in REPORT_ONLY for path in sorted(data.glob(f"{name}/all.csv.gz"))]
    files = [(path, "test file") for path in [*corpora.test_files(data), *sorted(data.glob("ko_beep/dev.csv.gz"))]]
    files += [(path, "never trained on") for path in never]
    seen: set[str] = set()
    found = []
    for path, kind in files:
        source = path.parent.name
        examples = []
        for example in corpora.rows(path, source):
            letters = "".join(filter(str.isalpha, normalised(example.text, fold))) or example.text.strip()
            if letters not in seen:
                seen.add(letters)
                examples.append(example)
        if examples:
            found.append(Part(f"{source}/{path.name.removesuffix('.csv.gz')}", source, kind, examples))
    return [*found, Part("today", "today", "our own writing", synthetic.kept_back())]


def scores(base: Base, examples: Sequence[Example | str]) -> Floats:
    """[texts, labels] probabilities, as a comment gets them."""
    asked = [Asked(e) if isinstance(e, str) else Asked(e.text, e.author) for e in examples]
    out = [probability(base.read(asked[low : low + 256])) for low in range(0, len(asked), 256)]
    return np.concatenate(out) if out else np.zeros((0, len(LABELS)), np.float32)


def column(part: Part, said: Said, label: str) -> tuple[Floats, Bools, Bools]:
    """(probabilities, truths) of the rows with a known label, and the mask of these rows."""
    y = targets(part.examples)[:, LABELS.index(label)]
    known = ~np.isnan(y)
    return said[part.name][known, LABELS.index(label)], y[known] >= 0.5, known
