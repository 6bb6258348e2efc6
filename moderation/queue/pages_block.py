"""From a comment: close its article, keep out its author, network or a domain; and each of them taken back."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import FieldError, Invalid
from moderation.queue import block
from moderation.queue.api import answer
from moderation.queue.pages import back_of, signed_in
from moderation.services import Services, services_of
from moderation.team.model import Principal
from moderation.web import bodies


async def barred(services: Services, principal: Principal, id: str, what: str, *, lift: bool) -> dict[str, bool]:
    """What is barred from this comment now."""
    comment = await block.bar(services.database, services.signer, principal, id, what, services.clock(), lift=lift)
    services.directory.forget()
    services.threads.drop(comment.site, comment.article)
    async with services.database.reading() as session:
        return (await block.offered(session, [comment]))[id]


async def by_api(request: Request, *, lift: bool) -> Response:
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    what = (await bodies.read_json(request)).get("what")
    if not isinstance(what, str):
        raise Invalid(FieldError("what", "invalid", "must be one of the comment's `bars`"))
    id = request.path_params["id"]
    return answer({"id": id, "bars": await barred(services, principal, id, what, lift=lift)})


async def post_bar(request: Request) -> Response:
    """Close the comment's article, or keep out its author, its network or a domain of it."""
    return await by_api(request, lift=False)


async def post_unbar(request: Request) -> Response:
    """Take that back."""
    return await by_api(request, lift=True)


async def by_form(request: Request, principal: Principal, *, lift: bool) -> Response:
    services = services_of(request)
    typed = dict(await bodies.form_fields(request, await bodies.read(request)))
    services.authenticator.check_csrf(principal, typed.get("csrf_token", ""))
    id, what, back = request.path_params["id"], typed.get("bar", ""), back_of(typed)
    await barred(services, principal, id, what, lift=lift)
    told = {"done": "unbarred" if lift else "barred", "bar": what, "comment": id}
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{urlencode(told)}", 303)


@signed_in
async def post_bar_form(request: Request, principal: Principal) -> Response:
    """Close the comment's article, or keep out what is chosen."""
    return await by_form(request, principal, lift=False)


@signed_in
async def post_unbar_form(request: Request, principal: Principal) -> Response:
    """Take that back."""
    return await by_form(request, principal, lift=True)


routes = [
    Route("/api/v1/comments/{id}/bar", post_bar, methods=["POST"]),
    Route("/api/v1/comments/{id}/unbar", post_unbar, methods=["POST"]),
    Route("/moderate/comments/{id}/bar", post_bar_form, methods=["POST"]),
    Route("/moderate/comments/{id}/unbar", post_unbar_form, methods=["POST"]),
]
