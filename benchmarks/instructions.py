"""Instructions of a post and of a read: figures that a busy machine does not change.

    .venv/bin/python benchmarks/instructions.py [CHECKOUT] [--bytecode]

The application runs in one process, without a socket. After 64 posts 512 more are counted, 32 at a time, and after 64 reads of
their thread 512 more. With another checkout (its dependencies are those of this Python), that is counted too, and the ratios
are printed.

Callgrind counts the processor's instructions of all threads. It writes its counts whenever the process calls `getppid`, which
nothing else does; so one run gives both. Valgrind slows a process some fifty times: a run takes minutes, on a busy machine a
quarter of an hour. `--bytecode` counts the interpreter's instructions on the event loop instead, without valgrind, in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEFORE, COUNTED, AT_ONCE = 64, 512, 32
PATH = "/sites/default/articles/instructions/comments"
WORDS = [
    "the",
    "garden",
    "gate",
    "that",
    "our",
    "neighbour",
    "painted",
    "blue",
    "last",
    "spring",
    "squeaks",
    "whenever",
    "somebody",
    "walks",
    "past",
    "with",
    "a",
    "letter",
]
PHASES = ("post", "read")
TraceFunction = Callable[[FrameType, str, Any], Any]


async def request(app: Any, method: str, number: int, body: bytes = b"") -> int:
    """The status of one request. Each number has a network of its own, since networks have limits."""
    address, status = f"10.{number >> 8 & 255}.{number & 255}.7", 0
    headers = [(b"host", b"comments.test"), (b"accept", b"application/json")]
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))] if body else []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": PATH,
        "raw_path": PATH.encode(), "query_string": b"", "root_path": "", "headers": headers, "client": (address, 4711),
        "server": ("comments.test", 80),
    }  # fmt: skip
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else await asyncio.Event().wait() or {}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    return status


def comment(number: int) -> bytes:
    """About 300 characters, unlike every other."""
    words = [WORDS[number // len(WORDS) ** place % len(WORDS)] for place in range(3)]
    text = " ".join([*words, *(WORDS[(number * 7 + n * (number % 5 + 1)) % len(WORDS)] for n in range(50))])[:300]
    fields = {"name": f"Ann {number}", "email": f"ann{number}@example.org", "body": f"{text} {number}"}
    return json.dumps(fields).encode()


async def post(app: Any, first: int, count: int) -> set[int]:
    """The statuses."""
    statuses = set[int]()
    for at in range(first, first + count, AT_ONCE):
        numbers = range(at, at + AT_ONCE)
        statuses |= set(await asyncio.gather(*(request(app, "POST", number, comment(number)) for number in numbers)))
    return statuses


async def read(app: Any, first: int, count: int) -> set[int]:
    """The statuses."""
    return {await request(app, "GET", number) for number in range(first, first + count)}


class Bytecode:
    """Counts this thread's bytecode instructions, but for those of this file."""

    def __init__(self) -> None:
        self.count = 0

    def enter(self, frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        if frame.f_code.co_filename == __file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.step

    def step(self, frame: FrameType, event: str, argument: object) -> TraceFunction:
        self.count += event == "opcode"
        return self.step


async def child(folder: str, *, bytecode: bool) -> None:
    """The measured process: prints phase → bytecode instructions, if they are counted. Only these names of the service are needed, so older
    checkouts run too."""
    from moderation.app import create_app
    from moderation.settings import Settings

    settings = Settings(
        database=f"{folder}/bench.sqlite3", models=f"{folder}/models", public_url="http://comments.test",
        secret_key="instructions are counted here",
    )  # fmt: skip
    milliseconds = itertools.count(
        time.time_ns() // 1_000_000
    )  # no periodic job comes due, however long a request takes
    app = create_app(settings, clock=lambda: next(milliseconds), say=lambda text: None)  # with `say` it makes the site
    counts = {}
    async with app.router.lifespan_context(app):
        (getattr(app, "services", None) or app.state).scorer._deadline = 3600  # no batch is late under valgrind
        for phase in (post, read):
            await phase(app, 0, BEFORE)  # under valgrind, the jobs of the start may keep some out
            counter = Bytecode()
            os.getppid()
            if bytecode:
                sys.settrace(counter.enter)
            statuses = await phase(app, BEFORE, COUNTED)
            sys.settrace(None)
            os.getppid()
            counts[phase.__name__] = counter.count / COUNTED
            assert statuses <= {200, 201, 202}, statuses
    print(json.dumps(counts))


def run(checkout: Path, *, bytecode: bool) -> dict[str, float]:
    """Phase → instructions of one request."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "callgrind"
        valgrind = ["valgrind", "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={file}", "--quiet"]
        program = [sys.executable, __file__, "--child", folder, *(["--bytecode"] if bytecode else [])]
        command = program if bytecode else [*valgrind, *program]
        output = subprocess.run(command, cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE).stdout
        if bytecode:
            counts: dict[str, float] = json.loads(output.splitlines()[-1])
            return counts
        parts = {phase: Path(f"{file}.{2 * number + 2}").read_text() for number, phase in enumerate(PHASES)}
        totals = {phase: re.search(r"^(?:totals|summary): (\d+)", part, re.M) for phase, part in parts.items()}
        return {phase: int(total[1]) / COUNTED for phase, total in totals.items() if total}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("checkout", nargs="?", type=Path, help="another checkout, for the ratios")
    asked.add_argument("--bytecode", action="store_true", help="the event loop's bytecode, without valgrind")
    asked.add_argument("--child", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.child:
        asyncio.run(child(given.child, bytecode=given.bytecode))
        return
    if not given.bytecode and not shutil.which("valgrind"):
        sys.exit("valgrind is not installed, which counts the instructions; `--bytecode` counts without it")
    here = run(ROOT, bytecode=given.bytecode)
    there = run(given.checkout.resolve(), bytecode=given.bytecode) if given.checkout else {}
    unit = "bytecode instructions on the event loop" if given.bytecode else "instructions"
    for phase, count in here.items():
        beside = f"; there {there[phase]:,.0f}, ratio {count / there[phase]:.3f}" if there else ""
        print(f"a {phase}: {count:,.0f} {unit}{beside}")


if __name__ == "__main__":
    main()
