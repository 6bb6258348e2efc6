"""Other systems on the very rows that `python -m classifier evaluate` reports on.

    .venv/bin/python benchmarks/peers.py --data DIR [--out benchmarks/.peers] [--only NAME]
    .venv/bin/python -m classifier evaluate --data DIR --peers benchmarks/.peers

Each peer is an adapter in `adapters/` (JSON lines in, JSON lines out) that runs as a subprocess in a virtual environment
of its own, from its own lock: they pin other versions, and some read files that run code. What it said is kept in
OUT/NAME.jsonl, one line per row with the row's key. Only rows that are not in there are asked, but what learns is
taught and asked anew where its lesson is another one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from classifier.evaluation import peers, unseen  # noqa: E402
from classifier.examples import Example  # noqa: E402
from classifier.jsonl import line  # noqa: E402
from classifier.training.parts import HEADLINE, Part  # noqa: E402

VENV = HERE / "adapters" / ".venv"
LOCK = HERE / "requirements-peers.lock"


@dataclass(frozen=True)
class Peer:
    """An adapter and what it is given."""

    name: str
    adapter: str
    arguments: tuple[str, ...] = ()
    learns: bool = False
    most: int = 1_000_000
    """Rows of a part that it is asked, by a hash of the text; HEADLINE is asked whole. For the slow."""


def all_peers(data: Path) -> list[Peer]:
    return [
        Peer("alt-profanity-check", "alt_profanity.py"),
        Peer("WordPress rules", "rule_list.py", (str(data / "lists/wordpress_comment_blocklist.txt.gz"), "2")),
        Peer("TF-IDF + LogisticRegression", "stock.py", learns=True),
        Peer("better-profanity", "word_list.py", most=200),  # 48 ms a comment
    ]


def python() -> Path:
    """The peers' own interpreter, made from the lock where it is missing or older."""
    ready = VENV / "ready"
    if not ready.exists() or ready.stat().st_mtime < LOCK.stat().st_mtime:
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", LOCK], check=True)
        ready.touch()
    return VENV / "bin/python"


def some(part: Part, most: int) -> list[Example]:
    """The rows of a part that a peer is asked."""
    if len(part.examples) <= most or part.name == HEADLINE:
        return part.examples
    return sorted(part.examples, key=lambda row: peers.key(row.text))[:most]


def ask(peer: Peer, rows: Sequence[Example], taught: Sequence[Example], out: Path) -> None:
    """The peer's scores of all rows, into one file that is there whole or not at all; what is known is not asked again."""
    lesson = hashlib.sha256("".join(map(line, taught)).encode()).hexdigest() if peer.learns else ""
    told = out.with_suffix(".taught")
    same = told.is_file() and told.read_text("utf-8") == lesson if peer.learns else True
    known = dict(peers.read(out.parent)[peer.name]) if out.is_file() and same else {}
    missing = [row for row in rows if peers.key(row.text) not in known]
    if not missing:
        print(f"{peer.name}: kept from before", file=sys.stderr)
        return
    print(f"{peer.name}: {len(missing)} rows", file=sys.stderr)
    started = time.monotonic()
    known |= zip((peers.key(row.text) for row in missing), answers(peer, missing, taught), strict=True)
    beside = out.with_suffix(".part")
    with open(beside, "w", encoding="utf-8") as file:
        for key, scores in known.items():
            file.write(json.dumps({"key": key, "scores": scores}) + "\n")
    beside.replace(out)
    if peer.learns:
        told.write_text(lesson, "utf-8")
    print(f"{peer.name}: {len(missing)} rows in {time.monotonic() - started:.0f} s", file=sys.stderr)


def answers(peer: Peer, rows: Sequence[Example], taught: Sequence[Example]) -> list[dict[str, float]]:
    """One answer per row, from the adapter's own process."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.jsonl", Path(folder) / "answered.jsonl"
        asked.write_text("".join(line(row) + "\n" for row in rows), "utf-8")
        arguments = list(peer.arguments)
        if peer.learns:
            training = Path(folder) / "training.jsonl"
            training.write_text("".join(line(row) + "\n" for row in taught), "utf-8")
            arguments.append(str(training))
        with open(asked, "rb") as given, open(answered, "wb") as taken:
            command = [python(), HERE / "adapters" / peer.adapter, *arguments]
            subprocess.run(command, stdin=given, stdout=taken, check=True)
        found = [json.loads(one)["scores"] for one in answered.read_text("utf-8").splitlines()]
    if len(found) != len(rows):
        raise SystemExit(f"{peer.name} answered {len(found)} of {len(rows)} rows")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / ".peers")
    parser.add_argument("--only", help="one peer by its name")
    parser.add_argument("--seed", type=int, default=1, help="of the split, as in the model's card")
    given = parser.parse_args()
    found = unseen.split(given.data, given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    for peer in all_peers(given.data):
        out = given.out / f"{peer.name}.jsonl"
        if given.only not in (None, peer.name):
            continue
        rows = [row for part in found.parts for row in some(part, peer.most)]
        ask(peer, rows, found.plain, out)


if __name__ == "__main__":
    main()
