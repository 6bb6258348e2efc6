"""Signing in and out, and choosing a password by a one-time link."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Forbidden, Problem, Unauthorized
from moderation.services import services_of
from moderation.team import access, passwords, second_factor
from moderation.team.access import DEVICE_COOKIE, DEVICE_LIFE, SESSION_LIFE
from moderation.team.model import Moderator
from moderation.text.addresses import EMAIL_LONGEST, checked_email
from moderation.web import bodies
from moderation.web.cookies import COOKIE, cookie_of

FORM_COOKIE = "moderation_form"
"""A session cookie that binds forms to a browser before sign-in."""


async def fields_of(request: Request) -> dict[str, str]:
    return bodies.single(await bodies.form_fields(request, await bodies.read(request)))


def browser_of(request: Request) -> str:
    """The browser's form cookie; empty without one."""
    return cookie_of(request, FORM_COOKIE)[:64]


def door_token(request: Request, browser: str) -> str:
    """CSRF token without a session, bound to this browser, so that a hostile page cannot sign a browser in to another
    account."""
    services = services_of(request)
    token: str = services.signer.form_token("moderate", f"login/{browser}", services.clock())
    return token


def check_door_token(request: Request, token: str) -> None:
    services, browser = services_of(request), browser_of(request)
    how = services.signer.check_form_token(token, "moderate", f"login/{browser}", services.clock())
    if not browser or how not in ("ok", "early"):
        raise Forbidden("The page has expired, or your browser blocks cookies; send it again.", code="csrf")


def door_page(request: Request, template: str, status: int = 200, headers: Any = None, **values: Any) -> Response:
    """A page with a form for signed-out users, bound to this browser."""
    pages = services_of(request).pages
    browser = browser_of(request) or secrets.token_urlsafe(18)
    values = {"moderator": None, "csrf_token": door_token(request, browser)} | values
    answer = pages.answer(template, status, headers, **values)
    if browser != browser_of(request):
        answer.set_cookie(FORM_COOKIE, browser, path="/moderate", httponly=True, samesite="lax", secure=secure(request))
    return answer


def secure(request: Request) -> bool:
    base: str = services_of(request).links.base
    return base.startswith("https:")


def signin_page(request: Request, problem: Problem | None = None, **values: Any) -> Response:
    error, status, headers = (problem.detail, problem.status, problem.headers) if problem else ("", 200, {})
    shown: dict[str, Any] = {"error": error, "email": "", "next": ""} | values
    return door_page(request, "team/signin.html", status, headers, **shown)


async def get_login(request: Request) -> Response:
    """The sign-in page."""
    return signin_page(request, next=safe_next(request.query_params.get("next", "")))


def safe_next(place: str) -> str:
    """A path of the console; any other target is replaced, so that a link cannot lead elsewhere after sign-in."""
    plain = place.startswith("/moderate") and "\\" not in place and place.isprintable()
    return place if plain and not place.startswith("/moderate/login") else ""


def plain_email(typed: str) -> str:
    """The normalised email address of an account; an invalid address matches none."""
    short = typed[: EMAIL_LONGEST + 1]
    return (checked_email(short) or short).casefold()


async def post_login(request: Request) -> Response:
    """A session, in a cookie that scripts cannot read; or, with a second factor, the page that asks for its code."""
    services = services_of(request)
    authenticator = services.authenticator
    signer = services.signer
    typed = await fields_of(request)
    email, following = typed.get("email", ""), safe_next(typed.get("next", ""))
    password = typed.get("password", "")[: passwords.LONGEST]
    try:
        check_door_token(request, typed.get("csrf_token", ""))
        account = plain_email(email)
        moderator = await authenticator.sign_in(account, password, await authenticator.caller(request, account))
        async with services.database.reading() as session:
            asks = await second_factor.is_on(session, moderator)
        if asks:
            given = (moderator.site, moderator.id, moderator.password_hash or "", browser_of(request))
            return code_page(request, signer.login_token(*given, services.clock()), following)
        token = await access.begin_session(services.database, signer, moderator, services.clock())
        return await begun(request, moderator, token, following)
    except Problem as problem:
        return signin_page(request, problem, email=email, next=following)


