"""Table, reader and both, side by side on rows that neither saw: per part, language, left-out blog and kind, disguised and long."""

from __future__ import annotations

import random
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from classifier.base import Base
from classifier.combine import probability
from classifier.examples import Example
from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.progress import log
from classifier.training import attack
from classifier.training.dataset import LEFT_OUT, REPORT, load_rows
from classifier.training.matrix import targets
from classifier.training.measure import Ranked, share
from classifier.training.metrics import HOSTILE, NEUTRAL, TERMS, enough
from classifier.training.parts import HEADLINE, LANGUAGE, Part, parts

WHO = ("table", "reader", "both")
FUNCTIONAL = Path(__file__).with_name("functional.toml")
BLOG_LANGUAGE = {"cinetimes": "fr", "papagamedev": "es", "fraulyoner": "de"}
FORTY = range(38, 43)
"""Tokens of the texts whose reading is timed."""
TIMED = 200
TOXICITY, SPAM = LABELS.index("toxicity"), LABELS.index("spam")
ALARMS = 0.05


@dataclass(frozen=True, slots=True)
class Answers:
    """[texts, labels] log-odds of each of WHO."""

    table: Floats
    reader: Floats
    both: Floats

    def of(self, who: str) -> Floats:
        found: Floats = getattr(self, who)
        return found


def answers(base: Base, examples: Sequence[Example | str]) -> Answers:
    """What each says of the texts. The reader alone answers for every script."""
    from classifier.training.reader_stage import read_all, table_log_odds

    assert base.reader is not None and base.together is not None, "a model without a reader has nothing to compare"
    rows = [Example(one, {}) if isinstance(one, str) else one for one in examples]
    table, reading = table_log_odds(base, rows), read_all(base.reader, [row.text for row in rows])
    return Answers(table, reading.log_odds, base.together.log_odds(table, reading))


def left_out(base: Base, data: Path) -> list[Part]:
    """The rows for reports that are in no test file: left-out blogs, and the share of each source that neither table nor reader
    nor stage saw."""
    rows, _ = load_rows(data, base.fold, int(base.folder.card["seed"]))
    of: dict[str, list[Example]] = defaultdict(list)
    for place in rows.of(REPORT):
        example = rows.examples[place]
        of[example.group if example.group in LEFT_OUT else example.source].append(example)
    return [
        Part(name, name.partition("/")[0], "blog left out" if "/" in name else "unseen rows", found)
        for name, found in sorted(of.items())
    ]


def beside(base: Base, data: Path, seed: int = 1, most: int | None = None) -> dict[str, Any]:
    """All figures. most: rows of a part, drawn at random."""
    every = [_drawn(part, seed, most) for part in (*parts(data, base.fold), *left_out(base, data))]
    log(f"{sum(len(part.examples) for part in every)} rows are read")
    said = {}
    for part in every:
        log(f"reading {part.name}: {len(part.examples)} rows")
        said[part.name] = answers(base, part.examples)
    return {
        "parts": {part.name: _part(part, said[part.name], seed) for part in every},
        "languages": _languages(every, said),
        "blogs": {part.name: _blog(base, part, said[part.name]) for part in every if part.kind == "blog left out"},
        "functional": _functional(base),
        "attacked": _attacked(base, every, said, seed),
        "identity": _identity(base),
        "long": _long(base, every, said),
        "int8 beside float": base.folder.card["reader"].get("int8 beside float", {}),
    }


def _drawn(part: Part, seed: int, most: int | None) -> Part:
    if most is None or len(part.examples) <= most:
        return part
    some = np.sort(np.random.default_rng(seed).permutation(len(part.examples))[:most])
    return replace(part, examples=[part.examples[place] for place in some])


def _auc(z: Floats, so: Any, seed: int) -> tuple[float, list[float]]:
    value, low, high = Ranked(probability(z), so).all(seed)["auc"]
    return value, [low, high]


def _one_auc(z: Floats, so: Any) -> float:
    return float(Ranked(probability(z), so).figures(np.ones(len(so)))[0])


