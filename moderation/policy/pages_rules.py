"""The rules: a page that shows what each has done and which are muted, and the API to read and set them."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Forbidden, NotFound
from moderation.policy import rule_health as tally
from moderation.policy import settings_history as rulebook
from moderation.queue.api import answer
from moderation.queue.pages import page, signed_in
from moderation.sites import store as sites
from moderation.sites.model import is_site_key
from moderation.team.model import Asker
from moderation.web import bodies as body


async def asked_of(request: Request) -> tuple[Asker, str]:
    """Who asks, and of which site. Raises NotFound for another's."""
    asker: Asker = await request.app.state.doorman.asker(request, "moderate")
    key = request.path_params["site"]
    if not is_site_key(key) or not asker.sees(key):
        raise NotFound("There is no such site.")
    return asker, key


async def get_rules(request: Request) -> Response:
    """A site's settings, and what each rule has caught in the last 30 days."""
    state = request.app.state
    _, key = await asked_of(request)
    async with state.database.reading() as session:
        return answer(await rulebook.report(session, await rulebook.site_of(session, key), state.clock()))


async def put_rules(request: Request) -> Response:
    """Change what is given of a site's settings; null is the default."""
    state = request.app.state
    asker, key = await asked_of(request)
    if asker.moderator and asker.moderator.role != "administrator":
        raise Forbidden("Only an administrator changes the rules.", code="role")
    given = await body.read_json(request)
    async with state.database.transaction() as tx:
        await rulebook.change(tx, key, lambda _: given, state.links.seal, asker.name, state.clock())
        told = await rulebook.report(tx, await rulebook.site_of(tx, key), state.clock())
    state.directory.forget()
    return answer(told)


async def post_unmute(request: Request) -> Response:
    """End the muting of a rule; it is not muted again for a day."""
    state = request.app.state
    asker, key = await asked_of(request)
    rule = request.path_params["rule"]
    if not await tally.unmute(state.database, key, rule, asker.name, state.clock()):
        raise NotFound("This rule is not muted.")
    return answer({"site": key, "rule": rule, "muted": None})


@signed_in
async def get_page(request: Request, asker: Asker) -> Response:
    """What each rule has done, and which are muted."""
    state = request.app.state
    wanted = request.query_params.get("site", "")
    async with state.database.reading() as session:
        seen = [site for site in (await sites.sites(session)).values() if asker.sees(site.key)]
        chosen = next((site for site in seen if site.key == wanted), seen[0] if seen else None)
        told = await rulebook.report(session, chosen, state.clock()) if chosen else None
    muted = [site for site in seen if site.muted and site is not chosen]
    notice = "The rule is back at work." if request.query_params.get("done") == "unmuted" else None
    return await page(request, asker, "policy/rules.html", told=told, sites=seen, elsewhere=muted, notice=notice)


@signed_in
async def post_page(request: Request, asker: Asker) -> Response:
    """End the muting of a rule."""
    state = request.app.state
    typed = dict(await body.form_fields(request, await body.read(request)))
    state.doorman.check_csrf(asker, typed.get("csrf_token", ""))
    key, rule = typed.get("site", ""), typed.get("rule", "")
    if not is_site_key(key) or not asker.sees(key):
        raise NotFound("There is no such site.")
    await tally.unmute(state.database, key, rule, asker.name, state.clock())  # done twice is done
    return RedirectResponse("/moderate/rules?" + urlencode({"site": key, "done": "unmuted"}), 303)


routes = [
    Route("/moderate/rules", get_page, methods=["GET"]),
    Route("/moderate/rules/unmute", post_page, methods=["POST"]),
    Route("/api/sites/{site}/rules", get_rules, methods=["GET"]),
    Route("/api/sites/{site}/rules", put_rules, methods=["PUT"]),
    Route("/api/sites/{site}/rules/{rule}/unmute", post_unmute, methods=["POST"]),
]
