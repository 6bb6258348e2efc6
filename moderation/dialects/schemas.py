"""Bodies and answers of the checks' API."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from moderation.comments.decision import STATUS_AFTER
from moderation.comments.submission import BODY_BYTES, EXTERNAL_ID_LONGEST
from moderation.dialects.model import KINDS, Format, Kind
from moderation.policy.schemas import ScoreReason
from moderation.web.params import Body, OneOf, Says, Text

MOST_CHECKS, MOST_DECISIONS = 100, 500
FORMATS = ("plain", "markdown", "html")


def without_controls(id: str) -> str:
    if not id.isprintable():
        raise ValueError
    return id


Id = Annotated[
    Text,
    AfterValidator(without_controls),
    Field(max_length=EXTERNAL_ID_LONGEST),
    Says(f"must be a text of at most {EXTERNAL_ID_LONGEST} characters, without line ends and control characters"),
]
FormatIn = Annotated[Format, Says(f"must be one of {', '.join(FORMATS)}")]
KindIn = Annotated[Kind, Says(f"must be one of {', '.join(KINDS)}")]
ActionIn = Annotated[str, OneOf(tuple(STATUS_AFTER))]


class CheckFields(Body):
    """One comment that is kept elsewhere. Only `text` must be given; the more is given, the better it is judged."""

    text: Annotated[str, Field(max_length=BODY_BYTES), Says(f"must be a text of at most {BODY_BYTES} characters")]
    format: FormatIn = "plain"
    name: str = ""
    url: str = ""
    email: str = ""
    ip: str = ""
    kind: KindIn = "comment"
    id: Id = ""
    parent: Id = ""
    article: str = ""
    trusted: Annotated[bool, Says("must be true or false")] = False
    date: Annotated[str, Says("must be a text like 2026-12-01T09:30:00Z")] = ""


class CheckIn(CheckFields):
    """A check, or up to 100 of them in `checks`. `store` false: judged, and nothing is kept."""

    text: Annotated[
        str | None, Field(max_length=BODY_BYTES), Says(f"must be a text of at most {BODY_BYTES} characters")
    ] = None  # type: ignore[assignment]
    checks: Annotated[
        list[CheckFields] | None,
        Field(max_length=MOST_CHECKS),
        Says(f"must be a list of at most {MOST_CHECKS} checks, each with a text"),
    ] = None
    store: Annotated[bool, Says("must be true or false")] = True


class ChangeIn(Body):
    """What has changed in a stored check."""

    text: Annotated[
        str | None, Field(max_length=BODY_BYTES), Says(f"must be a text of at most {BODY_BYTES} characters")
    ] = None
    format: FormatIn = "plain"
    name: str | None = None
    url: str | None = None
    trusted: Annotated[bool, Says("must be true or false")] = False


class CheckDecisionIn(Body):
    action: ActionIn
    labels: list[str] | None = None
    note: str = ""


class OneDecisionIn(CheckDecisionIn):
    id: Id


class CheckDecisionsIn(Body):
    decisions: Annotated[
        list[OneDecisionIn],
        Field(min_length=1, max_length=MOST_DECISIONS),
        Says(f"must be a list of 1 to {MOST_DECISIONS} objects with id and action"),
    ]


class CheckOut(TypedDict):
    """`status` is that of a stored check: what the latest verdict or decision made of it."""

    id: str
    action: str
    reasons: list[ScoreReason]
    scores: dict[str, float] | None
    model: str | None
    status: NotRequired[str]


class ChecksOut(TypedDict):
    """For one check its result; for `checks` the `results` in their order."""

    id: NotRequired[str]
    action: NotRequired[str]
    reasons: NotRequired[list[ScoreReason]]
    scores: NotRequired[dict[str, float] | None]
    model: NotRequired[str | None]
    status: NotRequired[str]
    results: NotRequired[list[CheckOut]]


class CheckDecisionOut(TypedDict):
    id: str
    decision: str
    status: str


class CheckDecisionResult(TypedDict):
    id: str
    code: Literal["decided", "not_found"]
    decision: NotRequired[str]
    status: NotRequired[str]


class CheckDecisionsOut(TypedDict):
    results: list[CheckDecisionResult]
