"""A report → Markdown: `markdown` has every table, `summary` those of docs/classifier.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from classifier.evaluation import reader_tables
from classifier.evaluation.cells import Report, table, with_interval
from classifier.labels import LABELS

COMMAND = "python -m classifier evaluate --data DIR --peers benchmarks/.peers"
LACKING = (
    "`--leave-out` was not asked for: places left out whole, and what a site's first decisions mend, are not in here."
)
_SIX = tuple(label for label in LABELS if label != "spam")
_HEADLINE = "jigsaw/test_carved"
_FIRST = (
    ("today", "spam"),
    ("olid/test", "toxicity"),
    ("impermium/test", "insult"),
    ("impermium/verification", "insult"),
    ("edos/test", "identity_attack"),
    ("civil_spans/test", "insult"),
)


def command(report: Report) -> str:
    """The command that wrote these tables."""
    return (
        COMMAND
        + (" --table" if report["table alone"] else "")
        + (" --leave-out" if report.get("unseen groups") else "")
    )


def summary(report: Report, timed: Report, drawn: Sequence[str]) -> str:
    """The tables of docs/classifier.md."""
    lines = [
        f"Model `{report['model']}`. These tables are written by",
        f"`{command(report)} --docs docs`;",
        "everything else that it measures is in [evaluation.md](evaluation.md). In brackets: 95 % intervals, bootstrap over",
        "rows for curves, Wilson's for shares.",
        *([] if report.get("unseen groups") else [LACKING]),
        "",
    ]
    lines += table(("on rows that no fit saw", "figure"), _first(report, timed))
    lines += [*_peers(report), *_spam(report), *_unseen_groups(report), *reader_tables.lines(report, timed)]
    lines += [f"![{name.replace('-', ' ')}](images/{name}.svg)" for name in drawn]
    return "\n".join(lines).rstrip() + "\n"


def markdown(report: Report, timed: Report, drawn: Sequence[str], images: str = "") -> str:
    """Every figure."""
    lines = [
        f"# {report['model']} on data that it never saw",
        "",
        f"Written by `{command(report)}`; the same data, seed and model give the same bytes, but for the times at the end.",
        "In brackets: 95 % intervals, bootstrap over rows for curves, Wilson's for shares.",
        "",
    ]
    if report["missing"]:
        lines += [f"**Not in the data folder, so not in here:** {', '.join(report['missing'])}.", ""]
    if report["split differs"]:
        lines += [f"**No unseen rows of the training sources:** {report['split differs']}.", ""]
    if card := report["card"]:
        lacking = f"; {card['not measured']} more want the missing files" if card["not measured"] else ""
        lines += [
            f"Of the {card['figures']} figures in the model's card {card['reproduced']} came out the same{lacking}.",
            "",
        ]
        if card["differing"]:
            shown = list(card["differing"].items())[:40]
            lines += table(("figure of the card", "card", "now"), ((name, was, now) for name, (was, now) in shown))
    else:
        lines += [
            "The figures here are of table and reader together; those in the model's card are of its table alone.",
            "",
        ]
    lines += ["## In short", ""]
    lines += table(("on", "figure"), _first(report, timed))
    lines += reader_tables.lines(report, timed)
    lines += ["## Test files and sources that were never trained on", "", *_labels(report["files"])]
    lines += ["## Unseen rows of the training sources", ""]
    lines += [
        "Dealt out by a hash of the text before anything was fitted. Where a text is nearly in training (half of its runs",
        "of eight words), the figure without such texts is further down.",
        "",
        *_labels(report["unseen rows"]),
    ]
    lines += _spam(report)
    lines += _peers(report, every=True)
    lines += [*_languages(report), *_slices(report), *_attacked(report), *_identity(report), *_alone(report)]
    lines += [*_promises(report), *_unseen_groups(report), *_features(report), *_alarms(report), *_repeats(report)]
    lines += ["## Time", "", "Microseconds on one core; differs from run to run.", ""]
    lines += table(("what", "figure"), timed.items())
    lines += [f"![{name.replace('-', ' ')}]({images}{name}.svg)" for name in drawn]
    return "\n".join(lines).rstrip() + "\n"


def _first(report: Report, timed: Report) -> list[tuple[str, object]]:
    files = report["files"]
    rows: list[tuple[str, object]] = []
    if _HEADLINE in files:
        labels = files[_HEADLINE]["labels"]
        if "toxicity" in labels:
            rows.append((f"`{_HEADLINE}` toxicity, AUC", with_interval(labels["toxicity"], "auc")))
        six = [labels[label]["auc"] for label in _SIX if label in labels]
        if six:
            rows.append((f"`{_HEADLINE}` mean of {len(six)} labels, AUC", f"{sum(six) / len(six):.3f}"))
    for name, label in _FIRST:
        if label in files.get(name, {}).get("labels", {}):
            rows.append((f"`{name}` {label}, AUC", with_interval(files[name]["labels"][label], "auc")))
    gap = report["identity terms"]
    rows.append(("identity terms, gap in false alarms · misses", f"{gap['false alarms']:.3f} · {gap['misses']:.3f}"))
    if report.get("attacked"):
        rows.append(
            ("disguised texts, points of recall lost at 5 % false alarms", report["attacked"]["points lost, mean"])
        )
    if "decided alone" in report:
        alone = report["decided alone"]
        told = f"{with_interval(alone, 'same rows')}; surest first {alone['surest first']:.3f}"
        rows.append((f"decided alone at {alone['accuracy']:.1%} accuracy, two thresholds", told))
        halves = f"{alone['other half']:.3f}, {alone['other half accuracy'] or 0:.4f} of it right"
        rows.append(("… thresholds chosen on one half, judged on the other", halves))
    if timed:
        rows.append(
            (
                "µs for all labels, 300 characters not met before, alone: median · p99 · in batches of 32",
                f"{timed['one at a time, median']} · {timed['one at a time, p99']} · {timed['in batches of 32']}",
            )
        )
        rows.append(
            (
                "… stock TfidfVectorizer and a linear model, all labels, on the same comments in the same run",
                f"{timed['stock TfidfVectorizer, one at a time, median']} µs, {timed['times faster']} times as long",
            )
        )
    return rows


def _labels(parts: Report) -> list[str]:
    head = (
        "rows",
        "label",
        "positives",
        "AUC",
        "average precision",
        "calibration error",
        "at",
        "precision",
        "recall",
        "false alarms",
    )
    rows = []
    for name, part in parts.items():
        for label, m in part["labels"].items():
            figures = [with_interval(m, one) for one in ("auc", "average precision", "calibration error")]
            shares = [with_interval(m, one) for one in ("precision", "recall", "false alarms")]
            rows.append((f"{name} ({m['rows']})", label, m["positives"], *figures, m["threshold"], *shares))
    return table(head, rows) if rows else ["None.", ""]


def _spam(report: Report) -> list[str]:
    every = {**report["files"], **report["unseen rows"]}
    rows = []
    for name, part in every.items():
        found = part["labels"].get("spam")
        if found:
            without = report["without near repeats"].get(f"{name} spam", {})
            rows.append(
                (
                    f"{name} ({part['rows']})",
                    with_interval(found, "auc"),
                    with_interval(without, "auc") if without else "the same",
                    with_interval(found, "calibration error"),
                    with_interval(found, "false alarms"),
                    with_interval(found, "recall"),
                )
            )
    if not rows:
        return []
    head = ("spam on", "AUC", "… without near repeats", "calibration error", "false alarms", "recall")
    return ["## Spam", "", *table(head, rows)]


def _peers(report: Report, every: bool = False) -> list[str]:
    rows = []
    for where, found in report["peers"].items():
        part = report["files"].get(where.rpartition(" ")[0], {})
        if not every and not where.endswith(" spam") and part.get("language") != "en":
            continue
        for name, m in found.items():
            rows.append(
                (
                    where,
                    f"{name} †" if m["has learnt these rows"] else name,
                    with_interval(m, "auc"),
                    f"{m['our auc']:.3f}",
                    with_interval(m, "false alarms"),
                    with_interval(m, "recall"),
                    with_interval(m, "our recall at its false alarms"),
                )
            )
    if not rows:
        return []
    head = (
        "on the same rows",
        "peer",
        "its AUC",
        "our AUC",
        "its false alarms",
        "its recall",
        "our recall at its false alarms",
    )
    return [
        "## Beside others",
        "",
        "A peer says yes from 0.5 on. What answers only yes or no has a poor AUC by nature; the last two columns are the",
        "fair question to it. †: by its own account it was trained on this very source, these rows among it; we were not.",
        "",
        *table(head, rows),
    ]


def _languages(report: Report) -> list[str]:
    rows = ((name, m["rows"], m["positives"], with_interval(m, "auc")) for name, m in report["languages"].items())
    return ["## Per language", "", *table(("language and label", "rows", "positives", "AUC"), rows)]


def _slices(report: Report) -> list[str]:
    out = []
    for title, found in (
        (f"Kinds of text: toxicity, {_HEADLINE}", report.get("slices", {})),
        ("Kinds of text: spam, unseen rows of all spam sources", report["spam slices"]),
    ):
        rows = [
            (name, m["rows"], m["positives"], *(with_interval(m, one) for one in ("auc", "recall", "false alarms")))
            for name, m in found.items()
        ]
        if rows:
            head = ("kind", "rows", "positives", "AUC", "recall", "false alarms")
            out += [f"## {title}", "", "At the threshold that 5 % of all good texts pass.", "", *table(head, rows)]
    return out


def _attacked(report: Report) -> list[str]:
    found = report.get("attacked")
    if not found:
        return []
    rows = [(name, with_interval(found, name)) for name in found if not name.endswith(("95 %", "mean"))]
    return ["## Disguised texts", "", *table(("disguise", "recall of toxicity"), rows)]


def _identity(report: Report) -> list[str]:
    found = report["identity terms"]
    rows = [(name, with_interval(found, name)) for name in found if not name.endswith("95 %")]
    return ["## Identity terms, on templates of our own", "", *table(("what", "figure"), rows)]


def _alone(report: Report) -> list[str]:
    found = report.get("decided alone")
    return ["## Decided alone", "", *table(("what", "figure"), found.items())] if found else []


def _promises(report: Report) -> list[str]:
    rows = []
    for name, m in report["promises"].items():
        bound = None if m["bound"] is None else f"{m['bound']:.4%}"
        lacking = "more would not help" if m["lacking"] is None else m["lacking"]
        at = "hold" if m["at"] is None else f"{m['at']:.4f}"
        rows.append((name, f"{m['promise']:.3%}", m["decisions"], at, m["decided"], m["wrong"], bound, lacking))
    head = (
        "rows and action",
        "promise",
        "decisions",
        "at",
        "decided alone",
        "wrong",
        "95 % bound",
        "decisions lacking",
    )
    return ["## What a promise comes to", "", *table(head, rows)] if rows else []


def _unseen_groups(report: Report) -> list[str]:
    """The figures of `leaveout`: title → place → figures, or title → place → figures of each step."""
    out = []
    for title, found in report.get("unseen groups", {}).items():
        rows = [(place, m) for place, m in _steps(found)]
        names = list(dict.fromkeys(name for _, m in rows for name in m))
        out += [f"## {title[:1].upper()}{title[1:]}: left out whole", ""]
        out += table(("place", *names), ([place, *(m.get(name) for name in names)] for place, m in rows))
    return out


def _steps(found: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, m in found.items():
        flat = {name: value for name, value in m.items() if not isinstance(value, Mapping)}
        if flat:
            yield place, flat
        for name, inner in m.items():
            if isinstance(inner, Mapping):
                yield f"{place}, {name}", dict(inner)


def _features(report: Report) -> list[str]:
    seen, unseen = report["features"], report["features on unseen rows"]
    rows = []
    for name, m in seen.items():
        more = unseen.get(name, {"spam": None, "good": None, "parts": {}})
        every = {**m["parts"], **more["parts"]}
        most = max(every, key=lambda one: every[one], default="–")
        shares = [None if one is None else f"{one:.1%}" for one in (m["all"], more["spam"], more["good"])]
        rows.append((name, m["weight"], *shares, f"{most} ({every.get(most, 0):.1%})"))
    head = ("structure", "weight on spam", "of the test texts", "of unseen spam", "of unseen good texts", "most in")
    text = "Per source: `report.json`, `features` and `features on unseen rows`."
    return ["## How often each structure number fires", "", text, "", *table(head, rows)]


def _alarms(report: Report) -> list[str]:
    out = []
    for where, named in (("test files", "false alarms"), ("unseen rows", "false alarms on unseen rows")):
        for label, found in report[named].items():
            rows = [(m["source"], m["score"], m["characters"], ", ".join(m["looks"]) or None, _words(m)) for m in found]
            head = ("where", "score", "characters", "looks", "common words that raised it")
            out += [f"## The {len(rows)} worst false alarms: {label}, {where}", "", *table(head, rows)] if rows else []
    return out


def _words(m: Report) -> str:
    rest = f" and {m['words not named']} not named" if m["words not named"] else ""
    return (", ".join(f"`{word}`" for word in m["words"]) or "none") + rest


def _repeats(report: Report) -> list[str]:
    rows = ((name, m["rows"], m["in training"], m["nearly in training"]) for name, m in report["repeats"].items())
    out = ["## Repeats", "", *table(("rows of", "rows", "in training", "nearly in training"), rows)]
    found = report["without near repeats"]
    if found:
        rest = ((name, m["rows"], m["positives"], with_interval(m, "auc")) for name, m in found.items())
        out += ["Without what is nearly in training:", "", *table(("rows of", "rows", "positives", "AUC"), rest)]
    return out
