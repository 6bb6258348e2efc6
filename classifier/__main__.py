"""`python -m classifier …`: every command takes files and leaves files; progress goes to stderr."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import IO

from classifier import registry
from classifier.examples import Example
from classifier.registry import ModelError
from classifier.training import jsonl
from classifier.training.jsonl import BadLine
from classifier.training.progress import counted

Command = Callable[[argparse.Namespace], int]


def train(given: argparse.Namespace) -> int:
    """Corpora in, a candidate version out; with --decisions, a site's correction (it goes live only if it is better)."""
    if given.decisions is not None:
        from classifier.training.train import learn

        with open(given.decisions, "rb") as lines:
            outcome = learn(given.out, given.site, list(jsonl.examples(lines)))
        print(json.dumps(asdict(outcome)))
        return 0
    if given.data is None:
        raise ValueError("train wants --data DIR, or --decisions FILE with --site KEY")
    with _spread(given.dask):
        from classifier.training.fit import train as fit

        print(fit(given.data, given.out, given.seed, given.jobs).name)
    return 0


@contextmanager
def _spread(address: str | None) -> Iterator[None]:
    """The fits go through joblib: to this machine's cores, or to the Dask cluster at `address`."""
    if address is None:
        yield
        return
    try:
        from dask.distributed import Client
    except ImportError:
        raise ValueError("--dask wants the package `distributed`: pip install distributed") from None
    from joblib import parallel_config

    with Client(address) as client, parallel_config("dask", client=client):
        yield


def evaluate(given: argparse.Namespace) -> int:
    """A version on data it never saw, every figure in one go: Markdown on stdout; with --out, JSON and curves beside it."""
    from classifier.base import open_base

    try:
        from classifier.evaluation import report, tables
    except ImportError:
        raise ValueError(
            "this command is one of the checkout: the installed package has no classifier/evaluation"
        ) from None
    if not given.data.is_dir():
        raise ValueError("the data folder is missing")
    base = open_base(given.models, given.version)
    found, drawn = report.run(base, given.data, given.seed, given.peers, given.leave_out)
    timed = report.times(base, given.data, given.seed)
    if given.out:
        report.write(given.out, found, timed, drawn)
    if given.docs:
        report.into_docs(given.docs, found, timed, drawn)
    if given.json:
        registry.write_json(given.json, found)
    print(tables.markdown(found, timed, list(drawn)), end="")
    return 0


def compare(given: argparse.Namespace) -> int:
    """Candidate against current on the same unseen, later decisions: better, same or worse, with an interval."""
    from classifier.training import compare as sides

    candidate = sides.contender(given.models, given.version, given.site)
    current = sides.contender(given.models, given.current, given.site)
    found = sides.compare(candidate, current, _taught(given), given.seed)
    sides.keep(_folder(given), found)
    print(json.dumps(asdict(found), indent=1))
    return 0


def promote(given: argparse.Namespace) -> int:
    """A candidate goes live, if `compare` does not call it worse than what is current."""
    from classifier.training import compare as sides

    sides.contender(given.models, given.version, given.site)  # refuses what could not serve
    folder = _folder(given)
    path = sides.kept(folder, given.version)
    comparison = json.loads(path.read_text("utf-8")) if path.is_file() else None
    current = sides.contender(given.models, None, given.site)
    line = registry.promote(folder, given.version, comparison, current.checksum, given.force or "")
    print(json.dumps(line))
    sites = folder / "sites"
    if not given.site and sites.is_dir() and any(sites.iterdir()):
        print("the sites' corrections were made for another base: they rest until the next retrain", file=sys.stderr)
    return 0


