"""A real server whose model has a second reader, killed while comments are unread."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from classifier.examples import Asked, Author
from classifier.serving import Classifier
from tests.conftest import Server, wait_until
from tests.reading import reading_models

ALL = """
    SELECT c.id, c.status, c.body, c.name, s.scores, s.reasons FROM comments c
    JOIN submissions s ON s.site = c.site AND s.id = c.id AND s.revision = c.judged_revision
"""


def rows(server: Server) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(server.environment["MODERATION_DATABASE"])) as connection:
        return connection.execute(ALL).fetchall()


def check_that_both_have_read(server: Server, both: Classifier) -> None:
    """Every published comment has the scores of table and reader."""
    for _, status, body, name, scores, reasons in rows(server):
        assert ("unread" in reasons) <= (status == "pending")
        if status == "approved":
            (read,) = both.score([Asked(body, Author(name, "", "example.org"), "default")])
            assert json.loads(scores) == pytest.approx(dict(read.scores), abs=1e-4)


def test_after_kill_9_nothing_is_published_unread_and_all_that_was_acknowledged_is_released(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    models = reading_models(tmp_path / "reading")
    both = Classifier(models)
    both.load()
    given = {"models": str(models), "reader": "on", "reader_wait": "1", "trusted_proxies": "127.0.0.1"}
    server = start(**given)
    acknowledged: dict[str, int] = {}

    def attempt(number: int) -> None:
        fields = {"name": "Ann", "email": f"a{number}@example.org", "body": f"A calm remark, number {number}."}
        request = urllib.request.Request(
            f"{server.url}/sites/default/articles/a{number % 5}/comments",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json", "X-Forwarded-For": f"198.51.{number % 250}.7"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                acknowledged[json.load(answer)["id"]] = answer.status
        except (OSError, http.client.HTTPException):
            return  # it was killed: nothing was promised
        if len(acknowledged) >= 100:
            server.process.send_signal(signal.SIGKILL)

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(attempt, range(300)))
    assert server.process.wait(10) == -signal.SIGKILL
    assert 202 in acknowledged.values()
    stored = {id: status for id, status, *_ in rows(server)}
    assert set(acknowledged) <= set(stored)
    assert all(stored[id] == "approved" for id, answered in acknowledged.items() if answered == 201)
    check_that_both_have_read(server, both)
    again = start(**given)
    wait_until(lambda: all("unread" not in row[5] for row in rows(again)), "the unread comments")
    assert {status for _, status, *_ in rows(again)} == {"approved"}
    check_that_both_have_read(again, both)
    assert httpx.get(f"{again.url}/health/ready").json()["checks"]["reader"] == "ok"
    assert again.stop() == 0


def test_switched_off_the_table_judges_alone_and_everybody_says_so(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    models = reading_models(tmp_path / "reading")
    server = start(models=str(models), reader="off")
    ready = httpx.get(f"{server.url}/health/ready").json()
    assert ready["status"] == "ready" and ready["checks"]["reader"].startswith("off")
    fields = {"name": "Ann", "email": "ann@example.org", "body": "A calm remark."}
    assert httpx.post(f"{server.url}/sites/default/articles/a/comments", json=fields).status_code == 201
    alone = Classifier(models, reader=False)
    alone.load()
    ((_, _, body, name, scores, _),) = rows(server)
    (by_table,) = alone.score([Asked(body, Author(name, "", "example.org"), "default")])
    assert json.loads(scores) == pytest.approx(dict(by_table.scores), abs=1e-4)
    maps = Path(f"/proc/{server.process.pid}/maps")
    assert not maps.exists() or "onnxruntime" not in maps.read_text()
    checked = json.loads(server.run("check", "--json", check=False).stdout)
    assert [one["said"] for one in checked if one["check"] == "reader"] == [
        "off (MODERATION_READER): the table judges alone"
    ]
