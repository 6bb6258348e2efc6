"""Bodies, parameters and answers of the queue's API."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from classifier.labels import LABELS
from moderation.comments.decision import REASONS, STATUS_AFTER
from moderation.comments.model import STATUSES
from moderation.core.ids import is_id
from moderation.policy.blocks import LONGEST, Lasts
from moderation.policy.rules import RULES
from moderation.queue.decide import MOST
from moderation.queue.matching import MOST_MATCHED
from moderation.queue.store import APPEAL, ORDERS, REPORT
from moderation.queue.store_assignments import ME, NOBODY
from moderation.sites.schemas import SiteKey
from moderation.web.params import Body, Cursor, OneOf, Query, Says, Text, limited

RULE_NAMES = (*(name for name, _, _ in RULES), APPEAL, REPORT)
PAGE, MOST_LISTED = 50, 200

Scores = dict[str, float]


class Record(TypedDict):
    """The author's record on this site: a count for each status, and the times of the first and the latest comment."""

    approved: NotRequired[int]
    pending: NotRequired[int]
    spam: NotRequired[int]
    rejected: NotRequired[int]
    deleted: NotRequired[int]
    first_seen: str | None
    last_seen: NotRequired[str | None]


class Author(TypedDict):
    name: str
    email: str
    url: str | None
    staff: NotRequired[bool]
    record: Record


class ReasonOut(TypedDict):
    """A rule that fired, or a piece of the text that raised or lowered a label's score."""

    rule: NotRequired[str]
    label: NotRequired[str]
    feature: NotRequired[str]
    weight: float
    note: NotRequired[str]
    spans: list[Annotated[list[int], Field(min_length=2, max_length=2)]]


class VerdictOut(TypedDict):
    scores: Scores | None
    action: str
    reasons: list[ReasonOut]
    model: str | None


class DecisionEntry(TypedDict):
    """A decision on one comment."""

    id: str
    comment: str
    action: str | None
    labels: list[str]
    reason: str | None
    note: str
    moderator: str
    created_at: str
    undone_at: str | None


class AppealOut(TypedDict):
    """An author's appeal."""

    body: str
    created_at: str
    against: DecisionEntry | None
    """The rejection that it is about."""


class ReportOut(TypedDict):
    """A reader's open report. label: what a decision may teach by it; weight: 0..1, how far this reader was right so far."""

    reason: str
    label: str | None
    note: str
    weight: float
    created_at: str
    outcome: str | None
    """`right`, `harmless` or `silent` (it came after that); null while it is open."""


class NoteOut(TypedDict):
    """A moderator's note, for the team alone."""

    id: str
    on: Literal["comment", "author"]
    body: str
    moderator: str
    created_at: str
    edited_at: str | None


class CommentOut(TypedDict):
    """A comment with all data for moderators."""

    id: str
    site: str
    article: str
    parent: str | None
    status: str
    revision: int
    created_at: str
    edited_at: str | None
    author: Author
    body: str
    format: Literal["markdown", "html"]
    html: str
    appeal: AppealOut | None
    reports: list[ReportOut]
    notes: list[NoteOut]
    """On the comment and on its author."""
    snoozed_until: str | None
    """The time until which it is set aside; once that is past, it waits again."""
    assigned_to: str | None
    """The member of the team who is to decide on it."""
    verdict: VerdictOut


class CommentDetail(CommentOut):
    decisions: list[DecisionEntry]
    blocks: dict[str, bool]
    """Target (`article`, `author`, `network`, `domain:…`) → whether it is blocked."""


class CommentList(TypedDict):
    comments: list[CommentOut]
    next: str | None


class RevisionOut(TypedDict):
    id: str
    revision: int


class RevisionList(TypedDict):
    """All that match, oldest first."""

    comments: list[RevisionOut]


class MovedOut(TypedDict):
    """A comment after a decision."""

    id: str
    status: str
    revision: int


class DecisionOut(TypedDict):
    id: str
    comments: list[MovedOut]


class RedactOut(MovedOut):
    places: int


