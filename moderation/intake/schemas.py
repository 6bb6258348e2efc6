"""Bodies and answers of posting. docs/api.md has the rules of each field."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from moderation.comments.submission import BODY_LONGEST, NAME_LONGEST, URL_LONGEST
from moderation.text.addresses import EMAIL_LONGEST


class PageIn(BaseModel):
    """The article's page: title and address."""

    title: str | None = None
    url: str | None = None


class CommentIn(BaseModel):
    """A comment. A site can make name and email optional."""

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
    """The fields of the service's own form. `website` is hidden and must stay empty. `redirect_to`: the target after publication."""

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
    """The author's changes; omitted fields keep their value."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LONGEST)] | None = None
    url: Annotated[str, Field(max_length=URL_LONGEST)] | None = None
    body: Annotated[str, Field(min_length=1, max_length=BODY_LONGEST)] | None = None


class AcceptedOut(TypedDict):
    """A stored comment. A held one has only its id, its status and the secrets."""

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
    """The fields of WordPress's comment form."""

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
    """The contents of a receipt."""

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
