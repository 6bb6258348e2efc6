"""The figures of `evaluation.reader` → Markdown."""

from __future__ import annotations

from classifier.evaluation.cells import Report, table, with_interval
from classifier.evaluation.reader import WHO


def lines(report: Report, timed: Report) -> list[str]:
    """All tables on table, reader and both."""
    found = report.get("reader")
    if not found:
        return []
    return [
        "## Table, reader and both",
        "",
        "AUC on rows that neither saw. *Table*: the table of weights alone; *reader*: the second reader alone; *both*: what is served.",
        "",
        *table(("part", "label", "rows", "positives", *WHO), _parts(found["parts"])),
        "Per language, the mean over its parts, weighted by rows:",
        "",
        *table(
            ("language and label", "rows", *WHO),
            ((name, m["rows"], *(f"{m[who]:.3f}" for who in WHO)) for name, m in found["languages"].items()),
        ),
        *_named("Blogs left out whole, at the shipped thresholds", found["blogs"]),
        *_named("Kinds of sentences of our own, none of them in training", found["functional"]),
        *_named("Disguised texts: recall of toxicity at 5 % false alarms", found["attacked"]),
        *_named(
            "How far one identity term for another moves a probability of the toxic labels, `identity_attack` apart",
            found["identity"],
        ),
        *_named("Good texts by length", found["long"]),
        *_int8(found["int8 beside float"]),
        *_cost(timed),
    ]


def _parts(found: Report) -> list[tuple[object, ...]]:
    return [
        (name, label, m["rows"], m["positives"], *(with_interval(m, who) for who in WHO))
        for name, part in found.items()
        for label, m in part["labels"].items()
    ]


def _named(title: str, found: Report) -> list[str]:
    if not found:
        return []
    names = list(dict.fromkeys(name for m in found.values() for name in m))
    return [
        f"{title}:",
        "",
        *table(("", *names), ([one, *(m.get(name) for name in names)] for one, m in found.items())),
    ]


def _int8(found: Report) -> list[str]:
    rows = [
        (name, part["rows"], part["mean distance"], label, f"{one:.4f}", f"{other:.4f}")
        for name, part in found.items()
        for label, (one, other) in part["auc"].items()
    ]
    head = ("part", "rows", "mean distance of log-odds", "label", "AUC in float", "AUC in int8")
    return ["The reader alone in float and in int8, measured when it was exported:", "", *table(head, rows)]


def _cost(timed: Report) -> list[str]:
    rows = [(name, value) for name, value in timed.items() if name.startswith("reader")]
    return ["Microseconds of processor time, int8, one thread:", "", *table(("what", "µs"), rows)] if rows else []
