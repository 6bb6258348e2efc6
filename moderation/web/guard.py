"""The guard: who asks, whether they may, and whether a change was meant (CSRF). Every protected handler comes through here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from moderation.core.problem import Forbidden, Unauthorized
from moderation.services import services_of
from moderation.team.model import Moderator, Principal
from moderation.web import bodies
from moderation.web.bodies import Form

Page = Callable[[Request], Awaitable[Response]]


async def admit(request: Request, scope: str, *, sessions: bool = True) -> None:
    """Whoever asks is `principal_of` the request from here on. Raises Unauthorized or Forbidden.

    By a bearer token, or by a session, whose changes need the header X-CSRF-Token."""
    authenticator = services_of(request).authenticator
    request.state.principal = await (
        authenticator.principal(request, scope) if sessions else authenticator.bearer(request, scope)
    )


def principal_of(request: Request) -> Principal:
    """Who asks, of a request that was admitted."""
    principal: Principal = request.state.principal
    return principal


def signed_in(endpoint: Callable[[Request, Principal], Awaitable[Response]]) -> Page:
    """A page for a moderator; anybody else is sent to sign in first."""

    async def page(request: Request) -> Response:
        principal = await services_of(request).authenticator.session(request)
        if principal is None:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse("/moderate/login?" + urlencode({"next": asked}), 303)
        return await endpoint(request, principal)

    page.__name__, page.__doc__ = endpoint.__name__, endpoint.__doc__
    return page


def sent_form(endpoint: Callable[[Request, Principal, Form], Awaitable[Response]]) -> Page:
    """A form that a moderator sends from a page of ours. Raises Unauthorized, Forbidden, BadRequest or Invalid."""

    async def page(request: Request) -> Response:
        authenticator = services_of(request).authenticator
        principal = await authenticator.session(request)
        if principal is None:
            raise Unauthorized("The session is over: sign in again.")
        form = await bodies.read_form(request)
        authenticator.check_csrf(principal, form.get("csrf_token", ""))
        return await endpoint(request, principal, form)

    page.__name__, page.__doc__ = endpoint.__name__, endpoint.__doc__
    return page


def person(principal: Principal) -> Moderator:
    """The moderator who has the session: whoever has one is a person."""
    assert principal.moderator
    return principal.moderator


def check_administrator(principal: Principal) -> None:
    """A person needs the role; a token has its scope for it. Raises Forbidden."""
    if not principal.is_administrator:
        raise Forbidden("Only an administrator may do this.", code="role")
