"""The report: every figure in one command, the same to the byte, and nothing of the texts in it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from classifier.__main__ import main
from classifier.evaluation import peers, report, tables, unseen
from classifier.evaluation.draw import chart
from classifier.examples import Example
from classifier.serving import Base
from classifier.training.metrics import evaluate
from classifier.training.parts import parts, scores
from classifier.views import Fold
from tests.classifier.conftest import FOUL, GOOD, table


@pytest.fixture(scope="session")
def data(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus with a test file that is large enough to measure, repeats among it."""
    folder = tmp_path_factory.mktemp("data") / "corpora"
    shutil.copytree(corpus, folder)
    rng = np.random.default_rng(4)
    rows: list[list[object]] = []
    for number in range(80):
        foul = number % 2
        words = [*rng.choice(GOOD, 9), *(["you", rng.choice(FOUL)] if foul else ["thank", "you"])]
        rows.append([number, " ".join(words) + f" {number}", foul, 0, 0, 0, foul, 0])
    rows += [[200 + n, str(row[1]).upper() + "!!", *row[2:]] for n, row in enumerate(rows[:6])]
    columns = ["id", "text", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]
    table(folder / "jigsaw/test_carved.csv.gz", columns, rows)
    table(
        folder / "code_review/all.csv.gz", ["text", "toxicity"], [[f"nit {n} please rename", n % 2] for n in range(5)]
    )
    return folder


@pytest.fixture(scope="session")
def made(base: Base, data: Path) -> dict[str, Any]:
    return report.run(base, data)[0]


def test_a_text_counts_once_whatever_its_case_and_digits(data: Path) -> None:
    found = {part.name: part for part in parts(data, Fold({}))}
    assert len(found["jigsaw/test_carved"].examples) == 80
    assert found["code_review/all"].kind == "never trained on"
    assert len(found["code_review/all"].examples) == 1  # digits do not make another text


def test_every_part_of_the_report(made: dict[str, Any]) -> None:
    toxicity = made["files"]["jigsaw/test_carved"]["labels"]["toxicity"]
    assert toxicity["rows"] == 80
    assert toxicity["auc 95 %"][0] <= toxicity["auc"] <= toxicity["auc 95 %"][1]
    assert toxicity["auc"] > 0.9
    assert made["identity terms"]["false alarms"] == 0
    assert set(made["features"]) == set(made["features on unseen rows"]) or made["split differs"]
    assert 0 < made["decided alone"]["same rows"] <= 1
    assert made["missing"]  # most of what the shipped model learns from is not in the tiny folder
    assert "olid/train.csv.gz" in made["missing"]


def test_unseen_rows_are_named_only_where_the_split_is_the_models(base: Base, corpus: Path, data: Path) -> None:
    mine = unseen.split(corpus, 3)
    assert unseen.fits(base.folder.card, mine) == ""
    assert not {e.text for e in mine.taught} & {e.text for part in mine.parts for e in part.examples}
    # with another test file other training texts drop out, so the same seed is another split
    other = unseen.split(data, 3)
    if unseen.fits(base.folder.card, other):
        assert report.run(base, data)[0]["unseen rows"] == {}


def test_what_training_holds_is_counted(data: Path) -> None:
    found = unseen.split(data, 3)
    counted, masks = unseen.repeats(found)
    assert sum(one["in training"] for one in counted.values()) == 0
    taught = [*found.taught, found.parts[0].examples[0]]
    counted, masks = unseen.repeats(replace(found, taught=taught))
    name = found.parts[0].name
    assert counted[name]["in training"] == 1
    assert masks[name][0]


def test_nearly_the_same_is_seen(data: Path) -> None:
    found = unseen.split(data, 3)
    text = " ".join(f"word{chr(97 + n)}" for n in range(20))
    part = found.parts[0].__class__("x", "x", "test file", [Example(text, {"toxicity": 1.0})])
    taught = [Example(f"before {text} after", {"toxicity": 0.0})]
    counted, _ = unseen.repeats(replace(found, parts=[part], taught=taught))
    assert counted["x"] == {"rows": 1, "in training": 0, "nearly in training": 1}


def test_false_alarms_are_described_and_not_quoted(made: dict[str, Any], data: Path, base: Base) -> None:
    told = json.dumps(made)
    for part in parts(data, base.fold):
        for example in part.examples:
            assert example.text not in told
    assert len(made["false alarms"]["toxicity"]) == 20


def test_the_cards_figures_come_out_the_same(base: Base, corpus: Path) -> None:
    again = report.run(base, corpus)[0]["card"]
    assert again["figures"] > 50
    assert again["differing"] == {}


