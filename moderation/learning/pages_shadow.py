"""Shadow mode: a candidate beside the model that decides, where the two would differ, and the way to the pointer."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from classifier.serving import ModelError
from moderation.core.ids import EVERYWHERE, is_id
from moderation.core.problem import Conflict, FieldError, Forbidden, Invalid, NotFound, Problem
from moderation.learning import shadow
from moderation.policy import settings_history
from moderation.policy.pages import chosen, may_change, seen_sites, sent_form, site_asked
from moderation.policy.pages_rules import asked_of
from moderation.queue.api import answer
from moderation.queue.pages import page, signed_in
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web import bodies

MOST, SHOWN = 200, 20


async def told_of(request: Request, site: str) -> dict[str, Any]:
    """The report, and what else could run."""
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
    """Raises Conflict where the model cannot go live."""
    services = services_of(request)
    try:
        found: dict[str, Any] = await shadow.promote(
            *(services.database, services.scorer.classifier, services.models, site, principal.name, services.clock()),
            principal.sees(EVERYWHERE),
        )
    except ModelError as error:
        raise Conflict(str(error), code="model") from None
    return found


# --- for programs --------------------------------------------------------------------------------------------------------


async def who_changes(request: Request) -> tuple[Principal, str]:
    """Raises Forbidden for a moderator's session: an administrator's, or a token with the scope."""
    principal, key = await asked_of(request)
    if principal.moderator and principal.moderator.role != "administrator":
        raise Forbidden("Only an administrator changes which model runs.", code="role")
    async with services_of(request).database.reading() as session:
        await settings_history.site_of(session, key)
    return principal, key


async def get_shadow(request: Request) -> Response:
    """The candidate that runs beside the model, or the last one that did, and where the two would differ."""
    _, key = await asked_of(request)
    async with services_of(request).database.reading() as session:
        await settings_history.site_of(session, key)
    return answer(await told_of(request, key))


async def post_shadow(request: Request) -> Response:
    """Let a candidate run beside the model; whatever ran there before is over."""
    principal, key = await who_changes(request)
    model = (await bodies.read_json(request)).get("model")
    if not isinstance(model, str) or not model:
        raise Invalid(FieldError("model", "invalid", "must be the name of a version"))
    await start(request, principal, key, model)
    return answer(await told_of(request, key))


async def post_stop(request: Request) -> Response:
    """End the candidate's run; what it has shown stays for a while."""
    principal, key = await who_changes(request)
    await stop(request, principal, key)
    return answer(await told_of(request, key))


async def post_promote(request: Request) -> Response:
    """The candidate goes live."""
    principal, key = await who_changes(request)
    return answer(await promote(request, principal, key))


async def get_comments(request: Request) -> Response:
    """The comments on which the two differ, newest first."""
    _, key = await asked_of(request)
    before, limit = place_of(dict(request.query_params))
    found = await shadow.differing(services_of(request).database, key, before, limit + 1)
    following = f"{found[limit - 1]['id']}.{found[limit - 1]['revision']}" if len(found) > limit else None
    return answer({"comments": found[:limit], "next": following})


def place_of(asked: dict[str, str]) -> tuple[tuple[str, int] | None, int]:
    """Where a page begins, and how long it is. Raises Invalid."""
    given, cursor = asked.get("limit", "50"), asked.get("cursor", "")
    limit = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    id, _, revision = cursor.partition(".")
    wrong = []
    if not 1 <= limit <= MOST:
        wrong.append(FieldError("limit", "invalid", f"must be a whole number from 1 to {MOST}"))
    if cursor and not (is_id(id) and revision.isascii() and revision.isdigit() and len(revision) < 9):
        wrong.append(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
    if wrong:
        raise Invalid(*wrong)
    return (id, int(revision)) if cursor else None, limit


# --- for people ----------------------------------------------------------------------------------------------------------

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
        before, _ = place_of({"cursor": request.query_params.get("cursor", "")})
    except Invalid:
        before = None
    found = await shadow.differing(services_of(request).database, site.key, before, SHOWN + 1)
    return await page(
        *(request, principal, "learning/shadow.html", status),
        site=site,
        sites=known,
        told=await told_of(request, site.key),
        found=found[:SHOWN],
        following=f"{found[SHOWN - 1]['id']}.{found[SHOWN - 1]['revision']}" if len(found) > SHOWN else "",
        may_change=may_change(principal),
        problem=problem,
        wrong=wrong,
        notice=SAID.get(request.query_params.get("done", "")),
    )


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """Shadow mode: which candidate runs, where it would differ, and the comments."""
    return await show(request, principal, request.query_params.get("site", ""))


@signed_in
async def post_page(request: Request, principal: Principal) -> Response:
    """Start, stop or promote a candidate."""
    typed = dict(await sent_form(request, principal))
    key, act = site_asked(typed, principal), typed.get("act", "")
    if not may_change(principal):
        raise Forbidden("Only an administrator changes which model runs.", code="role")
    try:
        if act == "start":
            await start(request, principal, key, typed.get("model", ""))
        elif act == "stop":
            await stop(request, principal, key)
        elif act == "promote":
            await promote(request, principal, key)
        else:
            raise NotFound("This page knows no such act.")
    except Invalid as invalid:
        wrong = next((error.message for error in invalid.errors), invalid.detail)
        return await show(request, principal, key, invalid.status, wrong=wrong)
    except Problem as problem:
        return await show(request, principal, key, problem.status, problem=problem.detail)
    return RedirectResponse("/moderate/shadow?" + urlencode({"site": key, "done": act}), 303)


routes = [
    Route("/moderate/shadow", get_page, methods=["GET"]),
    Route("/moderate/shadow", post_page, methods=["POST"]),
    Route("/api/v1/sites/{site}/shadow", get_shadow, methods=["GET"]),
    Route("/api/v1/sites/{site}/shadow", post_shadow, methods=["POST"]),
    Route("/api/v1/sites/{site}/shadow/stop", post_stop, methods=["POST"]),
    Route("/api/v1/sites/{site}/shadow/promote", post_promote, methods=["POST"]),
    Route("/api/v1/sites/{site}/shadow/comments", get_comments, methods=["GET"]),
]
