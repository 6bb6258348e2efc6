"""The worst false alarms without their texts: the place, the score, the look and the common words that raised it.

A word is named only if at least COMMON texts of SOURCES sources have it, so that names and phrases stay private.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from classifier import structure
from classifier.base import Base
from classifier.examples import Asked, Example
from classifier.explain import attributions
from classifier.labels import LABELS
from classifier.training.parts import Part, Said

WORST = 20
COMMON = 20
SOURCES = 2
SAID = 3
QUIET = ("length", "capitals", "digits", "repetition", "lines")
"""Structure numbers that are hardly ever zero and therefore left out."""


def worst(base: Base, among: Sequence[Part], found: Sequence[Part], said: Said, label: str) -> list[dict[str, Any]]:
    """The WORST good texts of `among`, by falling score. found: all parts, for the counts of words."""
    number = LABELS.index(label)
    wrong = [
        (float(p), part, example)
        for part in among
        for p, example in zip(said[part.name][:, number], part.examples, strict=True)
        if example.labels.get(label, 1.0) < 0.5
    ]
    wrong.sort(key=lambda one: (-one[0], one[2].text))
    wrong = wrong[:WORST]
    raised = [_raised(base, example, label) for _, _, example in wrong]
    common = _common(found, {word for words in raised for word in words})
    return [
        {
            "source": part.name,
            "score": round(p, 3),
            "characters": _about(len(example.text)),
            "looks": _looks(base, example),
            "words": [word for word in words if word in common][:SAID],
            "words not named": len(words) - len([word for word in words if word in common][:SAID]),
        }
        for (p, part, example), words in zip(wrong, raised, strict=True)
    ]


def _raised(base: Base, example: Example, label: str) -> list[str]:
    found = attributions(base, Asked(example.text, example.author))
    return [one.feature for one in found if one.label == label and one.weight > 0 and one.spans]


def _common(found: Sequence[Part], wanted: set[str]) -> set[str]:
    count: Counter[str] = Counter()
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for part in found:
        for example in part.examples:
            for word in wanted.intersection(example.text.lower().split()):
                count[word] += 1
                sources[word].add(part.source)
    return {word for word in wanted if count[word] >= COMMON and len(sources[word]) >= SOURCES}


def _looks(base: Base, example: Example) -> list[str]:
    row = base.structure.rows([example.text], [example.author])[0]
    return [name for name, value in zip(structure.NAMES, row, strict=True) if value and name not in QUIET]


def _about(size: int) -> str:
    return next((f"up to {edge}" for edge in (30, 100, 300, 1000, 3000) if size <= edge), "over 3000")
