"""A tiny corpus that the tests write themselves, and a base trained on it."""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import os
import random
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from classifier import registry
from classifier.labels import LABELS
from classifier.reader import GRAPH_FILE, TOKENIZER_FILE
from classifier.registry import point
from classifier.serving import Base, open_base
from classifier.training import dataset
from classifier.training.fit import train

collect_ignore = [] if find_spec("torch") else ["test_reader_training.py"]

GOOD = ["garden", "bread", "bicycle", "river", "teacher", "window", "summer", "music", "kitchen", "letter"]
FOUL = ["blockhead", "nitwit", "dunderhead"]
SPAM = ["glimmerpills", "casinova", "replicahandbags", "quickloanz"]


def table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the time of day: each process writes its own, and a model that one has trained knows the checksums.
    with gzip.GzipFile(path, "wb", mtime=0) as packed, io.TextIOWrapper(packed, "utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_corpus(folder: Path) -> Path:
    rng = random.Random(7)

    def good() -> str:
        return " ".join(rng.choice(GOOD) for _ in range(8))

    wiki: list[list[object]] = []
    for number in range(300):
        foul = number % 3 == 0
        text = f"{good()} you {rng.choice(FOUL)} {good()}" if foul else f"{good()} {good()}"
        wiki.append([number, text, int(foul), 0, 0, 0, int(foul), 0])
    columns = ["id", "text", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]
    table(folder / "jigsaw/train_raw_partial.csv.gz", columns, wiki)
    table(
        folder / "jigsaw/test_carved.csv.gz",
        columns,
        [[n, f"{good()} testrow {n}", *[0] * 6] for n in range(9)] + wiki[:1],
    )
    blog: list[list[object]] = []
    for number in range(300):
        spam = number % 2
        text = f"{rng.choice(SPAM)} {good()} http://x{number}.example/buy" if spam else f"{good()} {good()} thanks"
        blog.append([text, spam, "a" if number % 4 < 2 else "b", number % 2])
    table(folder / "blog_comments/all.csv.gz", ["text", "spam", "blog", "has_author_url"], blog)
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"))


IN_FULL = dataset.SYNTHETIC_OF_FEW
"""What a full training takes of the synthetic texts."""


@pytest.fixture(scope="session", autouse=True)
def few_synthetic_texts() -> Iterator[None]:
    """A tenth of them: a training takes a sixth of the time. The full ones are in the long job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SYNTHETIC_OF_FEW", IN_FULL / 10)
        yield


@pytest.fixture(scope="session")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose current base was trained on the tiny corpus. Read only: copy it to change it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # one process trains, the others wait and take it over
        folder = folder.parent
    models = folder / "trained"
    with (folder / "trained.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (models / "current").exists():
            point(models, train(corpus, models, seed=3, jobs=1).name)
    return models


@pytest.fixture(scope="session")
def base(trained: Path) -> Base:
    return open_base(trained)


TOY = Path(__file__).with_name("toy_reader")
FILES = {name: (TOY / name).read_bytes() for name in (GRAPH_FILE, TOKENIZER_FILE)}
KNOWN = {"table": 0.5, "reader": 0.75, "bias": -0.25}
FOREIGN = {"table": 0.9, "reader": 0.2, "bias": 0.5}
CARD: dict[str, object] = {
    "excess": dict.fromkeys(LABELS, 0.0),
    "stages": {"known": dict.fromkeys(LABELS, KNOWN), "foreign": dict.fromkeys(LABELS, FOREIGN)},
    "thresholds": dict.fromkeys(LABELS, 0.4),
}


def with_reader(models: Path, base: Base, version: str = "with-reader", card: dict[str, object] | None = None) -> Path:
    folder = base.folder
    arrays = {name: np.array(array) for name, array in folder.arrays.items()}
    arrays.pop("anchor_vectors", None)  # those of another reader
    about = dict(folder.card) | {"reader": CARD if card is None else card}
    registry.write(models, version, about, folder.data, arrays, FILES)
    registry.point(models, version)
    return models


@pytest.fixture(scope="session")
def reading_models(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained base with the toy reader. Read only."""
    return with_reader(tmp_path_factory.mktemp("reading") / "models", base)


@pytest.fixture(scope="session")
def reading(reading_models: Path) -> Base:
    return open_base(reading_models)
