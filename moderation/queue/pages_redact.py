"""Redaction, as a page without JavaScript."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Problem
from moderation.queue import decide as queue
from moderation.queue import redact
from moderation.queue.api_acts import overwrite, redacted
from moderation.queue.pages import back_of, cards, page, revision_of
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web import bodies
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in


async def redact_page(
    request: Request, principal: Principal, typed: dict[str, str], problem: Problem | None = None
) -> Response:
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    shown.pop("decisions")
    (comment,) = await cards(services, principal, [shown])
    return await page(
        request,
        principal,
        "queue/redact.html",
        problem.status if problem else 200,
        comment=comment,
        typed=typed.get("text", "")[: redact.LONGEST],
        wrong=problem.errors[0].message if problem and problem.errors else "",
        problem="" if problem is None or problem.errors else problem.detail,
        back_to=back_of(typed),
    )


@signed_in
async def get_redact(request: Request, principal: Principal) -> Response:
    """A comment, and the form for the piece to redact."""
    return await redact_page(request, principal, {"back": request.query_params.get("back", "")})


@sent_form
async def post_redact_form(request: Request, principal: Principal, form: Form) -> Response:
    """Redact the piece, wherever it is stored. There is no undo."""
    services = services_of(request)
    typed = bodies.single(form.pairs)
    try:
        await redacted(services, principal, request.path_params["id"], typed.get("text"), revision_of(typed))
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await redact_page(request, principal, typed, problem)
    back = back_of(typed)
    where = f"{back}{'&' if '?' in back else '?'}{urlencode({'done': 'redacted'})}"
    return RedirectResponse(where, 303, background=BackgroundTask(overwrite, services))


routes = [
    Route("/moderate/comments/{id}/redact", get_redact, methods=["GET"]),
    Route("/moderate/comments/{id}/redact", post_redact_form, methods=["POST"]),
]
