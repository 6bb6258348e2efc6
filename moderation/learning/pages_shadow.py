"""The page of shadow mode: the candidate, its differences from the current model, and its promotion."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from classifier.serving import ModelError
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Conflict, Invalid, NotFound, Problem
from moderation.learning import shadow
from moderation.policy import settings_history
from moderation.policy.pages import chosen, seen_sites, site_asked
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import check_administrator, sent_form, signed_in

SHOWN = 20


async def report_on(request: Request, site: str) -> dict[str, Any]:
    """The report, and the available versions."""
    services = services_of(request)
    told = await shadow.report(services.database, site)
    classifier = services.scorer.classifier
    try:
        told["current"] = classifier.serving(site)
        told["models"] = await asyncio.to_thread(shadow.candidates, classifier, site)
    except ModelError:
        told["current"], told["models"] = "", []
    return told


async def start(request: Request, principal: Principal, site: str, model: str) -> None:
    services = services_of(request)
    await asyncio.to_thread(shadow.checked, services.scorer.classifier, site, model)
    async with services.database.transaction() as tx:
        await settings_history.site_of(tx, site)
        await shadow.start(tx, site, model, principal.name, services.clock())


async def stop(request: Request, principal: Principal, site: str) -> None:
    services = services_of(request)
    async with services.database.transaction() as tx:
        await shadow.stop(tx, site, principal.name, services.clock())


async def promote(request: Request, principal: Principal, site: str) -> dict[str, Any]:
    """Promotes the candidate. Raises Conflict if the model cannot go live."""
    services = services_of(request)
    try:
        found: dict[str, Any] = await shadow.promote(
            *(services.database, services.scorer.classifier, services.models, site, principal.name, services.clock()),
            principal.sees(EVERYWHERE),
        )
    except ModelError as error:
        raise Conflict(str(error), code="model") from None
    return found


SAID = {
    "start": "The candidate runs. It reads along with what comes from now on, within half a minute.",
    "stop": "The candidate has stopped.",
    "promote": "The candidate is live from the next comment on.",
}


async def show(
    request: Request, principal: Principal, key: str, status: int = 200, problem: str = "", wrong: str = ""
) -> Response:
    known = await seen_sites(request, principal)
    site = chosen(known, key)
    try:
        before = shadow.place_of(request.query_params.get("cursor", ""))
    except Invalid:
        before = None
    found = await shadow.differing(services_of(request).database, site.key, before, SHOWN + 1)
    return await page(
        *(request, principal, "learning/shadow.html", status),
        site=site,
        sites=known,
        told=await report_on(request, site.key),
        found=found[:SHOWN],
        following=shadow.cursor_of(found[SHOWN - 1]) if len(found) > SHOWN else "",
        may_change=principal.is_administrator,
        problem=problem,
        wrong=wrong,
        notice=SAID.get(request.query_params.get("done", "")),
    )


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """Shadow mode: the candidate, its differences, and the comments."""
    return await show(request, principal, request.query_params.get("site", ""))


@sent_form
async def post_page(request: Request, principal: Principal, typed: Form) -> Response:
    """Start, stop or promote a candidate."""
    key, act = site_asked(typed, principal), typed.get("act", "")
    check_administrator(principal)
    try:
        if act == "start":
            await start(request, principal, key, typed.get("model", ""))
        elif act == "stop":
            await stop(request, principal, key)
        elif act == "promote":
            await promote(request, principal, key)
        else:
            raise NotFound("This page has no such action.")
    except Invalid as invalid:
        wrong = next((error.message for error in invalid.errors), invalid.detail)
        return await show(request, principal, key, invalid.status, wrong=wrong)
    except Problem as problem:
        return await show(request, principal, key, problem.status, problem=problem.detail)
    return RedirectResponse("/moderate/shadow?" + urlencode({"site": key, "done": act}), 303)


routes = [
    Route("/moderate/shadow", get_page, methods=["GET"]),
    Route("/moderate/shadow", post_page, methods=["POST"]),
]
