"""The rules: a page that shows what each has done and which are muted, and the API to read and set them."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Forbidden, NotFound
from moderation.policy import rule_health, settings_history
from moderation.queue.api import answer
from moderation.queue.pages import page, signed_in
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import is_site_key
from moderation.team.model import Principal
from moderation.web import bodies


async def asked_of(request: Request) -> tuple[Principal, str]:
    """Who asks, and of which site. Raises NotFound for another's."""
    principal = await services_of(request).authenticator.principal(request, "moderate")
    key = request.path_params["site"]
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    return principal, key


async def get_rules(request: Request) -> Response:
    """A site's settings, and what each rule has caught in the last 30 days."""
    services = services_of(request)
    _, key = await asked_of(request)
    async with services.database.reading() as session:
        return answer(
            await settings_history.report(session, await settings_history.site_of(session, key), services.clock())
        )


async def put_rules(request: Request) -> Response:
    """Change what is given of a site's settings; null is the default."""
    services = services_of(request)
    principal, key = await asked_of(request)
    if principal.moderator and principal.moderator.role != "administrator":
        raise Forbidden("Only an administrator changes the rules.", code="role")
    given = await bodies.read_json(request)
    async with services.database.transaction() as tx:
        await settings_history.change(tx, key, lambda _: given, services.signer, principal.name, services.clock())
        told = await settings_history.report(tx, await settings_history.site_of(tx, key), services.clock())
    services.directory.forget()
    return answer(told)


async def post_unmute(request: Request) -> Response:
    """End the muting of a rule; it is not muted again for a day."""
    services = services_of(request)
    principal, key = await asked_of(request)
    rule = request.path_params["rule"]
    if not await rule_health.unmute(services.database, key, rule, principal.name, services.clock()):
        raise NotFound("This rule is not muted.")
    return answer({"site": key, "rule": rule, "muted": None})


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """What each rule has done, and which are muted."""
    services = services_of(request)
    wanted = request.query_params.get("site", "")
    async with services.database.reading() as session:
        seen = [site for site in (await sites.sites(session)).values() if principal.sees(site.key)]
        chosen = next((site for site in seen if site.key == wanted), seen[0] if seen else None)
        told = await settings_history.report(session, chosen, services.clock()) if chosen else None
    muted = [site for site in seen if site.muted and site is not chosen]
    notice = "The rule is back at work." if request.query_params.get("done") == "unmuted" else None
    return await page(request, principal, "policy/rules.html", told=told, sites=seen, elsewhere=muted, notice=notice)


@signed_in
async def post_page(request: Request, principal: Principal) -> Response:
    """End the muting of a rule."""
    services = services_of(request)
    typed = dict(await bodies.form_fields(request, await bodies.read(request)))
    services.authenticator.check_csrf(principal, typed.get("csrf_token", ""))
    key, rule = typed.get("site", ""), typed.get("rule", "")
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    await rule_health.unmute(services.database, key, rule, principal.name, services.clock())  # done twice is done
    return RedirectResponse("/moderate/rules?" + urlencode({"site": key, "done": "unmuted"}), 303)


routes = [
    Route("/moderate/rules", get_page, methods=["GET"]),
    Route("/moderate/rules/unmute", post_page, methods=["POST"]),
    Route("/api/v1/sites/{site}/rules", get_rules, methods=["GET"]),
    Route("/api/v1/sites/{site}/rules", put_rules, methods=["PUT"]),
    Route("/api/v1/sites/{site}/rules/{rule}/unmute", post_unmute, methods=["POST"]),
]
