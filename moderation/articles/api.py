"""Registration of articles: PUT with a token of scope `articles`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from moderation.articles.register import register
from moderation.core.problem import Forbidden
from moderation.core.times import iso
from moderation.db import audit
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.cache import article_key
from moderation.sites.model import Article
from moderation.text.addresses import checked_url
from moderation.web.guard import principal_of
from moderation.web.operations import json_answer, operation
from moderation.web.params import Body, Says, Text


def moment(text: str) -> int:
    """Unix milliseconds of an RFC 3339 time; UTC without an offset. Raises ValueError."""
    when = datetime.fromisoformat(text)
    try:
        at = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
        iso(at)  # an offset may lead outside the years that `iso` can write
    except OverflowError as error:
        raise ValueError(text) from error
    return at


def _a_moment(value: str) -> str:
    moment(value)
    return value


def _an_address(value: str) -> str:
    if checked_url(value) is None:
        raise ValueError
    return value


def _text(most: int) -> Any:
    return Annotated[
        Annotated[Text, Field(max_length=most)] | None, Says(f"must be a text of at most {most} characters")
    ]


class ArticleIn(Body):
    title: _text(500) = None  # type: ignore[valid-type]
    text: _text(200_000) = None  # type: ignore[valid-type]
    url: Annotated[
        Annotated[str, Field(max_length=2000), AfterValidator(_an_address)] | None,
        Says("must be an http or https address"),
    ] = None
    published_at: Annotated[
        Annotated[str, AfterValidator(_a_moment)] | None, Says("must be a time as RFC 3339 has it")
    ] = None
    comments_open: bool | None = None
    listed: bool | None = None


class ArticleOut(TypedDict):
    site: str
    key: str
    title: str
    url: str | None
    published_at: str | None
    comments_open: bool
    listed: bool


@operation(
    "PUT", "/sites/{site}/articles/{article}", body=ArticleIn, answers={200: ArticleOut, 201: ArticleOut},
    scope="articles", sessions=False, tag="articles",
)  # fmt: skip
async def put_article(request: Request, asked: ArticleIn) -> Response:
    """Register or change an article; omitted fields keep their value."""
    services, principal = services_of(request), principal_of(request)
    site = await services.directory.site(request.path_params["site"])
    key = article_key(request.path_params["article"])
    if not principal.sees(site.key):
        raise Forbidden("This token is for another site.", code="site")
    given = changes(asked)
    now = services.intake.clock()
    async with services.database.transaction() as tx:
        known = (await sites.articles(tx, site.key, [key])).get(key)
        article = replace(known or Article(site=site.key, key=key, created_at=now), **given)
        await register(tx, article)
        await audit.note(
            tx,
            site=site.key,
            at=now,
            actor=principal.name,
            action="article:put",
            subject=key,
            comments_open=article.comments_open,
            listed=article.is_listed,
        )
    shown = {
        "site": site.key,
        "key": key,
        "title": article.title,
        "url": article.url,
        "published_at": iso(article.published_at),
        "comments_open": article.comments_open,
        "listed": article.is_listed,
    }
    return json_answer(shown, 200 if known else 201)


def changes(asked: ArticleIn) -> dict[str, Any]:
    """The given fields, as stored."""
    found: dict[str, Any] = asked.model_dump(exclude_none=True)
    for name in {"title", "text"} & found.keys():
        found[name] = found[name].strip()
    if "listed" in found:
        found["is_listed"] = found.pop("listed")
    if asked.url is not None:
        found["url"] = checked_url(asked.url)
    if asked.published_at is not None:
        found["published_at"] = moment(asked.published_at)
    return found


routes = [put_article]
