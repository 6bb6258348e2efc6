"""Staff replies, as a page without JavaScript."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Invalid, Problem
from moderation.queue import decide as queue
from moderation.queue import reply as staff_reply
from moderation.queue.api_acts import replied
from moderation.queue.pages import back_of, cards, page, revision_of
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web import bodies
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in


async def reply_page(
    request: Request, principal: Principal, typed: dict[str, str], problem: Problem | None = None
) -> Response:
    """The comment in its current state, and the form with its values."""
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    shown.pop("decisions")
    (comment,) = await cards(services, principal, [shown])
    wrong = {e.field: e.message for e in problem.errors} if isinstance(problem, Invalid) else {}
    return await page(
        request,
        principal,
        "queue/reply.html",
        problem.status if problem else 200,
        comment=comment,
        typed=typed,
        wrong=wrong,
        problem="" if wrong or problem is None else problem.detail,
        back_to=back_of(typed),
    )


@signed_in
async def get_reply(request: Request, principal: Principal) -> Response:
    """A comment and the form to reply to it as staff."""
    return await reply_page(request, principal, {"back": request.query_params.get("back", "")})


@sent_form
async def post_reply_form(request: Request, principal: Principal, form: Form) -> Response:
    """Reply to a comment; it is published first if it is not."""
    services = services_of(request)
    typed = bodies.single(form.pairs)
    try:
        said = await staff_reply.checked(principal, typed)
        done = await replied(
            services, principal, request.path_params["id"], said, typed.get("approve") == "1", revision_of(typed)
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await reply_page(request, principal, typed, problem)  # keeps the form's values
    back = back_of(typed)
    told = urlencode({"done": "reply", "count": len(done.moved), "decision": done.decision})
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{told}", 303)


routes = [
    Route("/moderate/comments/{id}/reply", get_reply, methods=["GET"]),
    Route("/moderate/comments/{id}/reply", post_reply_form, methods=["POST"]),
]
