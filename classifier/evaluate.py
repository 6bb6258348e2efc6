"""A version on labelled data that it never saw → figures to read (Markdown) and to compare (JSON).

Every figure of the model's card comes from here: `python -m classifier evaluate --data DIR`. Intervals are 95 %
bootstrap intervals over the rows of the file.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from classifier import attack, corpora
from classifier.base import Base
from classifier.combine import probability
from classifier.corpora import test_files
from classifier.examples import Asked, Example
from classifier.labels import LABELS
from classifier.matrix import targets

REPORT_ONLY = ("unhealthy", "pt_hatebr", "ethos", "code_review")
"""Non-commercial or copyleft: reported on, never trained into the shipped model."""
DRAWS = 100
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

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


def files(data: Path) -> list[Path]:
    """What is reported on: official test parts, and whole sources that were never trained on."""
    never = [path for name in REPORT_ONLY for path in sorted(data.glob(f"{name}/all.csv.gz"))]
    return [*test_files(data), *sorted(data.glob("ko_beep/dev.csv.gz")), *never]


def evaluate(base: Base, data: Path, seed: int = 1) -> dict[str, Any]:
    """All figures, as plain numbers: per file and label, plus slices of our own making."""
    report: dict[str, Any] = {"model": base.version, "files": {}}
    for path in files(data):
        name = f"{path.parent.name}/{path.name.removesuffix('.csv.gz')}"
        examples = list(corpora.rows(path, path.parent.name))
        if not examples:
            continue
        p = scores(base, [e.text for e in examples])
        y = targets(examples)
        report["files"][name] = {
            "rows": len(examples),
            "called spam at 0.5": share(p[:, 0] >= 0.5),
            "labels": {
                label: measure(p[known, column], y[known, column] >= 0.5, base.thresholds[label], seed)
                for column, label in enumerate(LABELS)
                if (known := ~np.isnan(y[:, column])).any() and len(set(y[known, column] >= 0.5)) == 2
            },
        }
        if name == "jigsaw/test_carved":
            report["attacked"] = attacked(base, examples, seed)
            report["decided alone"] = triage(p[:, 1], y[:, 1] >= 0.5)
    report["identity terms"] = identity_gap(base)
    report["time"] = bench(base)
    return report


def scores(base: Base, texts: Sequence[str]) -> Floats:
    """[texts, labels] probabilities."""
    parts = [
        probability(base.log_odds([Asked(text) for text in texts[low : low + 256]]))
        for low in range(0, len(texts), 256)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(LABELS)), np.float32)


def share(hit: Bools) -> float:
    return round(float(hit.mean()), 4) if len(hit) else 0.0


def measure(p: Floats, y: Bools, threshold: float, seed: int = 1) -> dict[str, Any]:
    """AUC and average precision with intervals, calibration error, and precision and recall at the hold threshold."""
    held = p >= threshold
    return {
        "rows": len(y),
        "positives": int(y.sum()),
        "auc": round(float(roc_auc_score(y, p)), 4),
        "auc 95 %": interval(roc_auc_score, y, p, seed),
        "average precision": round(float(average_precision_score(y, p)), 4),
        "calibration error": calibration_error(p, y),
        "threshold": threshold,
        "precision": round(float(y[held].mean()), 4) if held.any() else None,
        "recall": round(float(held[y].mean()), 4),
        "false alarms": round(float(held[~y].mean()), 4),
    }


def interval(what: Callable[[Bools, Floats], float], y: Bools, p: Floats, seed: int) -> list[float]:
    """95 % bootstrap interval over rows."""
    dice = np.random.default_rng(seed)
    drawn = []
    for _ in range(DRAWS):
        rows = dice.integers(0, len(y), len(y))
        if 0 < y[rows].sum() < len(rows):
            drawn.append(what(y[rows], p[rows]))
    return [round(float(value), 4) for value in np.quantile(drawn, [0.025, 0.975])] if drawn else []


def calibration_error(p: Floats, y: Bools, bins: int = 15) -> float:
    """Mean distance between what was said and what was so, in bins of equal width, weighted by rows."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    return round(
        sum(
            abs(float(p[at].mean()) - float(y[at].mean())) * float(at.mean())
            for at in (place == b for b in range(bins))
            if at.any()
        ),
        4,
    )


def triage(p: Floats, y: Bools, accuracy: float = 0.995) -> dict[str, Any]:
    """The largest share that can be decided alone (surest first) while at least `accuracy` of it is right."""
    order = np.argsort(-np.abs(p - 0.5), kind="stable")
    right = np.cumsum((p[order] >= 0.5) == y[order]) / np.arange(1, len(p) + 1)
    enough = np.flatnonzero(right >= accuracy)
    return {"accuracy": accuracy, "share": round((int(enough[-1]) + 1) / len(p), 4) if len(enough) else 0.0}


