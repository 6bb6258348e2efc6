"""The time that a comment takes to score, beside stock scikit-learn in the same run, and nothing else of the evaluation.

    .venv/bin/python benchmarks/scoring.py --data DIR [--models DIR] [--seed 1]

The same rows as in the tables of `python -m classifier evaluate`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from classifier.base import open_base
from classifier.evaluation.report import times


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, metavar="DIR")
    asked.add_argument("--models", type=Path, metavar="DIR", help="an operator's folder (else the shipped model)")
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    for name, figure in times(open_base(given.models), given.data, given.seed).items():
        print(f"{name:48} {figure:>9}")


if __name__ == "__main__":
    main()
