"""Verdict and Reason: what was judged, by which model, and why."""

from __future__ import annotations

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
