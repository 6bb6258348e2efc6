"""The queue in front of the second reader: bounded, in lanes, and never waited for longer than it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from classifier.examples import Asked
from moderation.policy import reader_queue
from moderation.policy.answer import Answer
from moderation.policy.reader_queue import FIRST, NEXT, SPARE, ReaderQueue
from tests.reading import TwoReaders, classifier, until

__all__ = ["classifier"]
pytestmark = pytest.mark.anyio


@pytest.fixture
async def queue(classifier: TwoReaders) -> AsyncIterator[ReaderQueue]:
    classifier.load()
    found = ReaderQueue(classifier)
    yield found
    classifier.free.set()
    found.close()


def texts(*words: str) -> list[Asked]:
    return [Asked(word) for word in words]


def read(answers: Sequence[Answer | None]) -> list[bool]:
    return [answer is not None for answer in answers]


async def test_an_answer_has_the_scores_of_both_and_their_thresholds(
    queue: ReaderQueue, classifier: TwoReaders
) -> None:
    (answer,) = await queue.read(texts("a garden"), 30)
    assert answer and answer.is_read and answer.scores["spam"] == 0
    assert answer.thresholds == classifier.thresholds


async def test_nobody_waits_longer_than_asked(queue: ReaderQueue, classifier: TwoReaders) -> None:
    classifier.free.clear()
    assert read(await queue.read(texts("a", "b"), 0.02)) == [False, False]
    assert queue.delay() > 0.02  # the batch in hand is overdue


async def test_a_queue_that_takes_longer_than_asked_is_not_joined(queue: ReaderQueue, classifier: TwoReaders) -> None:
    queue.unread = 10_000
    assert queue.delay() > 0.25
    assert read(await queue.read(texts("a"), 0.25)) == [False] and classifier.has_read == []
    queue.unread = 0
    assert queue.delay() < 0.25


async def test_a_lane_is_bounded(queue: ReaderQueue, classifier: TwoReaders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_queue, "MOST", 3)
    classifier.free.clear()
    waiting = [asyncio.create_task(queue.read(texts("in hand"), 30, SPARE))]
    await until(lambda: queue._in_hand == 1, "the first batch")
    waiting.append(asyncio.create_task(queue.read(texts("a", "b", "c"), 30, SPARE)))
    await until(lambda: queue.waiting == 3, "a full lane")
    assert read(await queue.read(texts("d"), 30, SPARE)) == [False]
    classifier.free.set()
    for one in waiting:
        assert all(await one)


async def test_who_waits_comes_before_what_is_unread_and_that_before_the_rest(
    queue: ReaderQueue, classifier: TwoReaders
) -> None:
    classifier.free.clear()
    first = asyncio.create_task(queue.read(texts("in hand"), 30))
    await until(lambda: queue.waiting == 0 and queue._in_hand == 1, "the first batch")
    tasks = [first]
    for text, lane in (("spare", SPARE), ("unread", NEXT), ("new", FIRST)):
        tasks.append(asyncio.create_task(queue.read(texts(text), 30, lane)))
    await until(lambda: queue.waiting == 3, "the lanes")
    classifier.free.set()
    await asyncio.gather(*tasks)
    assert classifier.has_read == ["in hand", "new", "unread", "spare"]


async def test_what_nobody_waits_for_any_longer_is_not_read(queue: ReaderQueue, classifier: TwoReaders) -> None:
    classifier.free.clear()
    first = asyncio.create_task(queue.read(texts("in hand"), 30))
    await until(lambda: queue._in_hand == 1, "the first batch")
    late = asyncio.create_task(queue.read(texts("given up"), 30))
    await until(lambda: queue.waiting == 1, "the second one")
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    classifier.free.set()
    await first
    await queue.read(texts("another"), 30)
    assert classifier.has_read == ["in hand", "another"]


async def test_one_text_that_cannot_be_read_harms_no_other(queue: ReaderQueue, classifier: TwoReaders) -> None:
    assert read(await queue.read(texts("a", "poison", "c"), 30)) == [True, False, True]
    assert read(await queue.read(texts("d"), 30)) == [True]
    assert queue.problem == "" and queue.said == "ok"


async def test_a_failure_is_named_without_words(queue: ReaderQueue, classifier: TwoReaders) -> None:
    classifier.broken = True
    assert read(await queue.read(texts("a"), 30)) == [False]
    assert "RuntimeError" in queue.said and "nobody may read" not in queue.said


async def test_one_that_never_answers_is_named(
    queue: ReaderQueue, classifier: TwoReaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_queue, "OVERDUE", 0.0)
    classifier.free.clear()
    assert read(await queue.read(texts("a"), 0.02)) == [False]
    assert queue.said.startswith("failed: no answer")
    classifier.free.set()
    await until(lambda: queue.said == "ok", "the reader")


async def test_the_time_for_one_text_is_learnt(queue: ReaderQueue) -> None:
    before = queue.delay()
    for _ in range(30):
        await queue.read(texts("a"), 30)
    assert queue.delay() != before
