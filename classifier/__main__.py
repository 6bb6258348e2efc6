"""`python -m classifier train|score|explain|list …`: every command takes files and leaves files."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m classifier")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="corpora in, a candidate version out")
    train.add_argument("--data", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    from classifier.fit import train as fit

    print(fit(given.data, given.out, given.seed, given.jobs).name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
