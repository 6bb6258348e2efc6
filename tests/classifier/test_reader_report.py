"""Table, reader and both, side by side in the report of a version that has a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.base import Base
from classifier.evaluation import reader, report, tables
from classifier.labels import LABELS
from classifier.training.dataset import LEFT_OUT
from tests.classifier.conftest import FOUL, GOOD, SPAM, table, write_corpus


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny corpus with a test file and a left-out blog that are large enough to measure."""
    folder = write_corpus(tmp_path_factory.mktemp("data"))
    rng = np.random.default_rng(4)

    def words() -> list[str]:
        return [*rng.choice(GOOD, 9), *("ab" for _ in range(rng.integers(0, 9)))]

    rows: list[list[object]] = []
    for number in range(60):
        foul = number % 2
        rows.append([number, " ".join([*words(), *([rng.choice(FOUL)] if foul else [])]), foul, 0, 0, 0, foul, 0])
    columns = ["id", "text", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]
    table(folder / "jigsaw/test_carved.csv.gz", columns, rows)
    blog = min(LEFT_OUT).partition("/")[2]
    posts = [[" ".join([*words(), *([rng.choice(SPAM)] if n % 2 else [])]), n % 2, blog] for n in range(40)]
    table(folder / "pull_request_blogs/all.csv.gz", ["text", "spam", "blog"], posts)
    return folder


@pytest.fixture(scope="module")
def found(reading: Base, data: Path) -> dict[str, Any]:
    return reader.beside(reading, data)


def test_each_part_has_the_three_side_by_side(found: dict[str, Any], data: Path) -> None:
    toxicity = found["parts"]["jigsaw/test_carved"]["labels"]["toxicity"]
    assert all(0.5 < toxicity[who] <= 1 for who in reader.WHO)
    assert min(LEFT_OUT) in found["parts"]
    assert found["languages"]["en toxicity"]["rows"] >= toxicity["rows"]


def test_blogs_kinds_disguises_and_lengths_are_reported(found: dict[str, Any]) -> None:
    blog = found["blogs"][min(LEFT_OUT)]
    assert blog["spam"] > 0
    assert 0 <= blog["good held, both"] <= 1
    assert {kind["bad"] for kind in found["functional"].values()} == {True, False}
    assert set(found["attacked"]["padding"]) == set(reader.WHO)
    assert found["identity"]["gap, neutral sentences"] == dict.fromkeys(reader.WHO, 0)
    assert "1 window" in found["long"]


def test_the_tables_have_every_figure(found: dict[str, Any], reading: Base) -> None:
    cost = reader.cost(reading, [" ".join(GOOD * 4)])
    assert cost["reader, forty tokens, median"] > 0
    lines = tables.reader_tables.lines(
        {
            "reader": found
            | {"int8 beside float": {"p": {"rows": 3, "mean distance": 0.1, "auc": {"spam": [0.9, 0.8]}}}}
        },
        cost,
    )
    text = "\n".join(lines)
    for piece in ("jigsaw/test_carved", "counter-speech", min(LEFT_OUT), "0.9000", "forty tokens", *reader.WHO):
        assert piece in text
    assert tables.reader_tables.lines({}, {}) == []


def test_the_whole_report_has_them(reading: Base, data: Path) -> None:
    made, _ = report.run(reading, data)
    assert set(made["reader"]["parts"]["jigsaw/test_carved"]["labels"]) <= set(LABELS)
    assert "## Table, reader and both" in tables.markdown(made, {}, [])
