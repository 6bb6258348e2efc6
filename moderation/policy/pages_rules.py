"""The page of the rules with their hits and mutings."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import NotFound
from moderation.policy import rule_health, settings_history
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import is_site_key
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """Each rule's hits, and the muted rules."""
    services = services_of(request)
    wanted = request.query_params.get("site", "")
    async with services.database.reading() as session:
        seen = [site for site in (await sites.sites(session)).values() if principal.sees(site.key)]
        chosen = next((site for site in seen if site.key == wanted), seen[0] if seen else None)
        told = await settings_history.report(session, chosen, services.clock()) if chosen else None
    muted = [site for site in seen if site.muted and site is not chosen]
    notice = "The rule is back at work." if request.query_params.get("done") == "unmuted" else None
    return await page(request, principal, "policy/rules.html", told=told, sites=seen, elsewhere=muted, notice=notice)


@sent_form
async def post_page(request: Request, principal: Principal, typed: Form) -> Response:
    """Unmute a rule."""
    services = services_of(request)
    key, rule = typed.get("site", ""), typed.get("rule", "")
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    await rule_health.unmute(services.database, key, rule, principal.name, services.clock())  # idempotent
    return RedirectResponse("/moderate/rules?" + urlencode({"site": key, "done": "unmuted"}), 303)


routes = [
    Route("/moderate/rules", get_page, methods=["GET"]),
    Route("/moderate/rules/unmute", post_page, methods=["POST"]),
]
