"""The commands, from files to files."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.__main__ import COMMANDS, commands_of, main
from classifier.registry import SHIPPED, pointer
from classifier.training.fit import load_rows
from classifier.views import Fold
from tests.conftest import ROOT

DOCS = ROOT / "docs"


NAMES = sorted(name for names in COMMANDS.values() for name in names)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_is_in_the_docs_with_all_its_options(name: str) -> None:
    docs = (DOCS / "classifier-commands.md").read_text("utf-8")
    assert f"\n## {name}\n" in docs, f"{name} has no section"
    section = docs.split(f"\n## {name}\n")[1].split("\n## ")[0]
    command = next(commands_of(module)[name] for module, names in COMMANDS.items() if name in names)
    for param in command.params:
        said = param.name if param.param_type_name == "argument" else param.opts[-1]
        assert re.search(rf"(?<![\w-]){re.escape(said)}(?![\w-])", section), f"{name}: {said}"
    assert set(re.findall(r"^## (\S+)$", docs, re.MULTILINE)) == set(NAMES)


def test_the_index_of_commands_is_that_of_the_modules(capsys: pytest.CaptureFixture[str]) -> None:
    """It lets `--help` print every command without importing one."""
    for module, lines in COMMANDS.items():
        commands = commands_of(module)
        assert list(commands) == list(lines)
        for name, line in lines.items():
            assert " ".join(commands[name].help.split("\n\n")[0].split()) == line
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("classifier/**/commands.py")}
    assert files == set(COMMANDS)
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    for name in NAMES:
        assert f"\n  {name} " in overview
        assert main([name, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: python -m classifier {name} ")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], ("numpy", "classifier.cli")),
        (["list"], ("scipy", "sklearn", "classifier.training", "classifier.evaluation")),
        (["score"], ("scipy", "sklearn", "classifier.training", "classifier.evaluation")),
        (["compare", "none"], ("classifier.evaluation", "classifier.training.fit", "sklearn")),
    ],
)
def test_a_command_imports_no_more_than_it_needs(arguments: list[str], unwanted: tuple[str, ...]) -> None:
    program = (
        "import sys; from classifier.__main__ import main; main(sys.argv[1:]); "
        f"sys.exit(', '.join(name for name in {unwanted!r} if name in sys.modules) or 0)"
    )
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("page", ["classifier.md", "evaluation.md"])
def test_the_docs_tables_are_of_the_shipped_model(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    assert pointer(SHIPPED) in re.findall(r"\b\d{8}-[0-9a-f]{8}\b", text), (
        "the model is another one: python -m classifier evaluate --data DIR --peers benchmarks/.peers --leave-out --docs docs"
    )


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["promote", "v"], ["thresholds", "--reject", "2"], ["score", "a", "b"]]
)
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("harm", ["cut", "not gzip", "not csv", "not a number"])
def test_a_broken_corpus_is_refused(
    corpus: Path, tmp_path: Path, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(corpus, tmp_path / "data")
    path = tmp_path / "data/jigsaw/train_raw_partial.csv.gz"
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif harm == "not gzip":
        path.write_bytes(b"text,toxicity\nhello,1\n")
    elif harm == "not csv":
        path.write_bytes(gzip.compress(b"words,toxicity\nhello,1\n"))
    else:
        path.write_bytes(gzip.compress(b"text,toxicity\nhello,1\nhello,much\n"))
    assert main(["train", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "line" in said or harm in ("cut", "not gzip")
    assert not (tmp_path / "out").exists()


def test_test_texts_are_never_trained_on(corpus: Path) -> None:
    rows, _ = load_rows(corpus, Fold({}), 1)
    texts = [e.text for e, copy in zip(rows.examples, rows.copy, strict=True) if not copy]
    assert not any(" testrow " in text for text in texts)
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
