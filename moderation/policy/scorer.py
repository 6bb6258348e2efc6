"""The classifier, off the event loop and against the clock."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from classifier.examples import Asked, Scored
from classifier.serving import Classifier, ModelError
from moderation.policy.explainer import Explainer

log = logging.getLogger("moderation.policy.scorer")

BATCH = 64
DEADLINE = 0.5
"""Seconds that the classifier has for a batch; after that it is held `unscored`."""


class Scorer:
    """No answer is an answer: None."""

    def __init__(self, classifier: Classifier, deadline: float = DEADLINE) -> None:
        self.classifier = classifier
        self.explainer = Explainer(classifier)
        self.problem: str | None = "the model is not loaded yet"
        self._deadline = deadline
        self._late: asyncio.Future[list[Scored]] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scorer")

    async def start(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    def _load(self) -> None:
        try:
            self.classifier.load()
            self.problem = self.classifier.problem
            if self.classifier.slow:
                log.warning("scoring is slow", extra={"why": self.classifier.slow})
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            log.error("no model: every comment is held", extra={"why": self.problem})

    def _score(self, asked: list[Asked]) -> list[Scored]:
        self.classifier.load()  # nothing to do, unless it failed before: it may have been mended, else this says what is wrong
        self.classifier.refresh()
        found = self.classifier.score(asked)
        self.problem = self.classifier.problem
        return found

    async def score(self, asked: list[Asked], *, patient: bool = False) -> list[Scored | None]:
        """`patient`: a long list that somebody waits for; it goes in batches, so that no comment waits behind it."""
        if patient:
            parts = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)]
            return [one for part in parts for one in await self.score(part)]
        if self._late and not self._late.done():
            return [None] * len(asked)  # still busy with what was too slow: nobody waits behind that
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._score, asked)
        try:
            # shielded: a late answer is thrown away, but a thread cannot be stopped
            return list(await asyncio.wait_for(asyncio.shield(work), self._deadline))
        except TimeoutError:
            self._late = work
            self.problem = f"the model took longer than {self._deadline} s"
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
        except ModelError as error:
            self.problem = str(error)  # which file, and why: nothing of a text
        except Exception as error:
            self.problem = f"the model failed ({type(error).__name__})"
        log.error("unscored", extra={"why": self.problem, "count": len(asked)})
        return [None] * len(asked)

    def thresholds(self) -> dict[str, float]:
        try:
            return dict(self.classifier.thresholds)
        except Exception:  # not loaded: there are no scores either
            return {}

    def close(self) -> None:
        self.explainer.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
