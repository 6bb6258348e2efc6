"""The spam folder, emptied: a page that asks first, and the act."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Forbidden
from moderation.privacy import retention
from moderation.queue import store as stored_queue
from moderation.queue.pages import page, signed_in
from moderation.team.model import Asker
from moderation.web import bodies as body


def meant(asker: Asker, wanted: str) -> str:
    """The site whose folder is meant, or all that the asker moderates. Raises Forbidden for another's."""
    site = wanted or asker.site
    if not asker.sees(site):
        raise Forbidden("You moderate another site.", code="site")
    return site


@signed_in
async def get_empty(request: Request, asker: Asker) -> Response:
    """How much would go, and the button."""
    site = meant(asker, request.query_params.get("site", ""))
    async with request.app.state.database.reading() as session:
        count = (await stored_queue.counts(session, site))["spam"]
    return await page(request, asker, "queue/empty.html", count=count, site="" if site == EVERYWHERE else site)


@signed_in
async def post_empty(request: Request, asker: Asker) -> Response:
    """Delete what is filed as spam, texts and all. There is no undo."""
    state = request.app.state
    typed = dict(await body.form_fields(request, await body.read(request)))
    state.doorman.check_csrf(asker, typed.get("csrf_token", ""))
    site = meant(asker, typed.get("site", ""))
    await retention.empty(state.database, state.keep, site, asker.name, state.clock())
    where = {"status": "spam", "done": "emptied"} | ({} if site == EVERYWHERE else {"site": site})
    return RedirectResponse("/moderate?" + urlencode(where), 303)


routes = [
    Route("/moderate/spam/empty", get_empty, methods=["GET"]),
    Route("/moderate/spam/empty", post_empty, methods=["POST"]),
]
