"""The page of what-if: a replay under other rules, thresholds or another model, and the model that reads along."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Invalid, NotFound, Problem
from moderation.policy import api_what_if as what_if
from moderation.policy import read_along, settings_history
from moderation.policy.pages import Shown, chosen, errors_in, given_of, said_of, seen_sites, show, site_asked
from moderation.services import services_of
from moderation.sites import site_settings as rules
from moderation.sites.model import Site
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in

DAYS = (1, 7, 30, 90, 365)
CHANGED = 20
"""Changed comments on a page, of a model that reads along."""
NOTICES = {
    "read-along": "The model reads along from now on. The first results appear within half a minute.",
    "stop": "The model has stopped.",
    "promote": "The model is live from the next comment on.",
}


async def render(
    request: Request,
    principal: Principal,
    site: Site,
    report: dict[str, Any] | None = None,
    typed: dict[str, Any] | None = None,
    wrong: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    """The page with a replay's report; without one, with that of the model that reads along, or read along last."""
    services, typed, query, following = services_of(request), typed or {}, request.query_params, None
    if report is None:
        report = await what_if.report_of(services, site.key)
        try:
            cursor = query.get("cursor", "")
            report["examples"], following = await read_along.changed(services.database, site.key, cursor, CHANGED)
        except Invalid:  # the latest ones stay
            pass
    more = {"days": days_of(typed), "day_choices": DAYS, "model": typed.get("model", "")}
    more |= {"report": report, "following": following}
    notice = NOTICES.get(query.get("done", ""))
    shown = Shown(site, typed, wrong or {}, notice=notice, problem=problem, more=more)
    sites = await seen_sites(request, principal)
    return await show(request, principal, shown, sites, "policy/what-if.html", status)


def days_of(typed: dict[str, Any]) -> int:
    days = typed.get("days", "")
    return int(days) if days in map(str, DAYS) else 30


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """The form: choose other rules, thresholds or another model."""
    return await render(
        request, principal, chosen(await seen_sites(request, principal), request.query_params.get("site", ""))
    )


@sent_form
async def post_page(request: Request, principal: Principal, form: Form) -> Response:
    """The verdicts that would change, and nothing is saved; or a model starts to read along, stops, or goes live."""
    services = services_of(request)
    given, typed, errors = given_of(form.pairs)
    key, act, model = site_asked(typed, principal), typed.get("act", ""), typed.get("model", "")
    async with services.database.reading() as session:
        site = await settings_history.site_of(session, key)
    try:
        if act == "read-along":
            await what_if.start(services, principal, key, model)
        elif act == "stop":
            await what_if.stop(services, principal, key)
        elif act == "promote":
            await what_if.promote(services, principal, key)
        elif act:
            raise NotFound("This page has no such action.")
        else:
            errors += await errors_in(settings_history.changed(site.settings, given, services.signer))
            if errors:
                raise Invalid(*errors)
            house = await settings_history.changed(site.settings, given, services.signer)
            report = await what_if.replayed(services, site, days_of(typed), house, model)
            differs = rules.differences(site.settings, house)
            report["differs"] = {name: settings_history.moved(pair) for name, pair in differs.items()}
            return await render(request, principal, site, report, typed)
    except Invalid as invalid:
        return await render(request, principal, site, typed=typed, wrong=said_of(invalid.errors), status=invalid.status)
    except Problem as problem:
        return await render(request, principal, site, problem=problem.detail, status=problem.status)
    return RedirectResponse("/moderate/what-if?" + urlencode({"site": key, "done": act}), 303)


routes = [
    Route("/moderate/what-if", get_page, methods=["GET"]),
    Route("/moderate/what-if", post_page, methods=["POST"]),
]
