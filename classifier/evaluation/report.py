"""The report on a version: every figure on rows that it never saw, beside its card, its peers and the thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifier import thresholds
from classifier.base import Base
from classifier.evaluation import peers, reader, unseen
from classifier.evaluation.bench import bench
from classifier.evaluation.draw import chart
from classifier.evaluation.tables import markdown, summary
from classifier.labels import LABELS
from classifier.progress import log
from classifier.registry import write_json
from classifier.training import alarms, corpora, measure
from classifier.training.metrics import auc, enough, figures, firing, of_part, slices
from classifier.training.parts import EVERYDAY, HEADLINE, Floats, Part, Said, column, parts, scores

SPAM_SOURCES = ("blog_comments", "blog_comments_modern", "youtube_uci", "youtube_gambling_id", "sms")
"""Sources that were reviewed for spam; in others, good texts are assumed to be free of it."""
REJECT, PUBLISH = 1 / 1000, 1 / 100
"""The promises that the specification has as its example."""
BESIDE = 800
"""Rows of a part on which table, reader and both are set side by side: each is read once more."""
MARKS = ("<!-- evaluate: begin -->", "<!-- evaluate: end -->")


def run(
    base: Base, data: Path, seed: int = 1, peers_folder: Path | None = None, leave_out: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    """(all figures except times, name → SVG)."""
    card = base.folder.card
    answers = peers.read(peers_folder) if peers_folder else {}
    log("reading the corpora")
    found = unseen.split(data, int(card.get("seed", seed)))
    differs = unseen.fits(card, found)
    if differs:
        log(f"{differs}: its unseen rows cannot be told from the others, so they are left out")
    tested = found.parts[: len(found.parts) - found.own]
    own = [] if differs else found.parts[len(tested) :]
    every = [*tested, *own]
    said = {}
    for part in every:
        log(f"scoring {part.name}: {len(part.examples)} rows")
        said[part.name] = scores(base, part.examples)
    log("measuring")
    alone = base.reader is None and "reader" in card
    report: dict[str, Any] = {"model": base.version, "table alone": alone, "seed": seed, "missing": missing(data, card)}
    report |= figures(base, tested, said, seed)
    report["unseen rows"] = {part.name: of_part(base, part, said[part.name], seed) for part in own}
    report["split differs"] = differs
    report["spam slices"] = _spam_slices(own, said, seed)
    log("looking for repeats between training and what is reported on")
    report["repeats"], near = unseen.repeats(found)
    report["without near repeats"] = _without(every, said, near, seed)
    report["features on unseen rows"] = firing(base, own) if own else {}
    report["false alarms on unseen rows"] = {
        "toxicity": alarms.worst(base, [p for p in own if p.source in EVERYDAY], every, said, "toxicity"),
        "spam": alarms.worst(base, [p for p in own if p.source in SPAM_SOURCES], every, said, "spam"),
    }
    report["promises"] = promises(every, said)
    report["peers"] = {}
    for part, label, p, y, texts in _labelled(every, said) if answers else ():
        found_there = peers.beside(p, y, texts, label, answers, seed)
        for name, one in found_there.items():
            one["has learnt these rows"] = part.source in peers.LEARNT.get(name, ())
        report["peers"][f"{part.name} {label}"] = found_there
    if leave_out:
        from classifier.evaluation.leaveout import leave_out as without_each

        report["unseen groups"] = without_each(data, seed)
    if base.reader is not None:
        report["reader"] = reader.beside(base, data, seed, BESIDE)
    # The card's figures are of the table, which was measured before it had a reader.
    report["card"] = reproduced(card.get("metrics", {}), report) if base.reader is None else {}
    return report, curves(every, said, answers)


def times(base: Base, data: Path, seed: int = 1) -> dict[str, Any]:
    """The times, which differ from run to run and have a file of their own."""
    texts = [example.text for part in parts(data, base.fold) for example in part.examples]
    return bench(base, texts, seed) | (reader.cost(base, texts) if base.reader is not None else {})


def write(out: Path, report: Mapping[str, Any], timed: Mapping[str, Any], drawn: Mapping[str, str]) -> None:
    """report.json, times.json, report.md and the curves, into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn.items():
        (out / f"{name}.svg").write_text(svg, "utf-8")
    write_json(out / "report.json", report)
    write_json(out / "times.json", timed)
    (out / "report.md").write_text(markdown(report, timed, list(drawn)), "utf-8")


def into_docs(docs: Path, report: Mapping[str, Any], timed: Mapping[str, Any], drawn: Mapping[str, str]) -> None:
    """Writes the first tables between the two marks of classifier.md, all tables to evaluation.md and the curves to images/.

    Raises ValueError for a page without the marks."""
    page = docs / "classifier.md"
    text = page.read_text("utf-8")
    if not all(text.count(mark) == 1 for mark in MARKS):
        raise ValueError(f"{page.name} has no place for the tables: {' … '.join(MARKS)}")
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    images = docs / "images"
    images.mkdir(exist_ok=True)
    for name, svg in drawn.items():
        (images / f"{name}.svg").write_text(svg, "utf-8")
    (docs / "evaluation.md").write_text(markdown(report, timed, list(drawn), "images/"), "utf-8")
    page.write_text(f"{before}{MARKS[0]}\n{summary(report, timed, list(drawn))}{MARKS[1]}{after}", "utf-8")


def missing(data: Path, card: Mapping[str, Any]) -> list[str]:
    """Files of the card that the folder lacks."""
    wanted = {source.file for source in corpora.SOURCES}
    wanted |= {f"{name}.csv.gz" for name in card.get("metrics", {}).get("files", {})}
    return sorted(name for name in wanted if not (data / name).is_file())


