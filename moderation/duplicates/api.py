"""Near-duplicates of a comment, for programs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.duplicates import duplicates
from moderation.services import services_of
from moderation.web.guard import principal_of
from moderation.web.operations import operation


class SimilarComment(TypedDict):
    """`similarity`: the share of common shingles, 0 to 1."""

    id: str
    status: str
    similarity: float


class SimilarOut(TypedDict):
    comments: list[SimilarComment]


@operation("GET", "/api/v1/comments/{id}/similar", answers={200: SimilarOut}, scope="moderate", tag="queue")
async def list_similar(request: Request) -> dict[str, Any]:
    """Near-duplicates of a comment on its site, of any status."""
    database = services_of(request).database
    return {"comments": await duplicates.similar(database, principal_of(request), request.path_params["id"])}


routes = [list_similar]
