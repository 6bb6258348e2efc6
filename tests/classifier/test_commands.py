"""The commands, from files to files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from classifier.__main__ import main
from classifier.fit import gather, train
from classifier.registry import pointer
from classifier.views import Fold


def test_training_is_the_same_to_the_byte(corpus: Path, trained: Path, tmp_path: Path) -> None:
    again = train(corpus, tmp_path, seed=3, jobs=1)
    first = trained / (pointer(trained) or "")
    for name in ("weights.npy", "bias.npy", "anchor_value.npy", "data.json"):
        assert (again / name).read_bytes() == (first / name).read_bytes()
    card = json.loads((again / "card.json").read_text())
    assert {"labels", "features", "thresholds", "calibration", "sources", "seed", "date", "code"} <= set(card)
    assert all({"file", "licence", "weight", "rows"} <= set(source) for source in card["sources"])


def test_test_texts_are_never_trained_on(corpus: Path) -> None:
    rows, _ = gather(corpus, Fold({}), 1)
    texts = [e.text for e in rows.examples]
    assert not any(" test " in text for text in texts)
    assert len(texts) == len(set(texts))


def test_evaluate_writes_a_report(
    corpus: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report.json"
    assert main(["evaluate", "--data", str(corpus), "--models", str(trained), "--json", str(out)]) == 0
    assert "jigsaw/test_carved" in capsys.readouterr().out
    report = json.loads(out.read_text())
    assert report["identity terms"]["false alarms"] == 0
    assert report["files"]["jigsaw/test_carved"]["rows"] == 10


def test_score_reads_lines_and_writes_lines(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"text": "garden"}\n{"text": "you nitwit", "author": {"name": "Ann"}}\n')
    assert main(["score", str(asked), "--models", str(trained), "--reasons"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["scores"]["toxicity"] < second["scores"]["toxicity"]
    assert second["reasons"][0]["feature"]


def test_bad_lines_and_missing_folders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "fine"}\n{"text": 3}\n')
    assert main(["score", str(bad)]) == 1
    assert "line 2" in capsys.readouterr().err
    assert main(["evaluate", "--data", str(tmp_path / "none")]) == 1
    assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert main(["roll-back", "--models", str(tmp_path), "--site", "blog"]) == 1


def test_explain_and_list(trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"you nitwit \xff")))
    assert main(["explain", "--models", str(trained)]) == 0
    assert "nitwit" in capsys.readouterr().out
    assert main(["list", "--models", str(trained)]) == 0
    assert capsys.readouterr().out.startswith("*")


def test_decisions_from_a_file(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taught = tmp_path / "decisions.jsonl"
    taught.write_text('{"text": "one", "labels": {"spam": 1}}\n')
    assert main(["train", "--decisions", str(taught), "--out", str(tmp_path / "models"), "--site", "blog"]) == 0
    assert json.loads(capsys.readouterr().out)["promoted"] is False
