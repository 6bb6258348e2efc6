"""Emptying the spam folder: a confirmation page, and the act."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Forbidden
from moderation.privacy import retention
from moderation.queue import store as stored_queue
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in


def meant(principal: Principal, wanted: str) -> str:
    """The form's site, or all sites of the principal. Raises Forbidden for another site."""
    site = wanted or principal.site
    if not principal.sees(site):
        raise Forbidden("You moderate another site.", code="site")
    return site


@signed_in
async def get_empty(request: Request, principal: Principal) -> Response:
    """The number of comments, and the button."""
    site = meant(principal, request.query_params.get("site", ""))
    async with services_of(request).database.reading() as session:
        count = (await stored_queue.counts(session, site))["spam"]
    return await page(request, principal, "queue/empty.html", count=count, site="" if site == EVERYWHERE else site)


@sent_form
async def post_empty(request: Request, principal: Principal, typed: Form) -> Response:
    """Delete all comments filed as spam. There is no undo."""
    services = services_of(request)
    site = meant(principal, typed.get("site", ""))
    await retention.empty(services.database, services.keep, site, principal.name, services.clock())
    where = {"status": "spam", "done": "emptied"} | ({} if site == EVERYWHERE else {"site": site})
    return RedirectResponse("/moderate?" + urlencode(where), 303)


routes = [
    Route("/moderate/spam/empty", get_empty, methods=["GET"]),
    Route("/moderate/spam/empty", post_empty, methods=["POST"]),
]
