"""The house, held by a test: the order of the slices, where SQL stands, who may import an edge."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.sources import PACKAGES, ROOT, nodes, sources

ORDER = (
    "core", "db", "text", "web", "sites", "team", "comments", "duplicates", "policy", "articles", "outbox", "intake",
    "queue", "learning", "privacy", "transfer", "dialects", "demo",
)  # fmt: skip
"""The slices from the ground up: each imports only itself and those before it (docs/architecture.md)."""
EDGES = ("api", "pages", "public", "commands", "guard", "cors", "operations", "health", "metrics", "openapi")
"""First words of the files that answer requests or run commands: they may import any slice."""
PROGRAM = ("__init__", "__main__", "app", "cli", "doctor", "rehearsal", "serve", "services", "settings")
"""Files of the root: they put the slices together."""


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> frozenset[str]:
    return frozenset(dotted(p) for name in ("moderation", "classifier") for p in sources(name))


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names of our own modules that a file imports, wherever in the file."""
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules() else node.module)
    return frozenset(found & modules())


def slice_of(module: str) -> str:
    """The slice of a module of `moderation`; empty for a file of the root."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ORDER else ""


def is_edge(module: str) -> bool:
    return module.rpartition(".")[2].split("_")[0] in EDGES


def in_slices() -> list[Path]:
    return [path for path in sources("moderation") if slice_of(dotted(path))]


def test_every_file_stands_in_a_slice() -> None:
    loose = {path.stem for path in sources("moderation") if not slice_of(dotted(path))}
    assert loose <= set(PROGRAM), f"{loose - set(PROGRAM)}: a file belongs to a slice"
    assert not {path.parent.name for path in in_slices()} - set(ORDER) - {"formats"}, "a folder that is no slice"


@pytest.mark.parametrize("path", in_slices(), ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_down_the_order(path: Path) -> None:
    here = dotted(path)
    for name in imports(path):
        if not name.startswith("moderation."):
            continue
        if is_edge(name):
            assert is_edge(here), f"{here} must not import the edge {name}"
        elif is_edge(here):
            continue
        else:
            assert slice_of(name), f"{here} must not import {name} of the root"
            assert ORDER.index(slice_of(name)) <= ORDER.index(slice_of(here)), f"{here} must not import {name}"


def test_only_the_program_imports_what_puts_it_together() -> None:
    for path in in_slices():
        rooms = {
            name.partition(".")[2] for name in imports(path) if name.startswith("moderation.") and not slice_of(name)
        }
        allowed = (
            {"cli", "settings"} if path.stem.startswith("commands") else {"services"} if is_edge(path.stem) else set()
        )
        assert rooms <= allowed, f"{path}: {rooms}"


@pytest.mark.parametrize("path", sources("classifier"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_classifier_knows_nothing_of_moderation(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith("moderation")]


def test_what_serves_imports_neither_training_nor_evaluation() -> None:
    for path in sources("classifier"):
        here = dotted(path)
        room = here.split(".")[1] if here.count(".") > 1 else ""
        for name in imports(path):
            if ".evaluation" in name:
                assert room == "evaluation", f"{here} must not import {name}"
            if ".training" in name:
                assert room in ("training", "evaluation"), f"{here} must not import {name}"


def test_the_imports_have_no_circle() -> None:
    graph = {dotted(p): imports(p) for n in ("moderation", "classifier") for p in sources(n)}
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join([*above, name])
        if name not in done:
            for inner in graph.get(name, frozenset()) - {name}:
                walk(inner, (*above, name))
            done.add(name)

    for name in graph:
        walk(name, ())


def test_sql_stands_in_stores() -> None:
    verbs = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM")
    for path in sources("moderation"):
        if path.stem.startswith("store") or path.parent.name == "db":
            continue
        if path.name in ("isso.py", "cusdis.py"):  # who leaves isso or Cusdis brings a database of its own
            continue
        for node in nodes(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(verbs) or node.value == "SELECT 1", f"{path.name}: {node.value[:60]}"


def test_no_drawer_for_odds_and_ends_and_no_long_file() -> None:
    for package in PACKAGES:
        for path in sources(package):
            assert path.stem not in ("utils", "util", "helpers", "common", "misc"), path
            assert len(path.read_text("utf-8").splitlines()) <= 500, f"{path} wants a split"


def test_tests_mirror_the_slices() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= {*ORDER, "classifier", "contract", "model", "simulation"}, folders


def test_importing_does_nothing_and_serving_needs_no_scikit_learn() -> None:
    program = (
        "import sys, moderation.app; from moderation.__main__ import COMMANDS, commands_of; "
        "[commands_of(module) for module in COMMANDS]; "
        "heavy = ('sklearn', 'scipy', 'joblib', 'asyncpg', 'httpx', 'classifier.training', 'classifier.evaluation'); "
        "found = [m for m in heavy if m in sys.modules]; sys.exit(', '.join(found) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_an_operators_command_does_not_wait_for_numpy() -> None:
    program = (
        "import sys; from moderation.__main__ import COMMANDS, commands_of, main; main(['--help']); "
        "assert 'asyncio' not in sys.modules; [commands_of(module) for module in COMMANDS]; "
        "sys.exit('numpy is there' if 'numpy' in sys.modules else 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_a_command_imports_no_other_slices_commands() -> None:
    program = (
        "import sys; from moderation.__main__ import main; main(['serve', '--help']); "
        "sys.exit(', '.join(m for m in sys.modules if m.endswith('.commands') or m == 'rich') or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_nothing_loads_a_file_that_could_run_code() -> None:
    for package in PACKAGES:
        for path in sources(package):
            text = path.read_text("utf-8")
            for word in (
                "import pickle",
                "pickle" + ".load",
                "joblib" + ".load",
                "allow_" + "pickle=True",
                "import dill",
            ):
                assert word not in text, f"{path}: {word}"


def test_no_cookie_is_read_by_starlette() -> None:
    """Its reader takes quadratic time (moderation/web/cookies.py)."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in sources("moderation")
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "cookies"
    ]
    assert found == []
