"""A real server with a second reader, killed under load again and again on one database: nothing acknowledged is lost, nothing
is stored twice, nothing is published unread, every event is delivered."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import signal
import sqlite3
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from classifier.examples import Asked, Author
from classifier.serving import Classifier
from tests.budget import long
from tests.conftest import Server, wait_until
from tests.outbox.receiver import Receiver, receiving
from tests.reading import reading_models

ROUNDS = int(os.environ.get("ROUNDS", "10"))
"""Kills on each database; `make long` asks for 100."""
ALL = """
    SELECT c.id, c.status, c.body, c.name, s.scores, s.reasons, c.is_decided FROM comments c
    JOIN submissions s ON s.site = c.site AND s.id = c.id AND s.revision = c.judged_revision
"""


def ask(where: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement on either database, past our own code; a change is committed."""

    async def of_postgres() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(where)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    if where.startswith("postgresql"):
        return asyncio.run(of_postgres())
    with closing(sqlite3.connect(where)) as connection:
        found = connection.execute(sql).fetchall()
        connection.commit()
        return found


def rows(server: Server) -> list[tuple[Any, ...]]:
    return ask(server.environment["MODERATION_DATABASE"], ALL)


def check_that_both_have_read(server: Server, both: Classifier) -> None:
    """Every published comment has the scores of table and reader, unless a person has decided it."""
    for _, status, body, name, scores, reasons, is_decided in rows(server):
        if is_decided:
            continue
        assert ("unread" in reasons) <= (status == "pending")
        if status == "approved":
            (read,) = both.score([Asked(body, Author(name, "", "example.org"), "default")])
            assert json.loads(scores) == pytest.approx(dict(read.scores), abs=1e-4)


