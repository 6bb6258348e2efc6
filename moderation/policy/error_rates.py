"""The site's own error rates: verdicts beside what people decided. Pure, and honest about what was never looked at.

People mostly see what was held, so the decisions alone would say little of what was published or filed without them. A
small sample of that is theirs to look at a second time: the comments whose random id ends in `AUDIT_SAMPLE`, one in 32.
Only the sample's rates are the true rates of automatic decisions; the others are counts of what somebody happened on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any

from classifier.labels import LABELS
from moderation.comments.decision import teaches
from moderation.comments.model import AUDIT_SAMPLE
from moderation.comments.verdict import HOLD, PUBLISH, SPAM
from moderation.policy.store_verdicts import Outcome

CERTAIN = 1.96
"""Standard deviations of a 95 % interval."""


def is_sampled(comment: str) -> bool:
    return comment.endswith(AUDIT_SAMPLE)


def interval(hits: int, count: int) -> list[float] | None:
    """Wilson's 95 % interval of a share (Wilson, JASA 1927); None of nothing."""
    if not count:
        return None
    p, z = hits / count, CERTAIN**2
    middle = (p + z / (2 * count)) / (1 + z / count)
    half = CERTAIN * ((p * (1 - p) + z / (4 * count)) / count) ** 0.5 / (1 + z / count)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def share(hits: int, count: int) -> dict[str, Any]:
    return {"count": count, "hits": hits, "share": hits / count if count else None, "interval": interval(hits, count)}


def known(outcome: Outcome) -> dict[str, float]:
    """What the decision says of each label, as far as it says anything."""
    return teaches(outcome.action, outcome.labels)


def agreed(outcome: Outcome, label: str, truth: float) -> bool:
    return (outcome.scores.get(label, 0.0) >= 0.5) == (truth >= 0.5)


def agreement(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Per label: of the texts on which a person said something, how often the model had said the same at one half."""
    counts: dict[str, Counter[bool]] = {label: Counter() for label in LABELS}
    for outcome in outcomes:
        if outcome.scores:
            for label, truth in known(outcome).items():
                counts[label][agreed(outcome, label, truth)] += 1
    return {label: share(c[True], c.total()) for label, c in counts.items() if c}


def week_of(at: int) -> str:
    year, week, _ = datetime.fromtimestamp(at / 1000, UTC).isocalendar()
    return f"{year}-W{week:02}"


def weeks(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """The same week by week, as ISO 8601 counts them: {week, labels}."""
    by_week: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_week.setdefault(week_of(outcome.decided_at), []).append(outcome)
    return [{"week": week, "labels": agreement(some)} for week, some in sorted(by_week.items())]


def reliability(outcomes: Iterable[Outcome], label: str) -> list[dict[str, Any]]:
    """Per tenth of the probability: how many texts, their mean probability, and how many of them people called so."""
    bins: list[list[tuple[float, float]]] = [[] for _ in range(10)]
    for outcome in outcomes:
        truth = known(outcome).get(label)
        if outcome.scores and truth is not None:
            p = outcome.scores.get(label, 0.0)
            bins[min(int(p * 10), 9)].append((p, truth))
    return [
        {"from": n / 10, "count": len(some), "mean": sum(p for p, _ in some) / len(some)}
        | {"share": sum(t for _, t in some) / len(some)}
        for n, some in enumerate(bins)
        if some
    ]


def overturned(outcomes: Iterable[Outcome], judged: str, is_it: Callable[[Outcome], bool]) -> dict[str, Any]:
    some = [o for o in outcomes if o.judged_action == judged and o.action != "hold"]
    return share(sum(map(is_it, some)), len(some))


def removed(outcome: Outcome) -> bool:
    return outcome.action in ("spam", "reject", "delete")


def approved(outcome: Outcome) -> bool:
    return outcome.action == "approve"


def report(judged: Mapping[str, int], outcomes: list[Outcome], picked: Mapping[str, int]) -> dict[str, Any]:
    """The whole document, but for what waits now. `picked`: the size of the audit sample, by action."""
    sample = [o for o in outcomes if is_sampled(o.submission)]
    waits = sorted(o.decided_at - o.judged_at for o in outcomes if o.judged_action == HOLD)
    return {
        "submissions": {"total": sum(judged.values())} | {a: judged.get(a, 0) for a in (PUBLISH, HOLD, SPAM)},
        "decisions": {"total": len(outcomes)} | dict(Counter(o.action for o in outcomes)),
        "published_removed": overturned(outcomes, PUBLISH, removed),
        "held_approved": overturned(outcomes, HOLD, approved),
        "filed_approved": overturned(outcomes, SPAM, approved),
        "audit_sample": {
            "published_removed": overturned(sample, PUBLISH, removed) | {"picked": picked.get(PUBLISH, 0)},
            "filed_approved": overturned(sample, SPAM, approved) | {"picked": picked.get(SPAM, 0)},
        },
        "agreement": agreement(outcomes),
        "weeks": weeks(outcomes),
        "reliability": {label: found for label in LABELS if (found := reliability(outcomes, label))},
        "in_queue": {
            "decided": len(waits),
            "median_s": round(median(waits) / 1000) if waits else None,
            "slowest_tenth_s": round(waits[int(len(waits) * 0.9)] / 1000) if waits else None,
        },
    }