class BlockOut(TypedDict):
    """An entry of the list `disallowed`. `name`, `email`, `comment`: of the newest comment of an author or a network, whose entry is a
    key; of the others the comment that they were blocked from, while it is stored; `over`: it ended, and blocks nothing."""

    entry: str
    kind: Literal["author", "network", "domain", "word"]
    value: str | None
    name: str | None
    email: str | None
    comment: str | None
    reason: str
    moderator: str | None
    created_at: str | None
    until: str | None
    over: bool
    from_comment: bool


class AuthorComment(CommentOut):
    decisions: list[DecisionEntry]
    all_reports: list[ReportOut]


class AuthorOut(TypedDict):
    """What one author wrote at a site, a page at a time, newest first."""

    site: str
    names: list[str]
    email: str
    record: Record
    blocks: list[BlockOut]
    """Those that hit the author, a domain or a network of the comments here."""
    notes: list[NoteOut]
    comments: list[AuthorComment]
    next: str | None


class BlocksOut(TypedDict):
    id: str
    blocks: dict[str, bool]


class PublicAuthor(TypedDict):
    name: str
    url: str | None
    avatar: str
    mark: Literal["known", "staff"] | None


class ReplyDocument(TypedDict):
    """A public comment with its status."""

    id: str
    parent: str | None
    depth: int
    author: PublicAuthor
    html: str
    text: str
    created_at: str
    edited_at: str | None
    replies: list[object]
    status: str


class ReplyOut(DecisionOut):
    reply: ReplyDocument


class AuditEntry(TypedDict):
    id: str
    site: str
    at: str
    actor: str
    action: str
    subject: str
    detail: dict[str, object]


class AuditList(TypedDict):
    entries: list[AuditEntry]
    next: str | None


def _an_id(value: str) -> str:
    if not is_id(value):
        raise ValueError
    return value


def _statuses(value: str) -> str:
    if value != "any" and not set(value.split(",")) <= set(STATUSES):
        raise ValueError
    return value


Statuses = Annotated[
    str,
    AfterValidator(_statuses),
    Says(f"must be one of {', '.join(STATUSES)}, several of these with commas between them, or any"),
]
Label = Annotated[str, OneOf(tuple(LABELS))]
Id = Annotated[str, AfterValidator(_an_id)]


SNOOZED = ("", "only", "any")


def _assigned(value: str) -> str:
    if value not in ("", ME, NOBODY) and not is_id(value):
        raise ValueError
    return value


Assigned = Annotated[str, AfterValidator(_assigned), Says("must be me, none, or the id of a member of the team")]


class CommentQuery(Query):
    """Filters and order of a list of comments."""

    status: Statuses = "pending"
    site: SiteKey | None = None
    article: Annotated[Text, Field(max_length=200)] = ""
    label: Label | None = None
    rule: Annotated[str, OneOf(RULE_NAMES)] | None = None
    author: Annotated[Id, Says("must be the id of one of the author's comments")] | None = None
    q: Text = ""
    assigned: Assigned = ""
    snoozed: Annotated[str, OneOf(SNOOZED)] = ""
    order: Annotated[str, OneOf(tuple(ORDERS))] = "oldest"
    sample: Annotated[bool, Says("must be 1 or 0")] = False
    limit: limited(MOST_LISTED) = PAGE  # type: ignore[valid-type]
    cursor: Cursor = ""


class AuditQuery(Query):
    limit: limited(MOST_LISTED) = 100  # type: ignore[valid-type]
    cursor: Annotated[Id, Says("must be the `next` of an earlier answer")] | None = None


class EventQuery(Query):
    since: Annotated[str, Says("must be the id of an event")] = ""


class MatchIn(Body):
    """Filters of the list of comments: a decision on all that match. An unknown filter is refused, since it would match more."""

    model_config = ConfigDict(extra="forbid")

    status: Statuses = "pending"
    site: SiteKey | None = None
    article: Annotated[str, Field(max_length=200), Says("must be an article's key")] = ""
    label: Label | None = None
    rule: Annotated[str, OneOf(RULE_NAMES)] | None = None
    author: Annotated[Id, Says("must be the id of one of the author's comments")] | None = None
    q: Annotated[str, Field(max_length=200), Says("must be at most 200 characters")] = ""
    assigned: Assigned = ""
    snoozed: Annotated[str, OneOf(SNOOZED)] = ""


