"""An error budget → the thresholds that the site's own decisions support, or the advice to hold.

Each verdict has the scores from before its decision, so the model had not learnt from these decisions. Only verdicts of the
current base count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from classifier import thresholds
from classifier.labels import LABELS
from moderation.policy.error_rates import known
from moderation.policy.store_verdicts import Outcome
from moderation.sites.site_settings import SiteSettings

FILED, PUBLISHED = "1/1000", "1/100"
"""The default budget: the share of good comments among those filed automatically, and of bad ones among those published."""


def base_of(model: str) -> str:
    """The base version that a model is, or corrects."""
    return model.partition("+")[0]


def seen(count: int, wrong: int) -> dict[str, Any]:
    return {"count": count, "wrong": wrong, "bound": thresholds.upper_bound(wrong, count) if count else None}


def promised(
    outcomes: Iterable[Outcome],
    model: str,
    house: SiteSettings,
    shipped: Mapping[str, float],
    filed: float,
    published: float,
) -> dict[str, Any]:
    """For what is filed and what is published: the threshold that keeps the promise, and how today's does on the same."""
    told = [
        (o.scores, what, o.waits)
        for o in outcomes
        if o.scores and not o.is_repeat and base_of(o.model) == model and (what := known(o))
    ]
    found = thresholds.policy([scores for scores, *_ in told], [what for _, what, _ in told], filed, published)
    # What another rule holds is published at no threshold.
    free = [(scores, what) for scores, what, waits in told if not waits]
    open_to = thresholds.policy([scores for scores, _ in free], [what for _, what in free], filed, published)
    found["publish"] = open_to["publish"]
    held_from = {label: house.hold_at.get(label, shipped.get(label, 0.5)) for label in LABELS}
    filing, publishing = [0, 0], [0, 0]
    for scores, what, waits in told:
        bad = any(value >= 0.5 for value in what.values())
        if scores.get("spam", 0.0) >= house.spam_at:
            filing[0] += 1
            filing[1] += not bad
        elif not waits and all(scores.get(label, 0.0) < at for label, at in held_from.items()):
            publishing[0] += 1
            publishing[1] += bad
    # Rounded to the careful side: what is filed is surer, and what is published surer, than the decisions asked for.
    spam_at, hold_at = found["reject"]["spam"]["at"], found["publish"]["at"]
    for one, share, count in ((found["reject"]["spam"], filed, len(told)), (found["publish"], published, len(free))):
        if (
            one["at"] is None and one["lacking"] is not None
        ):  # the fewest decisions that can support the budget at any threshold
            one["lacking"] = max(one["lacking"], thresholds.fewest(share) - count)
    spam_at = None if spam_at is None else min(1.0, math.ceil(spam_at * 1e4) / 1e4)
    hold_at = None if hold_at is None else math.floor(hold_at * 1e4) / 1e4
    return {
        "decisions": len(told),
        "filed": found["reject"]["spam"] | {"at": spam_at, "today": seen(*filing)},
        "published": found["publish"] | {"at": hold_at, "today": seen(*publishing)},
    }
