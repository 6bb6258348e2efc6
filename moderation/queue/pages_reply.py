"""A reply as staff: by the API, and as a page of its own that needs no script."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.comments.model import public
from moderation.core.problem import FieldError, Invalid, Problem
from moderation.queue import decide as queue
from moderation.queue import reply as staff_reply
from moderation.queue.api import answer
from moderation.queue.pages import back_of, in_words, page, revision_of, signed_in, titles_of
from moderation.queue.reply import Answered
from moderation.services import Services, services_of
from moderation.team.model import Principal
from moderation.web import bodies


def dropped(services: Services, done: Answered) -> Answered:
    for m in done.moved:
        services.threads.drop(m.site, m.article)
    services.decided["approve"] += len(done.moved) - 1
    return done


async def post_reply(request: Request) -> Response:
    """Reply to a comment as staff; with `approve`, publish it first, in the same transaction."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    raw = await bodies.read_json(request)
    approve, seen = raw.get("approve", False), raw.get("expected_revision")
    if not isinstance(approve, bool):
        raise Invalid(FieldError("approve", "invalid", "must be true or false"))
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise Invalid(FieldError("expected_revision", "invalid", "must be a revision"))
    said = await staff_reply.checked(principal, raw)
    done = dropped(
        services,
        await staff_reply.reply(
            services.database, services.signer, principal, request.path_params["id"], said,
            approve=approve, seen=seen, now=services.clock(),
        ),
    )  # fmt: skip
    shown = public(done.reply, services.links.avatar(done.reply.name)) | {"status": done.reply.status}
    return answer({"id": done.decision, "reply": shown, "comments": [m.document() for m in done.moved]}, 201)


async def reply_page(
    request: Request, principal: Principal, typed: dict[str, str], problem: Problem | None = None
) -> Response:
    """The comment as it is now, and the form with what was typed."""
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    shown.pop("decisions")
    wrong = {e.field: e.message for e in problem.errors} if isinstance(problem, Invalid) else {}
    return await page(
        request,
        principal,
        "queue/reply.html",
        problem.status if problem else 200,
        comment=in_words(shown, await titles_of(services.database, [shown])),
        typed=typed,
        wrong=wrong,
        problem="" if wrong or problem is None else problem.detail,
        back_to=back_of(typed),
    )


@signed_in
async def get_reply(request: Request, principal: Principal) -> Response:
    """A comment and the form to reply to it as staff."""
    return await reply_page(request, principal, {"back": request.query_params.get("back", "")})


@signed_in
async def post_reply_form(request: Request, principal: Principal) -> Response:
    """Reply to it; what is not published yet is published first."""
    services = services_of(request)
    typed = bodies.single(await bodies.form_fields(request, await bodies.read(request)))
    services.authenticator.check_csrf(principal, typed.get("csrf_token", ""))
    try:
        said = await staff_reply.checked(principal, typed)
        done = await staff_reply.reply(
            services.database, services.signer, principal, request.path_params["id"], said,
            approve=typed.get("approve") == "1", seen=revision_of(typed),
            now=services.clock(),
        )  # fmt: skip
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        return await reply_page(request, principal, typed, problem)  # nothing that was typed is lost
    dropped(services, done)
    back = back_of(typed)
    told = urlencode({"done": "reply", "count": len(done.moved), "decision": done.decision})
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{told}", 303)


routes = [
    Route("/api/v1/comments/{id}/replies", post_reply, methods=["POST"]),
    Route("/moderate/comments/{id}/reply", get_reply, methods=["GET"]),
    Route("/moderate/comments/{id}/reply", post_reply_form, methods=["POST"]),
]
