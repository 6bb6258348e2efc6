"""Parts of answers that several operations share."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class ScoreReason(TypedDict):
    """A rule that fired, or a piece of the text that raised or lowered a label's score."""

    rule: NotRequired[str]
    label: NotRequired[str]
    feature: NotRequired[str]
    weight: float
    note: NotRequired[str]
    spans: list[list[int]]
