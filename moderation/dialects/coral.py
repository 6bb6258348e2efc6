"""Coral's external moderation phase: its signature, its request as a check, our verdict as its answer (docs/coral.md)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from moderation.comments.verdict import HOLD, PUBLISH, REJECT, Verdict
from moderation.comments.verdict import SPAM as FILE
from moderation.dialects.model import Check, CheckResult
from moderation.policy.rules import UNREAD

STAFF = frozenset({"STAFF", "MODERATOR", "ADMIN"})
"""Roles in Coral whose comments its own phases approve unread."""
TOXIC, SPAM = "COMMENT_DETECTED_TOXIC", "COMMENT_DETECTED_SPAM"
"""The two flags that Coral takes."""
SIGNATURES = 8
"""The most signatures of one request that are compared: Coral sends one for each secret, and two during a rotation."""
SECRET_SHORTEST, SECRET_LONGEST = 16, 200
SPAM_RULES = frozenset({"certain-spam", "wave"})
ACTIONS = {"approved": PUBLISH, "pending": HOLD, "spam": FILE}
"""Of a decided comment's status; any other is rejected."""


class Flag(TypedDict):
    actionType: Literal["FLAG"]
    reason: str


class CoralOut(TypedDict):
    """`status` ends Coral's moderation. Without one Coral's later rules decide."""

    status: str
    actions: NotRequired[list[Flag]]


WITHHELD: CoralOut = {"status": "SYSTEM_WITHHELD"}
"""Coral keeps the comment in its queue *Pending*. Any status but 200 and 204, a timeout and a wrong field would publish it."""


def is_signed(secrets: Iterable[bytes], body: bytes, header: str) -> bool:
    """Whether the header (`sha256=HEX,sha256=HEX`) has the HMAC of the body under one of the secrets, compared in
    constant time. Coral signs no time, so an old request verifies too."""
    names = (part.strip().partition("=") for part in header.split(",", SIGNATURES)[:SIGNATURES])
    given = [value.encode("utf-8", "replace") for name, _, value in names if name == "sha256"]
    expected = [hmac.new(secret, body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    return any(hmac.compare_digest(one, other) for one in expected for other in given)


def secret_of(pasted: str) -> str | None:
    """A signing secret as an operator pastes it; None for what is none."""
    secret = pasted.strip()
    fits = SECRET_SHORTEST <= len(secret) <= SECRET_LONGEST
    return secret if fits and secret.isascii() and secret.isprintable() and " " not in secret else None


def check_of(document: Mapping[str, Any], *, plain: bool = False) -> Check | None:
    """The check of a request; None for one without a text. Every other field may be missing or of another type. Coral sends no
    id of the comment: it has none yet, and an edit does not name it either."""
    text = named(document, "comment").get("body")
    if not isinstance(text, str) or not text.strip():
        return None
    author, story = named(document, "author"), named(document, "story")
    return Check(
        text=text,
        format="plain" if plain else "html",
        name=words(author.get("id")),
        article=words(story.get("url")) or words(story.get("id")),
        trusted=words(author.get("role")) in STAFF,
    )


def action_of(result: CheckResult) -> str:
    """A person's decision on the same comment, where there is one; else the verdict's action. A comment that is merely unread has
    the table's answer alone: Coral would never hear that it is released."""
    comment = result.comment
    if comment and comment.is_decided:
        return ACTIONS.get(comment.status, REJECT)
    is_unread = all(reason.rule == UNREAD.rule for reason in result.verdict.reasons)
    return PUBLISH if result.verdict.action == HOLD and result.verdict.reasons and is_unread else result.verdict.action


def answer(result: CheckResult, *, decides: bool = False) -> CoralOut | None:
    """Coral's answer; None for 204, *no opinion*. `decides`: a comment that we publish appears although Coral moderates it before
    publication; `NONE` is Coral's own word for a comment that appears and that no moderator has seen."""
    action, flags = action_of(result), flags_of(result.verdict)
    if action == PUBLISH:
        return {"status": "NONE"} if decides else None
    if action == HOLD:
        return WITHHELD | {"actions": flags} if flags else WITHHELD
    return {"status": "REJECTED", "actions": flags or [flag(SPAM)]}


def flags_of(verdict: Verdict) -> list[Flag]:
    is_spam = any(reason.label == "spam" or reason.rule in SPAM_RULES for reason in verdict.reasons)
    is_toxic = any(reason.label not in ("", "spam") for reason in verdict.reasons)
    return [flag(TOXIC)] * is_toxic + [flag(SPAM)] * is_spam


def flag(reason: str) -> Flag:
    return {"actionType": "FLAG", "reason": reason}


def named(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = document.get(name)
    return inner if isinstance(inner, dict) else {}


def words(value: object) -> str:
    return value if isinstance(value, str) else ""
