"""Akismet's parameters and JSON answers, for the API's document. Requests are not checked against them: every parameter is a
text, none is an error, and others are ignored (`akismet_form`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class KeyIn(BaseModel):
    api_key: Annotated[
        str, Field(description="12 hex digits. Alternatively `key`, or the first label of the host.")
    ] = ""
    key: str = ""
    blog: Annotated[str, Field(description="The address of the client's site.")] = ""


class AkismetCommentIn(KeyIn):
    """A comment, as Akismet's clients send it."""

    user_ip: str = ""
    user_agent: str = ""
    referrer: str = ""
    permalink: Annotated[str, Field(description="The address of the article.")] = ""
    comment_type: Annotated[str, Field(description="Or `content_type`: `comment`, `pingback`, `contact-form`, …")] = ""
    comment_author: str = ""
    comment_author_email: str = ""
    comment_author_url: str = ""
    comment_content: str = ""
    comment_date_gmt: str = ""
    blog_charset: str = ""
    user_role: Annotated[str, Field(description="`administrator` is answered with `false`.")] = ""
    is_test: Annotated[str, Field(description="`1` or `true`: nothing is stored.")] = ""
    test_discard: str = ""
    recheck_reason: str = ""
    honeypot_field_name: Annotated[
        str, Field(description="The name of another parameter, which people leave empty.")
    ] = ""
    comment_check_response: Annotated[str, Field(description="With a submission: the earlier answer.")] = ""


class KeyQuery(BaseModel):
    api_key: str = ""


class KeySitesQuery(KeyQuery):
    month: Annotated[str, Field(description="`YYYY-MM`; the present month by default.")] = ""
    filter: Annotated[str, Field(description="A part of the site's address.")] = ""
    format: Annotated[str, Field(description="`json` or `csv`.")] = ""
    order: Annotated[str, Field(description="`total`, `spam`, `ham`, `missed_spam` or `false_positives`.")] = ""
    limit: str = ""
    offset: str = ""


class StatsIn(KeyIn):
    from_: Annotated[str, Field(alias="from", description="`60-days`, `6-months` or `all`.")] = ""


class UsageLimit(TypedDict):
    """`usage`: the comments checked in this month."""

    limit: Literal["none"]
    usage: int
    percentage: str
    throttled: bool


class Subscription(TypedDict):
    account_id: int
    account_name: str
    account_type: str
    status: Literal["active"]
    next_billing_date: bool
    limit_reached: bool
