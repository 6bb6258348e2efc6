"""Import a large WordPress export beside a running server: time, memory, and what readers who post meanwhile notice.

.venv/bin/python benchmarks/importing.py --megabytes 200
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.transfer.foreign import CHANNEL, MAY, Row, wxr_post  # noqa: E402

A_POST = 200
"""Comments under each post."""
WORDS = ["garden", "rain", "the", "a", "of", "in", "and", "bread", "morning", "light", "we", "they", "saw", "made", "good", "question", "answer", "why", "because", "river", "train", "house", "cat", "window", "slow", "kind", "letter", "paper", "north", "winter", "friend", "street", "market", "song"]  # fmt: skip


def generate(file: Path, megabytes: int) -> int:
    """About 1 kB a comment, a third of them replies, one in twenty with a link. How many."""
    chance, number, post = random.Random(8), 0, 0
    with file.open("w") as out:
        out.write(CHANNEL)
        while out.tell() < megabytes * 1_000_000:
            post += 1
            rows = []
            for _ in range(A_POST):
                number += 1
                text = " ".join(chance.choices(WORDS, k=chance.randint(20, 160))) + f" {number}"
                text += '\n\n<a href="https://blog.example/">mine</a> & more' if number % 20 == 0 else ""
                parent = number - chance.randint(1, 5) if number % 3 == 0 and rows else 0
                who = chance.randrange(200_000)
                rows.append(
                    Row(
                        number,
                        parent,
                        body=text,
                        name=f"Reader {who}",
                        email=f"reader{who}@example.org",
                        at=MAY + number,
                    )
                )
            out.write(wxr_post(rows, post, link=f"https://blog.example/{post}/"))
        out.write("</channel>\n</rss>\n")
    return number


def posting(url: str, stop: threading.Event, waited: list[float], refused: list[int]) -> None:
    """One reader after another, ten a second, each measured."""
    number = 0
    while not stop.wait(0.1):
        number += 1
        body = {"name": f"N{number}", "email": f"n{number}@example.net", "body": f"A fresh word, number {number}."}
        request = urllib.request.Request(
            f"{url}/sites/default/articles/fresh/comments",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            refused.append(error.code)
        waited.append(time.perf_counter() - began)


def peak(process: subprocess.Popen[str]) -> float:
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--megabytes", type=int, default=200)
    asked.add_argument("--alone", action="store_true", help="without a server beside it")
    args = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="lar-import-") as folder:
        file = Path(folder) / "blog.xml"
        count = generate(file, args.megabytes)
        size = file.stat().st_size
        print(f"{size / 1e6:,.0f} MB of WXR, {count:,} comments")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = os.environ | {
            "PYTHONPATH": str(ROOT), "MODERATION_DATABASE": f"{folder}/data/db.sqlite3", "MODERATION_PORT": str(port),
            "MODERATION_MODELS": f"{folder}/data/models", "MODERATION_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        program, url = [sys.executable, "-m", "moderation"], f"http://127.0.0.1:{port}"
        server, stop = None, threading.Event()
        waited, refused = list[float](), list[int]()
        readers = threading.Thread(target=posting, args=(url, stop, waited, refused))
        if not args.alone:
            server = subprocess.Popen([*program, "serve"], env=environment, cwd=folder, stdout=subprocess.DEVNULL)
            while True:
                try:
                    urllib.request.urlopen(url + "/health/live", timeout=1).read()
                    break
                except OSError:
                    time.sleep(0.1)
            readers.start()
        began, most = time.perf_counter(), 0.0
        with subprocess.Popen(
            [*program, "import", str(file)], env=environment, cwd=folder, text=True, stdout=subprocess.PIPE
        ) as process:
            while process.poll() is None:
                most = max(most, peak(process))
                time.sleep(0.05)
            said = json.loads(process.stdout.read()) if process.stdout else {}
        took = time.perf_counter() - began
        stop.set()
        assert said["comments"] == {"approved": count}, said
        print(
            f"{took:,.0f} s, {size / 1e6 / took:.1f} MB/s, {count / took:,.0f} comments/s, at most {most:.0f} MB of memory"
        )
        if server:
            readers.join()
            server.terminate()
            server.wait(30)
            waited.sort()
            print(
                f"meanwhile {len(waited)} readers posted: median {statistics.median(waited) * 1000:.0f} ms, "
                f"99 % {waited[int(len(waited) * 0.99)] * 1000:.0f} ms, slowest {waited[-1] * 1000:.0f} ms; "
                f"{len(refused)} refused"
            )


if __name__ == "__main__":
    main()
