"""You May Also Like: the articles most similar to one."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from moderation.articles.related import MOST
from moderation.comments.thread_cache import answer, etag_of
from moderation.services import services_of
from moderation.sites.cache import article_key
from moderation.sites.model import Article
from moderation.text import markdown
from moderation.web.cors import preflight_of
from moderation.web.operations import operation
from moderation.web.params import Query, limited

LIMIT = 3
WORDS = 55
"""Words of an excerpt, as in WordPress."""
FRESH = "public, max-age=300"


def teaser(article: Article) -> dict[str, str | None]:
    return {
        "key": article.key,
        "title": article.title or article.key,
        "url": article.url,
        "excerpt": markdown.excerpt(article.text, WORDS),
    }


class RelatedArticle(TypedDict):
    """`excerpt`: the first 55 words."""

    key: str
    title: str
    url: str | None
    excerpt: str


class RelatedOut(TypedDict):
    articles: list[RelatedArticle]


class RelatedQuery(Query):
    limit: limited(MOST) = LIMIT  # type: ignore[valid-type]


PATH = "/sites/{site}/articles/{article}/related"


@operation("GET", PATH, query=RelatedQuery, answers={200: RelatedOut, 304: None}, headers=("If-None-Match",), tag="articles",
           shared=True)  # fmt: skip
async def list_related(request: Request, asked: RelatedQuery) -> Response:
    """You May Also Like: other articles of the site, the most similar first."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    found = await services.related.nearest(site.key, article_key(request.path_params["article"]), asked.limit)
    body = orjson.dumps({"articles": [teaser(article) for article in found]})
    return answer(request, body, etag_of(body), "application/json", FRESH)


routes = [list_related, preflight_of(PATH, "GET")]
