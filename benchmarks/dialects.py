"""What comments:analyze costs, beside the least that a JSON endpoint costs.

    .venv/bin/python -m benchmarks.dialects [--requests 3000]

A server of each on loopback, one kept connection to each, asked in turns, so that a busy machine slows both alike. The comment has
forty words, and no spans are asked for. `bare`: Starlette and orjson, which parse the same body and answer with as many bytes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (
    "I tried this last weekend with my daughter and it worked on the second attempt; the part about cutting back the old stems "
    "was new to me, so thank you, and do you know whether it also holds for roses?"
)
BARE = """
import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def answer(request):
    sent = orjson.loads(await request.body())
    score = {"value": len(sent["comment"]["text"]) / 1000, "type": "PROBABILITY"}
    spans = [{"begin": 0, "end": len(sent["comment"]["text"]), "score": score}]
    found = {"attributeScores": {name: {"spanScores": spans, "summaryScore": score} for name in sent["requestedAttributes"]}}
    return Response(orjson.dumps(found | {"languages": ["en"], "detectedLanguages": ["en"]}), media_type="application/json")

app = Starlette(routes=[Route("/v1alpha1/comments:analyze", answer, methods=["POST"])])
"""
ATTRIBUTES = ("TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    command: list[str], port: int, environment: dict[str, str], folder: str
) -> Iterator[http.client.HTTPConnection]:
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection
    finally:
        process.kill()
        process.wait()


def ask(connection: http.client.HTTPConnection, path: str, body: bytes) -> float:
    """Milliseconds of one request."""
    began = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"answered {answer.status}")
    return (time.perf_counter() - began) * 1000


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--requests", type=int, default=3000)
    count = asked.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bare.py").write_text(BARE)
        port, beside = free_port(), free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "MODERATION_DATABASE": f"{folder}/moderation.sqlite3",
            "MODERATION_MODELS": f"{folder}/models",
            "MODERATION_PORT": str(port),
        }
        uvicorn = [
            sys.executable,
            "-m",
            "uvicorn",
            "bare:app",
            "--port",
            str(beside),
            "--no-access-log",
            "--log-level",
            "error",
        ]
        service = [sys.executable, "-m", "moderation"]
        with (
            served([*service, "serve"], port, environment, folder) as analyze,
            served(uvicorn, beside, environment, folder) as bare,
        ):
            token = subprocess.run(
                [*service, "add-token", "--scopes", "score"],
                env=environment,
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.strip()
            path = f"/v1alpha1/comments:analyze?key={token}"
            print("| asked | analyze, ms | p99 | bare, ms | p99 | times |\n|---|---|---|---|---|---|")
            for name, body in {
                "TOXICITY": {"requestedAttributes": {"TOXICITY": {}}},
                "six attributes, language named": {
                    "requestedAttributes": {name: {} for name in ATTRIBUTES},
                    "languages": ["en"],
                },
                "TOXICITY, ten sentences as spans": {
                    "comment": {"text": " ".join([TEXT] * 10)},
                    "requestedAttributes": {"TOXICITY": {}},
                    "spanAnnotations": True,
                },
            }.items():
                sent = json.dumps({"comment": {"text": TEXT}} | body).encode()
                rounds = [
                    (ask(analyze, path, sent), ask(bare, "/v1alpha1/comments:analyze", sent)) for _ in range(count)
                ]
                ours, theirs = (sorted(one) for one in zip(*rounds[count // 10 :], strict=True))
                middle = statistics.median(ours), statistics.median(theirs)
                p99 = ours[len(ours) * 99 // 100], theirs[len(theirs) * 99 // 100]
                print(
                    f"| {name} | {middle[0]:.3f} | {p99[0]:.3f} | {middle[1]:.3f} | {p99[1]:.3f} | {middle[0] / middle[1]:.2f} |"
                )


if __name__ == "__main__":
    main()
