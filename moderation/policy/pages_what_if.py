"""The page of what-if: a replay of recent verdicts under other rules, thresholds or a candidate model. It saves nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.core.problem import Invalid
from moderation.policy import settings_history
from moderation.policy.api_what_if import replayed
from moderation.policy.pages import Shown, chosen, errors_in, given_of, said_of, seen_sites, show, site_asked
from moderation.services import services_of
from moderation.sites import site_settings as rules
from moderation.sites.model import Site
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in

DAYS = (1, 7, 30, 90, 365)


async def more_of(request: Request, site: Site, days: int, model: str, found: dict[str, Any] | None) -> dict[str, Any]:
    versions = await asyncio.to_thread(services_of(request).scorer.classifier.versions, site.key)
    return {"days": days, "day_choices": DAYS, "model": model, "models": versions, "found": found}


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """The form: choose other rules, thresholds or another model."""
    known = await seen_sites(request, principal)
    site = chosen(known, request.query_params.get("site", ""))
    more = await more_of(request, site, 30, "", None)
    return await show(request, principal, Shown(site, {}, more=more), known, "policy/what-if.html")


@sent_form
async def post_page(request: Request, principal: Principal, form: Form) -> Response:
    """The verdicts that would change. Nothing is saved."""
    services = services_of(request)
    given, typed, wrong = given_of(form.pairs)
    key = site_asked(typed, principal)
    asked = typed.get("days", "30")
    days = int(asked) if asked in map(str, DAYS) else 30
    model = typed.get("model", "")
    async with services.database.reading() as session:
        site = await settings_history.site_of(session, key)
    found: dict[str, Any] | None = None
    wrong += await errors_in(settings_history.changed(site.settings, given, services.signer))
    if not wrong:
        house = await settings_history.changed(site.settings, given, services.signer)
        try:
            found = await replayed(services, site, days, house, model)
            differs = rules.differences(site.settings, house)
            found["differs"] = {name: settings_history.moved(pair) for name, pair in differs.items()}
        except Invalid as invalid:
            wrong += invalid.errors
    more = await more_of(request, site, days, model, found)
    shown = Shown(site, typed, said_of(wrong), more=more)
    return await show(
        request, principal, shown, await seen_sites(request, principal), "policy/what-if.html", 422 if wrong else 200
    )


routes = [
    Route("/moderate/what-if", get_page, methods=["GET"]),
    Route("/moderate/what-if", post_page, methods=["POST"]),
]
