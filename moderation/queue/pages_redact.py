"""A piece taken out of a comment: by the API, and as a page of its own that needs no script."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import FieldError, Invalid, Problem
from moderation.db import secure_delete
from moderation.queue import decide as queue
from moderation.queue import redact
from moderation.queue.api import answer
from moderation.queue.pages import back_of, in_words, page, revision_of, signed_in, titles_of
from moderation.queue.redact import Redacted
from moderation.services import Services, services_of
from moderation.team.model import Principal
from moderation.web import bodies

log = logging.getLogger("moderation.queue.pages_redact")


async def at_once(services: Services) -> None:
    """Out of the files while nobody waits for it. Where it cannot be, the next round does it."""
    try:
        await secure_delete.scrub(services.database)
    except Exception as error:
        log.warning("scrubbing is put off", extra={"why": type(error).__name__})


async def taken_out(request: Request, principal: Principal, piece: object, seen: int | None) -> Redacted:
    services = services_of(request)
    done = await redact.redact(
        services.database, principal, request.path_params["id"], redact.pattern(piece), seen, services.clock()
    )
    services.threads.drop(done.moved.site, done.moved.article)
    return done


async def post_redact(request: Request) -> Response:
    """Take a piece out of a comment, wherever it is stored. There is no undo."""
    principal = await services_of(request).authenticator.principal(request, "moderate")
    raw = await bodies.read_json(request)
    seen = raw.get("expected_revision")
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise Invalid(FieldError("expected_revision", "invalid", "must be a revision"))
    done = await taken_out(request, principal, raw.get("text"), seen)
    told = answer(done.moved.document() | {"places": done.places})
    told.background = BackgroundTask(at_once, services_of(request))
    return told


async def redact_page(
    request: Request, principal: Principal, typed: dict[str, str], problem: Problem | None = None
) -> Response:
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    shown.pop("decisions")
    return await page(
        request,
        principal,
        "queue/redact.html",
        problem.status if problem else 200,
        comment=in_words(shown, await titles_of(services.database, [shown])),
        typed=typed.get("text", "")[: redact.LONGEST],
        wrong=problem.errors[0].message if problem and problem.errors else "",
        problem="" if problem is None or problem.errors else problem.detail,
        back_to=back_of(typed),
    )


@signed_in
async def get_redact(request: Request, principal: Principal) -> Response:
    """A comment, and which piece of it is to go."""
    return await redact_page(request, principal, {"back": request.query_params.get("back", "")})


@signed_in
async def post_redact_form(request: Request, principal: Principal) -> Response:
    """Take that piece out, wherever it is stored. There is no undo."""
    services = services_of(request)
    typed = bodies.single(await bodies.form_fields(request, await bodies.read(request)))
    services.authenticator.check_csrf(principal, typed.get("csrf_token", ""))
    try:
        await taken_out(request, principal, typed.get("text"), revision_of(typed))
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await redact_page(request, principal, typed, problem)
    back = back_of(typed)
    where = f"{back}{'&' if '?' in back else '?'}{urlencode({'done': 'redacted'})}"
    return RedirectResponse(where, 303, background=BackgroundTask(at_once, services))


routes = [
    Route("/api/v1/comments/{id}/redact", post_redact, methods=["POST"]),
    Route("/moderate/comments/{id}/redact", get_redact, methods=["GET"]),
    Route("/moderate/comments/{id}/redact", post_redact_form, methods=["POST"]),
]
