"""Articles register: PUT with a token of scope `articles`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.articles.register import register
from moderation.comments.submission import has_lone_surrogate
from moderation.core.problem import FieldError, Forbidden, Invalid
from moderation.core.times import iso
from moderation.db import audit
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.cache import article_key
from moderation.sites.model import Article
from moderation.text.addresses import checked_url
from moderation.web import bodies


async def put_article(request: Request) -> Response:
    """Register or change an article; what is not given stays as it is."""
    services = services_of(request)
    directory = services.directory
    site = await directory.site(request.path_params["site"])
    key = article_key(request.path_params["article"])
    principal = await services.authenticator.bearer(request, "articles")
    if not principal.sees(site.key):
        raise Forbidden("This token is for another site.", code="site")
    given = checked(await bodies.read_json(request))
    now = services.intake.clock()
    async with services.database.transaction() as tx:
        known = (await sites.articles(tx, site.key, [key])).get(key)
        article = replace(known or Article(site.key, key, created_at=now), **given)
        await register(tx, article)
        await audit.note(
            tx,
            site=site.key,
            at=now,
            actor=principal.name,
            action="article:put",
            subject=key,
            comments_open=article.comments_open,
        )
    services.threads.drop(site.key, key)
    shown = {
        "site": site.key,
        "key": key,
        "title": article.title,
        "url": article.url,
        "published_at": iso(article.published_at),
        "comments_open": article.comments_open,
    }
    return Response(orjson.dumps(shown), 200 if known else 201, media_type="application/json")


def checked(raw: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given. Raises Invalid, naming every wrong one."""
    wrong, found = [], dict[str, Any]()
    for field, longest in (("title", 500), ("text", 200_000)):
        if (value := raw.get(field)) is not None:
            if not isinstance(value, str) or len(value) > longest or has_lone_surrogate(value):
                wrong.append(FieldError(field, "invalid", f"must be a text of at most {longest} characters"))
            else:
                found[field] = value.strip()
    if (url := raw.get("url")) is not None:
        found["url"] = checked_url(url) if isinstance(url, str) and len(url) <= 2000 else None
        if found["url"] is None:
            wrong.append(FieldError("url", "invalid", "must be an http or https address"))
    if (open_ := raw.get("comments_open")) is not None:
        found["comments_open"] = open_
        if not isinstance(open_, bool):
            wrong.append(FieldError("comments_open", "invalid", "must be true or false"))
    if (at := raw.get("published_at")) is not None:
        try:
            when = datetime.fromisoformat(at)
            found["published_at"] = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
            iso(found["published_at"])  # an offset may lead out of the years that can be shown
        except (TypeError, ValueError, OverflowError):
            wrong.append(FieldError("published_at", "invalid", "must be a time as RFC 3339 has it"))
    if wrong:
        raise Invalid(*wrong)
    return found


routes = [Route("/sites/{site}/articles/{article}", put_article, methods=["PUT"])]
