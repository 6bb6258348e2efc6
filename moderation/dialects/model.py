"""Check: a comment that is kept elsewhere; and CheckResult, the answer to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from moderation.comments.model import Comment
from moderation.comments.verdict import Verdict

Kind = Literal["comment", "fediverse", "pingback", "contact", "review"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Format = Literal["plain", "markdown", "html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A comment of another system, as that system sent it. Every field may be empty, and none is refused for its contents: an
    email or web address that is none is left out, and what is too long is cut."""

    text: str
    format: Format = "plain"
    name: str = ""
    url: str = ""
    email: str = ""
    ip: str = ""
    """The commenter's network address; only its keyed hash is stored."""
    kind: Kind = "comment"
    id: str = ""
    """The caller's own id; empty where the caller has none, and then the comment is known by its contents."""
    parent: str = ""
    """The caller's id of the comment that this one replies to; an unknown one is ignored."""
    article: str = ""
    """The caller's name of the page, for example its address."""
    trusted: bool = False
    """The caller vouches for the author."""
    honeypot: bool = False
    """A hidden field of the caller's form has a value."""
    date: int | None = None
    """Unix milliseconds at which it was written; None: not known. It arrives now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    verdict: Verdict
    comment: Comment | None = None
    """The stored comment; None for a check that is judged only."""

    @property
    def id(self) -> str:
        """The caller's id of a stored check."""
        return self.comment.external_id or "" if self.comment else ""
