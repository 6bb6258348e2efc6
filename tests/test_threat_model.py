"""The threat model names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "threat-model.md").read_text("utf-8"))))


def test_every_row_of_its_tables_names_a_test() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "threat-model.md").read_text("utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("|---", "| asset", "| tries", "| who |", "| fault"))
    ]
    promises = 6  # the first table says what is protected
    assert len([row for row in rows if "`tests/" in row]) == len(rows) - promises > 30


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_tests_that_it_names_exist(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