@dataclass
class Crowd:
    """Readers who post until they get an answer, over any number of restarts, and a moderator who decides on some comments."""

    where: str
    token: str
    rng: random.Random
    accepted: dict[int, tuple[str, int]] = field(default_factory=dict)
    """A comment's number → its id and the first answer's status."""
    decided: dict[str, str] = field(default_factory=dict)
    """Id → the acknowledged action."""
    tried: set[str] = field(default_factory=set)
    """Ids whose decision was sent, acknowledged or not."""
    open: list[int] = field(default_factory=list)
    """Numbers without an answer."""
    next: int = 0

    def until_killed(self, server: Server) -> None:
        """One round: comments without an answer first, then new ones, until the process is killed."""
        enough = len(self.accepted) + self.rng.randrange(20, 80)
        new = range(self.next, self.next + 200 - len(self.open))
        numbers, self.next = [*self.open, *new], new.stop

        def attempt(number: int) -> None:
            if server.process.poll() is None and self.post(server, number) and number % 5 == 0:
                self.decide(server, number)
            if len(self.accepted) >= enough:
                server.process.send_signal(signal.SIGKILL)

        with ThreadPoolExecutor(16) as crowd:
            list(crowd.map(attempt, numbers))
        assert server.process.wait(10) == -signal.SIGKILL
        self.open = [number for number in numbers if number not in self.accepted]

    def post(self, server: Server, number: int) -> bool:
        fields = {"name": "Ann", "email": f"a{number}@example.org", "body": f"A calm remark, number {number}."}
        headers = {
            "X-Forwarded-For": f"198.18.{number // 250 % 250}.{number % 250}",
            "Idempotency-Key": f"comment-{number}",
        }
        status, told = self._send(server, f"/sites/default/articles/a{number % 5}/comments", fields, headers)
        if status is None or status == 503:
            return False  # nothing was promised
        assert status in (201, 202), told
        self.accepted[number] = (told["id"], status)
        return True

    def decide(self, server: Server, number: int) -> None:
        id, action = self.accepted[number][0], ("reject", "approve")[number % 2]
        self.tried.add(id)
        given = {"comments": [id], "action": action}
        status, told = self._send(server, "/api/v1/decisions", given, {"Authorization": f"Bearer {self.token}"})
        if status is not None and status != 503:
            assert status == 200, told
            self.decided[id] = action

    def _send(self, server: Server, path: str, given: Any, headers: dict[str, str]) -> tuple[int | None, Any]:
        request = urllib.request.Request(
            server.url + path, json.dumps(given).encode(), {"Content-Type": "application/json"} | headers
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, http.client.HTTPException):
            return None, None

    def check(self) -> None:
        """What holds at any moment, whatever was killed."""
        stored = {row[0]: row for row in ask(self.where, ALL)}
        for id, answered in self.accepted.values():
            assert id in stored, f"{id} was acknowledged with {answered} and is gone"
            status, scores = stored[id][1], stored[id][4]
            assert scores is not None, f"{id} has no verdict"
            if id in self.decided:
                assert status == {"approve": "approved", "reject": "rejected"}[self.decided[id]]
            elif id not in self.tried:
                assert status == "approved" if answered == 201 else status in ("approved", "pending"), (id, status)
        assert ask(self.where, "SELECT body, count(*) FROM comments GROUP BY body HAVING count(*) > 1") == []
        for name, counted, counts in (
            (
                "by status",
                "SELECT site, status, count(*) FROM comments GROUP BY site, status",
                "SELECT site, status, count FROM comment_counts WHERE count <> 0",
            ),
            (
                "published on an article",
                "SELECT site, article, count(*) FROM comments WHERE status = 'approved' GROUP BY site, article",
                "SELECT site, article, approved_count FROM articles WHERE approved_count <> 0",
            ),
            (
                "judged",
                "SELECT site, id, judged_revision FROM comments",
                "SELECT site, id, max(revision) FROM submissions GROUP BY site, id",
            ),
            (
                "decided",
                "SELECT site, submission, after_status FROM decisions",
                "SELECT site, id, status FROM comments WHERE is_decided <> 0",
            ),
            (
                "entries of the audit log",
                "SELECT site, submission FROM decisions",
                "SELECT site, subject FROM audit WHERE action IN ('comment:approve', 'comment:reject')",
            ),
        ):
            assert sorted(ask(self.where, counted)) == sorted(ask(self.where, counts)), name
        decided = {row[0] for row in ask(self.where, "SELECT submission FROM decisions")}
        assert set(self.decided) <= decided <= self.tried


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@long
@pytest.mark.repeated
def test_after_kill_9_nothing_acknowledged_is_lost_nothing_is_there_twice_and_every_event_is_delivered(
    start: Callable[..., Server], address: str, tmp_path: Path, receiver: Receiver
) -> None:
    models = reading_models(tmp_path / "reading")
    given = {
        "database": address,
        "models": str(models),
        "reader": "on",
        "trusted_proxies": "127.0.0.1",
        "webhooks_to_private": "true",
        "secret_key": "a secret key that only the tests know",
        "public_url": "http://comments.test",
    }
    first = start(**given)
    first.run("add-webhook", receiver.url, "--events", "comment.created,comment.decided")
    crowd = Crowd(address, first.run("add-token", "--scopes", "moderate").stdout.strip(), random.Random(20))
    for number in range(ROUNDS):
        # at 1 ms nearly all are answered unread, at 100 ms many are read in time
        server = first if not number else start(**given, reader_wait=("1", "100", "20")[number % 3])
        crowd.until_killed(server)
        crowd.check()
        # as if twenty seconds had passed: a dead worker's lease has ended, and the next one delivers
        ask(address, "DELETE FROM leases WHERE name = 'outbox'")
    assert 202 in {status for _, status in crowd.accepted.values()}
    last = start(**given)
    for number in crowd.open:
        crowd.post(last, number)
    wait_until(lambda: all("unread" not in row[5] or row[6] for row in rows(last)), "the unread comments")
    assert httpx.get(f"{last.url}/health/ready").json()["checks"]["reader"] == "ok"
    crowd.check()
    # the model holds a few for their number
    assert all(row[1] == "approved" or '"label"' in row[5] for row in rows(last) if not row[6])
    both = Classifier(models)
    both.load()
    check_that_both_have_read(last, both)
    wait_until(lambda: ask(address, "SELECT count(*) FROM outbox") == [(0,)], "the outbox", 120 + 20 * ROUNDS)
    assert last.stop() == 0
    check_events(receiver, {row[0] for row in rows(last)}, ask(address, "SELECT submission FROM decisions"))


def check_events(receiver: Receiver, stored: set[str], decided: list[tuple[Any, ...]]) -> None:
    """Each was delivered, every time under the same id and with the same words."""
    contents, ids = defaultdict[str, set[bytes]](set), defaultdict[tuple[str, str], set[str]](set)
    for one in receiver.got:
        contents[one.id].add(one.body)
        ids[one.event["type"], one.event["data"]["id"]].add(one.id)
    assert all(len(bodies) == 1 for bodies in contents.values())
    assert all(len(found) == 1 for found in ids.values()), "one event under two ids"
    created = {id for kind, id in ids if kind == "comment.created"}
    # of a comment that a person decides before it is read, the decision is told
    assert stored - created <= {row[0] for row in decided} and created <= stored
    assert {id for kind, id in ids if kind == "comment.decided"} == {row[0] for row in decided}


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
    ((_, _, body, name, scores, _, _),) = rows(server)
    (by_table,) = alone.score([Asked(body, Author(name, "", "example.org"), "default")])
    assert json.loads(scores) == pytest.approx(dict(by_table.scores), abs=1e-4)
    maps = Path(f"/proc/{server.process.pid}/maps")
    assert not maps.exists() or "onnxruntime" not in maps.read_text()
    checked = json.loads(server.run("check", "--json", check=False).stdout)
    assert [one["said"] for one in checked if one["check"] == "reader"] == [
        "off (MODERATION_READER): the table judges alone"
    ]
