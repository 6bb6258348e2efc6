"""Signing in and out, and choosing a password by a one-time link."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation import access, body, second_factor
from moderation.access import COOKIE, PASSWORD_SHORTEST, SESSION_LIFE, Doorman
from moderation.pages import Pages
from moderation.problem import Forbidden, Problem, Unauthorized


async def fields_of(request: Request) -> dict[str, str]:
    return body.single(await body.form_fields(request, await body.read(request)))


def door_token(request: Request) -> str:
    """CSRF protection where there is no session yet: a token that only a page of ours can have made."""
    state = request.app.state
    token: str = state.links.seal.form_token("moderate", "login", state.clock())
    return token


def check_door_token(request: Request, token: str) -> None:
    state = request.app.state
    if state.links.seal.check_form_token(token, "moderate", "login", state.clock()) not in ("ok", "early"):
        raise Forbidden("The page was too old; send it again.", code="csrf")


def signin_page(request: Request, problem: Problem | None = None, **told: Any) -> Response:
    pages: Pages = request.app.state.console_pages
    error, status, headers = (problem.detail, problem.status, problem.headers) if problem else ("", 200, {})
    shown: dict[str, Any] = {"error": error, "email": "", "next": "", "csrf_token": door_token(request)} | told
    return pages.answer("signin.html", status, headers, moderator=None, **shown)


async def get_login(request: Request) -> Response:
    """The sign-in page."""
    return signin_page(request, next=safe_next(request.query_params.get("next", "")))


def safe_next(place: str) -> str:
    """Only our own console: a link must not send a moderator elsewhere after signing in."""
    plain = place.startswith("/moderate") and "\\" not in place and place.isprintable()
    return place if plain and not place.startswith("/moderate/login") else ""


async def post_login(request: Request) -> Response:
    """A session, in a cookie that scripts cannot read; or, with a second factor, the page that asks for its code."""
    state = request.app.state
    doorman: Doorman = state.doorman
    seal, now = state.links.seal, state.clock()
    typed = await fields_of(request)
    email, following = typed.get("email", ""), safe_next(typed.get("next", ""))
    password = typed.get("password", "")[:1000]
    try:
        check_door_token(request, typed.get("csrf_token", ""))
        moderator = await access.sign_in(state.database, seal, email, password, doorman.address(request), now)
        async with state.database.reading() as session:
            asks = await second_factor.is_on(session, moderator)
        if asks:
            ticket = seal.ticket(moderator.site, moderator.id, moderator.password_hash or "", now)
            return code_page(request, ticket, following)
        token = await access.begin_session(state.database, seal, moderator, now)
    except Problem as problem:
        return signin_page(request, problem, email=email, next=following)
    return begun(request, token, following)


def begun(request: Request, token: str, following: str) -> Response:
    answer = RedirectResponse(following or "/moderate", 303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_LIFE // 1000,
        httponly=True,
        samesite="lax",
        secure=request.app.state.links.base.startswith("https:"),
    )
    return answer


def code_page(request: Request, ticket: str, following: str, problem: Problem | None = None) -> Response:
    pages: Pages = request.app.state.console_pages
    error, status, headers = (problem.detail, problem.status, problem.headers) if problem else ("", 200, {})
    return pages.answer(
        "signin-code.html",
        status,
        headers,
        moderator=None,
        ticket=ticket,
        next=following,
        error=error,
        csrf_token=door_token(request),
    )


async def post_code(request: Request) -> Response:
    """The second step: a code of the app, or a recovery code."""
    state = request.app.state
    typed = await fields_of(request)
    ticket, following = typed.get("ticket", "")[:200], safe_next(typed.get("next", ""))
    seal, now = state.links.seal, state.clock()
    async with state.database.reading() as session:
        if await second_factor.moderator_of(session, seal, ticket, now) is None:
            return signin_page(request, Unauthorized("That took too long. Sign in again."), next=following)
    try:
        check_door_token(request, typed.get("csrf_token", ""))
        token = await second_factor.sign_in(state.database, seal, ticket, typed.get("code", "")[:100], now)
    except Problem as problem:
        return code_page(request, ticket, following, problem)
    return begun(request, token, following)


async def post_logout(request: Request) -> Response:
    """End the session."""
    state = request.app.state
    asker = await state.doorman.session(request)
    if asker:
        state.doorman.check_csrf(asker, (await fields_of(request)).get("csrf_token", ""))
        await access.sign_out(state.database, state.links.seal, request.cookies[COOKIE], state.clock())
    answer = RedirectResponse("/moderate/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


async def get_set_password(request: Request) -> Response:
    """Looking at the link does not use it up; only choosing a password does."""
    return await password_page(request)


async def password_page(request: Request, error: str = "", status: int = 200) -> Response:
    state = request.app.state
    pages: Pages = state.console_pages
    async with state.database.reading() as session:
        moderator = await access.moderator_of_link(
            session, request.path_params["token"], state.links.seal, state.clock()
        )
    if moderator is None:
        return pages.answer("link-over.html", 404, moderator=None, csrf_token="")
    return pages.answer(
        "set-password.html",
        status,
        moderator=None,
        email=moderator.email,
        error=error,
        minimum=PASSWORD_SHORTEST,
        csrf_token=door_token(request),
    )


async def post_set_password(request: Request) -> Response:
    """Set it, once."""
    state = request.app.state
    typed = await fields_of(request)
    seal, now = state.links.seal, state.clock()
    if typed.get("password") != typed.get("repeat"):
        return await password_page(request, "The two are not the same.", 422)
    try:
        async with state.database.transaction() as tx:
            moderator = await access.moderator_of_link(tx, request.path_params["token"], seal, now)
            if moderator:
                await access.set_password(tx, moderator, typed.get("password", ""), now)
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
