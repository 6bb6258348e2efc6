"""A moderator's own account: the second factor, recovery codes, sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import Invalid, NotFound, Problem
from moderation.core.times import iso
from moderation.db import audit
from moderation.queue import reply as staff_reply
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.team import members, passwords, second_factor
from moderation.team import store as moderators
from moderation.team import store_failures as failures
from moderation.team import store_second_factors as second_factors
from moderation.team.model import Principal
from moderation.team.pages_sign_in import remember
from moderation.team.store import Token
from moderation.team.throttle import Caller
from moderation.web import bodies
from moderation.web.bodies import Form
from moderation.web.guard import person, sent_form, signed_in

PLACE = "/moderate/account"


def in_words(token: Token) -> dict[str, Any]:
    """Sessions for the page: times to the minute, the last use to the hour."""
    return {
        "id": token.id,
        "site": token.site,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "since": (iso(token.created_at) or "")[:16],
        "used": (iso(token.last_used_at) or "")[:16],
    }


def drawn(address: str) -> Markup:
    """A QR code. Always black on white: cameras read inverted codes badly."""
    picture = segno.make(address, micro=False, error="m")
    return Markup(picture.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None))  # noqa: S704


async def account_page(request: Request, principal: Principal, status: int = 200, **values: Any) -> Response:
    services = services_of(request)
    moderator = person(principal)
    async with services.database.reading() as session:
        sessions = await moderators.sessions_of(session, moderator, services.clock())
        factor = await second_factors.of(session, moderator)
        left = await second_factors.codes_left(session, moderator)
    shown: dict[str, Any] = {
        "sessions": [in_words(token) | {"here": token_hash == principal.session} for token_hash, token in sessions],
        "factor": "off" if factor is None else "on" if factor.confirmed_at else "begun",
        "left": left,
        "codes": [],
        "error": "",
        "notice": SAID.get(request.query_params.get("done", "")),
        "secret": "",
        "digest": moderator.wants_digest,
    }
    if factor and not factor.confirmed_at:
        secret = second_factor.secret_of(services.signer, moderator, factor.seed)
        address = second_factor.address_of(moderator, secret)
        spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
        shown |= {"secret": spaced, "address": address, "picture": drawn(address)}
    return await page(request, principal, "team/account.html", status, **(shown | values))


@signed_in
async def get_account(request: Request, principal: Principal) -> Response:
    """The account's page."""
    return await account_page(request, principal)


async def begin(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    """Begins a second factor. Asks for the password, so that a found open session cannot lock its owner out."""
    services = services_of(request)
    await same_password(request, principal, typed)
    async with services.database.transaction() as tx:
        await second_factor.begin(tx, person(principal))
    return None


async def confirm(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    codes = await second_factor.confirm(
        *(services.database, services.signer, person(principal), principal.session, typed.get("code", "")[:100]),
        *(caller_of(request, principal, "code"), services.clock()),
    )
    return await account_page(request, principal, codes=codes)


async def cancel(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    """Cancels a second factor that is begun and not confirmed."""
    services = services_of(request)
    async with services.database.transaction() as tx:
        if not await second_factor.is_on(tx, person(principal)):
            await second_factors.remove(tx, person(principal))
    return None


async def stop(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    moderator, now = person(principal), services.clock()
    await same_factor(request, principal, typed)
    async with services.database.transaction() as tx:
        await second_factor.off(tx, moderator, moderator.id, now)
    return None


async def renew(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    moderator, signer, now = person(principal), services.signer, services.clock()
    await same_factor(request, principal, typed)
    async with services.database.transaction() as tx:
        codes = await second_factor.new_codes(tx, signer, moderator)
        await audit.note(
            tx, site=moderator.site, at=now, actor=moderator.id, action="recovery-codes:renew", subject=moderator.id
        )
    return await account_page(request, principal, codes=codes)


async def end_session(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    """Ends one session by its id, or all except the current one."""
    services = services_of(request)
    moderator, now, id = person(principal), services.clock(), typed.get("session", "")[:10]
    async with services.database.transaction() as tx:
        if not await moderators.end_sessions(tx, moderator, now, id=id, but=principal.session) and id:
            raise NotFound("This session is over already.")
        await audit.note(
            tx, site=moderator.site, at=now, actor=moderator.id, action="session:end", subject=id or moderator.id
        )
    return None


async def call_me(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    name = (await staff_reply.checked(principal, {"name": typed.get("name", ""), "body": "-"})).name
    async with services.database.transaction() as tx:
        await moderators.call(tx, person(principal), name)
        await audit.note(
            tx,
            site=person(principal).site,
            at=services.clock(),
            actor=principal.name,
            action="moderator:name",
            subject=principal.name,
        )
    return None


async def digest(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    async with services.database.transaction() as tx:
        await members.digest(tx, person(principal), typed.get("digest") == "1", services.clock())
    return None


async def seen_failures(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    async with services.database.transaction() as tx:
        await failures.seen(tx, services.authenticator.account(person(principal).email))
    return None


def caller_of(request: Request, principal: Principal, what: str) -> Caller:
    """An allowance for this session alone, independent of attempts at the sign-in page."""
    authenticator = services_of(request).authenticator
    return Caller(account=authenticator.account(person(principal).email), session=principal.session[:26], what=what)


async def same_password(request: Request, principal: Principal, typed: dict[str, str]) -> None:
    """Raises Unauthorized, TooFast or Unavailable."""
    authenticator = services_of(request).authenticator
    email, given = person(principal).email, typed.get("password", "")[: passwords.LONGEST]
    await authenticator.sign_in(email, given, caller_of(request, principal, "password"))


async def same_factor(request: Request, principal: Principal, typed: dict[str, str]) -> None:
    """Raises Unauthorized or TooFast."""
    services, moderator = services_of(request), person(principal)
    caller, code = caller_of(request, principal, "code"), typed.get("code", "")[:100]
    await second_factor.check(services.database, services.signer, moderator, code, caller, services.clock())


ACTS: dict[str, Callable[[Request, Principal, dict[str, str]], Awaitable[Response | None]]] = {
    "call-me": call_me,
    "digest": digest,
    "begin-factor": begin,
    "confirm-factor": confirm,
    "cancel-factor": cancel,
    "stop-factor": stop,
    "new-codes": renew,
    "end-session": end_session,
    "end-others": end_session,
    "seen-failures": seen_failures,
}
SAID = {
    "call-me": "Your name is saved.",
    "digest": "Your choice of mails is saved.",
    "stop-factor": "The second factor is off.",
    "end-session": "The session is over.",
    "end-others": "Every other session is over.",
}


def in_a_sentence(problem: Problem) -> str:
    """The error as a sentence, for a page with one form."""
    return " ".join(f"{e.field.capitalize()} {e.message}." for e in problem.errors) or problem.detail


@sent_form
async def post_account(request: Request, principal: Principal, form: Form) -> Response:
    """Runs the form's `act`."""
    typed = bodies.single(form.pairs)
    act = typed.get("act", "")
    try:
        if act not in ACTS or (act == "end-session") != bool(typed.get("session")):
            raise Invalid(detail="This page has no such action.")
        answer = await ACTS[act](request, principal, typed)
    except Problem as problem:
        return await account_page(request, principal, problem.status, error=in_a_sentence(problem))
    answer = answer or RedirectResponse(f"{PLACE}?done={act}", 303)
    if act in ("end-others", "confirm-factor"):  # they end the other browsers, and this one stays known
        await remember(request, person(principal), answer)
    return answer


routes = [
    Route(PLACE, get_account, methods=["GET"]),
    Route(PLACE, post_account, methods=["POST"]),
]
