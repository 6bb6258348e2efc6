"""The training of a reader, with torch: a try of a few steps on the real base, and what a resumed training must give.

Collected only where torch is (requirements-train.lock), by `pytest -m training tests/classifier/test_reader_training.py`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from classifier.__main__ import main
from classifier.examples import Asked
from classifier.labels import LABELS
from classifier.reader import GRAPH_FILE, OUTPUTS
from classifier.serving import Base, Classifier
from classifier.training import reader_export, reader_fit, reader_rows
from classifier.training.dataset import REPORT, STAGE, TRAIN, load_rows
from classifier.training.reader_model import Network, Shape
from classifier.views import Fold
from tests.classifier import make_toy_reader
from tests.classifier.conftest import FOUL, GOOD

pytestmark = pytest.mark.training

SMALL = Shape(words=400, positions=130, width=16, layers=2, heads=2, inner=32)


def network() -> Network:
    torch.manual_seed(3)
    made = Network(SMALL)
    torch.nn.init.normal_(made.heads.weight)
    return made


def test_a_try_is_trained_exported_quantised_and_served(
    trained: Path, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train-reader", "--models", str(trained), "--data", str(corpus), "--out", str(tmp_path / "models")]
    assert main([*command, "--steps", "4"]) == 0
    version = capsys.readouterr().out.strip()
    card = json.loads((tmp_path / "models" / version / "card.json").read_text("utf-8"))["reader"]
    assert card["steps"] == 4
    assert (
        set(card["stages"]["known"])
        == set(card["stages"]["foreign"])
        == set(card["thresholds"])
        == set(card["excess"])
        == set(LABELS)
    )
    (tmp_path / "models" / "current").write_text(version)
    classifier = Classifier(tmp_path / "models")
    classifier.load()
    assert classifier.reads_twice
    base = classifier._loaded().base
    assert base.sentences is not None
    assert base.reader is not None
    assert len(base.sentences.anchors) == len(base.folder.arrays["anchor_score"]) > 0
    assert base.sentences.width == base.reader.width
    assert len(classifier.score([Asked(f"{GOOD[0]} {FOUL[0]}")])[0].scores) == len(LABELS)
    # the checkpoint is complete: the same command trains nothing, and gives the same graph
    first = (tmp_path / "models" / version / GRAPH_FILE).read_bytes()
    again = [
        *command[:-1],
        str(tmp_path / "again"),
        "--checkpoints",
        str(tmp_path / "models" / ".reader"),
        "--steps",
        "4",
    ]
    assert main(again) == 0
    assert (tmp_path / "again" / capsys.readouterr().out.strip() / GRAPH_FILE).read_bytes() == first
    # and it serves no training of another length
    assert main([*again[:-1], "9"]) == 1
    assert "cannot go on to 9" in capsys.readouterr().err


def test_a_resumed_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    lessons, words = make_toy_reader.lessons(), make_toy_reader.tokenizer()
    options = reader_fit.Options(seed=2, tokens=30, every=7)
    whole, parted = network(), network()
    reader_fit.fit(whole, words, lessons, options, tmp_path / "whole", 40)

    class Stopped(Exception):
        pass

    def stop(text: str) -> None:
        if text.startswith("step"):
            raise Stopped

    often = replace(options, every=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_fit, "REPORTED", 0.0)
        patch.setattr(reader_fit, "log", stop)
        for _ in range(3):  # stopped thrice, after a checkpoint each
            with pytest.raises(Stopped):
                reader_fit.fit(network(), words, lessons, often, tmp_path / "parted", 40)
    assert reader_fit.fit(parted, words, lessons, options, tmp_path / "parted", 40) == 40
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parted.state_dict()[name]), name


def test_a_checkpoint_of_other_data_or_options_is_refused(tmp_path: Path) -> None:
    lessons, words = make_toy_reader.lessons(), make_toy_reader.tokenizer()
    reader_fit.fit(network(), words, lessons, reader_fit.Options(tokens=30), tmp_path, 2)
    with pytest.raises(ValueError, match="other data or options"):
        reader_fit.fit(network(), words, make_toy_reader.lessons(6), reader_fit.Options(tokens=30), tmp_path, 2)
    with pytest.raises(ValueError, match="other data or options"):
        reader_fit.fit(network(), words, lessons, reader_fit.Options(seed=9, tokens=30), tmp_path, 2)


def test_the_graph_is_the_network_and_int8_is_near_it() -> None:
    made = network().eval()
    rows = [[5, 9, 200], [7] * 60, []]
    ids, seen = reader_fit.filled(rows)
    with torch.no_grad():
        wanted = [one.numpy() for one in made(ids, seen)]
    whole = reader_export.graph(made)
    small = reader_export.in_int8(whole)
    for model, near in ((whole, 1e-4), (small, 0.3)):
        assert {node.domain for node in model.graph.node} == {""}
        assert not [one for one in model.graph.initializer if one.external_data]
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        found = session.run(OUTPUTS, {"ids": ids.numpy(), "seen": seen.numpy()})
        for one, other in zip(found, wanted, strict=True):
            assert np.abs(one - other).max() < near
    assert len(small.SerializeToString()) < len(whole.SerializeToString())


def test_no_row_for_reports_or_tests_is_a_lesson(base: Base, corpus: Path) -> None:
    rows, _ = load_rows(corpus, base.fold, int(base.folder.card["seed"]))
    lessons = reader_rows.lessons(rows, base.fold, 1)
    assert set(rows.part.tolist()) == {TRAIN, STAGE, REPORT}
    whole = "\n".join(lessons.texts)
    apart = [rows.examples[place].text for part in (STAGE, REPORT) for place in rows.of(part)]
    assert apart
    assert not [text for text in apart if len(text) > 60 and text.lower()[:200] in whole]
    assert "testrow" not in whole


def test_masked_texts_teach_identity_attack_nothing(base: Base, corpus: Path) -> None:
    rows, _ = load_rows(corpus, base.fold, int(base.folder.card["seed"]))
    lessons = reader_rows.lessons(rows, Fold({}), 1)
    masked = np.array(["[MASK]" in text for text in lessons.texts])
    assert masked.any()
    assert np.isnan(lessons.targets[masked, reader_rows.IDENTITY]).all()
    assert not np.isnan(lessons.targets).all(axis=1).any()
