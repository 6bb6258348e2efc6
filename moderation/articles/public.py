"""You May Also Like: the articles that are nearest in content to one."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from moderation.articles.related import MOST
from moderation.comments.public import whole
from moderation.comments.thread_cache import answer, etag_of
from moderation.core.problem import FieldError, Invalid
from moderation.services import services_of
from moderation.sites.cache import article_key
from moderation.sites.model import Article
from moderation.text import markdown
from moderation.web.cors import readable

LIMIT = 3
WORDS = 55
"""Of the teaser, as WordPress has it."""
FRESH = "public, max-age=300"


def teaser(article: Article) -> dict[str, str | None]:
    return {
        "key": article.key,
        "title": article.title or article.key,
        "url": article.url,
        "excerpt": markdown.excerpt(article.text, WORDS),
    }


async def read_related(request: Request) -> Response:
    """You May Also Like: other articles of the site, the nearest in content first."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    key = article_key(request.path_params["article"])
    limit = whole(request.query_params.get("limit"), LIMIT, MOST)
    if limit is None:
        raise Invalid(FieldError("limit", "invalid", f"must be a whole number from 1 to {MOST}"))
    found = await services.related.nearest(site.key, key, limit)
    body = orjson.dumps({"articles": [teaser(article) for article in found]})
    return answer(request, body, etag_of(body), "application/json", FRESH)


routes = readable("/sites/{site}/articles/{article}/related", read_related)
