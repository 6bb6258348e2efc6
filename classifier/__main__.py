"""`python -m classifier …`: every command takes files and leaves files; progress goes to stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import IO

from classifier import jsonl, registry
from classifier.jsonl import BadLine
from classifier.registry import ModelError

Command = Callable[[argparse.Namespace], int]


def train(given: argparse.Namespace) -> int:
    """Corpora in, a candidate version out; with --decisions, a site's correction."""
    if given.decisions is not None:
        from classifier.train import learn

        with open(given.decisions, encoding="utf-8") as lines:
            outcome = learn(given.out, given.site, list(jsonl.examples(lines)))
        print(json.dumps(asdict(outcome)))
        return 0
    if given.data is None:
        raise ValueError("train wants --data DIR, or --decisions FILE with --site KEY")
    from classifier.fit import train as fit

    print(fit(given.data, given.out, given.seed, given.jobs).name)
    return 0


def evaluate(given: argparse.Namespace) -> int:
    """A version on data it never saw: a report as Markdown (stdout) and, with --json, all figures."""
    from classifier.base import open_base
    from classifier.evaluate import evaluate as run
    from classifier.evaluate import markdown

    if not given.data.is_dir():
        raise ValueError("the data folder is missing")
    report = run(open_base(given.models, given.version), given.data, given.seed)
    if given.leave_out:
        from classifier.leaveout import leave_out

        report["unseen groups"] = leave_out(given.data, given.seed)
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    print(markdown(report), end="")
    return 0


def score(given: argparse.Namespace) -> int:
    """JSON lines in, JSON lines out."""
    from classifier.serving import Classifier

    classifier = Classifier(given.models)
    classifier.load()
    with _opened(given.input) as lines:
        rows = jsonl.asked(lines)
        while group := list(islice(rows, 256)):
            for one, scored in zip(group, classifier.score(group), strict=True):
                row: dict[str, object] = {"scores": scored.scores, "model": scored.model}
                if given.reasons:
                    row["reasons"] = [asdict(clue) for clue in classifier.explain(one)]
                print(json.dumps(row))
    return 0


def explain(given: argparse.Namespace) -> int:
    """One text (from stdin): each label's score and the words behind it."""
    from classifier.examples import Asked
    from classifier.serving import Classifier

    classifier = Classifier(given.models)
    classifier.load()
    asked = Asked(sys.stdin.read(), site=given.site)
    scored = classifier.score([asked])[0]
    clues = classifier.explain(asked)
    print(f"model {scored.model}")
    for label, p in scored.scores.items():
        print(f"{label:16} {p:.4f}  (held from {classifier.thresholds[label]:.4f})")
        for clue in clues:
            if clue.label == label:
                print(f"    {clue.weight:+7.3f}  {clue.feature[:60]!r}  {list(clue.spans)}")
    return 0


def show(given: argparse.Namespace) -> int:
    """The versions in a model folder, the current one marked."""
    models = given.models or registry.SHIPPED
    for kept in registry.listed(registry.site_folder(models, given.site) if given.site else models):
        print(f"{'*' if kept.current else ' '} {kept.version}  {kept.card.get('date', '')}")
    return 0


def roll_back(given: argparse.Namespace) -> int:
    """A site goes back to what was live before."""
    print(registry.roll_back(given.models, given.site) or "the base as it is")
    return 0


def _opened(path: Path | None) -> IO[str]:
    return sys.stdin if path is None else open(path, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 refused."""
    parser = argparse.ArgumentParser(prog="python -m classifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, act: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=(act.__doc__ or "").strip(), description=act.__doc__)
        command.set_defaults(act=act)
        return command

    one = add("train", train)
    one.add_argument("--data", type=Path, help="folder with the corpora: <source>/<part>.csv.gz")
    one.add_argument("--out", type=Path, required=True, help="folder that the version is written into")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--jobs", type=int, default=2, help="fits at the same time")
    one.add_argument("--decisions", type=Path, help="JSON lines of a site's decisions; --out is the model folder")
    one.add_argument("--site", default="default")
    one = add("evaluate", evaluate)
    one.add_argument("--data", type=Path, required=True)
    one.add_argument("--models", type=Path, help="model folder; without it the shipped model")
    one.add_argument("--version")
    one.add_argument("--json", type=Path, help="where to write all figures")
    one.add_argument("--leave-out", action="store_true", help="also train without each blog and video, and test on it")
    one.add_argument("--seed", type=int, default=1)
    one = add("score", score)
    one.add_argument("input", type=Path, nargs="?", help="JSON lines; stdin without it")
    one.add_argument("--models", type=Path)
    one.add_argument("--reasons", action="store_true")
    one = add("explain", explain)
    one.add_argument("--models", type=Path)
    one.add_argument("--site", default="")
    one = add("list", show)
    one.add_argument("--models", type=Path)
    one.add_argument("--site", default="", help="a site's corrections instead of the bases")
    one = add("roll-back", roll_back)
    one.add_argument("--models", type=Path, required=True)
    one.add_argument("--site", required=True)
    given = parser.parse_args(arguments)
    try:
        act: Command = given.act
        return act(given)
    except (ModelError, BadLine, ValueError, OSError) as error:
        print(f"{given.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
