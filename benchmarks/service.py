"""The service beside isso and beside a bare server with the same group commit, interleaved in one run.

    .venv/bin/python benchmarks/service.py [--seconds 2] [--rounds 3]

Each round asks every server in turn, at 1, 16 and 64 connections, to store comments and to show a thread of 100. The
figures are medians over the rounds; a ratio is the median of the rounds' own ratios, since single rates move with
whatever else the machine does. Every stored row is counted afterwards: where that is not what was acknowledged, or
where we failed a request, the run fails. isso is not asked to limit anything; of ours every rule is on.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import orjson
import uvloop
from load import Load, Outcome, gets, posts

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENV = HERE / ".venv"
CONNECTIONS = (1, 16, 64)
THREAD = 100
MOST = 100_000
"""Requests in one window, whatever the time."""
TICK = os.sysconf("SC_CLK_TCK")
ISSO = """[general]
dbpath = {database}
host = http://127.0.0.1:{port}/
[moderation]
enabled = false
[guard]
enabled = false
[server]
trusted-proxies = 127.0.0.1
"""


def peers_python() -> Path:
    """isso and gunicorn in a virtual environment of their own, from their own lock."""
    python, ready, lock = VENV / "bin" / "python", VENV / "ready", HERE / "requirements.lock"
    if not ready.exists() or ready.stat().st_mtime < lock.stat().st_mtime:
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([*pip, "-r", lock], check=True)
        ready.touch()
    return python


@dataclass
class Server:
    """A server under load: how it is started, what it is asked, and where its rows are."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int
    database: Path
    post: Iterator[bytes]
    seed: Iterator[bytes]
    get: str
    acknowledged: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    process: subprocess.Popen[bytes] | None = None

    def start(self, log: Path) -> None:
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"{self.name} does not start:\n{log.read_text()[-3000:]}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def rows(self) -> int:
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            (count,) = connection.execute("SELECT count(*) FROM comments").fetchone()
            return int(count)

    def cpu(self) -> float:
        """Seconds of user and system time, of the process and all its children that live."""
        assert self.process
        times, children = {}, dict[int, list[int]]()
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    fields = (folder / "stat").read_text().rpartition(")")[2].split()
                except OSError:  # gone meanwhile
                    continue
                times[int(folder.name)] = int(fields[11]) + int(fields[12])
                children.setdefault(int(fields[1]), []).append(int(folder.name))
        total, family = 0, [self.process.pid]
        while family:
            one = family.pop()
            total += times.get(one, 0)
            family += children.get(one, [])
        return total / TICK

    async def store(self, connections: int, seconds: float) -> Outcome:
        outcome = await Load(self.port, self.post, connections, seconds, MOST).run()
        self.acknowledged += outcome.good
        self.failed += outcome.bad
        return outcome

    async def show(self, connections: int, seconds: float) -> Outcome:
        outcome = await Load(self.port, gets(self.get), connections, seconds, MOST).run()
        self.failed += outcome.bad
        return outcome


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def servers(folder: Path) -> list[Server]:
    isso_python, (ours, isso, bare) = peers_python(), free_ports(3)
    (folder / "isso.cfg").write_text(ISSO.format(database=folder / "isso.sqlite3", port=bare))
    plain = ("name", "email", "body")
    of_isso = ("author", "email", "text")
    title = '"website":null,"title":"An article",'
    return [
        Server(
            "leave-a-reply",
            [sys.executable, "-m", "moderation", "serve"],
            {
                "MODERATION_DATABASE": str(folder / "ours" / "moderation.sqlite3"),
                "MODERATION_MODELS": str(folder / "ours" / "models"),
                "MODERATION_PORT": str(ours),
                "MODERATION_TRUSTED_PROXIES": "127.0.0.1",
            },
            ours,
            folder / "ours" / "moderation.sqlite3",
            posts(1_000, "/sites/default/articles/{article}/comments", plain),
            posts(0, "/sites/default/articles/thread/comments", plain),
            f"/sites/default/articles/thread/comments?limit={THREAD}",
        ),
        Server(
            "isso, gunicorn -w 4",
            [str(isso_python), "-m", "gunicorn", "-w", "4", "-b", f"127.0.0.1:{isso}", "--preload", "isso.run"],
            {"ISSO_SETTINGS": str(folder / "isso.cfg")},
            isso,
            folder / "isso.sqlite3",
            posts(1_000, "/new?uri=%2F{article}%2F", of_isso, title),
            posts(0, "/new?uri=%2Fthread%2F", of_isso, title),
            f"/?uri=%2Fthread%2F&limit={THREAD}",
        ),
        Server(
            "bare group commit",
            [sys.executable, str(HERE / "bare.py"), str(bare), str(folder / "bare.sqlite3")],
            {},
            bare,
            folder / "bare.sqlite3",
            posts(1_000, "/articles/{article}/comments", plain),
            posts(0, "/articles/thread/comments", plain),
            "/articles/thread/comments",
        ),
    ]


@dataclass
class Case:
    """One line of the table: a server, what it was asked, over how many connections; a figure for each round."""

    rate: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


Figures = dict[tuple[str, int, str], Case]