def thresholds(given: argparse.Namespace) -> int:
    """Where the model may reject or publish alone, so that a promise holds; else: hold, and how many decisions lack."""
    import numpy as np

    from classifier import thresholds as promise
    from classifier.combine import probability
    from classifier.labels import LABELS
    from classifier.training import compare as sides

    model = sides.contender(given.models, None, given.site)
    every = _taught(given)
    unseen = [e for e in every if not model.until or e.when > model.until]
    p = np.round(probability(sides.log_odds(model, unseen).astype(np.float32)).astype(np.float64), 6)
    scores = [dict(zip(LABELS, row, strict=True)) for row in p.tolist()]
    found = promise.policy(scores, [e.labels for e in unseen], given.reject, given.publish)
    about = {"model": model.version, "decisions": len(unseen), "left out, for the model learnt them": 0}
    about["left out, for the model learnt them"] = len(every) - len(unseen)
    print(json.dumps(about | found, indent=1))
    return 0


def score(given: argparse.Namespace) -> int:
    """JSON lines in, JSON lines out."""
    from classifier.serving import Classifier

    classifier = Classifier(given.models)
    classifier.load()
    with _opened(given.input) as lines, _written(given.out) as out:
        rows = counted(jsonl.asked(lines), "lines")
        while group := list(islice(rows, 256)):
            for one, scored in zip(group, classifier.score(group), strict=True):
                row: dict[str, object] = {"scores": scored.scores, "model": scored.model}
                if given.reasons:
                    row["reasons"] = [asdict(clue) for clue in classifier.explain(one)]
                out.write(json.dumps(row) + "\n")
    return 0


def explain(given: argparse.Namespace) -> int:
    """One text (a file or stdin): each label's score, and the words and features behind it."""
    from classifier.examples import Asked, Author
    from classifier.serving import Classifier

    classifier = Classifier(given.models)
    classifier.load()
    with _opened(given.input) as file:
        text = file.read().decode("utf-8", "surrogateescape")
    asked = Asked(text, Author(given.name, given.url, given.email_domain), given.site)
    scored = classifier.score([asked])[0]
    clues = classifier.explain(asked)
    if given.json:
        print(json.dumps({"scores": scored.scores, "model": scored.model, "reasons": [asdict(clue) for clue in clues]}))
        return 0
    print(f"model {scored.model}")
    for label, p in scored.scores.items():
        print(f"{label:16} {p:.4f}  (held from {classifier.thresholds[label]:.4f})")
        for clue in clues:
            if clue.label == label:
                print(f"    {clue.weight:+7.3f}  {clue.share:6.1%}  {clue.feature[:60]!r}  {list(clue.spans)}")
    return 0


def show(given: argparse.Namespace) -> int:
    """The versions in a model folder, the current one marked."""
    folder = _folder(given)
    for kept in registry.listed(folder):
        print(f"{'*' if kept.current else ' '} {kept.version}  {kept.card.get('date', '')}")
    if not given.site and registry.pointer(folder) is None and folder != registry.SHIPPED:
        print(f"* {registry.pointer(registry.SHIPPED)}  shipped")
    return 0


def roll_back(given: argparse.Namespace) -> int:
    """What was live before is live again: of one site with --site, else the base."""
    if given.site:
        print(registry.roll_back(given.models, given.site) or "the base as it is")
    else:
        print(registry.roll_back_base(given.models) or "the shipped base")
    return 0


def _folder(given: argparse.Namespace) -> Path:
    models: Path = given.models or registry.SHIPPED
    return registry.site_folder(models, given.site) if given.site else models


def _taught(given: argparse.Namespace) -> list[Example]:
    """Labelled rows: decisions from a file of JSON lines, or the test files of the data folder."""
    if given.examples is not None:
        with open(given.examples, "rb") as lines:
            return list(counted(jsonl.examples(lines), "decisions"))
    if given.data is None or not given.data.is_dir():
        raise ValueError(f"{given.command} wants --examples FILE, or --data DIR with the corpora")
    from classifier.training import corpora

    # A `group` of these files names a part of its source, not a thread: no reason to draw its rows together.
    paths = corpora.test_files(given.data)
    return [replace(e, group="") for path in paths for e in corpora.rows(path, path.parent.name)]


