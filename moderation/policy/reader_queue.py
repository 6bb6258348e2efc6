"""The queue in front of the second reader: texts in, answers by table and reader out, from a thread of its own.

The event loop and the writer never wait for it. Whoever asks says for how long the answer is of use, and goes on without it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from classifier.examples import Asked
from classifier.serving import Classifier, ModelError
from moderation.policy.answer import Answer, answers

log = logging.getLogger("moderation.policy.reader_queue")

FIRST, NEXT, SPARE = 0, 1, 2
"""The lanes: what somebody waits for, what is stored unread, and what is read when nothing else waits."""
MOST = 2_000
"""Texts that may wait in one lane."""
BATCH = 32
AT_ONCE = 0.04
"""Seconds that a batch should take: whatever comes first waits at most for one."""
GUESS = 0.005
"""Seconds for one text, before any was read: 40 tokens on one core."""
OVERDUE = 5.0
"""Seconds after which a batch without an answer counts as failed."""
WEIGHT = 0.2
"""Of the latest batch, in the moving estimate of the time for one text."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    asked: Asked
    future: asyncio.Future[Answer | None]


class ReaderQueue:
    """Used on one event loop; only `_read` runs in the thread, which starts with the first text."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.unread = 0
        """Comments that are stored unread and come before a new one; their owner counts them."""
        self._lanes: tuple[deque[_Waiting], ...] = (deque(), deque(), deque())
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._task: asyncio.Task[None] | None = None
        self._of_one = GUESS
        self._in_hand = 0
        self._since = 0.0
        self._failure = ""

    @property
    def is_on(self) -> bool:
        """Whether the serving model has a second reader that reads."""
        try:
            return self.classifier.reads_twice
        except ModelError:  # not loaded
            return False

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; empty if nothing is."""
        if self._spent > OVERDUE:
            return f"failed: no answer for {self._spent:.0f} s; comments wait unread"
        return self._failure

    @property
    def _spent(self) -> float:
        """Seconds for which the batch in hand is being read; 0 without one."""
        return time.monotonic() - self._since if self._in_hand else 0.0

    @property
    def notice(self) -> str:
        """What moderators are told of it: that it is off, or fails."""
        return self.problem if self.classifier.reader else self.said

    @property
    def said(self) -> str:
        """Its state in words: `ok`, what is wrong, or why no second reader reads."""
        if not self.classifier.reader:
            return "off (MODERATION_READER): the table judges alone"
        if not self.is_on:
            return "none: the model is a table alone"
        return self.problem or "ok"

    @property
    def waiting(self) -> int:
        """Texts that wait for it."""
        return sum(map(len, self._lanes))

    def delay(self, texts: int = 1) -> float:
        """Seconds until so many further texts would be read, as far as one can tell."""
        # a batch that takes longer than it should may take as long again
        in_hand = max(self._in_hand * self._of_one, self._spent)
        return in_hand + self._of_one * (len(self._lanes[FIRST]) + self.unread + texts)

    async def read(self, asked: Sequence[Asked], within: float, lane: int = FIRST) -> list[Answer | None]:
        """The answers of table and reader; None for a text that cannot be read, or not within so many seconds."""
        waiting = self._lanes[lane]
        late = self._spent > OVERDUE or (lane == FIRST and self.delay(len(asked)) > within)
        if not asked or not self.is_on or late or len(waiting) + len(asked) > MOST:
            return [None] * len(asked)
        loop = asyncio.get_running_loop()
        texts = [_Waiting(one, loop.create_future()) for one in asked]
        waiting += texts
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(), name="reader")
        try:
            await asyncio.wait([one.future for one in texts], timeout=within)
            return [one.future.result() if one.future.done() else None for one in texts]
        finally:
            for one in texts:
                one.future.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next():
            self._in_hand, self._since = len(batch), time.monotonic()
            try:
                found = await loop.run_in_executor(self._thread, self._read, [one.asked for one in batch])
            except RuntimeError:  # the thread is closed
                found = [None] * len(batch)
            finally:
                self._in_hand = 0
            self._of_one += WEIGHT * ((time.monotonic() - self._since) / len(batch) - self._of_one)
            for one, answer in zip(batch, found, strict=True):
                if not one.future.done():
                    one.future.set_result(answer)

    def _next(self) -> list[_Waiting]:
        """The next texts of the first lane that has any; those that nobody waits for any longer are dropped."""
        most, batch = max(1, min(BATCH, int(AT_ONCE / max(self._of_one, 1e-6)))), list[_Waiting]()
        for lane in self._lanes:
            while lane and len(batch) < most:
                if not (one := lane.popleft()).future.done():
                    batch.append(one)
            if batch:
                break
        return batch

    def _read(self, asked: list[Asked]) -> list[Answer | None]:
        """One text that cannot be read leaves its company unharmed."""
        try:
            found: list[Answer | None] = list(self._read_all(asked))
            self._failure = ""
        except Exception as error:
            self._failure = f"failed ({type(error).__name__}): comments wait unread"
            if len(asked) > 1:
                found = [answer for one in asked for answer in self._read([one])]
            else:
                log.error("unread", extra={"why": type(error).__name__})
                found = [None]
        return found

    def _read_all(self, asked: list[Asked]) -> list[Answer]:
        while True:
            version, thresholds = self.classifier.version, self.classifier.thresholds
            scored = self.classifier.score(asked)
            if self.classifier.version == version:  # else another version began to serve meanwhile
                return answers(scored, thresholds)

    def close(self) -> None:
        if self._task:
            self._task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
