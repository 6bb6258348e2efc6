"""Verdict and Reason."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any

from classifier.labels import Scores
from classifier.values import value

PUBLISH, HOLD, SPAM, REJECT = "publish", "hold", "spam", "reject"


@value(frozen=True, slots=True, kw_only=True)
class Reason:
    """A rule that fired, or a label above its threshold. Spans are code-point offsets into the body."""

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
            rule=stored.get("rule", ""),
            label=stored.get("label", ""),
            weight=stored.get("weight", 1.0),
            note=stored.get("note", ""),
            spans=spans,
        )


@value(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`scores` is None if no model answered; `facts` holds the rules' inputs, for a later replay."""

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
        """The highest probability of any label; 1 without scores."""
        return max(self.scores.values()) if self.scores else 1.0

    @property
    def margin(self) -> float:
        """The distance of the highest score from one half: 0 is the least certain, also without scores."""
        return abs(self.max_score - 0.5) if self.scores else 0.0

    def priority_boost(self, text: str) -> int:
        """Milliseconds by which a comment moves up in the order of arrival, at most two days. So no comment is overtaken by
        more than two days. Time passes equally for all, so the order is fixed at arrival.

        Up to a day for the model's uncertainty, and up to a day for the information in a decision: one bit for each
        undecided label, with two bits as the maximum, and less for a text of a few characters.
        """
        if not self.scores:
            return DAY
        information = sum([BITS[int(p * STEPS)] for p in self.scores.values()])
        teaches = min(1.0, information / 2) * min(1.0, len(text) / 80)
        return round(DAY * (1 - 2 * self.margin + teaches))


DAY = 86_400_000


def bits(p: float) -> float:
    """The information, in bits, of an answer with probability p (binary entropy)."""
    return 0.0 if p <= 0 or p >= 1 else -(p * math.log2(p) + (1 - p) * math.log2(1 - p))


STEPS = 4096
BITS = [bits(step / STEPS) for step in range(STEPS + 1)]
"""`bits` in steps: seven labels of every comment are looked up."""