async def begun(request: Request, moderator: Moderator, token: str, following: str) -> Response:
    answer = RedirectResponse(following or "/moderate", 303)
    answer.set_cookie(COOKIE, token, max_age=SESSION_LIFE // 1000, **hidden(request))
    await remember(request, moderator, answer)
    return answer


async def remember(request: Request, moderator: Moderator, answer: Response) -> None:
    """Gives this browser a device cookie."""
    device = await services_of(request).authenticator.device_cookie(moderator)
    answer.set_cookie(DEVICE_COOKIE, device, max_age=DEVICE_LIFE // 1000, path="/moderate", **hidden(request))


def hidden(request: Request) -> Any:
    """What every cookie of a moderator has: no script reads it."""
    return {"httponly": True, "samesite": "lax", "secure": secure(request)}


def code_page(request: Request, login_token: str, following: str, problem: Problem | None = None) -> Response:
    error, status, headers = (problem.detail, problem.status, problem.headers) if problem else ("", 200, {})
    return door_page(
        request, "team/signin-code.html", status, headers, login_token=login_token, next=following, error=error
    )


async def post_code(request: Request) -> Response:
    """The second step: a code of the app, or a recovery code."""
    services = services_of(request)
    authenticator = services.authenticator
    typed = await fields_of(request)
    login_token, following = typed.get("login_token", "")[:200], safe_next(typed.get("next", ""))
    signer, browser = services.signer, browser_of(request)
    if not browser:  # a ticket is bound to a browser
        return RedirectResponse("/moderate/login", 303)
    async with services.database.reading() as session:
        moderator = await second_factor.moderator_of(session, signer, login_token, browser, services.clock())
    if moderator is None:
        return signin_page(request, Unauthorized("That took too long. Sign in again."), next=following)
    try:
        check_door_token(request, typed.get("csrf_token", ""))
        caller, code = await authenticator.caller(request, moderator.email, "code"), typed.get("code", "")[:100]
        await authenticator.throttle.wait(caller, services.clock())
        token = await second_factor.sign_in(services.database, signer, moderator, code, caller, services.clock())
        return await begun(request, moderator, token, following)
    except Problem as problem:
        return code_page(request, login_token, following, problem)


async def post_logout(request: Request) -> Response:
    """Ends the session. A request without its cookie, as from another site, ends none and deletes no cookie."""
    services = services_of(request)
    answer = RedirectResponse("/moderate/login", 303)
    principal = await services.authenticator.session(request)
    if principal:
        services.authenticator.check_csrf(principal, (await fields_of(request)).get("csrf_token", ""))
        await access.sign_out(services.database, services.signer, cookie_of(request, COOKIE), services.clock())
        answer.delete_cookie(COOKIE)
    return answer


async def get_set_password(request: Request) -> Response:
    """The page of a password link. Opening it does not use it up; setting a password does."""
    return await password_page(request)


async def password_page(request: Request, error: str = "", status: int = 200) -> Response:
    services = services_of(request)
    moderator = await of_link(request)
    if moderator is None:
        pages = services.pages
        return pages.answer("team/link-over.html", 404, moderator=None, csrf_token="")
    values = {"email": moderator.email, "error": error, "minimum": passwords.SHORTEST}
    return door_page(request, "team/set-password.html", status, **values)


async def of_link(request: Request) -> Moderator | None:
    services = services_of(request)
    async with services.database.reading() as session:
        return await access.moderator_of_link(session, request.path_params["token"], services.signer, services.clock())


async def post_set_password(request: Request) -> Response:
    """Sets the password, once. The link is the credential; no session begins here."""
    services = services_of(request)
    authenticator = services.authenticator
    typed = await fields_of(request)
    if typed.get("password") != typed.get("repeat"):
        return await password_page(request, "The two are not the same.", 422)
    if await of_link(request) is None:  # an invalid link causes no hashing
        return await password_page(request)
    try:
        with authenticator.passwords.seat(known=True):
            hashed = await authenticator.passwords.hash(passwords.checked(typed.get("password", "")))
        async with services.database.transaction() as tx:  # again: of two at once, one is too late
            token, now = request.path_params["token"], services.clock()
            moderator = await access.moderator_of_link(tx, token, services.signer, now)
            if moderator:
                await access.keep_password(tx, moderator, hashed, now)
    except Problem as problem:
        return await password_page(
            request, problem.errors[0].message if problem.errors else problem.detail, problem.status
        )
    if moderator is None:
        return await password_page(request)
    return RedirectResponse("/moderate/login", 303)


routes = [
    Route("/moderate/login", get_login, methods=["GET"]),
    Route("/moderate/login", post_login, methods=["POST"]),
    Route("/moderate/login/code", post_code, methods=["POST"]),
    Route("/moderate/logout", post_logout, methods=["POST"]),
    Route("/moderate/set-password/{token}", get_set_password, methods=["GET"]),
    Route("/moderate/set-password/{token}", post_set_password, methods=["POST"]),
]
