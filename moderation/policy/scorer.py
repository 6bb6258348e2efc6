"""The classifier, off the event loop and with a deadline."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from classifier.examples import Asked
from classifier.serving import Classifier, ModelError
from moderation.core.problem import BadRequest
from moderation.policy.answer import Answer, answers
from moderation.policy.explainer import Explainer
from moderation.policy.kept_models import KeptModels
from moderation.policy.reader_queue import FIRST, SPARE, ReaderQueue

log = logging.getLogger("moderation.policy.scorer")

BATCH = 64
MODEL_VERSION = "X-Model-Version"
"""The header of an answer with the model that judged, and of a request with the version that is to judge."""
DEADLINE = 0.5
"""Seconds that the classifier has for a batch, where none are set; after that its comments are held as `unscored`."""
QUICK, PATIENCE = 0.15, 30.0
"""Seconds that a program's text waits for the second reader (Coral gives up after 0.8), and that a list of texts waits."""


class Scorer:
    """Scores batches: `score` by the table, `read` by table and second reader. An answer is None without one in time."""

    def __init__(self, classifier: Classifier, deadline: float = DEADLINE) -> None:
        self.classifier = classifier
        self.explainer = Explainer(classifier)
        self.kept = KeptModels(classifier)
        self.reader = ReaderQueue(classifier)
        self.problem: str | None = "the model is not loaded yet"
        self._deadline = deadline
        self._late: asyncio.Future[list[Answer]] | None = None
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

    def _score(self, asked: list[Asked]) -> list[Answer]:
        self.classifier.load()  # no effect unless an earlier load failed: then it may succeed now, or name the error again
        self.classifier.refresh()
        found = self.classifier.score(asked, read=False)
        self.problem = self.classifier.problem
        return answers(found, self.classifier.table_thresholds, is_read=not self.reader.is_on)

    async def score(self, asked: list[Asked], *, patient: bool = False) -> list[Answer | None]:
        """The table's answer for each text. `patient`: a long list without a deadline, scored in batches so that comments do not
        wait for it."""
        if patient:
            parts = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)]
            return [one for part in parts for one in await self.score(part)]
        if self._late and not self._late.done():
            return [None] * len(asked)  # still busy with a slow batch: later ones do not wait
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._score, asked)
        try:
            # shielded: a late answer is dropped, but a thread cannot be stopped. (`wait_for` would swallow a cancellation that
            # comes together with the answer, until Python 3.12.)
            async with asyncio.timeout(self._deadline):
                return list(await asyncio.shield(work))
        except TimeoutError:
            self._late = work
            self.problem = f"the model took longer than {self._deadline} s"
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
        except ModelError as error:
            self.problem = str(error)  # names the file and the error, no text
        except Exception as error:
            self.problem = f"the model failed ({type(error).__name__})"
        log.error("unscored", extra={"why": self.problem, "count": len(asked)})
        return [None] * len(asked)

    async def read(self, asked: list[Asked], within: float | None = None, lane: int = FIRST) -> list[Answer | None]:
        """The answers of table and second reader; the table's alone for a text that is not read within so many seconds. Without
        a second reader, those of the table. By default a single text has QUICK, and several have PATIENCE, behind every comment."""
        if within is None:
            within, lane = (QUICK, FIRST) if len(asked) == 1 else (PATIENCE, SPARE)
        by_table = await self.score(asked, patient=len(asked) > 1)
        if not self.reader.is_on:
            return by_table
        by_both = await self.reader.read(asked, within, lane)
        return [both or table for both, table in zip(by_both, by_table, strict=True)]

    async def score_by(self, asked: list[Asked], site: str, version: str) -> list[Answer | None]:
        """As `read`, by the version that a request names; empty: by the one that serves. Raises BadRequest for a version that
        is not kept."""
        if not version or version == self._serving(site):
            scored = await self.read(asked)
            if not version or all(one is None or one.model == version for one in scored):
                return scored
        try:
            return list(answers(*await self.kept.score(asked, site, version)))
        except ModelError:
            raise BadRequest(
                f"{MODEL_VERSION} names no version that is kept; see /api/v1/models.", code="model"
            ) from None

    def _serving(self, site: str) -> str:
        try:
            return self.classifier.model(site)
        except ModelError:  # not loaded
            return ""

    async def served(self) -> str:
        """All that serves now, in one name (`Classifier.served`); empty without a model, or while a batch takes long."""
        if self._late and not self._late.done():
            return ""
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._refreshed)
        try:
            return await asyncio.wait_for(asyncio.shield(work), self._deadline)
        except Exception:  # `problem` names it with the next comment
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            return ""

    def _refreshed(self) -> str:
        self.classifier.refresh()  # no comment need have come since the pointer moved
        return self.classifier.served

    def thresholds(self) -> dict[str, float]:
        """Of all that the model has to read with."""
        try:
            return dict(self.classifier.thresholds)
        except Exception:  # not loaded: no scores
            return {}

    def shorteners(self) -> frozenset[str]:
        """Hosts of link shorteners, by the model that serves."""
        try:
            return self.classifier.shorteners
        except ModelError:  # not loaded: every comment is held anyway
            return frozenset()

    def close(self) -> None:
        self.explainer.close()
        self.reader.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
