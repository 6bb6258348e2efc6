"""One row of the queue, to update an open page after an act in place."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.queue import decide as queue
from moderation.queue.pages import back_of, cards
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.guard import signed_in


@signed_in
async def get_row(request: Request, principal: Principal) -> Response:
    """A comment as a row of the queue; `back` is the row's view."""
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    shown.pop("decisions")
    (comment,) = await cards(services, principal, [shown])
    back = back_of(dict(request.query_params))
    view = dict(parse_qsl(back.partition("?")[2]))
    return services.pages.answer(
        "queue/row.html",
        comment=comment,
        asked={name: view.get(name, "") for name in ("site", "article", "label", "rule", "author", "order", "q")},
        listed=view.get("status", "pending"),
        sample=bool(view.get("sample")),
        view=back,
    )


routes = [Route("/moderate/comments/{id}/row", get_row, methods=["GET"])]
