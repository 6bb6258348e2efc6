"""The commands that make a model and decide on it: train, compare, promote, thresholds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import BadParameter, Option

from classifier import jsonl, registry
from classifier import thresholds as promise
from classifier.base import open_base
from classifier.cli import Models, OwnModels, Seed, Site, Version, folder_of
from classifier.combine import probability
from classifier.examples import Example
from classifier.labels import LABELS
from classifier.progress import counted
from classifier.training import compare as comparison
from classifier.training import corpora
from classifier.training.published import NEWLY_HELD, Published

Decisions = Annotated[
    Path | None, Option("--examples", metavar="FILE", help="decisions as JSON lines: text, labels, when, author_key …")
]
TestFiles = Annotated[
    Path | None, Option("--data", metavar="DIR", help="instead: the test files of this folder of corpora")
]


def train(
    out: Annotated[Path, Option("--out", metavar="DIR", help="folder that the version is written into")],
    data: Annotated[
        Path | None, Option("--data", metavar="DIR", help="folder with the corpora: <source>/<part>.csv.gz")
    ] = None,
    seed: Seed = 1,
    jobs: Annotated[int, Option("--jobs", metavar="N", help="fits at the same time")] = 2,
    dask: Annotated[
        str | None,
        Option("--dask", metavar="ADDRESS", help="the fits go to this Dask scheduler (wants `distributed`)"),
    ] = None,
    names: Annotated[
        Path | None,
        Option(
            "--names", metavar="FILE", help="people's names, one a line: with them the author's fields are read too"
        ),
    ] = None,
    decisions: Annotated[
        Path | None,
        Option("--decisions", metavar="FILE", help="JSON lines of a site's decisions; --out is the model folder"),
    ] = None,
    site: Annotated[str, Option("--site", metavar="KEY")] = "default",
    published: Annotated[
        Path | None,
        Option("--published", metavar="FILE", help="JSON lines of what the site has published: text, author"),
    ] = None,
    newly_held: Annotated[
        float,
        Option("--newly-held", metavar="SHARE", min=0, max=1, help="of the published that a better one may newly hold"),
    ] = NEWLY_HELD,
) -> None:
    """Train a candidate base from corpora; with --decisions, a site's correction, live only if it is better."""
    if decisions is not None:
        from classifier.training.train import learn

        asked = None
        if published is not None:
            with open(published, "rb") as lines:
                asked = Published(list(jsonl.asked(lines)), newly_held=newly_held)
        with open(decisions, "rb") as lines:
            outcome = learn(out, site, list(jsonl.examples(lines)), published=asked)
        print(json.dumps(asdict(outcome)))
        return
    if published is not None:
        raise ValueError("--published FILE goes with --decisions")
    if data is None:
        raise ValueError("--data DIR is needed, or --decisions FILE with --site KEY")
    from classifier.training.fit import train as fit

    with spread(dask):
        print(fit(data, out, seed, jobs, names=lines_of(names) if names else ()).name)


def fit_author(
    out: Annotated[Path, Option("--out", metavar="DIR", help="folder that the version is written into")],
    data: Annotated[Path, Option("--data", metavar="DIR", help="folder with the corpora: <source>/<part>.csv.gz")],
    names: Annotated[Path, Option("--names", metavar="FILE", help="people's names, one a line")],
    models: Models = None,
    seed: Seed = 1,
) -> None:
    """Fit how names and websites are read, and write the current base with it as a new version."""
    from classifier.training.fit import with_author

    print(with_author(open_base(models), data, lines_of(names), out, seed).name)


def train_reader(
    out: Annotated[Path, Option("--out", metavar="DIR", help="folder that the version is written into")],
    data: Annotated[Path, Option("--data", metavar="DIR", help="folder with the corpora: <source>/<part>.csv.gz")],
    models: Models = None,
    checkpoints: Annotated[
        Path | None,
        Option("--checkpoints", metavar="DIR", help="a stopped training goes on from here; else OUT/.reader"),
    ] = None,
    passes: Annotated[int, Option("--passes", metavar="N", help="over the rows")] = 1,
    share: Annotated[float | None, Option("--share", metavar="SHARE", help="of the rows that a pass reads")] = None,
    steps: Annotated[int | None, Option("--steps", metavar="N", help="shorten the training to so many")] = None,
    threads: Annotated[int, Option("--threads", metavar="N")] = 1,
    seed: Seed = 1,
) -> None:
    """Train a second reader for the current base, and write both as a new version. Needs requirements-train.lock."""
    base = open_base(models, reader=False)
    try:
        from classifier.training import reader, reader_fit
        from classifier.training.reader_rows import SHARE
    except ModuleNotFoundError as error:
        raise ValueError(f"{error.name} is missing: docs/classifier-commands.md says how to install it") from None
    if not data.is_dir():
        raise ValueError("the data folder is missing")
    options = reader_fit.Options(seed=seed, passes=passes, threads=threads)
    place = checkpoints or out / ".reader"
    print(reader.train(base, data, out, options, place, SHARE if share is None else share, steps).name)