async def fill_threads(every: list[Server]) -> None:
    """One hundred published comments each: ours publishes only what its rules let through."""
    for server in every:
        shown = 0
        while shown < THREAD:
            outcome = await Load(server.port, server.seed, 1, 30, 1).run()
            server.acknowledged += outcome.good
            server.failed += outcome.bad
            shown += outcome.statuses[201]
            if server.failed or server.acknowledged > 5 * THREAD:
                raise SystemExit(f"{server.name}: the thread does not fill: {outcome.statuses} {outcome.last[:300]!r}")
        outcome = await Load(server.port, gets(server.get), 1, 30, 1).run()
        answer = orjson.loads(outcome.last)
        found = len(answer.get("comments", answer.get("replies", ())))
        if found != THREAD:
            raise SystemExit(f"{server.name}: its thread shows {found} comments, not {THREAD}")


async def measure(every: list[Server], seconds: float, rounds: int) -> Figures:
    figures: Figures = {}
    await fill_threads(every)
    for server in every:  # warm
        await server.store(4, 0.5)
        await server.show(4, 0.5)
    for number in range(rounds):
        for connections in CONNECTIONS:
            turn = number % len(every)  # nobody is always the first
            for server in every[turn:] + every[:turn]:
                for what, load in (("POST", server.store), ("GET", server.show)):
                    before = server.cpu()
                    outcome = await load(connections, seconds)
                    case = figures.setdefault((what, connections, server.name), Case())
                    case.rate.append(outcome.good / outcome.seconds)
                    case.cpu.append((server.cpu() - before) / max(1, outcome.good) * 1e6)
                    case.p50.append(outcome.quantile(0.5))
                    case.p99.append(outcome.quantile(0.99))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return figures


def ratio(above: list[float], below: list[float]) -> float:
    return median(a / b for a, b in zip(above, below, strict=True))


def table(figures: Figures, every: list[Server]) -> str:
    lines = [
        "| request | connections | server | requests/s | CPU µs each | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for what in ("POST", "GET"):
        asked = "POST a comment" if what == "POST" else f"GET a thread of {THREAD}"
        for connections in CONNECTIONS:
            for server in every:
                case = figures[what, connections, server.name]
                lines.append(
                    f"| {asked} | {connections} | {server.name} | {median(case.rate):,.0f} | {median(case.cpu):,.0f} "
                    f"| {median(case.p50):.1f} | {median(case.p99):.1f} |"
                )
    return "\n".join(lines)


def ratios(figures: Figures, every: list[Server]) -> str:
    ours, isso, bare = (server.name for server in every)
    lines = [
        "| ratio | " + " | ".join(f"{c} connections" for c in CONNECTIONS) + " | goal at 16 | reached |",
        "|---|" + "---|" * (len(CONNECTIONS) + 2),
    ]
    for what, goal, against, name in (
        ("rate", 15, isso, "comments/s, ours ÷ isso"),
        ("cpu", 15, isso, "CPU a comment, isso ÷ ours"),
        ("rate", 0.4, bare, "comments/s, ours ÷ bare"),
        ("read", 100, isso, "threads/s, ours ÷ isso"),
    ):
        found = {}
        for connections in CONNECTIONS:
            kind = "GET" if what == "read" else "POST"
            mine, theirs = figures[kind, connections, ours], figures[kind, connections, against]
            found[connections] = ratio(theirs.cpu, mine.cpu) if what == "cpu" else ratio(mine.rate, theirs.rate)
        shown = [f"{found[c]:.0%}" if goal < 1 else f"{found[c]:.1f}" for c in CONNECTIONS]
        wanted = f"{goal:.0%}" if goal < 1 else str(goal)
        lines.append(f"| {name} | {' | '.join(shown)} | {wanted} | {'yes' if found[16] >= goal else 'no'} |")
    return "\n".join(lines)


def machine() -> str:
    cpu = platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    isso = subprocess.run(
        [VENV / "bin" / "python", "-c", "from importlib.metadata import version as v; print(v('isso'), v('gunicorn'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return (
        f"{len(os.sched_getaffinity(0))} cores, {cpu}, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, uvicorn {version('uvicorn')}, Starlette {version('starlette')}, "
        f"isso {isso[0]}, gunicorn {isso[1]}; client on the same machine"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Our POST and thread GET beside isso and a bare server.")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each case is measured in a round")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.seconds <= 0 or args.rounds < 1:
        parser.error("--seconds and --rounds must be above 0")
    (HERE / "data").mkdir(exist_ok=True)  # on the disk that the service would be on, not in memory
    with tempfile.TemporaryDirectory(dir=HERE / "data") as folder:
        every = servers(Path(folder))
        try:
            for server in every:
                server.start(Path(folder) / f"{server.port}.log")
            began = time.monotonic()
            figures = uvloop.run(measure(every, args.seconds, args.rounds))
            took = time.monotonic() - began
        finally:
            for server in every:
                server.stop()
        print(machine())
        print(f"{args.rounds} rounds of {args.seconds:g} s a case, medians; {took:.0f} s in all.\n")
        print(table(figures, every), end="\n\n")
        print(ratios(figures, every), end="\n\n")
        whole = True
        for server in every:
            stored = server.rows()
            whole = whole and stored == server.acknowledged
            failed = ", ".join(f"{count} × {why}" for why, count in server.failed.items()) or "none"
            print(f"{server.name}: {server.acknowledged:,} acknowledged, {stored:,} stored; failed: {failed}")
        whole = whole and not every[0].failed
    if not whole:
        print("A comment was lost or stored without a word, or we failed a request: the figures do not count.")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
