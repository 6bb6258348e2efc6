"""The glossary and the code agree: its names exist, and the words that it replaced are gone."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from moderation.db.migrate import migrations
from tests.sources import PACKAGES, ROOT, nodes, sources

NAMES = sorted(
    set(re.findall(r"`((?:moderation|classifier)\.[\w.]+)`", (ROOT / "docs" / "glossary.md").read_text("utf-8")))
)
REPLACED = {
    "Book",
    "Seal",
    "at_rest",
    "id_of_mailed",
    "Doorman",
    "doorman",
    "Asker",
    "asker",
    "HouseRules",
    "rulebook",
    "Glance",
    "Clue",
    "CLUES",
    "clue",
    "clues",
    "clues_of",
    "STRANGER",
    "STRANGE",
    "owners",
    "dice",
    "likeness",
    "tell_of_replies",
    "hand_in",
    "knock",
    "Courier",
    "courier",
    "SECOND_LOOK",
    "second_look",
    "head_start",
    "Rounds",
    "Trial",
    "sites_mark",
    "barring",
    "Arrivals",
    "bring",
    "departures",
    "scrubbing",
    "retries",
    "persons",
    "PastArticle",
    "PastComment",
    "PastDecision",
    "PastSubmission",
    "PastVerdict",
    "cleaning",
    "footing",
    "checking",
    "hypertext",
    "Judgement",
    "judgement_of",
    "entry_of",
    "doubt",
    "waves_until",
    "PersonLink",
    "person_of",
    "address_key",
    "read_to",
    "scrub",
    "threes",
    "shelf",
    "likenesses",
    "fail_lane",
    "forget_lane",
    "last_words",
    "sweep",
    "Replay",
    "Replayed",
    "nearer",
    "barrable",
    "bars",
    "ticket",
    "shadow",
    "Shadow",
    "ShadowVerdict",
}
"""Identifiers of which the glossary has another word; ordinary words in prose are free."""


REPLACED_IN_SQL = {
    "learnt", "unlearnt", "scrubs", "alike", "retries", "openings", "imports", "shadows", "shadow", "waves", "worst", "doubt",
    "doubtful", "turn", "judged", "staff", "digest", "lane", "said", "tries", "person", "mark", "bar", "shelf",
    "shelves", "shorts", "threes", "unread", "who", "second", "look", "versions",
}  # fmt: skip
"""Words of table, column, index, trigger and function names of before, as they stood between underscores."""
STILL_IN_SQL = {
    "article_openings", "article_openings_by_time", "article_openings_from_network", "is_staff", "wants_digest",
    "judged_revision", "second_factors",
}  # fmt: skip
"""Names that carry such a word in the glossary's own sense."""


def resolves(name: str) -> bool:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[end:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_glossary_exists(name: str) -> None:
    assert resolves(name)


def test_the_glossary_names_something() -> None:
    assert len(NAMES) > 30


def identifiers(path: Path) -> set[str]:
    """Names in the syntax tree: variables, attributes, functions, classes, arguments, modules."""
    found = set(path.with_suffix("").parts[-1:])
    for node in nodes(path):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg | ast.keyword):
            found.add(node.arg or "")
        elif isinstance(node, ast.alias):
            found |= {node.asname or "", *node.name.split(".")}
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_replaced_words_are_no_identifiers(package: str) -> None:
    old = {f"{path.relative_to(ROOT)}: {word}" for path in sources(package) for word in identifiers(path) & REPLACED}
    assert not old


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_replaced_words_name_nothing_in_the_schema(kind: str) -> None:
    sql = "\n".join(re.sub(r"--.*|'[^']*'", "", migration.sql) for migration in migrations(kind))
    names = set(re.findall(r"\w+", sql)) - STILL_IN_SQL
    assert not {name for name in names if set(name.split("_")) & REPLACED_IN_SQL}
    assert "judged_revision" in re.findall(r"\w+", sql)
