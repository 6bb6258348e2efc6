"""Answer: what the model says of one text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from classifier.examples import Scored
from classifier.labels import Scores
from classifier.values import value


@value(frozen=True, slots=True, kw_only=True)
class Answer:
    """The scores of one text, with the thresholds of what gave them."""

    scores: Scores
    model: str
    thresholds: Mapping[str, float]
    fields: Mapping[str, str]
    """Label → `name` or `url`, where that is higher than the text."""
    is_read: bool = True
    """By all that the model has to read with; False: by its table alone, and its second reader has not read the text."""


def answers(scored: Iterable[Scored], thresholds: Mapping[str, float], *, is_read: bool = True) -> list[Answer]:
    return [
        Answer(scores=one.scores, model=one.model, thresholds=thresholds, fields=one.fields, is_read=is_read)
        for one in scored
    ]