def attacked(base: Base, examples: Sequence[Example], seed: int) -> dict[str, Any]:
    """Recall of toxicity on disguised texts, at the threshold where 5 % of the clean good texts are false alarms."""
    dice = random.Random(seed)  # noqa: S311 - a disguise, not a secret
    column = LABELS.index("toxicity")
    good = [e.text for e in examples if e.labels.get("toxicity") == 0]
    bad = [e.text for e in examples if e.labels.get("toxicity") == 1]
    at = float(np.quantile(scores(base, good)[:, column], 0.95))
    clean = float((scores(base, bad)[:, column] >= at).mean())
    out: dict[str, Any] = {"recall clean": round(clean, 4)}
    lost = []
    for kind in attack.KINDS:
        hit = scores(base, [attack.disguise(text, kind, dice) for text in bad])[:, column] >= at
        out[kind] = round(float(hit.mean()), 4)
        lost.append(100 * (clean - float(hit.mean())))
    out["points lost, mean"] = round(float(np.mean(lost)), 2)
    return out


def identity_gap(base: Base) -> dict[str, float]:
    """Largest gap between terms: false alarms on neutral sentences, misses on hostile ones, at the toxicity threshold."""
    column, other = LABELS.index("toxicity"), LABELS.index("identity_attack")
    out = {}
    for name, templates, wrong in (("false alarms", NEUTRAL, True), ("misses", HOSTILE, False)):
        p = scores(base, [template.format(term) for term in TERMS for template in templates])
        hit = (p[:, column] >= base.thresholds["toxicity"]).reshape(len(TERMS), -1)
        rate = (hit == wrong).mean(axis=1)
        out[name] = round(float(rate.max() - rate.min()), 4)
        held = (p[:, other] >= base.thresholds["identity_attack"]).mean()
        out["hostile found as identity_attack" if not wrong else "neutral called identity_attack"] = round(
            float(held), 4
        )
    return out


TEXT = (
    "We moved the tomatoes to the south wall last spring and they did much better; my neighbour, who has grown them "
    "for thirty years, says that the soil matters more than the sun. I'd still like to know what you feed them with, "
    "since mine turn yellow in August. See https://garden.example/yellow for a photo of the leaves."
)


def bench(base: Base) -> dict[str, Any]:
    """µs for one 300-character comment, all labels, beside stock TfidfVectorizer and one linear model in the same run."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    stock = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    vectors = stock.fit_transform([TEXT, TEXT[::-1]])
    weights = np.ones(vectors.shape[1])
    asked = [Asked(TEXT[:300])]
    ours, theirs, batch = [], [], []
    for _ in range(300):
        ours.append(_timed(lambda: base.log_odds(asked)))
        theirs.append(_timed(lambda: stock.transform([TEXT[:300]]) @ weights))
    for _ in range(50):
        batch.append(_timed(lambda: base.log_odds(asked * 32)) / 32)
    return {
        "one at a time, median": round(float(np.median(ours)), 1),
        "one at a time, p99": round(float(np.quantile(ours, 0.99)), 1),
        "in batches of 32": round(float(np.median(batch)), 1),
        "stock TfidfVectorizer, one label": round(float(np.median(theirs)), 1),
        "times faster": round(float(np.median(theirs) / np.median(ours)), 1),
    }


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1e6


def markdown(report: dict[str, Any]) -> str:
    """The report as tables."""
    lines = [f"# {report['model']} on data it never saw", ""]
    lines += [
        "| file | label | rows | positives | AUC (95 %) | AP | calibration error | precision | recall | false alarms |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|---|---|"]
    for name, found in report["files"].items():
        for label, m in found["labels"].items():
            low, high = m["auc 95 %"] or (None, None)
            lines.append(
                f"| {name} | {label} | {m['rows']} | {m['positives']} | {m['auc']} ({low}–{high}) | "
                f"{m['average precision']} | {m['calibration error']} | {m['precision']} | {m['recall']} | "
                f"{m['false alarms']} |"
            )
    for title in ("attacked", "decided alone", "identity terms", "time"):
        if title in report:
            lines += ["", f"## {title}", "", "| what | figure |", "|---|---|"]
            lines += [f"| {key} | {value} |" for key, value in report[title].items()]
    for title, found in report.get("unseen groups", {}).items():
        lines += ["", f"## {title}, left out whole", "", "| group | figures |", "|---|---|"]
        lines += [f"| {group} | {figures} |" for group, figures in found.items()]
    return "\n".join(lines) + "\n"
