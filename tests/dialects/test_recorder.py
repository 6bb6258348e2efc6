"""The recorder: real servers on loopback; calls pass unchanged, pairs are kept, and none that its sender wants nowhere."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.core.encryption import Cipher
from moderation.core.problem import Invalid
from moderation.core.signing import Signer
from moderation.dialects import recorder, threshold_log
from moderation.dialects.threshold_log import Recording
from tests.conftest import ROOT, wait_until

SECRET = "a secret key that only the tests know"
ANALYZE = "/v1alpha1/comments:analyze"
SCORES = {
    "attributeScores": {
        "TOXICITY": {"summaryScore": {"value": 0.83, "type": "PROBABILITY"}, "spanScores": []},
        "INSULT": {"summaryScore": {"value": 0.4}},
        "RAW": {"summaryScore": {"value": 7, "type": "RAW"}},
    },
    "languages": ["en"],
}


@dataclass
class Upstream:
    """A stand-in for Perspective that keeps what it was sent, and answers as it is told."""

    url: str = ""
    status: int = 200
    body: bytes = json.dumps(SCORES).encode()
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json; charset=UTF-8"})
    chunks: list[bytes] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    calls: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    known = Upstream()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            known.calls.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(known.status)
            for name, value in known.headers.items():
                self.send_header(name, value)
            if known.chunks:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for n, chunk in enumerate(known.chunks):
                    if n:
                        known.gate.wait(20)
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.send_header("Content-Length", str(len(known.body)))
                self.end_headers()
                self.wfile.write(known.body)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield known
    known.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Running:
    process: subprocess.Popen[str]
    client: httpx.Client
    url: str
    file: Path
    folder: Path

    def analyze(self, text: str = "You are a quagswag.", **more: Any) -> httpx.Response:
        body = {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}} | more
        return self.client.post(f"{ANALYZE}?key=the-key", json=body)

    def recorded(self) -> list[tuple[str, dict[str, float]]]:
        if not self.file.exists():
            return []
        cipher = threshold_log.cipher_of(Signer(SECRET.encode()))
        return [(entry.text, dict(entry.scores)) for _, entry in threshold_log.read(self.file, cipher)]

    def stop(self) -> str:
        """What it said on standard error."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
        return (self.folder / "log").read_text()


@contextmanager
def recording(folder: Path, upstream: str, *options: str) -> Iterator[Running]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    environment |= {"PYTHONPATH": str(ROOT), "MODERATION_SECRET_KEY": SECRET, "MODERATION_LOG_LEVEL": "DEBUG"}
    file, printed = folder / "recording", folder / "printed"
    command = [sys.executable, "-m", "moderation", "record-perspective", upstream, "--to", str(file), "--port", "0"]
    with open(printed, "w") as out, open(folder / "log", "w") as log:
        process = subprocess.Popen([*command, *options], cwd=folder, env=environment, stdout=out, stderr=log, text=True)
    try:
        wait_until(lambda: "\n" in printed.read_text() or process.poll() is not None, "the recorder")
        assert process.poll() is None, (folder / "log").read_text()
        url = printed.read_text().strip()
        wait_until(lambda: listens(url), "the recorder")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
            yield Running(process, client, url, file, folder)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(30)


