"""The house, held by a test: who may import whom, and that arrows never make a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORDS = {
    "core",
    "text",
    "cookies",
    "allowance",
    "history",
    "metadata",
    "site",
    "submission",
    "verdict",
    "policy",
    "rules",
    "lists",
    "comment",
    "decision",
    "moderator",
    "markdown",
    "hypertext",
    "prose",
    "seal",
    "links",
}
ACTS = {
    "digest",
    "admission",
    "answering",
    "barring",
    "telling",
    "tally",
    "intake",
    "queue",
    "figures",
    "promises",
    "replay",
    "shadow",
    "privacy",
    "redacting",
    "rulebook",
    "waves",
    "learning",
    "registration",
    "second_factor",
    "staff",
    "retention",
}
HTTP = {"pages", "body", "offload"}
ROOMS = {"public", "console", "outbox", "storage"}
SERVED = {"classifier.serving", "classifier.labels", "classifier.examples"}

# file or room → the moderation names it may import, and the classifier's modules
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    **{
        word: (WORDS | {"problem"}, {"classifier.labels", "classifier.examples", "classifier.streamsafe"})
        for word in WORDS
    },
    "problem": (set(), set()),
    "settings": (set(), set()),
    "offload": ({"problem"}, set()),
    "storage": (WORDS | {"problem", "storage"}, {"classifier.labels"}),
    "explainer": ({"prose"}, SERVED),
    "scorer": ({"explainer"}, SERVED),
    "admission": (WORDS | {"problem", "storage"}, set()),
    "telling": (WORDS | {"problem", "storage"}, set()),
    "tally": (WORDS | {"problem", "storage"}, set()),
    "rulebook": (WORDS | {"problem", "storage", "offload", "tally"}, set()),
    "intake": (
        WORDS | {"problem", "storage", "admission", "offload", "registration", "scorer", "tally", "telling", "waves"},
        SERVED,
    ),
    "figures": (WORDS | {"storage"}, {"classifier.labels"}),
    "waves": (WORDS | {"problem", "storage", "offload"}, {"classifier.alike"}),
    "promises": (WORDS | {"storage", "figures"}, {"classifier.labels", "classifier.promise"}),
    "replay": (WORDS | {"storage", "scorer"}, {"classifier.labels", "classifier.examples", "classifier.serving"}),
    "shadow": (
        WORDS | {"problem", "storage", "replay", "rulebook"},
        {"classifier.labels", "classifier.registry", "classifier.serving"},
    ),
    "queue": (
        WORDS | {"problem", "storage", "explainer", "registration", "scorer", "tally", "telling", "waves"},
        {"classifier.examples"},
    ),
    "answering": (WORDS | {"problem", "storage", "offload", "queue", "telling"}, set()),
    "redacting": (WORDS | {"problem", "storage", "offload", "queue", "telling", "waves"}, set()),
    "barring": (WORDS | {"problem", "storage", "queue", "rulebook"}, {"classifier.streamsafe"}),
    "registration": (
        WORDS | {"problem", "storage", "offload", "scorer"},
        {"classifier.examples", "classifier.nearest"},
    ),
    "digest": (WORDS | {"storage", "outbox"}, set()),
    "privacy": (WORDS | {"outbox", "problem", "storage", "telling"}, set()),
    "retention": (WORDS | {"problem", "storage"}, set()),
    "rounds": ({"storage"}, set()),
    "learning": (
        WORDS | {"problem", "storage", "shadow"},
        {"classifier.examples", "classifier.registry", "classifier.train"},
    ),
    "cleaning": (WORDS | {"problem", "storage"}, {"classifier.labels", "classifier.streamsafe"}),
    "arrivals": (WORDS | {"problem", "storage", "cleaning", "registration", "waves"}, {"classifier.labels"}),
    "departures": (WORDS | {"problem", "storage"}, set()),
    "importers": (WORDS | {"problem", "importers"}, set()),
    "moving": (WORDS | {"problem", "storage", "arrivals", "departures", "importers"}, set()),
    "backup": ({"problem", "storage"}, set()),
    "passwords": ({"problem"}, set()),
    "throttle": (WORDS | {"problem", "storage"}, set()),
    "access": (WORDS | {"problem", "storage", "passwords", "throttle"}, set()),
    "second_factor": (WORDS | {"problem", "storage", "access", "throttle"}, set()),
    "staff": (WORDS | {"problem", "storage", "access", "second_factor", "telling"}, set()),
    "operations": (WORDS | {"problem", "storage"}, {"classifier.serving"}),
    "health": ({"problem", "storage"}, set()),
    "shutdown": (set(), set()),
    "connections": ({"cookies", "problem"}, set()),
    "protocol": ({"connections"}, set()),
    "metrics": (WORDS | {"problem", "storage", "figures"}, set()),
    "pages": (set(), set()),
    "body": ({"problem", "offload"}, set()),
    "public": (
        WORDS | ACTS | HTTP | {"access", "problem", "storage", "public"},
        {"classifier.labels", "classifier.nearest", "classifier.serving"},
    ),
    "scores": (
        WORDS | ACTS | HTTP | {"access", "problem", "storage", "scores"},
        {"classifier.labels", "classifier.examples", "classifier.serving"},
    ),
    "outbox": (WORDS | {"problem", "storage", "telling", "outbox"}, set()),
    "console": (
        WORDS | ACTS | HTTP | {"access", "passwords", "throttle", "problem", "storage", "console"},
        {"classifier.labels", "classifier.promise", "classifier.serving"},
    ),
}
ANYTHING = {"app", "__main__", "commands"}


def sources(package: str) -> list[Path]:
    return sorted(p for p in (ROOT / package).rglob("*.py") if ".venv" not in p.parts)


def imports(path: Path) -> set[str]:
    """Dotted names of our own modules that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    modules = {
        ".".join(p.relative_to(ROOT).with_suffix("").parts)
        for name in ("moderation", "classifier")
        for p in sources(name)
    }
    return found & modules