def _columns(examples: Sequence[Example], column: int) -> tuple[Any, Any]:
    y = targets(examples)[:, column]
    known = ~np.isnan(y)
    return known, y[known] >= 0.5


def _part(part: Part, said: Answers, seed: int) -> dict[str, Any]:
    out: dict[str, Any] = {"rows": len(part.examples), "kind": part.kind, "language": _language(part), "labels": {}}
    for column, label in enumerate(LABELS):
        known, so = _columns(part.examples, column)
        if not enough(so):
            continue
        found: dict[str, Any] = {"rows": len(so), "positives": int(so.sum())}
        for who in WHO:
            found[who], found[f"{who} 95 %"] = _auc(said.of(who)[known, column], so, seed)
        out["labels"][label] = found
    return out


def _language(part: Part) -> str:
    return BLOG_LANGUAGE.get(part.name.rpartition("/")[2], LANGUAGE.get(part.source, "en"))


def _languages(every: Sequence[Part], said: Mapping[str, Answers]) -> dict[str, Any]:
    """Per language and label: the mean over its parts, weighted by rows, since parts have other shares of bad texts."""
    out: dict[str, Any] = {}
    for code in sorted({_language(part) for part in every}):
        for column, label in enumerate(LABELS):
            rows, sums = 0, np.zeros(len(WHO))
            for part in every:
                known, so = _columns(part.examples, column)
                if _language(part) == code and enough(so):
                    rows += len(so)
                    z = said[part.name]
                    sums += [len(so) * _one_auc(z.of(who)[known, column], so) for who in WHO]
            if rows:
                out[f"{code} {label}"] = {"rows": rows} | {
                    who: round(float(value / rows), 4) for who, value in zip(WHO, sums, strict=True)
                }
    return out


def _held(base: Base, z: Floats, who: str) -> Any:
    """[texts, labels] which thresholds the table, or both together, reach."""
    of = base.thresholds if who == "table" else base.read_thresholds
    return probability(z) >= np.array([of[label] for label in LABELS])


def _blog(base: Base, part: Part, said: Answers) -> dict[str, Any]:
    """Of a left-out blog: spam that reaches the threshold and 0.99, good comments that reach a threshold of any label."""
    spam = np.array([example.labels.get("spam", 0) >= 0.5 for example in part.examples])
    out: dict[str, Any] = {"spam": int(spam.sum()), "good": int((~spam).sum())}
    for who in ("table", "both"):
        z = said.of(who)
        held, sure = _held(base, z, who), probability(z)[:, SPAM] >= 0.99
        out[f"spam held, {who}"] = share(int(held[spam].any(axis=1).sum()), int(spam.sum()))[0]
        out[f"spam at 0.99, {who}"] = share(int(sure[spam].sum()), int(spam.sum()))[0]
        out[f"good held, {who}"] = share(int(held[~spam].any(axis=1).sum()), int((~spam).sum()))[0]
        out[f"good at 0.99, {who}"] = share(int(sure[~spam].sum()), int((~spam).sum()))[0]
    return out


def _functional(base: Base) -> dict[str, Any]:
    """Per kind of our own sentences: the share that reaches a threshold of any label but spam, and a toxicity of 0.5."""
    out: dict[str, Any] = {}
    for kind in tomllib.loads(FUNCTIONAL.read_text("utf-8"))["kind"]:
        said = answers(base, kind["texts"])
        found: dict[str, Any] = {"bad": kind["bad"], "sentences": len(kind["texts"])}
        for who in ("table", "both"):
            held = _held(base, said.of(who), who)[:, [n for n in range(len(LABELS)) if n != SPAM]]
            found[f"held, {who}"] = share(int(held.any(axis=1).sum()), len(held))[0]
        for who in WHO:
            p = probability(said.of(who))[:, TOXICITY]
            found[f"toxicity of 0.5, {who}"] = share(int((p >= 0.5).sum()), len(p))[0]
        out[kind["name"]] = found
    return out


