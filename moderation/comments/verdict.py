"""Verdict and Reason: what was judged, by which model, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from classifier.labels import Scores

PUBLISH, HOLD, SPAM, REJECT = "publish", "hold", "spam", "reject"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that counted: a rule that fired, or a label whose score did. Spans are code-point offsets into the body."""

    rule: str
    label: str = ""
    weight: float = 1.0
    note: str = ""
    spans: tuple[tuple[int, int], ...] = ()

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"rule": self.rule, "weight": round(self.weight, 4)}
        found["spans"] = [list(s) for s in self.spans]
        if self.label:
            found["label"] = self.label
        if self.note:
            found["note"] = self.note
        return found

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Reason:
        spans = tuple((int(a), int(b)) for a, b in stored.get("spans", []))
        return cls(
            stored.get("rule", ""), stored.get("label", ""), stored.get("weight", 1.0), stored.get("note", ""), spans
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`scores` is None where no model answered; `facts` is what the rules looked at, for a later replay."""

    action: str
    reasons: tuple[Reason, ...] = ()
    scores: Scores | None = None
    model: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        return {PUBLISH: "approved", HOLD: "pending", SPAM: "spam", REJECT: "rejected"}[self.action]

    @property
    def max_score(self) -> float:
        """The highest probability of any label; what was not scored is the worst."""
        return max(self.scores.values()) if self.scores else 1.0

    @property
    def margin(self) -> float:
        """How far the worst is from a half: 0 is the least certain, and so is what was not scored."""
        return abs(self.max_score - 0.5) if self.scores else 0.0

    def priority_boost(self, text: str) -> int:
        """By how many milliseconds a comment comes before its turn, up to two days: as long as that it may be overtaken,
        and no longer, so nothing waits for ever. Time passes for all alike, so the order is settled when it arrives.

        A day for how uncertain the model is, and a day for what the decision teaches: one bit for each label that could go
        either way, two bits being plenty, and less from a text of a few characters.
        """
        if not self.scores:
            return DAY
        teaches = min(1.0, sum(map(bits, self.scores.values())) / 2) * min(1.0, len(text) / 80)
        return round(DAY * (1 - 2 * self.margin + teaches))


DAY = 86_400_000


def bits(p: float) -> float:
    """What an answer tells whose probability is p."""
    return 0.0 if p <= 0 or p >= 1 else -(p * math.log2(p) + (1 - p) * math.log2(1 - p))
