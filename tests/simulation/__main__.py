"""`python -m tests.simulation SEED` tells one seed as it happens; `python -m tests.simulation FIRST END` runs many."""

from __future__ import annotations

import sys
import time

from tests.simulation.world import FAULTS, simulate


def main(first: str, end: str = "") -> None:
    began = time.monotonic()
    seeds = range(int(first), int(end) if end else int(first) + 1)
    happened = simulate(seeds, None if end else print)
    print(f"{len(seeds)} seeds in {time.monotonic() - began:.0f} s:", {name: happened[name] for name in FAULTS})


if __name__ == "__main__":
    main(*sys.argv[1:])
