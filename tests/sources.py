"""Our own source files, each parsed once a process, for the tests that hold the house."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("moderation", "classifier", "benchmarks")


@cache
def sources(package: str) -> tuple[Path, ...]:
    return tuple(sorted(p for p in (ROOT / package).rglob("*.py") if ".venv" not in p.parts))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of the file's syntax tree."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))