def promises(found: Sequence[Part], said: Said) -> dict[str, Any]:
    """The thresholds of two promises on each part, or how many more decisions they need."""
    out: dict[str, Any] = {}
    for part, label, p, y, _ in _labelled(found, said):
        if label in ("spam", "toxicity") and part.source in EVERYDAY:
            sure: thresholds.Reals = np.array([round(float(one), 6) for one in p], np.float64)
            for action, one in (
                ("reject", thresholds.threshold(sure, ~y, REJECT, "reject", label)),
                ("publish", thresholds.threshold(-sure, y, PUBLISH, "publish", label)),
            ):
                at = None if one.at is None else abs(one.at)
                out[f"{part.name} {label}: {action}"] = {
                    "promise": one.promise,
                    "decisions": one.decisions,
                    "at": at,
                    "decided": one.decided,
                    "wrong": one.wrong,
                    "bound": None if one.bound is None else round(one.bound, 5),
                    "lacking": one.lacking,
                }
    return out


def reproduced(metrics: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """Every number of the card's metrics that differs from the measured one, and how many agree."""
    differing, count, lacking = {}, 0, 0
    for path, value in _numbers(metrics):
        now: Any = report
        for step in path:
            now = now[step] if isinstance(now, dict | list) and _has(now, step) else None
        if now is None and report.get("missing"):
            lacking += 1
            continue
        count += 1
        if now is None or abs(float(now) - value) > 0.00011:
            differing[" / ".join(map(str, path))] = [value, now]
    return {"figures": count, "reproduced": count - len(differing), "not measured": lacking, "differing": differing}


def _has(place: dict[str, Any] | list[Any], step: Any) -> bool:
    return step in place if isinstance(place, dict) else isinstance(step, int) and step < len(place)


def _numbers(place: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], float]]:
    if isinstance(place, bool):
        return
    if isinstance(place, int | float):
        yield path, float(place)
    elif isinstance(place, Mapping):
        for name, inner in place.items():
            yield from _numbers(inner, (*path, name))
    elif isinstance(place, list):
        for number, inner in enumerate(place):
            yield from _numbers(inner, (*path, number))


def _labelled(found: Sequence[Part], said: Said) -> Iterator[tuple[Part, str, Floats, measure.Bools, list[str]]]:
    """Every part and label with enough rows of both kinds."""
    for part in found:
        for label in LABELS:
            p, y, known = column(part, said, label)
            if enough(y):
                yield part, label, p, y, [e.text for e, has in zip(part.examples, known, strict=True) if has]


def _spam_slices(own: Sequence[Part], said: Said, seed: int) -> dict[str, Any]:
    mine = [one for one in _labelled(own, said) if one[1] == "spam" and one[0].source in SPAM_SOURCES]
    if not mine:
        return {}
    texts = [text for one in mine for text in one[4]]
    return slices(np.concatenate([one[2] for one in mine]), np.concatenate([one[3] for one in mine]), texts, seed)


def _without(found: Sequence[Part], said: Said, near: Mapping[str, list[bool]], seed: int) -> dict[str, Any]:
    """AUC without the texts that are nearly in training, for parts that have such texts."""
    out = {}
    for part in found:
        far = ~np.array(near[part.name], bool)
        for label in LABELS:
            p, y, known = column(part, said, label)
            kept = far[known]
            if not kept.all() and enough(y[kept]):
                out[f"{part.name} {label}"] = auc(p[kept], y[kept], seed)
    return out


def curves(found: Sequence[Part], said: Said, answers: Mapping[str, peers.Answers]) -> dict[str, str]:
    """Name → SVG: precision and recall, reliability and triage of the HEADLINE part and of spam."""
    drawn = {(part.name, label): (p, y, texts) for part, label, p, y, texts in _labelled(found, said)}
    out: dict[str, str] = {}
    six = {label: drawn[HEADLINE, label] for label in LABELS if (HEADLINE, label) in drawn}
    if six:
        lines = {label: measure.precision_recall(p, y) for label, (p, y, _) in six.items()}
        out["classifier-precision-recall"] = chart(f"Precision and recall, {HEADLINE}", "recall", "precision", lines)
        said_so = {label: [(a, b) for a, b, _ in measure.reliability(p, y)] for label, (p, y, _) in six.items()}
        out["classifier-reliability"] = chart(
            f"Reliability, {HEADLINE}", "said", "was so", said_so, diagonal=True, dots=True, legend="above"
        )
    spam = {name: rows for (name, label), rows in drawn.items() if label == "spam"}
    if spam:
        lines = {name: measure.precision_recall(p, y) for name, (p, y, _) in spam.items()}
        out["classifier-spam"] = chart("Precision and recall of spam", "recall", "precision", lines)
        said_so = {name: [(a, b) for a, b, _ in measure.reliability(p, y)] for name, (p, y, _) in spam.items()}
        out["classifier-spam-reliability"] = chart(
            "Reliability of spam", "said", "was so", said_so, diagonal=True, dots=True, legend="above"
        )
    if "toxicity" in six:
        p, y, texts = six["toxicity"]
        lines = {
            "this classifier, best two thresholds": measure.triage_of_two(p, y),
            "this classifier, surest first": measure.triage(p, y),
        }
        for name, theirs in answers.items():
            each = [theirs.get(peers.key(text), {}).get("toxicity") for text in texts]
            if all(one is not None for one in each) and len(set(each)) > peers.BINARY:
                lines[f"{name}, best two thresholds"] = measure.triage_of_two(np.array(each, np.float64), y)
        out["classifier-triage"] = chart(
            f"Decided alone, {HEADLINE} toxicity", "share decided alone", "accuracy", lines, y=(0.95, 1)
        )
    return out
