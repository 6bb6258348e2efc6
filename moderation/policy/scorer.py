"""The classifier, off the event loop and with a deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from classifier.examples import Asked, Scored
from classifier.labels import Scores
from classifier.serving import Classifier, ModelError
from classifier.values import value
from moderation.core.problem import BadRequest
from moderation.policy.explainer import Explainer
from moderation.policy.kept_models import KeptModels

log = logging.getLogger("moderation.policy.scorer")

BATCH = 64
MODEL_VERSION = "X-Model-Version"
"""The header of an answer with the model that judged, and of a request with the version that is to judge."""
DEADLINE = 0.5
"""Seconds that the classifier has for a batch, where none are set; after that its comments are held as `unscored`."""


@value(frozen=True, slots=True, kw_only=True)
class Answer:
    """The scores of one text, with the thresholds of what gave them."""

    scores: Scores
    model: str
    thresholds: Mapping[str, float]
    fields: Mapping[str, str]
    """Label → `name` or `url`, where that is higher than the text."""


def answers(scored: Iterable[Scored], thresholds: Mapping[str, float]) -> list[Answer]:
    return [Answer(scores=one.scores, model=one.model, thresholds=thresholds, fields=one.fields) for one in scored]


class Scorer:
    """Scores batches; the scores are None without an answer in time."""

    def __init__(self, classifier: Classifier, deadline: float = DEADLINE) -> None:
        self.classifier = classifier
        self.explainer = Explainer(classifier)
        self.kept = KeptModels(classifier)
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
        found = self.classifier.score(asked)
        self.problem = self.classifier.problem
        return answers(found, self.thresholds())

    async def score(self, asked: list[Asked], *, patient: bool = False) -> list[Answer | None]:
        """Scores for each text. `patient`: a long list without a deadline, scored in batches so that comments do not wait for it."""
        if patient:
            parts = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)]
            return [one for part in parts for one in await self.score(part)]
        if self._late and not self._late.done():
            return [None] * len(asked)  # still busy with a slow batch: later ones do not wait
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._score, asked)
        try:
            # shielded: a late answer is dropped, but a thread cannot be stopped
            return list(await asyncio.wait_for(asyncio.shield(work), self._deadline))
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

    async def score_by(
        self, asked: list[Asked], site: str, version: str, *, patient: bool = False
    ) -> list[Answer | None]:
        """As `score`, by the version that a request names; empty: by the one that serves.
        Raises BadRequest for a version that is not kept."""
        if not version or version == self._serving(site):
            scored = await self.score(asked, patient=patient)
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
        self._thread.shutdown(wait=False, cancel_futures=True)
