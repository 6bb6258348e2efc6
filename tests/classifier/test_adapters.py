"""The peers' adapters that need nothing of their own: JSON lines in, one answer a line out."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ADAPTERS = Path(__file__).parent.parent.parent / "benchmarks" / "adapters"


def asked(adapter: str, texts: list[str], *arguments: str) -> list[dict[str, Any]]:
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [sys.executable, str(ADAPTERS / adapter), *arguments]
    found = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line)["scores"] for line in found.stdout.splitlines()]


def test_the_rules_hold_links_and_refuse_listed_words(tmp_path: Path) -> None:
    words = tmp_path / "words.txt.gz"
    words.write_bytes(gzip.compress(b"glimmerpills\n\n"))
    texts = [
        "a garden",
        "buy GLIMMERPILLS",
        "http://a.example",
        "http://a.example <a href='http://b.example'>b</a>",
        "xglimmerpillsx",
        "",
    ]
    said = asked("rule_list.py", texts, str(words), "2")
    assert [one["spam"] for one in said] == [0, 1, 0, 0.5, 1, 0]
    assert all(one["toxicity"] == one["spam"] for one in said)


def test_the_stock_model_learns_only_what_is_known(tmp_path: Path) -> None:
    lesson = tmp_path / "lesson.jsonl"
    rows = [{"text": f"you nitwit number {n % 9} of the garden", "labels": {"toxicity": 1.0}} for n in range(40)]
    rows += [{"text": f"bread and river number {n % 9}", "labels": {"toxicity": 0.0, "spam": 0.0}} for n in range(40)]
    lesson.write_text("".join(json.dumps(row) + "\n" for row in rows))
    foul, good = asked("stock.py", ["you nitwit", "bread"], str(lesson))
    assert foul["toxicity"] > 0.5 > good["toxicity"]
    assert set(foul) == {"toxicity"}  # of spam it has seen one kind only
