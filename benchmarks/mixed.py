"""Reading beside writing: 16 connections post to twenty articles while 8 read the same ones; ours beside the bare server.

    .venv/bin/python -m benchmarks.mixed [--seconds 4] [--rounds 3]

Each commit makes the threads that it touches old, so this is what readers feel while a page is busy. The servers take turns in one run;
a ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent))
from load import ARTICLES, Load, Outcome, gets
from service import HERE, MOST, THREAD, Server, servers

POSTING, READING = 16, 8


def reads(path: str) -> Iterator[bytes]:
    """The articles that are posted to, in turn."""
    each = [gets(path.replace("thread", f"article-{n}", 1)) for n in range(ARTICLES)]
    for one in itertools.cycle(each):
        yield next(one)


async def mix(server: Server, seconds: float) -> tuple[Outcome, Outcome]:
    posting = Load(server.port, server.post, POSTING, seconds, MOST)
    reading = Load(server.port, reads(server.get), READING, seconds, MOST)
    posted, read = await asyncio.gather(posting.run(), reading.run())
    for outcome in (posted, read):
        server.failed += outcome.bad
    return posted, read


async def measure(every: list[Server], seconds: float, rounds: int) -> dict[str, list[tuple[float, float, float]]]:
    """Server → for each round (comments/s, threads/s, CPU µs a request)."""
    figures: dict[str, list[tuple[float, float, float]]] = {server.name: [] for server in every}
    for server in every:  # warm, with something to read in each article
        await mix(server, 2)
    for number in range(rounds):
        for server in every if number % 2 else every[::-1]:
            before = server.cpu()
            posted, read = await mix(server, seconds)
            cost = (server.cpu() - before) / max(1, posted.good + read.good) * 1e6
            figures[server.name].append((posted.good / posted.seconds, read.good / read.seconds, cost))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description="Reading beside writing, ours beside a bare server.")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    (HERE / "data").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HERE / "data") as folder:
        ours, _, bare = servers(Path(folder))
        every = [ours, bare]
        try:
            for server in every:
                server.start(Path(folder) / f"{server.port}.log")
            figures = uvloop.run(measure(every, args.seconds, args.rounds))
        finally:
            for server in every:
                server.stop()
    print(f"{POSTING} connections post, {READING} read threads of {THREAD}; medians of {args.rounds} rounds\n")
    print("| server | comments/s | threads/s | CPU µs a request |\n|---|---|---|---|")
    for name, rows in figures.items():
        posted, read, cost = (median(column) for column in zip(*rows, strict=True))
        print(f"| {name} | {posted:,.0f} | {read:,.0f} | {cost:,.0f} |")
    for what, at in (("comments/s", 0), ("threads/s", 1)):
        share = median(a[at] / b[at] for a, b in zip(figures[ours.name], figures[bare.name], strict=True))
        print(f"\n{what}, ours ÷ bare: {share:.0%}", end="")
    failed = {server.name: dict(server.failed) for server in every if server.failed}
    print(f"\n\nfailed: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
