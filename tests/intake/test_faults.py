"""No model, a broken one, a slow one, a full queue, a killed process: held or refused, never lost and never published."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import threading
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from classifier.examples import Asked, Scored
from classifier.serving import Classifier
from moderation.app import create_app
from moderation.core.problem import Unavailable
from moderation.intake import intake
from moderation.settings import Settings
from tests.conftest import SCORING_MS, Clock, Server, Service
from tests.reading import until

pytestmark = pytest.mark.anyio


class Missing(Classifier):
    def load(self) -> None:
        raise RuntimeError("there is no model")

    def refresh(self) -> bool:
        return False

    def score(self, asked: Sequence[Asked], read: bool = True) -> list[Scored]:
        raise RuntimeError("there is no model")


class Slow(Missing):
    release = threading.Event()

    def load(self) -> None: ...

    def score(self, asked: Sequence[Asked], read: bool = True) -> list[Scored]:
        self.release.wait(30)
        return []


@pytest.mark.parametrize("broken", [Missing, Slow])
async def test_without_scores_a_comment_is_held_unscored(
    tmp_path: Path, broken: type[Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database=str(tmp_path / "db"), models=str(tmp_path), public_url="http://comments.test",
                        secret_key="a secret key that only the tests know", scoring_ms=50)  # fmt: skip
    app = create_app(settings, classifier=broken(None), clock=Clock(), say=lambda text: None)
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comments.test") as client:
            service = Service(app, client, Clock(), settings)
            told = await service.post()
            assert told.status_code == 202
            who = await service.token()
            shown = (await client.get(f"/api/v1/comments/{told.json()['id']}", headers=who)).json()
            assert shown["status"] == "pending"
            assert shown["verdict"]["scores"] is None
            assert shown["verdict"]["reasons"][0]["rule"] == "unscored"
            ready = (await client.get("/health/ready")).json()
            assert ready["status"] == "degraded"
            assert (await service.thread())["count"] == 0
        Slow.release.set()
    Slow.release = threading.Event()


def folder_of(models: Path, how: str) -> None:
    if how == "a file":
        models.write_text("no folder")
        return
    models.mkdir()
    if how == "a link to nowhere":
        (models / "current").symlink_to(models / "gone")
    else:
        (models / "current").write_text(
            {"no version": "../../etc", "a version that is not there": "20990101-00000000"}[how]
        )


@pytest.mark.parametrize("how", ["a file", "no version", "a version that is not there", "a link to nowhere"])
async def test_a_broken_model_folder_holds_every_comment_and_is_named(tmp_path: Path, how: str) -> None:
    folder_of(tmp_path / "models", how)
    settings = Settings(database=str(tmp_path / "db"), models=str(tmp_path / "models"), public_url="http://comments.test",
                        secret_key="a secret key that only the tests know", scoring_ms=SCORING_MS)  # fmt: skip
    app = create_app(settings, clock=Clock(), say=lambda text: None)
    at = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=at, base_url="http://comments.test") as client,
    ):
        service = Service(app, client, Clock(), settings)
        assert (await service.post()).status_code == 202
        ready = (await client.get("/health/ready")).json()
        assert ready["status"] == "degraded"
        assert re.search("current|20990101", ready["checks"]["model"]), ready
        mended = tmp_path / "models"
        (mended if how == "a file" else mended / "current").unlink()
        assert (await service.post()).status_code == 201
        assert (await client.get("/health/ready")).json()["status"] == "ready"


async def test_too_much_at_once_is_refused_before_anything_is_stored(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "WAITING", 0)
    answer = await service.post()
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert "nothing was stored" in answer.json()["detail"]
    assert 'moderation_refused_total{code="unavailable"} 1.0' in (await service.client.get("/metrics")).text
    monkeypatch.undo()
    assert (await service.thread())["count"] == 0
    assert (await service.post()).status_code == 201


async def test_what_fails_after_the_commit_does_not_unsay_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise Unavailable("The disk is full; nothing was stored.")

    monkeypatch.setattr(service.services.intake.window, "watch", fails)
    assert (await service.post()).status_code == 201
    assert (await service.thread())["count"] == 1


async def test_a_stop_that_takes_too_long_leaves_no_loop_running(service: Service) -> None:
    """The service waits for its loops before it closes the database."""
    intake = service.services.intake
    async with service.services.database.transaction():
        posting = asyncio.create_task(service.post())
        await until(lambda: intake.counts.batches > 0, "the batch")
        stopping = asyncio.create_task(intake.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        assert intake.unread._task and intake.unread._task.done()
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)


async def test_one_batch_sees_its_own_duplicates_and_limits(service: Service) -> None:
    same = {"name": "Ann", "email": "ann@example.org", "body": "All at once."}
    url = "/sites/default/articles/post/comments"
    answers = await asyncio.gather(*(service.client.post(url, json=same) for _ in range(8)))
    assert sorted(a.status_code for a in answers) == [201] + [409] * 7
    many = [same | {"body": f"Thought number {n}, quite calm."} for n in range(20)]
    answers = await asyncio.gather(*(service.client.post(url, json=one) for one in many))
    assert sum(a.status_code == 201 for a in answers) == 9
    assert (await service.thread())["count"] == 10


async def test_many_at_once_share_commits_and_each_gets_its_own_answer(service: Service) -> None:
    before = service.services.intake.counts.batches
    url = "/sites/default/articles/post/comments"
    people = [
        {"name": f"P{n}", "email": f"p{n}@example.org", "body": f"I am number {n} in this row."} for n in range(60)
    ]
    for n in range(0, 60, 30):
        service.clock.forward(minutes=2)
        answers = await asyncio.gather(*(service.client.post(url, json=one) for one in people[n : n + 30]))
        for one, answer in zip(people[n : n + 30], answers, strict=True):
            assert answer.json()["text"] == one["body"]
    assert service.services.intake.counts.batches - before < 60


async def test_a_person_is_erased_beside_a_warm_server(service: Service) -> None:
    kept = (await service.post(body="I stay.")).json()["id"]
    await service.post(email="gone@example.org", body="I want to be forgotten.", parent=kept)
    assert (await service.thread())["count"] == 2
    from moderation.db import connect
    from moderation.privacy import data_requests as privacy

    other = connect(service.settings.database)  # another process, as far as the cache can tell
    await other.open()
    person = privacy.data_subject_of(service.services.signer, "Gone@EXAMPLE.org")
    assert (await privacy.erase(other, person, "operator", 1)).comments == 1
    thread = await service.thread()
    assert [c["text"] for c in thread["comments"]] == ["I stay."] and thread["count"] == 1
    told = await privacy.export(other, person, 30)
    assert told["comments"] == [] and told["judged"] == []
    await other.close()


def test_every_acknowledged_comment_survives_kill_9(start: Callable[..., Server]) -> None:
    server = start()
    acknowledged: list[str] = []

    def send(number: int) -> None:
        fields = {"name": "Ann", "email": f"a{number}@example.org", "body": f"A calm remark, number {number}."}
        request = urllib.request.Request(
            f"{server.url}/sites/default/articles/a{number % 5}/comments",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json", "X-Forwarded-For": f"198.51.100.{number % 250}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            acknowledged.append(json.load(answer)["id"])
        if number == 150:
            server.process.send_signal(signal.SIGKILL)

    def attempt(number: int) -> None:
        try:
            send(number)
        except (OSError, http.client.HTTPException):
            return  # it was killed: nothing was promised

    with ThreadPoolExecutor(16) as crowd:
        list(crowd.map(attempt, range(400)))
    assert server.process.wait(10) == -signal.SIGKILL
    assert 100 < len(acknowledged) < 400
    import sqlite3

    connection = sqlite3.connect(server.environment["MODERATION_DATABASE"])
    stored = {row[0] for row in connection.execute("SELECT id FROM comments")}
    judged = {row[0] for row in connection.execute("SELECT id FROM submissions")}
    connection.close()
    assert set(acknowledged) <= stored == judged
    again = start()
    assert again.stop() == 0


def test_a_stopped_server_finishes_what_is_in_flight(start: Callable[..., Server]) -> None:
    server = start()
    with ThreadPoolExecutor(8) as crowd:

        def send(number: int) -> int | None:
            fields = {"name": "Ann", "email": f"a{number}@example.org", "body": f"A calm remark, number {number}."}
            request = urllib.request.Request(
                f"{server.url}/sites/default/articles/post/comments",
                json.dumps(fields).encode(),
                {"Content-Type": "application/json", "X-Forwarded-For": "198.51.100.1"},
            )
            if number == 40:
                server.process.send_signal(signal.SIGTERM)
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return int(error.code)
            except (OSError, http.client.HTTPException):
                return None  # not accepted any more

        statuses = list(crowd.map(send, range(80)))
    assert server.process.wait(30) == 0
    assert set(statuses) <= {201, 202, 503, None}
    import sqlite3

    connection = sqlite3.connect(server.environment["MODERATION_DATABASE"])
    ((stored,),) = connection.execute("SELECT count(*) FROM comments").fetchall()
    connection.close()
    assert stored >= sum(s in (201, 202) for s in statuses) > 0