class DecisionIn(Body):
    """A decision on 1 to 500 comments, or on all that match filters; then `expected_count` is how many these are."""

    @model_validator(mode="before")
    @classmethod
    def _one_of_both(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("comments") is None and given.get("match") is None:
            return given | {"comments": False}  # refused like any other wrong value, together with what else is wrong
        return given

    comments: (
        Annotated[list[str], Field(min_length=1, max_length=MOST), Says(f"must be a list of 1 to {MOST} ids")] | None
    ) = None
    match: MatchIn | None = None
    expected_count: Annotated[int, Field(ge=1, le=MOST_MATCHED), Says(f"must be 1 to {MOST_MATCHED}")] | None = None
    action: Annotated[str, OneOf(tuple(STATUS_AFTER))]
    labels: Annotated[list[Label], Says(f"must be a list of {', '.join(LABELS)}")] | None = None
    note: Annotated[str, Field(max_length=1000), Says("must be a text of at most 1000 characters")] | None = None
    reason: Annotated[str, OneOf(("", *REASONS))] | None = None
    expected_revision: (
        Annotated[
            Annotated[int, Field(ge=0)] | dict[str, int],
            Says("must be a revision, or an object of id to revision"),
        ]
        | None
    ) = None
    leave_changed: Annotated[bool, Says("must be true or false")] = False
    """Comments that somebody has changed meanwhile are left as they are, in place of a 409 for all."""
    joins: Annotated[Id, Says("must be the id of your own decision")] | None = None
    """An earlier batch's decision, with `leave_changed`: all batches are then undone as one."""


class SnoozeIn(Body):
    """1 to 500 pending comments are set aside until a time; without one they are brought back."""

    comments: Annotated[list[str], Field(min_length=1, max_length=MOST), Says(f"must be a list of 1 to {MOST} ids")]
    until: Annotated[str, Says("must be a time with its zone, within the next 90 days, or null")] | None = None


class AssignmentIn(Body):
    """1 to 500 comments are assigned to a member of the team; without one, to nobody."""

    comments: Annotated[list[str], Field(min_length=1, max_length=MOST), Says(f"must be a list of 1 to {MOST} ids")]
    to: Annotated[str, Says("must be me, the id of a member of the team, or null")] | None = None


class SnoozeOut(TypedDict):
    """id: of the act, to undo it."""

    id: str
    comments: list[str]
    until: str | None


class AssignmentOut(TypedDict):
    """id: of the act, to undo it."""

    id: str
    comments: list[str]
    to: str | None


class FilterOut(TypedDict):
    """A saved filter. query: of the list of comments; count: null where it is not known; is_exact: or at least so many; number: the
    same in words, `12` or `12+`."""

    id: str
    name: str
    team: bool
    query: dict[str, str]
    count: int | None
    is_exact: bool
    number: str
    may_change: bool


class FilterList(TypedDict):
    filters: list[FilterOut]


class UndoneOut(TypedDict):
    id: str
    comments: list[str]


class RedactIn(Body):
    text: Annotated[str, Says("must be a piece of the comment's text")]
    expected_revision: Annotated[int, Says("must be a revision")] | None = None


class UnblockIn(Body):
    target: Annotated[str, Says("must be one of the comment's `blocks`")]


class BlockIn(UnblockIn):
    """`lasts`: how long, where it is no article; `reason`: for the team, on the list of blocks."""

    lasts: Lasts = "good"
    reason: Annotated[Text, Field(max_length=LONGEST), Says(f"must be a text of at most {LONGEST} characters")] = ""


class NoteChange(Body):
    body: Annotated[Text, Says("must be a text")]


class NoteIn(NoteChange):
    """`on`: the comment, or its author."""

    on: Annotated[str, OneOf(("comment", "author"))] = "comment"


class AuthorQuery(Query):
    limit: limited(MOST_LISTED) = 20  # type: ignore[valid-type]
    cursor: Cursor = ""


class ReplyIn(Body):
    """A reply as staff."""

    body: str | None = None
    name: str | None = None
    approve: bool = False
    expected_revision: Annotated[int, Says("must be a revision")] | None = None


class PresenceIn(Body):
    comment: Annotated[str, Says("must be a comment's id, or null")] | None = None