def _opened(path: Path | None) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if path is None else open(path, "rb")


@contextmanager
def _written(path: Path | None) -> Iterator[IO[str]]:
    """stdout, or a file that is there whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    beside = path.with_name(path.name + ".part")
    try:
        with open(beside, "w", encoding="utf-8") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _share(text: str) -> float:
    from classifier.thresholds import parse

    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(prog="python -m classifier", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, act: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=(act.__doc__ or "").strip(), description=act.__doc__)
        command.set_defaults(act=act)
        return command

    def models(command: argparse.ArgumentParser, required: bool = False) -> None:
        command.add_argument("--models", type=Path, required=required, help="model folder; else the shipped model")
        command.add_argument("--site", default="", help="this site's corrections instead of the bases")

    def labelled(command: argparse.ArgumentParser) -> None:
        command.add_argument("--examples", type=Path, help="decisions as JSON lines: text, labels, when, author_key …")
        command.add_argument("--data", type=Path, help="instead: the test files of this folder of corpora")

    one = add("train", train)
    one.add_argument("--data", type=Path, help="folder with the corpora: <source>/<part>.csv.gz")
    one.add_argument("--out", type=Path, required=True, help="folder that the version is written into")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--jobs", type=int, default=2, help="fits at the same time")
    one.add_argument("--dask", metavar="ADDRESS", help="the fits go to this Dask scheduler (wants `distributed`)")
    one.add_argument("--decisions", type=Path, help="JSON lines of a site's decisions; --out is the model folder")
    one.add_argument("--site", default="default")
    one = add("evaluate", evaluate)
    one.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    one.add_argument("--models", type=Path, help="model folder; without it the shipped model")
    one.add_argument("--version")
    one.add_argument("--peers", type=Path, metavar="DIR", help="other systems' scores: see benchmarks/peers.py")
    one.add_argument("--leave-out", action="store_true", help="also train without each blog and video, and test on it")
    one.add_argument(
        "--out", type=Path, metavar="DIR", help="report.md, report.json, times.json and the curves go here"
    )
    one.add_argument("--docs", type=Path, metavar="DIR", help="the tables of classifier.md in here are written anew")
    one.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    one.add_argument("--seed", type=int, default=1)
    one = add("compare", compare)
    one.add_argument("version", help="the candidate")
    models(one)
    one.add_argument("--current", metavar="VERSION", help="compare with this one instead of what is current")
    labelled(one)
    one.add_argument("--seed", type=int, default=1)
    one = add("promote", promote)
    one.add_argument("version")
    models(one, required=True)
    one.add_argument("--force", metavar="REASON", help="even if worse or never compared; the reason is recorded")
    one = add("thresholds", thresholds)
    models(one)
    labelled(one)
    one.add_argument("--reject", type=_share, default=_share("1/1000"), help="share of the rejected that may be good")
    one.add_argument("--publish", type=_share, default=_share("1/100"), help="share of the published that may be bad")
    one = add("score", score)
    one.add_argument("input", type=Path, nargs="?", help="JSON lines; stdin without it")
    one.add_argument("--out", type=Path, help="instead of stdout")
    one.add_argument("--models", type=Path)
    one.add_argument("--reasons", action="store_true", help="adds the words that counted")
    one = add("explain", explain)
    one.add_argument("input", type=Path, nargs="?", help="the text; stdin without it")
    models(one)
    one.add_argument("--name", default="", help="the author's name")
    one.add_argument("--url", default="", help="the author's url")
    one.add_argument("--email-domain", default="", help="the domain of the author's address")
    one.add_argument("--json", action="store_true")
    models(add("list", show))
    models(add("roll-back", roll_back), required=True)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 refused."""
    given = parser().parse_args(arguments)
    try:
        act: Command = given.act
        return act(given)
    except (ModelError, BadLine, ValueError, OSError, EOFError, zlib.error, csv.Error) as error:
        print(f"{given.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
