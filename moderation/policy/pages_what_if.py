"""What if: other rules, thresholds or a candidate model against the verdicts of the last days; nothing is changed by it."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classifier.serving import ModelError
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.policy import settings_history
from moderation.policy.pages import Shown, chosen, errors_in, given_of, said_of, seen_sites, sent_form, show, site_asked
from moderation.queue.api import answer
from moderation.queue.pages import signed_in
from moderation.services import services_of
from moderation.sites import site_settings as rules
from moderation.sites.model import Site, SiteSettings, is_site_key
from moderation.team.model import Principal
from moderation.web import bodies

DAYS = (1, 7, 30, 90, 365)
MOST_DAYS = 365


def wrong_model(error: ModelError | None = None) -> Invalid:
    return Invalid(FieldError("model", "invalid", str(error or "must be the name of a version")))


async def found_of(request: Request, site: Site, days: int, house: SiteSettings, model: str) -> dict[str, Any]:
    """Raises Invalid where there is no such model."""
    services = services_of(request)
    try:
        found: dict[str, Any] = await services.what_if.what_if(site, days, house, services.clock(), model)
    except ModelError as error:
        raise wrong_model(error) from None
    return found


async def post_what_if(request: Request) -> Response:
    """Which verdicts of the last days would change under other rules, or with a candidate model."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    asked = await bodies.read_json(request)
    key, days, given, model = asked.get("site"), asked.get("days", 30), asked.get("rules"), asked.get("model")
    wrong: list[FieldError] = []
    if not isinstance(key, str) or not is_site_key(key):
        wrong.append(FieldError("site", "invalid", "must be a site's key"))
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
        wrong.append(FieldError("days", "invalid", f"must be a whole number from 1 to {MOST_DAYS}"))
    if given is not None and not isinstance(given, dict):
        wrong.append(FieldError("rules", "invalid", "must be an object of settings"))
    if model is not None and (not isinstance(model, str) or not model):
        wrong += wrong_model().errors
    if wrong:
        raise Invalid(*wrong)
    assert isinstance(key, str) and isinstance(days, int)
    if not principal.sees(key):
        raise NotFound("There is no such site.")
    async with services.database.reading() as session:
        site = await settings_history.site_of(session, key)
    house = await settings_history.changed(site.rules, given or {}, services.signer)
    found = await found_of(request, site, days, house, model or "")
    return answer(found | {"rules": rules.differences(site.rules, house)})


async def more_of(request: Request, site: Site, days: int, model: str, found: dict[str, Any] | None) -> dict[str, Any]:
    versions = await asyncio.to_thread(services_of(request).scorer.classifier.versions, site.key)
    return {"days": days, "day_choices": DAYS, "model": model, "models": versions, "found": found}


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """What would change: choose other rules, thresholds or another model."""
    known = await seen_sites(request, principal)
    site = chosen(known, request.query_params.get("site", ""))
    more = await more_of(request, site, 30, "", None)
    return await show(request, principal, Shown(site, {}, more=more), known, "policy/what-if.html")


@signed_in
async def post_page(request: Request, principal: Principal) -> Response:
    """Which verdicts of the last days would change. Nothing is saved."""
    services = services_of(request)
    given, typed, wrong = given_of(await sent_form(request, principal))
    key = site_asked(typed, principal)
    asked = typed.get("days", "30")
    days = int(asked) if asked in map(str, DAYS) else 30
    model = typed.get("model", "")
    async with services.database.reading() as session:
        site = await settings_history.site_of(session, key)
    found: dict[str, Any] | None = None
    wrong += await errors_in(settings_history.changed(site.rules, given, services.signer))
    if not wrong:
        house = await settings_history.changed(site.rules, given, services.signer)
        try:
            found = await found_of(request, site, days, house, model)
            differs = rules.differences(site.rules, house)
            found["differs"] = {name: settings_history.moved(pair) for name, pair in differs.items()}
        except Invalid as invalid:
            wrong += invalid.errors
    more = await more_of(request, site, days, model, found)
    shown = Shown(site, typed, said_of(wrong), more=more)
    return await show(
        request, principal, shown, await seen_sites(request, principal), "policy/what-if.html", 422 if wrong else 200
    )


routes = [
    Route("/api/v1/what-if", post_what_if, methods=["POST"]),
    Route("/moderate/what-if", get_page, methods=["GET"]),
    Route("/moderate/what-if", post_page, methods=["POST"]),
]
