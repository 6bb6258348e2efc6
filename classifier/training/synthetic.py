"""Our own texts for the gaps in the corpora: the filled templates of `synthetic.toml`, for training, and the texts of `today.toml`,
for reports only.

Current spam (recovery scams, pills, love spells, promo codes, agencies, machine-written praise), good comments on the same
subjects, plain insults and threats, and identity terms in neutral sentences.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from classifier.examples import Author, Example
from classifier.identity import TERMS
from classifier.labels import LABELS

TEMPLATES = Path(__file__).with_name("synthetic.toml")
READER_TEMPLATES = Path(__file__).with_name("reader_templates.toml")
KEPT_BACK = Path(__file__).with_name("today.toml")
_TEACHES: Mapping[str, Mapping[str, float]] = {
    "good": dict.fromkeys(LABELS, 0.0),
    "spam": {"spam": 1.0, "toxicity": 0.0, "insult": 0.0},
    "insult": {"toxicity": 1.0, "insult": 1.0, "spam": 0.0, "threat": 0.0},
    "threat": {"toxicity": 1.0, "threat": 1.0, "spam": 0.0},
    "hostile": {"toxicity": 1.0, "identity_attack": 1.0, "insult": 0.8, "spam": 0.0},
    "counter": {label: 0.0 for label in LABELS if label != "obscene"},
    "coarse": {label: 0.0 for label in LABELS if label != "obscene"},
    "threat to a group": {"toxicity": 1.0, "threat": 1.0, "identity_attack": 1.0, "spam": 0.0},
    "dehumanising": {"toxicity": 1.0, "identity_attack": 1.0, "spam": 0.0, "threat": 0.0},
}
_SLOT = re.compile(r"\{(\w+)\}")


def texts(seed: int, share: float = 1.0, templates: Path = TEMPLATES) -> Iterator[Example]:
    """Every template as often as its kind says times `share` (fractions at random); the same for the same seed."""
    told = tomllib.loads(templates.read_text("utf-8"))
    slots = told["slots"] | {"term": sorted(TERMS)}
    for kind in told["kind"]:
        rng = random.Random(f"{seed}/{kind['name']}")  # noqa: S311 - fillings, not secrets
        labels = _TEACHES[kind["label"]]
        for number, template in enumerate(kind["texts"]):
            times, rest = divmod(kind["fillings"] * share, 1)
            for _ in range(int(times) + int(rest > 0 and rng.random() < rest)):
                text = fill(template, slots, rng)
                if rng.random() < 0.3:
                    text = text.lower()
                url = "http://blog.example" if rng.random() < (0.6 if kind["label"] == "spam" else 0.4) else ""
                yield Example(
                    text, dict(labels), Author(url=url), "synthetic", group=f"synthetic/{kind['name']}/{number}"
                )


def kept_back() -> list[Example]:
    """The texts of `today.toml`, for reports only: spam, then good ones."""
    told = tomllib.loads(KEPT_BACK.read_text("utf-8"))
    return [
        Example(text, {"spam": spam}, source="today")
        for kind, spam in (("spam", 1.0), ("good", 0.0))
        for text in told[kind]
    ]


def fill(template: str, slots: Mapping[str, list[str]], rng: random.Random) -> str:
    """One filling of a template; slots may hold slots. Hosts get real endings, because `.example` would mark our texts."""
    while _SLOT.search(template):
        template = _SLOT.sub(lambda found: rng.choice(slots[found[1]]), template)
    return re.sub(r"\.example\b", lambda _: f".{rng.choice(slots['ending'])}", template)
