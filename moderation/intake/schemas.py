"""What posting takes and answers, as blog frontends see it. docs/api.md says what each field may hold."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from moderation.comments.submission import BODY_LONGEST, NAME_LONGEST, URL_LONGEST
from moderation.text.addresses import EMAIL_LONGEST


class PageIn(BaseModel):
    """What the article's page says of itself."""

    title: str | None = None
    url: str | None = None


class CommentIn(BaseModel):
    """A reply. A site may ask for less than a name and an address."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LONGEST)]
    email: Annotated[str, Field(max_length=EMAIL_LONGEST, json_schema_extra={"format": "email"})]
    url: Annotated[str, Field(max_length=URL_LONGEST)] | None = None
    body: Annotated[str, Field(min_length=1, max_length=BODY_LONGEST)]
    parent: str | None = None
    notify: bool | None = None
    page: PageIn | None = None
    receipt: str | None = None
    form_token: str | None = None


class CommentForm(BaseModel):
    """The fields of our own form. `website` stays empty: people do not see it. `redirect_to`: where to go once published."""

    name: Annotated[str, Field(max_length=NAME_LONGEST)] = ""
    email: Annotated[str, Field(max_length=EMAIL_LONGEST)] = ""
    url: Annotated[str, Field(max_length=URL_LONGEST)] = ""
    body: Annotated[str, Field(min_length=1, max_length=BODY_LONGEST)]
    parent: str = ""
    notify: str = ""
    page_title: str = ""
    page_url: str = ""
    receipt: str = ""
    form_token: str = ""
    redirect_to: str = ""
    website: str = ""


class EditIn(BaseModel):
    """What the author changes; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LONGEST)] | None = None
    url: Annotated[str, Field(max_length=URL_LONGEST)] | None = None
    body: Annotated[str, Field(min_length=1, max_length=BODY_LONGEST)] | None = None


class AcceptedOut(TypedDict):
    """A comment that is stored. Of one that waits its author is told the id and the status alone."""

    id: str
    status: Literal["approved", "pending"]
    edit_token: str
    receipt: str
    parent: NotRequired[str | None]
    depth: NotRequired[int]
    author: NotRequired[dict[str, object]]
    html: NotRequired[str]
    text: NotRequired[str]
    created_at: NotRequired[str]
    edited_at: NotRequired[str | None]
    replies: NotRequired[list[object]]


class WordPressIn(BaseModel):
    """The fields of WordPress's own comment form."""

    comment_post_ID: str
    comment: str
    author: str
    email: str
    url: str | None = None
    comment_parent: str | None = None
    redirect_to: str | None = None
    receipt: str | None = None
    consent: Annotated[str | None, Field(alias="wp-comment-cookies-consent")] = None


class ReceiptOut(TypedDict):
    """What the holder of a receipt may know of one comment."""

    id: str
    site: str
    article: str
    parent: str | None
    status: Literal["approved", "pending", "rejected", "withdrawn"]
    reason: str | None
    reason_code: str | None
    appeal: dict[str, object] | None
    can_appeal: bool
    name: str
    url: str | None
    body: str
    format: Literal["markdown", "html"]
    text: str
    html: str
    notify: bool
    created_at: str
    edited_at: str | None
    edit_until: str
    versions: list[dict[str, object]]
