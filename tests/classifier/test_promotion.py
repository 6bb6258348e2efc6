"""compare, promote, roll-back, list and thresholds, from files to files, as an operator uses them."""

from __future__ import annotations

import json
import random
import shutil
import sys
import types
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from classifier import registry
from classifier.__main__ import main
from classifier.examples import Example
from classifier.jsonl import line
from classifier.training import dataset, fit
from classifier.training.compare import interval, judge
from classifier.training.train import learn
from tests.budget import long
from tests.classifier.conftest import FOUL, GOOD, IN_FULL, SPAM


@pytest.fixture(scope="session")
def worse(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained base with its words' signs turned round: a candidate nobody should want."""
    folder = tmp_path_factory.mktemp("worse")
    good = registry.read(trained, registry.pointer(trained) or "")
    arrays = {name: np.array(array) for name, array in good.arrays.items()}
    arrays["weights"][:, :, :-1] *= -1
    registry.write(folder, "worse", good.card | {"date": "2027"}, good.data, arrays)
    return folder / "worse"


@pytest.fixture
def models(trained: Path, worse: Path, tmp_path: Path) -> Path:
    """`worse` is current, and the good one is a candidate."""
    folder = tmp_path / "models"
    shutil.copytree(trained, folder)
    (folder / "current").rename(folder / "good-name")
    shutil.copytree(worse, folder / "worse")
    registry.point(folder, "worse")
    return folder


def good_name(models: Path) -> str:
    return (models / "good-name").read_text().strip()


def decided(count: int, seed: int = 5) -> list[Example]:
    rng = random.Random(seed)
    out = []
    for number in range(count):
        words = [rng.choice(GOOD) for _ in range(7)]
        kind = number % 3
        labels = [{"spam": 0.0, "toxicity": 0.0}, {"spam": 1.0}, {"toxicity": 1.0}][kind]
        if kind == 1:
            words += [rng.choice(SPAM), f"http://y{number}.example/buy"]
        if kind == 2:
            words += ["you", rng.choice(FOUL)]
        out.append(Example(" ".join(words), labels, when=1000.0 + number))
    return out


def written(path: Path, examples: Sequence[Example]) -> str:
    path.write_text("".join(line(one) + "\n" for one in examples))
    return str(path)


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_better_candidate_goes_live_and_back(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, rows = good_name(models), written(tmp_path / "later.jsonl", decided(120))
    assert main(["compare", name, "--models", str(models), "--examples", rows]) == 0
    found = said(capsys)
    assert found["verdict"] == "better"
    assert found["figures"]["change 90 %"][1] < 0
    assert found["labels"]["spam"]["positives"] == 40
    assert main(["promote", name, "--models", str(models)]) == 0
    assert said(capsys)["verdict"] == "better"
    assert registry.pointer(models) == name
    assert registry.history(models)[-1]["before"] == "worse"
    assert main(["list", "--models", str(models)]) == 0
    assert f"* {name}" in capsys.readouterr().out
    assert main(["roll-back", "--models", str(models)]) == 0
    assert capsys.readouterr().out == "worse\n"
    assert (
        main(["roll-back", "--models", str(models)]) == 0
    )  # nobody promoted `worse`, so before it was the shipped one
    assert registry.pointer(models) is None
    assert main(["roll-back", "--models", str(models)]) == 1


def test_a_worse_candidate_stays_out_unless_forced(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.point(models, good_name(models))
    rows = written(tmp_path / "later.jsonl", decided(120))
    assert main(["promote", "worse", "--models", str(models)]) == 1
    assert "never compared" in capsys.readouterr().err
    assert main(["compare", "worse", "--models", str(models), "--examples", rows]) == 0
    assert said(capsys)["verdict"] == "worse"
    assert main(["promote", "worse", "--models", str(models)]) == 1
    assert "worse" in capsys.readouterr().err
    assert main(["promote", "worse", "--models", str(models), "--force", " "]) == 1
    capsys.readouterr()
    assert registry.pointer(models) == good_name(models)
    assert main(["promote", "worse", "--models", str(models), "--force", "a drill"]) == 0
    assert said(capsys)["forced"] == "a drill"
    assert registry.pointer(models) == "worse"
    assert registry.history(models)[-1]["forced"] == "a drill"


def test_a_comparison_with_another_current_does_not_count(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, rows = good_name(models), written(tmp_path / "later.jsonl", decided(60))
    assert main(["compare", name, "--models", str(models), "--examples", rows]) == 0
    (models / "current").unlink()  # now the shipped base
    assert main(["promote", name, "--models", str(models)]) == 1
    assert "never compared" in capsys.readouterr().err


def test_the_same_comparison_twice_is_the_same_to_the_byte(models: Path, tmp_path: Path) -> None:
    name, rows = good_name(models), written(tmp_path / "later.jsonl", decided(60))
    kept = models / f"{name}.compared.json"
    assert main(["compare", name, "--models", str(models), "--examples", rows]) == 0
    first = kept.read_bytes()
    assert main(["compare", name, "--models", str(models), "--examples", rows]) == 0
    assert kept.read_bytes() == first


def test_too_few_decisions_cannot_tell(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_author = [Example(e.text, e.labels, author_key="one", when=e.when) for e in decided(90)]
    rows = written(tmp_path / "few.jsonl", one_author)
    assert main(["compare", good_name(models), "--models", str(models), "--examples", rows]) == 0
    found = said(capsys)
    assert (found["verdict"], found["groups"]) == ("worse", 1)
    assert "29 more" in found["why"]


def test_a_sites_correction_is_compared_on_what_it_did_not_learn(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.point(models, good_name(models))
    # of the opposite opinion of what the base was taught, so that there is something to learn
    every = [Example(e.text, {"spam": float("http" not in e.text)}, when=e.when) for e in decided(150)]
    outcome = learn(models, "blog", [Example(f"{e.text} shinywax", e.labels, when=e.when) for e in every[:60]])
    assert outcome.promoted, outcome.why
    assert outcome.version
    registry.point(registry.site_folder(models, "blog"), registry.BARE)
    rows = written(tmp_path / "all.jsonl", every)
    ask = ["compare", outcome.version, "--models", str(models), "--site", "blog", "--examples", rows]
    assert main(ask) == 0
    found = said(capsys)
    assert found["left_out"]["not later than what a side learnt from"] == 60
    assert found["rows"] + found["left_out"]["repeated, near-duplicates or without a label"] == 90


def test_verdicts() -> None:
    assert judge(-0.1, -0.2, -0.01)[0] == "better"
    assert judge(0.1, 0.01, 0.2)[0] == "worse"
    assert judge(-0.01, -0.05, 0.05)[0] == "worse"  # harm cannot be ruled out
    assert judge(0.001, -0.002, 0.004)[0] == "same"


def test_the_interval_draws_groups() -> None:
    change = np.tile([1.0, -1.0], 50)
    alone = interval(change, np.arange(100), 1)
    paired = interval(change, np.arange(100) // 2, 1)
    clumped = interval(change, np.arange(100) % 2, 1)
    assert paired == (0.0, 0.0)  # each pair cancels out
    assert clumped[1] - clumped[0] > 4 * (alone[1] - alone[0])


def test_thresholds_keep_a_promise_or_hold(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry.point(models, good_name(models))
    rows = written(tmp_path / "held-out.jsonl", decided(1500))
    ask = ["thresholds", "--models", str(models), "--examples", rows]
    assert main([*ask, "--reject", "1/50", "--publish", "1/20"]) == 0
    found = said(capsys)
    assert found["reject"]["spam"]["bound"] <= 1 / 50
    assert found["publish"]["bound"] <= 1 / 20
    assert main([*ask, "--reject", "1/100000"]) == 0
    found = said(capsys)
    assert found["reject"]["spam"]["at"] is None
    assert found["reject"]["spam"]["lacking"] > 100_000
    assert main([*ask, "--reject", "2"]) == 2


def test_bad_files_change_nothing(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(line(decided(1)[0]).encode() + b"\n\xff\xfe\n")
    name = good_name(models)
    before = sorted(path.name for path in models.iterdir())
    assert main(["compare", name, "--models", str(models), "--examples", str(bad)]) == 1
    assert "line 2" in capsys.readouterr().err
    assert main(["compare", name, "--models", str(models)]) == 1
    assert main(["compare", "nobody", "--models", str(models), "--examples", str(bad)]) == 1
    assert main(["promote", "../worse", "--models", str(models), "--force", "x"]) == 1
    assert main(["score", str(bad), "--out", str(tmp_path / "out.jsonl")]) == 1
    assert not (tmp_path / "out.jsonl").exists()
    assert sorted(path.name for path in models.iterdir()) == before


def test_training_on_a_cluster_asks_for_the_package(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    ask = ["train", "--data", str(corpus), "--out", str(tmp_path / "m"), "--dask", "tcp://scheduler:8786"]
    assert main(ask) == 1
    assert "pip install distributed" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


@long
def test_training_is_the_same_to_the_byte_alone_and_through_joblib(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In full. A stand-in for Dask: the same commands, with joblib's own threads behind the name."""
    monkeypatch.setattr(dataset, "SYNTHETIC_OF_FEW", IN_FULL)
    monkeypatch.setattr(fit, "measured", lambda *_: {})
    first = fit.train(corpus, tmp_path / "alone", seed=3, jobs=1)
    asked = []

    class Client:
        def __init__(self, address: str) -> None:
            asked.append(address)

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None: ...

    @contextmanager
    def configured(backend: str, **given: object) -> Any:
        asked.append(backend)
        with real("threading", n_jobs=2):
            yield

    real = joblib.parallel_config
    found = types.ModuleType("dask.distributed")
    found.Client = Client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dask", types.ModuleType("dask"))
    monkeypatch.setitem(sys.modules, "dask.distributed", found)
    monkeypatch.setattr(joblib, "parallel_config", configured)
    ask = ["train", "--data", str(corpus), "--out", str(tmp_path / "dask"), "--seed", "3", "--dask", "tcp://there:8786"]
    assert main(ask) == 0
    assert asked == ["tcp://there:8786", "dask"]
    (version,) = registry.listed(tmp_path / "dask")
    again = tmp_path / "dask" / version.version
    names = {file.name for file in first.iterdir()} - {"card.json", "sums.json"}  # which tell the time
    assert {"weights.npy", "bias.npy", "anchor_value.npy", "data.json"} <= names
    for name in names:
        assert (again / name).read_bytes() == (first / name).read_bytes(), name
    card = json.loads((again / "card.json").read_text())
    assert {"labels", "features", "thresholds", "calibration", "sources", "seed", "date", "code"} <= set(card)
    assert all({"file", "licence", "weight", "rows"} <= set(source) for source in card["sources"])
