"""Reasons are worked out while no connection is held, once for each text, and kept without a word of it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from classifier.examples import Asked, Attribution, Author
from classifier.serving import Classifier
from moderation.duplicates import duplicates
from moderation.policy import explainer
from moderation.policy.explainer import Explainer, ScoredText
from tests.conftest import Service
from tests.html import Page
from tests.queue.test_decide import set_password, sign_in

pytestmark = pytest.mark.anyio
AT_ONCE = 10
"""More than there are connections to read with, on either database."""


def long(n: int) -> str:
    return f"Nobody here has an umbrella, you stupid idiot, and cheap pills are at https://pills.example/{n} " * 40


class Gate:
    """Work in a thread that begins, and goes on when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.begun.set()
        assert self.may_go_on.wait(120)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 60)


@pytest.fixture
def gate() -> Iterator[Gate]:
    found = Gate()
    yield found
    found.may_go_on.set()


@pytest.fixture
def explained(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Text → how often the classifier was asked why."""
    asked_for: Counter[str] = Counter()
    real = classifier.explain

    def explain(asked: Asked, model: str | None = None) -> list[Attribution]:
        asked_for[asked.text] += 1
        return real(asked, model)

    monkeypatch.setattr(classifier, "explain", explain)
    return asked_for


async def queue_of(service: Service, who: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    answer = await service.client.get("/api/v1/comments", params={"limit": 200} | query, headers=who)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["comments"]
    return found


async def free_to_read(service: Service) -> None:
    """A stranger reads what is in no cache; and nobody keeps one of the two connections that read on SQLite."""
    database = service.services.database
    async with asyncio.timeout(60):
        answer = await service.client.get("/sites/default/articles/never-read-before/comments")
        async with database.reading() as one, database.reading() as other:
            assert await one.fetch("SELECT 1") and await other.fetch("SELECT 1")
    assert answer.status_code == 200


async def test_readers_are_free_while_pages_are_explained(
    service: Service, classifier: Classifier, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    who = await service.token()
    for n in range(3):
        await service.held(body=long(n))

    def slow(asked: Asked, model: str | None = None) -> list[Attribution]:
        gate.wait()
        return []

    monkeypatch.setattr(classifier, "explain", slow)
    asking = [asyncio.create_task(queue_of(service, who)) for _ in range(AT_ONCE)]
    await gate.reached()
    await free_to_read(service)
    assert not any(task.done() for task in asking)
    gate.may_go_on.set()
    assert [len(page) for page in await asyncio.gather(*asking)] == [3] * AT_ONCE


async def test_readers_are_free_while_a_row_is_compared_with_all_that_wait(
    service: Service, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    await set_password(service)
    await sign_in(service)
    who = {"headers": await service.token()}
    id = await service.held()

    def slow(*_: Any) -> list[Any]:
        gate.wait()
        return []

    monkeypatch.setattr(duplicates, "compared", slow)
    asking = [asyncio.create_task(service.client.get("/moderate")) for _ in range(AT_ONCE)]
    asking += [asyncio.create_task(service.client.get(f"/api/v1/comments/{id}/similar", **who)) for _ in range(AT_ONCE)]
    await gate.reached()
    await free_to_read(service)
    gate.may_go_on.set()
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}


async def test_each_text_is_explained_once_over_two_requests(service: Service, explained: Counter[str]) -> None:
    who = await service.token()
    ids = [await service.held(body=long(n)) for n in range(3)]
    first, second = await queue_of(service, who), await queue_of(service, who)
    assert first == second and [c["id"] for c in first] == ids
    for comment in first:
        told = [r for r in comment["verdict"]["reasons"] if r.get("feature") and r["spans"]]
        assert told
        for reason in told:
            assert {comment["body"][a:b].lower() for a, b in reason["spans"]} == {reason["feature"]}
    one = (await service.client.get(f"/api/v1/comments/{ids[0]}", headers=who)).json()
    assert one["verdict"] == first[0]["verdict"]
    assert len(explained) == 3 and set(explained.values()) == {1}


async def test_requests_at_the_same_time_share_the_work(service: Service, explained: Counter[str]) -> None:
    who = await service.token()
    for n in range(3):
        await service.held(body=long(n))
    pages = await asyncio.gather(*(queue_of(service, who) for _ in range(4)))
    assert all(page == pages[0] for page in pages)
    assert len(explained) == 3 and set(explained.values()) == {1}


async def test_a_page_explains_no_more_than_it_shows(service: Service, explained: Counter[str]) -> None:
    """Where waves are folded, a page is filled from several; what stands inside a row is not explained."""
    await set_password(service)
    await sign_in(service)
    for n in range(30):
        await service.held(body=f"Buy the very best cheap pills of the whole wide world at https://pills.example/{n}")
    words = ("garden", "harvest", "winter", "kitchen", "railway", "orchard")
    for n in range(6):
        await service.held(body=f"{words[n]} " * 12 + f"https://{words[n]}.example/")
    shown = len(Page((await service.client.get("/moderate")).text).all('[name="comments"]'))
    assert 0 < shown < 20
    assert sum(explained.values()) <= shown


async def test_an_edit_is_explained_anew_and_the_model_that_is_gone_is_asked_again(
    service: Service, explained: Counter[str], classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, id = await service.token(), await service.held(body=long(1))
    await queue_of(service, who)
    redacted = await service.client.post(f"/api/v1/comments/{id}/redact", json={"text": "umbrella"}, headers=who)
    assert redacted.status_code == 200
    (comment,) = await queue_of(service, who)
    assert "umbrella" not in str(comment) and len(explained) == 2
    again = service.services.scorer.explainer = Explainer(classifier)

    def gone(asked: Asked, model: str | None = None) -> list[Attribution]:
        raise FileNotFoundError

    with monkeypatch.context() as broken:
        broken.setattr(classifier, "explain", gone)
        (comment,) = await queue_of(service, who)
        assert not [r for r in comment["verdict"]["reasons"] if "feature" in r]
    (comment,) = await queue_of(service, who)
    assert [r for r in comment["verdict"]["reasons"] if "feature" in r]
    again.close()


@pytest.mark.parametrize("format", ["markdown", "html"])
async def test_no_word_of_a_text_is_kept(service: Service, classifier: Classifier, format: str) -> None:
    body = long(7) + ("<b>R&amp;B</b> via<b>gra</b> İstanbul" if format == "html" else "İstanbul ｂｒｅａｄ")
    scored = ScoredText(
        body, format, Author("Zebedee", "https://zq.example/", "mail.example"), "default", classifier.version
    )
    one = Explainer(classifier)
    first = await one.attributions(scored)
    assert first and await one.attributions(scored) == first
    assert await one.attributions(scored, keep=False) == first
    kept = repr(list(one._kept.items())).lower()
    assert len(one._kept) == 1
    for word in re.findall(r"\w{4,}", body + "Zebedee zq.example mail.example"):
        assert word.lower() not in kept, word
    one.close()


async def test_what_is_kept_is_bounded_and_the_longest_unused_goes(
    classifier: Classifier, explained: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explainer, "KEPT", 2)
    one = Explainer(classifier)
    for n in (1, 2, 1, 3, 1, 2):
        await one.attributions(
            ScoredText(f"You idiot, number {n}", "markdown", Author(), "default", classifier.version)
        )
    assert [explained[f"You idiot, number {n}"] for n in (1, 2, 3)] == [1, 2, 1]
    await one.attributions(ScoredText("You idiot", "markdown", Author(), "default", classifier.version), keep=False)
    assert len(one._kept) == 2
    one.close()
