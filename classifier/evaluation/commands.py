"""The command that reports on a model: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from classifier import registry
from classifier.base import open_base
from classifier.cli import Models, Seed
from classifier.evaluation import first_decisions, reader, reader_tables, report, tables


def evaluate(
    data: Annotated[Path, Option("--data", metavar="DIR", help="folder with the corpora")],
    models: Models = None,
    version: Annotated[str | None, Option("--version", metavar="VERSION")] = None,
    peers: Annotated[
        Path | None, Option("--peers", metavar="DIR", help="other systems' scores: see benchmarks/peers.py")
    ] = None,
    leave_out: Annotated[
        bool, Option("--leave-out", help="also train without each blog and video, and test on it")
    ] = False,
    out: Annotated[
        Path | None,
        Option("--out", metavar="DIR", help="report.md, report.json, times.json and the curves go here"),
    ] = None,
    docs: Annotated[
        Path | None, Option("--docs", metavar="DIR", help="the tables of classifier.md in here are written anew")
    ] = None,
    table_alone: Annotated[bool, Option("--table", help="of a version with a second reader: its table alone")] = False,
    reader_only: Annotated[
        bool, Option("--reader-only", help="only table, second reader and both, side by side")
    ] = False,
    decisions_only: Annotated[
        bool, Option("--first-decisions", help="only left-out blogs after 20 and 100 decisions: by words, and by both")
    ] = False,
    rows: Annotated[
        int | None, Option("--rows", metavar="N", help="with --reader-only: at most N rows of a part, drawn at random")
    ] = None,
    json: Annotated[Path | None, Option("--json", metavar="FILE", help="all figures")] = None,
    seed: Seed = 1,
) -> None:
    """Evaluate a version on unseen data, as Markdown on standard output. Available in a checkout only.

    With --out, JSON and curves go beside it."""
    if not data.is_dir():
        raise ValueError("the data folder is missing")
    base = open_base(models, version, reader=not table_alone)
    if reader_only:
        if base.reader is None:
            raise ValueError(f"{base.version} has no second reader")
        found, cost = {"reader": reader.beside(base, data, seed, rows)}, reader.times(base, data)
        if json:
            registry.write_json(json, found | cost)
        print("\n".join(reader_tables.lines(found, cost)))
        return
    if decisions_only:
        by_place = first_decisions.beside(base, data)
        if json:
            registry.write_json(json, {"first decisions": by_place})
        print("\n".join(first_decisions.lines(by_place)))
        return
    figures, drawn = report.run(base, data, seed, peers, leave_out)
    timed = report.times(base, data, seed)
    if out:
        report.write(out, figures, timed, drawn)
    if docs:
        report.into_docs(docs, figures, timed, drawn)
    if json:
        registry.write_json(json, figures)
    print(tables.markdown(figures, timed, list(drawn)), end="")


commands = {"evaluate": evaluate}