def listens(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def running(tmp_path: Path, upstream: Upstream) -> Iterator[Running]:
    with recording(tmp_path, upstream.url) as known:
        yield known


def test_a_call_passes_unchanged_and_its_pair_is_kept(running: Running, upstream: Upstream) -> None:
    upstream.headers |= {"X-Upstream": "yes", "Set-Cookie": "a=b"}
    body = b'{"comment": {"text": "You are a quagswag."},  "requestedAttributes": {"TOXICITY": {}}}'
    headers = {
        "Content-Type": "application/json;charset=utf-8",
        "X-Goog-Api-Client": "gl-python/3.11",
        "User-Agent": "mine",
    }
    answer = running.client.post("/v1alpha1/comments%3Aanalyze?key=the-key&alt=json", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (200, upstream.body)
    assert answer.headers["x-upstream"] == "yes" and answer.headers["set-cookie"] == "a=b"
    ((method, path, sent, arrived),) = upstream.calls
    assert (method, path, arrived) == ("POST", "/v1alpha1/comments%3Aanalyze?key=the-key&alt=json", body)
    assert sent["content-type"] == "application/json;charset=utf-8" and sent["user-agent"] == "mine"
    assert sent["x-goog-api-client"] == "gl-python/3.11" and sent["host"] == upstream.url.removeprefix("http://")
    said = running.stop()
    assert running.recorded() == [("You are a quagswag.", {"TOXICITY": 0.83, "INSULT": 0.4})]
    assert "Recorded: 1." in said
    written = running.file.read_bytes()
    for secret in ("quagswag", "the-key", "TOXICITY"):
        assert secret not in said and secret.encode() not in written
    assert running.file.stat().st_mode & 0o777 == 0o600


def test_what_is_not_to_be_stored_is_not(running: Running, upstream: Upstream) -> None:
    for value in (True, "true", 1, "false", []):
        assert running.analyze(doNotStore=value).status_code == 200
    assert running.analyze(do_not_store=True).status_code == 200
    twice = b'{"doNotStore": true, "comment": {"text": "quagswag"}, "doNotStore": false}'
    assert running.client.post(ANALYZE, content=twice).status_code == 200
    assert len(upstream.calls) == 7
    running.analyze("stored", doNotStore=False)
    running.analyze("stored too")
    assert "With doNotStore, or unreadable: 7." in running.stop()
    assert [text for text, _ in running.recorded()] == ["stored", "stored too"]


def test_only_an_analyze_that_was_answered_is_kept(running: Running, upstream: Upstream) -> None:
    call = {"comment": {"text": "quagswag"}, "attributeScores": SCORES["attributeScores"]}
    assert running.client.post("/v1alpha1/comments:suggestscore", json=call).status_code == 200
    assert running.client.get("/$discovery/rest?version=v1alpha1").content == upstream.body
    upstream.status, upstream.body = 400, b'{"error": {"code": 400}}'
    answer = running.analyze()
    assert (answer.status_code, answer.content) == (400, upstream.body)
    upstream.status = 302
    upstream.headers["Location"] = "https://elsewhere.example/"
    answer = running.analyze()
    assert (answer.status_code, answer.headers["location"]) == (302, "https://elsewhere.example/")
    upstream.status = 200
    for body in (b"no JSON", b"[]", b'{"attributeScores": []}', b'{"attributeScores": {"TOXICITY": {"summaryScore": 1}}}', b""):  # fmt: skip
        upstream.body = body
        assert running.analyze().content == body
    assert running.client.post(ANALYZE, content=b"").status_code == 200
    assert "Recorded: 0." in running.stop() and running.recorded() == []


def test_an_answer_streams_while_it_arrives(running: Running, upstream: Upstream) -> None:
    raw = json.dumps(SCORES).encode()
    upstream.chunks = [raw[:20], raw[20:]]
    with running.client.stream("POST", ANALYZE, json={"comment": {"text": "quagswag"}}) as answer:
        parts = answer.iter_raw()
        assert next(parts) == raw[:20]  # the rest is not there yet
        upstream.gate.set()
        assert b"".join(parts) == raw[20:]
    wait_until(lambda: len(running.recorded()) == 1, "the pair")


def test_a_compressed_answer_passes_as_it_is_and_is_read(running: Running, upstream: Upstream) -> None:
    upstream.headers["Content-Encoding"] = "gzip"
    upstream.body = gzip.compress(json.dumps(SCORES).encode())
    with running.client.stream("POST", ANALYZE, json={"comment": {"text": "quagswag"}}) as answer:
        assert answer.headers["content-encoding"] == "gzip" and b"".join(answer.iter_raw()) == upstream.body
    wait_until(lambda: len(running.recorded()) == 1, "the pair")


def test_a_missing_upstream_is_an_error_in_googles_form(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with recording(tmp_path, nobody) as running:
            answer = running.analyze()
            assert answer.status_code == 502
            assert answer.json()["error"]["details"][0]["reason"] == "UPSTREAM_UNREACHABLE"
            assert "quagswag" not in running.stop()


def test_it_listens_on_loopback_alone(running: Running) -> None:
    assert running.url.startswith("http://127.0.0.1:")
    port = int(running.url.rpartition(":")[2])
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    assert [place for place in listening if place.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]


@pytest.mark.anyio
@pytest.mark.parametrize(("client", "status"), [("203.0.113.9", 403), ("", 403), ("127.0.0.1", 502), ("::1", 502)])
async def test_it_answers_this_machine_alone(client: str, status: int, tmp_path: Path) -> None:
    proxy = recorder.Recorder("http://127.0.0.1:9", Recording(tmp_path / "rec", Cipher(b"k" * 32), 30), lambda: 0)
    async with proxy.app.router.lifespan_context(proxy.app):
        transport = httpx.ASGITransport(proxy.app, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://recorder") as caller:
            assert (await caller.post(ANALYZE, json={})).status_code == status


def test_old_pairs_end_at_the_next_start(tmp_path: Path, upstream: Upstream) -> None:
    old = Recording(tmp_path / "recording", threshold_log.cipher_of(Signer(SECRET.encode())), 30)
    old.add(threshold_log.Entry(text="long ago", scores={"TOXICITY": 0.5}), 1_000_000_000_000)
    with recording(tmp_path, upstream.url, "--days", "3") as running:
        running.analyze("today")
        wait_until(lambda: [text for text, _ in running.recorded()] == ["today"], "the purge")


@pytest.mark.parametrize("url", ["", "perspective", "ftp://a.example", "https://", "https://u:p@a.example", "https://a.example/?x", "https://a.example:99999", "https://[a"])  # fmt: skip
def test_an_upstream_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        recorder.checked_upstream(url)


def test_a_path_of_the_upstream_stays() -> None:
    assert recorder.checked_upstream("https://a.example/perspective/") == "https://a.example/perspective"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MODERATION_SECRET_KEY": SECRET}
    return subprocess.run(
        [sys.executable, "-m", "moderation", "record-perspective", *command],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_a_file_that_is_no_recording_and_a_port_that_is_taken_are_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("the operator's own\n")
    done = run(tmp_path, "http://127.0.0.1:9", "--to", str(own))
    assert done.returncode == 1 and "no recording" in done.stderr and own.read_text() == "the operator's own\n"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(tmp_path, "http://127.0.0.1:9", "--to", str(tmp_path / "r"), "--port", str(taken.getsockname()[1]))
        assert done.returncode == 1 and "in use" in done.stderr and "Traceback" not in done.stderr


# --- hostile input -----------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
calls = (
    st.binary(max_size=80)
    | anything.map(lambda one: json.dumps(one).encode())
    | st.fixed_dictionaries(
        {"comment": st.fixed_dictionaries({"text": st.text(max_size=20)})}, optional={"doNotStore": anything}
    ).map(lambda one: json.dumps(one).encode())
)
answers = st.binary(max_size=80) | st.fixed_dictionaries(
    {"attributeScores": anything | st.dictionaries(st.text(max_size=5), st.fixed_dictionaries({"summaryScore": anything | st.fixed_dictionaries({"value": anything})}), max_size=3)}
).map(lambda one: json.dumps(one).encode())  # fmt: skip


@given(calls, answers, st.sampled_from(["", "gzip", "br"]))
def test_whatever_passes_is_recorded_well_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, call: bytes, answer: bytes, encoding: str
) -> None:
    cipher = Cipher(b"k" * 32)
    proxy = recorder.Recorder(
        "http://127.0.0.1:9", Recording(tmp_path_factory.mktemp("rec") / "rec", cipher, 30), lambda: 1
    )
    proxy.record(call, gzip.compress(answer) if encoding == "gzip" else answer, encoding)
    if proxy.recorded:
        ((_, entry),) = threshold_log.read(proxy.recording.file, cipher)
        asked = json.loads(call)
        assert asked.get("doNotStore") in (None, False) and entry.scores
    else:
        assert not proxy.recording.file.exists()


def test_an_answer_that_grows_past_all_bounds_is_not_read() -> None:
    bomb = gzip.compress(b" " * (recorder.ANSWER_MOST * 8))
    assert len(bomb) < recorder.ANSWER_MOST and recorder.inflated(bomb, "gzip") == b""
    assert recorder.inflated(zlib.compress(b"{}"), "deflate") == b"{}"
    assert recorder.inflated(gzip.compress(b"{}")[:-4], "gzip") == b"" and recorder.inflated(b"{}", "br") == b""
