"""Saved filters: the page to rename and delete them, and the forms."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Conflict, Invalid
from moderation.queue import filters, saved
from moderation.queue.api_filters import counted
from moderation.queue.pages import page
from moderation.queue.pages_matching import asked_in
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in

PAGE = "/moderate/filters"


async def shown(request: Request, principal: Principal, alarm: str = "", status: int = 200) -> Response:
    services = services_of(request)
    async with services.database.reading() as session:
        names = {key: site.name or key for key, site in (await sites.sites(session)).items()}
        names |= await moderators.names(session)
    found = [
        one | {"said": filters.said(one["query"], names), "url": "/moderate?" + urlencode(one["query"])}
        for one in await counted(services, principal)
    ]
    return await page(request, principal, "queue/filters.html", status, saved=found, alarm=alarm, longest=saved.LONGEST)


@signed_in
async def get_filters(request: Request, principal: Principal) -> Response:
    """The saved filters, each with a field for its name."""
    return await shown(request, principal)


@sent_form
async def post_filters(request: Request, principal: Principal, typed: Form) -> Response:
    """Save the present list under a name; rename or delete a saved one."""
    services = services_of(request)
    now, id, name = services.clock(), typed.get("filter", ""), typed.get("name", "")
    try:
        if typed.get("act") == "save":
            asked = asked_in(typed)
            for_team = typed.get("team", "") == "1"
            await saved.save(services.database, services.signer, principal, name, asked, for_team, now)
            return RedirectResponse("/moderate?" + urlencode(asked), 303)
        if typed.get("act") == "delete":
            await saved.remove(services.database, principal, id, now)
        else:
            await saved.rename(services.database, principal, id, name, now)
    except (Invalid, Conflict) as wrong:
        said = "; ".join(one.message for one in wrong.errors) or wrong.detail
        return await shown(
            request, principal, f"{said[0].upper()}{said[1:]}; nothing changed.".replace(".;", ";"), wrong.status
        )
    return RedirectResponse(PAGE, 303)


routes = [Route(PAGE, get_filters, methods=["GET"]), Route(PAGE, post_filters, methods=["POST"])]