def _attacked(base: Base, every: Sequence[Part], said: Mapping[str, Answers], seed: int) -> dict[str, Any]:
    """Recall of toxicity at 5 % false alarms on clean texts, for each disguise."""
    part = next((part for part in every if part.name == HEADLINE), None)
    if part is None:
        return {}
    known, so = _columns(part.examples, TOXICITY)
    if not enough(so):
        return {}
    rng = random.Random(seed)  # noqa: S311 - a disguise, not a secret
    bad = [example.text for example in part.examples if example.labels.get("toxicity") == 1]
    at = {who: float(np.quantile(said[part.name].of(who)[known, TOXICITY][~so], 1 - ALARMS)) for who in WHO}
    out: dict[str, Any] = {}
    for kind in ("clean", *attack.KINDS):
        z = answers(base, bad if kind == "clean" else [attack.disguise(text, kind, rng) for text in bad])
        out[kind] = {who: share(int((z.of(who)[:, TOXICITY] >= at[who]).sum()), len(bad))[0] for who in WHO}
    return out


def _identity(base: Base) -> dict[str, Any]:
    """How far a probability moves when one identity term stands for another, over the toxic labels but `identity_attack`
    (`spam` counts a text's letters)."""
    others = [n for n, label in enumerate(LABELS) if label not in ("identity_attack", "spam")]
    out: dict[str, Any] = {}
    for name, templates in (("neutral", NEUTRAL), ("hostile", HOSTILE)):
        gap = dict.fromkeys(WHO, 0.0)
        for template in templates:
            z = answers(base, [template.format(term) for term in TERMS])
            for who in WHO:
                p = probability(z.of(who))[:, others]
                gap[who] = max(gap[who], round(float((p.max(axis=0) - p.min(axis=0)).max()), 6))
        out[f"gap, {name} sentences"] = gap
    return out


def _long(base: Base, every: Sequence[Part], said: Mapping[str, Answers]) -> dict[str, Any]:
    """Good texts of the headline part and of left-out blogs by length: the share that reaches a threshold of any label."""
    assert base.reader is not None
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for part in every:
        if part.name != HEADLINE and part.kind != "blog left out":
            continue
        z = said[part.name]
        table, both = (_held(base, z.of(who), who).any(axis=1) for who in ("table", "both"))
        for number, example in enumerate(part.examples):
            if max(example.labels.values()) < 0.5:
                count = base.reader.windows(example.text)
                name = "1 window" if count == 1 else "2 windows" if count == 2 else "3 or 4" if count <= 4 else "more"
                found[name].append((bool(table[number]), bool(both[number])))
    return {
        name: {
            "good texts": len(rows),
            "held, table": share(sum(one for one, _ in rows), len(rows))[0],
            "held, both": share(sum(one for _, one in rows), len(rows))[0],
        }
        for name, rows in found.items()
    }


def times(base: Base, data: Path) -> dict[str, Any]:
    """The cost of reading, on texts of the parts."""
    return cost(base, [example.text for part in parts(data, base.fold) for example in part.examples])


def cost(base: Base, texts: Sequence[str]) -> dict[str, Any]:
    """µs of processor time for a text of forty tokens, in one thread, with and without an identity term."""
    reader = base.reader
    assert reader is not None
    plain: list[str] = []
    termed: list[str] = []
    for text in texts:
        if len(plain) >= TIMED and len(termed) >= TIMED:
            break
        if len(text) < 400 and reader.tokens(text) in FORTY:
            (termed if reader.reads_again(text) else plain).append(text)
    return {
        "reader, forty tokens, median": _median(reader.log_odds, plain[:TIMED]),
        "reader, forty tokens with an identity term, median": _median(reader.log_odds, termed[:TIMED]),
    }


def _median(act: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float | None:
    times = []
    for text in texts:
        start = time.process_time_ns()
        act([text])
        times.append((time.process_time_ns() - start) / 1000)
    return round(float(np.median(times)), 1) if times else None
