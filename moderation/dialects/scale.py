"""Scale: another service's score of a text from our probability, along a rising line of a few points.

It is fitted by `calibration` from a site's own record, and stored for one key. Serving needs the points and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifier.labels import Scores
from moderation.db.database import Session
from moderation.team import store_scales

CARRIED_OVER = {"X-Score-Scale": "carried-over"}
"""The header of an answer whose scores speak the old scale."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Two lists of equal length, each in 0..1 and rising, from (0, 0) to (1, 1); `ours` has no value twice."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]]) -> Scale:
        """The line through these points and its ends, (0, 0) and (1, 1). Raises ValueError for points that do not rise."""
        ours, theirs = [0.0], [0.0]
        for x, y in points:
            if not (0 <= x <= 1 and 0 <= y <= 1 and x >= ours[-1] and y >= theirs[-1]):
                raise ValueError("the points of a scale rise from 0 to 1")
            if x == ours[-1] or x == 1:
                continue  # the ends are given
            ours.append(x)
            theirs.append(y)
        return cls((*ours, 1.0), (*theirs, 1.0))

    def old(self, p: float) -> float:
        """The other service's score for our probability."""
        return between(self.ours, self.theirs, p)

    def new(self, score: float) -> float:
        """Our least probability that the other service's score belongs to: *your .80 is our .63*."""
        return between(self.theirs, self.ours, score)


def between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """The height of the line through (xs, ys) at `x`; at a step, its foot. What is no number, and what is outside, is an end."""
    if not x > xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[bisect_left(xs, xs[-1])]
    above = bisect_left(xs, x)
    if xs[above] == x:
        return ys[above]
    x0, x1, y0, y1 = xs[above - 1], xs[above], ys[above - 1], ys[above]
    return min(y1, y0 + (y1 - y0) * (x - x0) / (x1 - x0))  # rounding never passes the next point


def carried_over(scores: Scores, scales: Mapping[str, Scale], labels: Mapping[str, str]) -> Scores:
    """Scores by label on the old scale, for each label whose attribute has one. `labels`: attribute → label."""
    return scores | {labels[name]: scale.old(scores[labels[name]]) for name, scale in scales.items() if name in labels}


async def scales_of(session: Session, token_id: str) -> dict[str, Scale]:
    """Attribute → scale, for a key's public id; empty for a key that speaks our own scale."""
    return {name: Scale.of(points) for name, points in (await store_scales.points_of(session, token_id)).items()}


def token_id_of(principal_name: str) -> str:
    """The public id of the key of a principal (`Principal.name`); empty for one that is no key."""
    return principal_name.removeprefix("token:") if principal_name.startswith("token:") else ""