def lines_of(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


@contextmanager
def spread(address: str | None) -> Iterator[None]:
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


def compare(
    version: Version,
    models: Models = None,
    site: Site = "",
    current: Annotated[
        str | None, Option("--current", metavar="VERSION", help="compare with this one instead of the current one")
    ] = None,
    examples: Decisions = None,
    data: TestFiles = None,
    seed: Seed = 1,
) -> None:
    """Compare a candidate with the current version on later decisions: better, same or worse, with an interval."""
    candidate = comparison.contender(models, version, site)
    live = comparison.contender(models, current, site)
    result = comparison.compare(candidate, live, labelled(examples, data), seed)
    comparison.keep(folder_of(models, site), result)
    print(json.dumps(asdict(result), indent=1))


def promote(
    version: Version,
    models: OwnModels,
    site: Site = "",
    force: Annotated[
        str, Option("--force", metavar="REASON", help="even if worse or never compared; the reason is recorded")
    ] = "",
) -> None:
    """Make a candidate live, unless `compare` calls it worse than the current version."""
    comparison.contender(models, version, site)  # refuses what could not serve
    folder = folder_of(models, site)
    path = comparison.kept(folder, version)
    result = json.loads(path.read_text("utf-8")) if path.is_file() else None
    live = comparison.contender(models, None, site)
    print(json.dumps(registry.promote(folder, version, result, live.checksum, force)))
    sites = folder / "sites"
    if not site and sites.is_dir() and any(sites.iterdir()):
        print("the sites' corrections were made for another base: they rest until the next retrain", file=sys.stderr)


def share(given: str | float) -> float:
    """`1/1000` as a number; a default is one already. Raises BadParameter."""
    try:
        return promise.parse(str(given))
    except ValueError as error:
        raise BadParameter(str(error)) from None


def thresholds(
    models: Models = None,
    site: Site = "",
    examples: Decisions = None,
    data: TestFiles = None,
    reject: Annotated[
        float, Option("--reject", metavar="SHARE", parser=share, help="share of the rejected that may be good")
    ] = 1 / 1000,
    publish: Annotated[
        float, Option("--publish", metavar="SHARE", parser=share, help="share of the published that may be bad")
    ] = 1 / 100,
) -> None:
    """Compute thresholds from an error budget; with too few decisions: hold, and the number still needed."""
    model = comparison.contender(models, None, site)
    every = labelled(examples, data)
    unseen = [example for example in every if not model.until or example.when > model.until]
    p = np.round(probability(comparison.log_odds(model, unseen).astype(np.float32)).astype(np.float64), 6)
    scores = [dict(zip(LABELS, row, strict=True)) for row in p.tolist()]
    policy = promise.policy(scores, [example.labels for example in unseen], reject, publish)
    about = {
        "model": model.version,
        "decisions": len(unseen),
        "left out, for the model learnt them": len(every) - len(unseen),
    }
    print(json.dumps(about | policy, indent=1))


def labelled(examples: Path | None, data: Path | None) -> list[Example]:
    """Labelled rows: decisions from a file of JSON lines, or the test files of the data folder."""
    if examples is not None:
        with open(examples, "rb") as lines:
            return list(counted(jsonl.examples(lines), "decisions"))
    if data is None or not data.is_dir():
        raise ValueError("--examples FILE is needed, or --data DIR with the corpora")
    # A `group` of these files names a part of its source, not a thread: no reason to draw its rows together.
    paths = corpora.test_files(data)
    return [replace(row, group="") for path in paths for row in corpora.rows(path, path.parent.name)]


commands = {
    "train": train,
    "fit-author": fit_author,
    "train-reader": train_reader,
    "compare": compare,
    "promote": promote,
    "thresholds": thresholds,
}
