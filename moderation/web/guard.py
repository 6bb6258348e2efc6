"""The guard: authentication, rights and CSRF. Every protected handler uses it."""

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
    """Authenticates a request, so that `principal_of` works. Raises Unauthorized or Forbidden.

    Accepts a bearer token or a session. Changes by a session need the header X-CSRF-Token."""
    authenticator = services_of(request).authenticator
    request.state.principal = await (
        authenticator.principal(request, scope) if sessions else authenticator.bearer(request, scope)
    )


def principal_of(request: Request) -> Principal:
    """The principal of an admitted request."""
    principal: Principal = request.state.principal
    return principal


def signed_in(endpoint: Callable[[Request, Principal], Awaitable[Response]]) -> Page:
    """A page for moderators; without a session it redirects to the sign-in page."""

    async def page(request: Request) -> Response:
        principal = await services_of(request).authenticator.session(request)
        if principal is None:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse("/moderate/login?" + urlencode({"next": asked}), 303)
        return await endpoint(request, principal)

    page.__name__, page.__doc__ = endpoint.__name__, endpoint.__doc__
    return page


def sent_form(endpoint: Callable[[Request, Principal, Form], Awaitable[Response]]) -> Page:
    """The handler of a moderator's form. Raises Unauthorized, Forbidden, BadRequest or Invalid."""

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
    """The moderator of a session."""
    assert principal.moderator
    return principal.moderator


def check_administrator(principal: Principal) -> None:
    """Raises Forbidden for a moderator without the role; tokens are governed by their scopes."""
    if not principal.is_administrator:
        raise Forbidden("Only an administrator may do this.", code="role")
