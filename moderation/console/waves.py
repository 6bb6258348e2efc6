"""Near-duplicates, for moderators: of one comment by the API."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation import waves
from moderation.console.api import answer


async def get_similar(request: Request) -> Response:
    """Near-duplicates of a comment on its site, of any status."""
    state = request.app.state
    asker = await state.doorman.asker(request, "moderate")
    return answer({"comments": await waves.similar(state.database, asker, request.path_params["id"])})


routes = [Route("/api/comments/{id}/similar", get_similar, methods=["GET"])]
