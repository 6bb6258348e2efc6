"""What a site has published, asked about before a correction goes live: how many of these comments would it hold?

Few of them are decided, so the comparison on later decisions says little about them, and an editor who finds accepted comments held
again loses trust in the model. The answer is counts alone; the comments are kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from classifier.base import Base, Correction
from classifier.examples import Asked
from classifier.serving import scored

NEWLY_HELD = 0.02
"""Share of the published comments that a candidate may newly hold."""
FEWEST = 50
"""Comments that a share is a share of, at least: one of ten is no share, and five of ten are too many for any site. So of fewer
comments as many may be held as of so many."""
BATCH = 256


@dataclass(frozen=True, slots=True)
class Published:
    """A site's published comments, and what its settings make of their scores.

    hold_at: label → the site's threshold in place of the base's; spam_at: spam score from which it files; days: how far back the
    comments go, where that is known; newly_held: share of them that a candidate may newly hold."""

    comments: Sequence[Asked]
    hold_at: Mapping[str, float] = field(default_factory=dict)
    spam_at: float = 1.0
    days: int | None = None
    newly_held: float = NEWLY_HELD


@dataclass(frozen=True, slots=True)
class Answer:
    """more: comments that the candidate holds and the serving model does not; fewer: the other way round."""

    published: Published
    more: int
    fewer: int

    @property
    def is_refusal(self) -> bool:
        """Whether the candidate would newly hold more than the operator allows."""
        return self.more > self.published.newly_held * max(len(self.published.comments), FEWEST)

    @property
    def figures(self) -> dict[str, Any]:
        return {
            "published comments": len(self.published.comments),
            "newly held": self.more,
            "no longer held": self.fewer,
            "newly held, at most": self.published.newly_held,
        }

    def __str__(self) -> str:
        count, days = len(self.published.comments), self.published.days
        of_time = f" of the last {days} days" if days is not None else ""
        if not count:
            return f"there are no published comments{of_time} to ask about"
        said = f"of {count:,} published comment{'s' if count > 1 else ''}{of_time} it would hold {self.more:,} more"
        said += f" ({self.more / count:.1%}), and {self.fewer:,} fewer".replace("%", " %")
        if self.is_refusal:
            few, share = int(self.published.newly_held * FEWEST), 100 * self.published.newly_held
            said += f"; at most {f'{share:g} %' if count >= FEWEST else f'{few} of so few'} may be newly held"
        return said


def ask(base: Base, published: Published, serving: Correction | None, candidate: Correction) -> Answer:
    """How the candidate differs from the serving correction, or from the bare base."""
    hold_from = {**base.read_thresholds, **published.hold_at}
    hold_from["spam"] = min(hold_from["spam"], published.spam_at)
    more = fewer = 0
    for low in range(0, len(published.comments), BATCH):
        some = published.comments[low : low + BATCH]
        # In one call, since the second reader reads a text once in each.
        scores = scored(base, [*some, *some], [serving] * len(some) + [candidate] * len(some))
        held = [any(p >= hold_from[label] for label, p in one.scores.items()) for one in scores]
        for now, then in zip(held[: len(some)], held[len(some) :], strict=True):
            more += then and not now
            fewer += now and not then
    return Answer(published, more, fewer)
