"""A version on labelled data that it never saw → the figures of its card, as plain numbers.

`python -m classifier evaluate --data DIR` measures them again. Intervals are 95 %: a bootstrap over rows for figures of a whole
curve, Wilson's for shares.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifier import structure
from classifier.base import Base
from classifier.examples import Example
from classifier.identity import TERMS as IDENTITY
from classifier.labels import LABELS
from classifier.training import alarms, attack
from classifier.training.matrix import targets
from classifier.training.measure import Ranked, decided_alone, measure, share
from classifier.training.parts import EVERYDAY, HEADLINE, Bools, Floats, Part, Said, column, parts, scores

FEW = 10
"""A slice with fewer rows of either kind is left out as noise."""
NEUTRAL = (
    "I am a {} person.",
    "My neighbour is {}.",
    "A {} family moved in next door.",
    "Most {} people I met are kind.",
)
HOSTILE = ("All {} people are vermin.", "I hate {} people.", "You {} idiot, shut up.", "{} people are disgusting pigs.")
TERMS = (
    "gay",
    "lesbian",
    "muslim",
    "jewish",
    "christian",
    "black",
    "white",
    "asian",
    "trans",
    "blind",
    "old",
    "mexican",
)


def evaluate(base: Base, data: Path, seed: int = 1) -> dict[str, Any]:
    """The metrics of a card: figures per file and label, and of our own texts."""
    found = parts(data, base.fold)
    said = {part.name: scores(base, part.examples) for part in found}
    return {"model": base.version} | figures(base, found, said, seed)


def figures(base: Base, found: Sequence[Part], said: Said, seed: int) -> dict[str, Any]:
    """As `evaluate`, with rows and scores at hand."""
    report: dict[str, Any] = {"files": {part.name: of_part(base, part, said[part.name], seed) for part in found}}
    for part in found:
        if part.name == HEADLINE:
            p, y, known = column(part, said, "toxicity")
            report["attacked"] = attacked(base, part.examples, seed)
            report["decided alone"] = decided_alone(p, y, seed=seed)
            report["slices"] = slices(p, y, [e.text for e, has in zip(part.examples, known, strict=True) if has], seed)
    report["languages"] = languages(found, said, seed)
    report["identity terms"] = identity_gap(base)
    report["features"] = firing(base, found)
    everyday = [part for part in found if part.source in EVERYDAY]
    report["false alarms"] = {"toxicity": alarms.worst(base, everyday, found, said, "toxicity")}
    return report


def of_part(base: Base, part: Part, p: Floats, seed: int) -> dict[str, Any]:
    """Figures of every label with rows of both kinds."""
    y = targets(part.examples)
    spam, spam_interval = share(int((p[:, 0] >= 0.5).sum()), len(p))
    out: dict[str, Any] = {
        "rows": len(part.examples),
        "kind": part.kind,
        "language": part.language,
        "called spam at 0.5": spam,
        "called spam at 0.5 95 %": spam_interval,
        "labels": {},
    }
    for number, label in enumerate(LABELS):
        known = ~np.isnan(y[:, number])
        so = y[known, number] >= 0.5
        if so.any() and not so.all():
            out["labels"][label] = measure(p[known, number], so, base.read_thresholds[label], seed)
    return out


def auc(p: Floats, y: Bools, seed: int) -> dict[str, Any]:
    """Rows, positives and AUC with its interval."""
    value, low, high = Ranked(p, y).all(seed)["auc"]
    return {"rows": len(y), "positives": int(y.sum()), "auc": value, "auc 95 %": [low, high]}


def enough(y: Bools) -> bool:
    return bool(y.sum() >= FEW and (~y).sum() >= FEW)


def slices(p: Floats, y: Bools, texts: Sequence[str], seed: int) -> dict[str, Any]:
    """One label on kinds of text; recall and false alarms at the threshold that 5 % of all good texts reach."""
    at = float(np.quantile(p[~y], 0.95)) if (~y).any() else 0.5
    words = [set(text.lower().split()) for text in texts]
    length = np.array([len(text) for text in texts])
    kinds: dict[str, Bools] = {
        "up to 100 characters": length <= 100,
        "101 to 300": (length > 100) & (length <= 300),
        "301 to 1000": (length > 300) & (length <= 1000),
        "over 1000": length > 1000,
        "has a link": np.array(["://" in text or "www." in text.lower() for text in texts], bool),
        "no link": np.array(["://" not in text and "www." not in text.lower() for text in texts], bool),
        "names an identity": np.array([not IDENTITY.isdisjoint(one) for one in words], bool),
        "names none": np.array([IDENTITY.isdisjoint(one) for one in words], bool),
        "not only ASCII": np.array([not text.isascii() for text in texts], bool),
        "mostly capitals": np.array([text.upper() == text and text.lower() != text for text in texts], bool),
    }
    out: dict[str, Any] = {}
    for name, mine in kinds.items():
        if not enough(y[mine]):
            continue
        out[name] = auc(p[mine], y[mine], seed)
        for title, among in (("recall", y & mine), ("false alarms", ~y & mine)):
            out[name][title], out[name][f"{title} 95 %"] = share(int((p[among] >= at).sum()), int(among.sum()))
    return out


def languages(found: Sequence[Part], said: Said, seed: int) -> dict[str, Any]:
    """Per language and label, over all parts of the language."""
    out: dict[str, Any] = {}
    for code in sorted({part.language for part in found}):
        mine = [part for part in found if part.language == code]
        for label in LABELS:
            pairs = [column(part, said, label)[:2] for part in mine]
            p, y = np.concatenate([p for p, _ in pairs]), np.concatenate([y for _, y in pairs])
            if enough(y):
                out[f"{code} {label}"] = auc(p, y, seed)
    return out


def attacked(base: Base, examples: Sequence[Example], seed: int) -> dict[str, Any]:
    """Recall of toxicity on disguised texts, at the threshold where 5 % of the clean good texts are false alarms."""
    rng = random.Random(seed)  # noqa: S311 - a disguise, not a secret
    number = LABELS.index("toxicity")
    good = [e.text for e in examples if e.labels.get("toxicity") == 0]
    bad = [e.text for e in examples if e.labels.get("toxicity") == 1]
    if not good or not bad:
        return {}
    at = float(np.quantile(scores(base, good)[:, number], 0.95))
    clean = int((scores(base, bad)[:, number] >= at).sum())
    out: dict[str, Any] = {}
    out["recall clean"], out["recall clean 95 %"] = share(clean, len(bad))
    lost = []
    for kind in attack.KINDS:
        hit = int((scores(base, [attack.disguise(text, kind, rng) for text in bad])[:, number] >= at).sum())
        out[kind], out[f"{kind} 95 %"] = share(hit, len(bad))
        lost.append(100 * (clean - hit) / len(bad))
    out["points lost, mean"] = round(float(np.mean(lost)), 2)
    return out


def identity_gap(base: Base) -> dict[str, Any]:
    """Largest gap between terms: false alarms on neutral sentences, misses on hostile ones, at the toxicity threshold."""
    toxic, other = LABELS.index("toxicity"), LABELS.index("identity_attack")
    out: dict[str, Any] = {}
    for name, templates, wrong in (("false alarms", NEUTRAL, True), ("misses", HOSTILE, False)):
        p = scores(base, [template.format(term) for term in TERMS for template in templates])
        hit = (p[:, toxic] >= base.read_thresholds["toxicity"]).reshape(len(TERMS), -1)
        rate = (hit == wrong).mean(axis=1)
        out[name] = round(float(rate.max() - rate.min()), 4)
        held = p[:, other] >= base.read_thresholds["identity_attack"]
        title = "neutral called identity_attack" if wrong else "hostile found as identity_attack"
        out[title], out[f"{title} 95 %"] = share(int(held.sum()), len(held))
    return out


def firing(base: Base, found: Iterable[Part]) -> dict[str, Any]:
    """How often each structure number is not zero: per part, and where the label is known among spam and good texts."""
    rows, so, name = [], [], []
    for part in found:
        rows.append(base.structure.rows([e.text for e in part.examples], [e.author for e in part.examples]) != 0)
        so.append(targets(part.examples)[:, LABELS.index("spam")])
        name += [part.name] * len(part.examples)
    fired, spam, names = np.concatenate(rows), np.concatenate(so), np.array(name)
    out: dict[str, Any] = {}
    for number, feature in enumerate(structure.NAMES):
        weight = base.combine.weights[-len(structure.NAMES) + number, LABELS.index("spam")]
        of_parts = {one: round(float(fired[names == one, number].mean()), 4) for one in dict.fromkeys(name)}
        out[feature] = {
            "weight": round(float(weight), 3),
            "all": round(float(fired[:, number].mean()), 4),
            "spam": share(int(fired[spam >= 0.5, number].sum()), int((spam >= 0.5).sum()))[0],
            "good": share(int(fired[spam < 0.5, number].sum()), int((spam < 0.5).sum()))[0],
            "parts": of_parts,
        }
    return out
