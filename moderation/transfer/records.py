"""Imported records: another system's articles, comments and verdicts in common terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from moderation.comments.verdict import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedArticle:
    """`foreign` is its id in the other system. An empty `key`: the article and its comments are not published."""

    foreign: str
    key: str
    title: str = ""
    url: str = ""
    text: str = ""
    published_at: int | None = None
    comments_open: bool = True
    is_listed: bool = True
    """The file says that the page is public. Otherwise its comments stay unseen until another file or the operator says so."""
    ids: tuple[tuple[str, ...], ...] = ()
    """(system, id) in earlier systems; with the origin as a third, if there is one."""
    origin: str = ""
    """What an export to the other system needs, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedVerdict:
    """A judged text at one revision."""

    revision: int
    body: str
    action: str
    created_at: int
    name: str = ""
    url: str = ""
    source: str = "import"
    format: str = "markdown"
    scores: dict[str, float] | None = None
    model: str | None = None
    reasons: tuple[Reason, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDecision:
    id: str
    judged_revision: int
    action: str | None
    labels: tuple[str, ...]
    note: str
    moderator: str
    before: str | None
    after: str | None
    after_revision: int | None
    created_at: int
    undone_at: int | None = None
    undone_by: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Data of a comment that only the service's own export has."""

    revision: int
    judged_revision: int
    is_decided: bool
    notify: bool
    verdicts: tuple[ImportedVerdict, ...]
    decisions: tuple[ImportedDecision, ...]
    ids: tuple[tuple[str, ...], ...] = ()
    is_staff: bool = False
    is_known: bool = False
    appeal: tuple[str, int] | None = None
    """The author's appeal and its time."""
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedComment:
    """`article` and `parent` are foreign ids; `key` is the article's key if the file has no article."""

    where: str
    """The position in the file, for people."""
    foreign: str
    article: str
    parent: str
    status: str
    name: str
    email: str
    url: str
    body: str
    format: str
    created_at: int | None
    edited_at: int | None = None
    address: str = ""
    key: str = ""
    kept: Kept | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSubmission:
    """A judged text without a comment."""

    where: str
    foreign: str
    article: str
    email_domain: str
    author_key: str
    verdicts: tuple[ImportedVerdict, ...]
    decisions: tuple[ImportedDecision, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A skipped row. Neither field contains a text, a name or an address."""

    where: str
    reason: str
    pingback: str = ""
    """Its id, if it is a published pingback: replies to it stand at the top."""


Record = ImportedArticle | ImportedComment | ImportedSubmission | Skipped
