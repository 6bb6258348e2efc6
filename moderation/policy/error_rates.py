"""A site's error rates: verdicts compared with moderators' decisions.

A wave of near-duplicates counts once. Moderators see mostly held comments, so decisions alone say little about comments that were
published or filed automatically. The audit sample corrects this: comments whose random id ends in `AUDIT_SAMPLE`, one in 32, are put up for review. Only the
sample's rates are unbiased; the others count errors found by chance.
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
    """Wilson's 95 % interval of a share (Wilson, JASA 1927); None for a total of 0."""
    if not count:
        return None
    p, z = hits / count, CERTAIN**2
    middle = (p + z / (2 * count)) / (1 + z / count)
    half = CERTAIN * ((p * (1 - p) + z / (4 * count)) / count) ** 0.5 / (1 + z / count)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def share(hits: int, count: int) -> dict[str, Any]:
    return {"count": count, "hits": hits, "share": hits / count if count else None, "interval": interval(hits, count)}


def known(outcome: Outcome) -> dict[str, float]:
    """Label → 0 or 1, as far as the decision states it."""
    return teaches(outcome.action, outcome.labels)


def agreed(outcome: Outcome, label: str, truth: float) -> bool:
    return (outcome.scores.get(label, 0.0) >= 0.5) == (truth >= 0.5)


def agreement(outcomes: Iterable[Outcome]) -> dict[str, dict[str, Any]]:
    """Label → decided texts, and those where the model agrees at a threshold of one half."""
    counts: dict[str, Counter[bool]] = {label: Counter() for label in LABELS}
    for outcome in outcomes:
        if outcome.scores and not outcome.is_repeat:
            for label, truth in known(outcome).items():
                counts[label][agreed(outcome, label, truth)] += 1
    return {label: share(c[True], c.total()) for label, c in counts.items() if c}


def week_of(at: int) -> str:
    year, week, _ = datetime.fromtimestamp(at / 1000, UTC).isocalendar()
    return f"{year}-W{week:02}"


def weeks(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """`agreement` by ISO 8601 week: {week, labels}."""
    by_week: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_week.setdefault(week_of(outcome.decided_at), []).append(outcome)
    return [{"week": week, "labels": agreement(some)} for week, some in sorted(by_week.items())]


def reliability(outcomes: Iterable[Outcome], label: str) -> list[dict[str, Any]]:
    """By tenth of the probability: the number of texts, their mean probability, and the share with the label by decision."""
    bins: list[list[tuple[float, float]]] = [[] for _ in range(10)]
    for outcome in outcomes:
        truth = known(outcome).get(label)
        if outcome.scores and truth is not None and not outcome.is_repeat:
            p = outcome.scores.get(label, 0.0)
            bins[min(int(p * 10), 9)].append((p, truth))
    return [
        {"from": n / 10, "count": len(some), "mean": sum(p for p, _ in some) / len(some)}
        | {"share": sum(t for _, t in some) / len(some)}
        for n, some in enumerate(bins)
        if some
    ]


def overturned(outcomes: Iterable[Outcome], judged: str, is_it: Callable[[Outcome], bool]) -> dict[str, Any]:
    some = [o for o in outcomes if o.judged_action == judged and o.action != "hold" and not o.is_repeat]
    return share(sum(map(is_it, some)), len(some))


def removed(outcome: Outcome) -> bool:
    return outcome.action in ("spam", "reject", "delete")


def approved(outcome: Outcome) -> bool:
    return outcome.action == "approve"


def report(judged: Mapping[str, int], outcomes: list[Outcome], picked: Mapping[str, int]) -> dict[str, Any]:
    """The statistics document, without the pending counts. `picked`: the size of the audit sample, by action."""
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
