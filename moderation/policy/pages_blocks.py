"""The page of blocks: what is blocked at a site, why, by whom and until when; each can be lifted."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import NotFound
from moderation.policy import blocks
from moderation.policy.pages import chosen, seen_sites
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.sites.model import is_site_key
from moderation.team import store as moderators
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in
from moderation.web.params import whole_number

PAGE = 50


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """What is blocked at a site."""
    services, asked = services_of(request), request.query_params
    known = await seen_sites(request, principal)
    site = chosen(known, asked.get("site", ""))
    start, now = whole_number(asked.get("from", "")) or 0, services.clock()
    async with services.database.reading() as session:
        standing = await blocks.listed(session, site, now, start, PAGE)
        over = [one for one in standing if one["over"]] + await blocks.listed_over(session, site, now)
        names = await moderators.names(session)
    for one in (*standing, *over):
        one["moderator"] = names.get(one["moderator"], one["moderator"])
        one["may_lift"] = principal.is_administrator or one["from_comment"]
    total = len(site.settings.disallowed)
    following = {"site": site.key, "from": start + PAGE}
    return await page(
        request,
        principal,
        "policy/blocks.html",
        site=site,
        sites=known,
        total=total,
        standing=[one for one in standing if not one["over"]],
        over=over if start == 0 else [],
        next_url="/moderate/blocks?" + urlencode(following) if start + PAGE < total else None,
        notice="It is lifted: what it blocked is judged like any other." if asked.get("done") == "lifted" else None,
    )


@sent_form
async def post_lift(request: Request, principal: Principal, typed: Form) -> Response:
    """Lift one block."""
    services, key = services_of(request), typed.get("site", "")
    if not is_site_key(key):
        raise NotFound("There is no such site.")
    async with services.database.transaction() as tx:
        await blocks.lift(tx, principal, key, typed.get("entry", ""), services.clock())
    services.directory.forget()
    return RedirectResponse("/moderate/blocks?" + urlencode({"site": key, "done": "lifted"}), 303)


routes = [
    Route("/moderate/blocks", get_page, methods=["GET"]),
    Route("/moderate/blocks/lift", post_lift, methods=["POST"]),
]
