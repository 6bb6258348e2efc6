"""A decision's action: the status it leads to, and the example it teaches."""

from __future__ import annotations

from collections.abc import Iterable

from classifier.labels import LABELS
from moderation.comments.submission import has_lone_surrogate
from moderation.core.problem import FieldError, Invalid

STATUS_AFTER = {"approve": "approved", "spam": "spam", "reject": "rejected", "delete": "deleted", "hold": "pending"}
"""Moderators' actions → the resulting status."""

REASONS = ("insult", "off-topic", "advertising", "personal-data", "unlawful", "other")
"""Reasons of a rejection, shown to the author in the author's language."""
SAYS = {"insult": ("insult",)}
"""Reason → the labels that it teaches by itself: rejecting an insult by one key also labels it."""
MOST_APPEALED = 1000


def checked_reason(reason: object, action: object) -> str:
    """Raises Invalid for an unknown reason, and for a reason of any action except `reject`."""
    if reason is None or reason == "":
        return ""
    if not isinstance(reason, str) or reason not in REASONS:
        raise Invalid(FieldError("reason", "invalid", f"must be one of {', '.join(REASONS)}"))
    if action != "reject":
        raise Invalid(FieldError("reason", "invalid", "is for rejecting only"))
    return reason


def labels_said(labels: object, reason: object) -> object:
    """The given labels; without any, those of the reason."""
    return list(SAYS.get(reason, ())) if labels is None and isinstance(reason, str) else labels


def checked(action: object, labels: object, note: object) -> tuple[str, tuple[str, ...], str]:
    """Raises Invalid, naming the unknown action or label."""
    wrong: list[FieldError] = []
    if not isinstance(action, str) or action not in STATUS_AFTER:
        wrong.append(FieldError("action", "invalid", f"must be one of {', '.join(STATUS_AFTER)}"))
    named = [] if labels is None else labels
    if not isinstance(named, list) or any(not isinstance(x, str) or x not in LABELS for x in named):
        wrong.append(FieldError("labels", "invalid", f"must be a list of {', '.join(LABELS)}"))
    said = "" if note is None else note
    if not isinstance(said, str) or len(said) > 1000 or has_lone_surrogate(said):
        wrong.append(FieldError("note", "invalid", "must be a text of at most 1000 characters"))
    if wrong:
        raise Invalid(*wrong)
    assert isinstance(action, str) and isinstance(named, list) and isinstance(said, str)
    return action, tuple(dict.fromkeys(named)), said


def teaches(action: str | None, labels: Iterable[str]) -> dict[str, float]:
    """Label → 0 or 1, the example that a decision teaches. Empty for hold, delete, and a reject without labels."""
    given = dict.fromkeys(labels, 1.0)
    if action == "approve":
        return {"spam": 0.0, "toxicity": 0.0}
    if action == "spam":
        return {"spam": 1.0}
    if action == "reject" or action is None:
        return given
    return {}