def test_a_figure_that_does_not_come_out_is_named() -> None:
    card = {"a": {"b": [0.5, 0.25]}, "c": 1, "flag": True}
    found = report.reproduced(card, {"a": {"b": [0.5, 0.26]}})
    assert found["differing"] == {"a / b / 1": [0.25, 0.26], "c": [1.0, None]}
    assert (found["figures"], found["reproduced"], found["not measured"]) == (3, 1, 0)
    found = report.reproduced(card, {"a": {"b": [0.5, 0.25]}, "missing": ["a file"]})
    assert (found["figures"], found["reproduced"], found["not measured"], found["differing"]) == (2, 2, 1, {})


def test_the_command_leaves_files_that_are_the_same_to_the_byte(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["evaluate", "--data", str(data), "--models", str(trained)]
    assert main([*ask, "--out", str(tmp_path / "one")]) == 0
    out = capsys.readouterr()
    assert "jigsaw/test_carved" in out.out
    assert "scoring" in out.err
    assert main([*ask, "--out", str(tmp_path / "two")]) == 0
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {
        "report.md",
        "report.json",
        "times.json",
        "classifier-precision-recall.svg",
        "classifier-triage.svg",
    } <= set(names)
    for name in names:
        if name not in ("times.json", "report.md"):  # the times are on the page too
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    for path in (tmp_path / "one").glob("*.svg"):
        ET.parse(path)


def test_the_docs_tables_are_written_between_their_marks(
    trained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "classifier.md"
    page.write_text("before\n" + "\nWAS HERE\n".join(report.MARKS) + "\nafter\n")
    ask = ["evaluate", "--data", str(data), "--models", str(trained), "--docs", str(tmp_path)]
    assert main(ask) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "WAS HERE" not in text
    assert "jigsaw/test_carved" in text
    for image in re.findall(r"\]\((images/[^)]+)\)", text):
        assert (tmp_path / image).is_file()
    assert (tmp_path / "evaluation.md").is_file()
    page.write_text("no marks")
    assert main(ask) == 1
    assert page.read_text() == "no marks"
    capsys.readouterr()


def test_a_peer_is_judged_on_the_same_rows(base: Base, data: Path, tmp_path: Path) -> None:
    (part,) = [part for part in parts(data, base.fold) if part.name == "jigsaw/test_carved"]
    lines = []
    for number, example in enumerate(part.examples[:60]):
        said = float(example.labels["toxicity"]) if number % 3 else 0.0
        lines.append(json.dumps({"key": peers.key(example.text), "scores": {"toxicity": said}}))
    (tmp_path / "a list.jsonl").write_text("\n".join(lines) + "\n")
    answers = peers.read(tmp_path)
    texts, p = [e.text for e in part.examples], scores(base, part.examples)[:, 1]
    y = np.array([e.labels["toxicity"] >= 0.5 for e in part.examples])
    found = peers.beside(p, y, texts, "toxicity", answers)["a list"]
    assert found["rows"] == 60
    assert found["yes or no"]
    assert found["false alarms"] == 0
    assert found["recall"] == pytest.approx(2 / 3, abs=0.02)
    assert found["our recall at its false alarms"] >= 0.9
    assert peers.beside(p, y, texts, "spam", answers) == {}


@pytest.mark.parametrize("line", ["{", "[]", '{"key": "x"}', '{"key": "x", "scores": {"toxicity": "much"}}'])
def test_a_bad_line_of_a_peer_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "peer.jsonl").write_text('{"key": "x", "scores": {"toxicity": 1}}\n' + line + "\n")
    with pytest.raises(ValueError, match="line 2"):
        peers.read(tmp_path)


def test_an_empty_folder_of_peers_is_refused(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data", str(data), "--peers", str(tmp_path)]) == 1
    assert "benchmarks/peers.py" in capsys.readouterr().err


def test_a_chart_is_well_formed_whatever_its_name() -> None:
    svg = chart("<a> & b", "x", "y", {'"quoted"': [(0, 0), (1, 1)], "none": []}, diagonal=True, dots=True)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "script" not in svg


def test_the_card_says_what_its_features_do(base: Base, corpus: Path) -> None:
    found = evaluate(base, corpus)
    assert {"files", "features", "false alarms", "identity terms", "languages"} <= set(found)
    assert all({"weight", "all", "spam", "good", "parts"} <= set(one) for one in found["features"].values())


def test_places_left_out_are_a_table_however_deep(made: dict[str, Any]) -> None:
    groups = {
        "blogs": {"a blog": {"rows": 7, "auc": 0.9}, "another": {"rows": 8}},
        "a site's first decisions": {"a blog": {"20 decisions": {"fall": 0.25}, "error of the base": 0.125}},
    }
    page = tables.markdown({**made, "unseen groups": groups}, {}, [])
    assert "| a blog | 7 | 0.9 |" in page
    assert "| another | 8 | – |" in page
    assert "| a blog, 20 decisions | – | 0.25 |" in page
    assert "| a blog | 0.125 | – |" in page
