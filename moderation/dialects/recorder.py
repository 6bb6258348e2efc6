"""Recorder: a proxy that passes Perspective's calls on unchanged and records the pairs of text and scores, for `calibration`.

It listens on loopback alone and logs neither texts nor keys. Only an `analyze` that was answered with 200 is recorded, and none
with `doNotStore`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from moderation.core.problem import FieldError, Invalid, Problem
from moderation.dialects.threshold_log import Entry, Recording, is_score
from moderation.web import bodies

log = logging.getLogger("moderation.dialects.recorder")
HOST = "127.0.0.1"
TIMEOUT = 60
"""Seconds for one answer of the upstream."""
REQUEST_MOST, ANSWER_MOST = 4 * 1024 * 1024, 1024 * 1024
"""Bytes: the largest request that is passed on, and the largest answer that is recorded."""
HOP_BY_HOP = frozenset({
    "connection", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
})  # fmt: skip
"""Headers of one connection (RFC 9110, 7.6.1) and its host: they are not passed on."""
PURGE_EVERY = 3600
"""Seconds."""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Recorder:
    """Counts what it does; `app` is the ASGI application. Its lifespan opens the connections and purges the recording."""

    def __init__(self, upstream: str, recording: Recording, clock: Callable[[], int]) -> None:
        self.upstream, self.recording, self.clock = checked_upstream(upstream), recording, clock
        self.recorded = self.not_stored = self.passed = 0
        self._client: httpx.AsyncClient | None = None
        self.app = Starlette(routes=[Route("/{path:path}", self.pass_on, methods=METHODS)], lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        # the system's proxies are not asked: the upstream that the operator has named is the only place that hears the texts
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=TIMEOUT) as client:
            self._client = client
            purging = asyncio.create_task(self._purge())
            try:
                yield
            finally:
                purging.cancel()
                with suppress(asyncio.CancelledError):
                    await purging

    async def _purge(self) -> None:
        while True:
            try:
                self.recording.purge(self.clock())
            except OSError as error:
                log.error("the recording cannot be purged", extra={"why": type(error).__name__})
            await asyncio.sleep(PURGE_EVERY)

    async def pass_on(self, request: Request) -> Response:
        """The upstream's answer, byte for byte, while it arrives."""
        if not is_loopback(request.client.host if request.client else ""):
            return failure(403, "The recorder answers this machine alone.", "LOOPBACK_ONLY")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > REQUEST_MOST:
                return failure(413, f"The recorder passes on at most {REQUEST_MOST} bytes.", "REQUEST_TOO_LARGE")
        path = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        headers = [(name, value) for name, value in request.headers.items() if name not in HOP_BY_HOP]
        call = httpx.Request(
            request.method, self.upstream + path + ("?" + query if query else ""), headers=headers, content=body or None
        )
        assert self._client
        try:
            answer = await self._client.send(call, stream=True)
        except httpx.HTTPError as error:
            log.warning("no answer of the upstream", extra={"why": type(error).__name__})
            return failure(502, "The recorder has no answer of its upstream.", "UPSTREAM_UNREACHABLE")
        self.passed += 1
        is_analyze = request.method == "POST" and unquote(path).endswith("/comments:analyze")
        watched = body if is_analyze and answer.status_code == 200 else None
        passing = StreamingResponse(self._stream(answer, watched), answer.status_code)
        passing.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.decode().lower() not in HOP_BY_HOP
        ]
        return passing

    async def _stream(self, answer: httpx.Response, request_body: bytes | None) -> AsyncIterator[bytes]:
        """The answer's bytes as they come; once all are there, their scores are recorded."""
        parts, size = list[bytes](), 0
        try:
            async for part in answer.aiter_raw():
                yield part
                size += len(part)
                if request_body is not None and size <= ANSWER_MOST:
                    parts.append(part)
        finally:
            await answer.aclose()
        if request_body is not None and size <= ANSWER_MOST:
            self.record(request_body, b"".join(parts), answer.headers.get("content-encoding", ""))

    def record(self, request_body: bytes, answer: bytes, encoding: str) -> None:
        """Records the pairs of one call, unless its sender wants nothing stored."""
        asked = document_of(request_body)
        if asked is None or wants_nothing_stored(asked):
            self.not_stored += 1
            return
        entry = entry_from(asked, document_of(inflated(answer, encoding)))
        if entry is None:
            return
        try:
            self.recording.add(entry, self.clock())
        except OSError as error:
            log.error("nothing was recorded", extra={"why": type(error).__name__})
        else:
            self.recorded += 1


def checked_upstream(url: str) -> str:
    """An upstream's address without a slash at its end. Raises Invalid."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.query or parts.fragment:
        raise Invalid(
            FieldError("UPSTREAM", "invalid", "must be a web address like https://commentanalyzer.googleapis.com")
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def document_of(raw: bytes) -> dict[str, Any] | None:
    """A JSON object; None for anything else, and where a name stands twice: which one the upstream obeys is not known."""
    try:
        return bodies.json_object(raw)
    except Problem:
        return None


def wants_nothing_stored(asked: Mapping[str, Any]) -> bool:
    """Whether the call has `doNotStore`, in either spelling, with any value but `false`."""
    return any(asked.get(name) not in (None, False) for name in ("doNotStore", "do_not_store"))


def inflated(raw: bytes, encoding: str) -> bytes:
    """The body of an answer; empty for an encoding that is not known, and for one that grows past all bounds."""
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return b""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        document = inflate.decompress(raw, 4 * ANSWER_MOST)
    except zlib.error:
        return b""
    return document if inflate.eof else b""


def entry_from(asked: Mapping[str, Any], answered: Mapping[str, Any] | None) -> Entry | None:
    """The text of a call with the summary scores of its answer; None where either is missing."""
    comment, scored = asked.get("comment"), (answered or {}).get("attributeScores")
    text = comment.get("text") if isinstance(comment, dict) else None
    if not isinstance(text, str) or not text.strip() or not isinstance(scored, dict):
        return None
    scores = {name: summary_of(score) for name, score in scored.items()}
    kept = {name: score for name, score in scores.items() if is_score((name, score))}
    return Entry(text=text, scores=kept) if kept else None


def summary_of(score: Any) -> Any:
    """The probability of an attribute; None for another type of score."""
    summary = score.get("summaryScore") if isinstance(score, dict) else None
    if not isinstance(summary, dict) or summary.get("type", "PROBABILITY") != "PROBABILITY":
        return None
    return summary.get("value")


def failure(status: int, message: str, reason: str) -> Response:
    """The recorder's own failure, in the form in which Google's clients read errors."""
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "leave-a-reply"}
    error = {"code": status, "message": message, "status": "UNAVAILABLE", "details": [detail]}
    return Response(json.dumps({"error": error}), status, media_type="application/json")