def place(path: Path) -> str:
    """The file or room of moderation/ that a path is in."""
    return path.relative_to(ROOT / "moderation").with_suffix("").parts[0]


@pytest.mark.parametrize("path", sources("moderation"), ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_down_the_table(path: Path) -> None:
    here = place(path)
    if here in ANYTHING or here == "__init__":
        return
    assert here in ALLOWED, f"{here} has no line in the table: say for whom it works"
    rooms, models = ALLOWED[here]
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "moderation":
            assert rest.split(".")[0] in rooms | {here, ""}, f"{here} must not import {name}"
        else:
            assert name in models, f"{here} must not import {name}"


@pytest.mark.parametrize("path", sources("classifier"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_classifier_knows_nothing_of_moderation(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith("moderation")]


def test_the_imports_have_no_circle() -> None:
    graph = {
        ".".join(p.relative_to(ROOT).with_suffix("").parts): imports(p)
        for n in ("moderation", "classifier")
        for p in sources(n)
    }
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join([*above, name])
        if name not in done:
            for inner in graph.get(name, set()) - {name}:
                walk(inner, (*above, name))
            done.add(name)

    for name in graph:
        walk(name, ())


def test_only_the_border_reads_settings() -> None:
    readers = {place(p) for p in sources("moderation") if "moderation.settings" in imports(p)}
    assert readers <= ANYTHING


def test_sql_has_one_home() -> None:
    verbs = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM")
    for path in sources("moderation"):
        if place(path) == "storage" or path.name == "isso.py":  # who leaves isso brings a database of isso's
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.startswith(verbs) or node.value == "SELECT 1", f"{path.name}: {node.value[:60]}"


def test_texts_are_normalised_in_one_place() -> None:
    """The one that bounds runs of marks first: CPython takes quadratic time for them, with the interpreter locked."""
    callers = [
        path.name
        for package in ("moderation", "classifier")
        for path in sources(package)
        if "unicodedata.normalize(" in path.read_text("utf-8")
    ]
    assert callers == ["streamsafe.py"]


def test_no_drawer_for_odds_and_ends_and_no_long_file() -> None:
    for package in ("moderation", "classifier", "benchmarks"):
        for path in sources(package):
            assert path.stem not in ("utils", "util", "helpers", "common", "misc"), path
            assert len(path.read_text("utf-8").splitlines()) <= 500, f"{path} wants a split"


def test_importing_does_nothing_and_serving_needs_no_scikit_learn() -> None:
    program = (
        "import sys, moderation.app, moderation.__main__; "
        "found = [m for m in ('sklearn', 'scipy', 'joblib', 'asyncpg', 'httpx') if m in sys.modules]; sys.exit(', '.join(found) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_an_operators_command_does_not_wait_for_numpy() -> None:
    program = "import sys, moderation.__main__; sys.exit('numpy is there' if 'numpy' in sys.modules else 0)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_nothing_loads_a_file_that_could_run_code() -> None:
    for package in ("moderation", "classifier", "benchmarks"):
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


def test_migrations_have_numbers_of_their_own() -> None:
    """Of two with one number the second would never be applied."""
    numbers = [path.name[:4] for path in (ROOT / "moderation" / "storage" / "migrations").glob("*.sql")]
    assert len(numbers) == len(set(numbers)), sorted(numbers)
