"""The page of moderators and tokens, for administrators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound, Problem
from moderation.db.database import Session
from moderation.outbox import events
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.team import access, members
from moderation.team import store as moderators
from moderation.team import store_second_factors as second_factors
from moderation.team.model import ROLES, SCOPES, Moderator, Principal
from moderation.team.pages_account import in_a_sentence, in_words
from moderation.web import bodies
from moderation.web.bodies import Form
from moderation.web.guard import check_administrator, sent_form, signed_in

PLACE = "/moderate/moderators"


async def team_page(request: Request, principal: Principal, status: int = 200, **values: Any) -> Response:
    services = services_of(request)
    async with services.database.reading() as session:
        people = await moderators.of_site(session, principal.site)
        factors = await second_factors.all_on(session)
        tokens = await moderators.api_tokens(session, principal.site)
        seen = {s.key: s.name or s.key for s in (await sites.sites(session)).values() if principal.sees(s.key)}
    names = ({EVERYWHERE: "all sites"} if principal.sees(EVERYWHERE) else {}) | seen
    shown: dict[str, Any] = {
        "people": [
            {"id": m.id, "email": m.email, "place": f"{m.role}/{m.site}", "role": m.role, "site": names[m.site],
             "me": m.id == principal.name, "ready": m.password_hash is not None, "factor": m.id in factors}
            for m in people if m.site in names
        ],
        "places": [(f"{role}/{key}", f"{role} of {name}") for key, name in names.items() for role in reversed(ROLES)],
        "sites": list(names.items()),
        "scopes": SCOPES,
        "tokens": [in_words(token) | {"site": names.get(token.site, token.site)} for token in tokens],
        "mails": services.mails,
        "error": "",
        "link": "",
        "token": "",
        "uses": [],
        "email": "",
        "notice": SAID.get(request.query_params.get("done", "")),
    }  # fmt: skip
    return await page(request, principal, "team/moderators.html", status, **(shown | values))


@signed_in
async def get_team(request: Request, principal: Principal) -> Response:
    """The page of moderators and tokens."""
    check_administrator(principal)
    return await team_page(request, principal)


def place_of(typed: dict[str, str]) -> tuple[str, str]:
    """Role and site, from one form field."""
    role, _, site = typed.get("place", "").partition("/")
    return role, site


async def invited(request: Request, principal: Principal, act: Callable[[Session], Awaitable[Moderator]]) -> Response:
    """The invitation link, shown once, and mailed if mail is set up."""
    services = services_of(request)
    async with services.database.transaction() as tx:
        moderator = await act(tx)
        id = await members.invitation(tx, services.signer, principal, moderator, services.clock())
        if services.mails:
            await events.invite(tx, moderator, id, services.clock())
    link = services.links.set_password(members.token_of(services.signer, id))
    return await team_page(request, principal, link=link, email=moderator.email)


async def invite(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    email, place, now = typed.get("email", "")[:300].strip(), place_of(typed), services_of(request).clock()
    return await invited(request, principal, lambda tx: members.invite(tx, principal, email, *place, now))


async def invite_again(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    return await invited(request, principal, lambda tx: members.member_of(tx, principal, typed.get("moderator", "")))


async def change(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    async with services.database.transaction() as tx:
        await members.change(tx, principal, typed.get("moderator", ""), *place_of(typed), services.clock())
    return None


async def remove(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    async with services.database.transaction() as tx:
        await members.remove(tx, principal, typed.get("moderator", ""), services.clock())
    return None


async def add_token(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    site, name = typed.get("site", ""), " ".join(typed.get("name", "").split())
    scopes = frozenset(scope for scope in SCOPES if typed.get(f"scope-{scope}"))
    if not 1 <= len(name) <= 100:
        raise Invalid(FieldError("name", "invalid", "must say what the token is for, in at most 100 characters"))
    akismet = bool(typed.get("akismet"))
    async with services.database.transaction() as tx:
        await members.checked_place(tx, principal, "administrator", site)
        token = await access.add_token(
            tx, services.signer, site, scopes, services.clock(), principal.name, name, akismet=akismet
        )
    return await team_page(request, principal, token=token, uses=uses(services.links.base, site, scopes, akismet))


def uses(base: str, site: str, scopes: frozenset[str], akismet: bool) -> list[tuple[str, str]]:
    """What to paste where, for a new token of these scopes; TOKEN stands for it."""
    key = site if site != EVERYWHERE else "default"
    lines = []
    if akismet:
        lines.append(
            ("WordPress, wp-config.php (and deploy/wordpress/leave-a-reply.php)", "define('WPCOM_API_KEY', 'TOKEN');")
        )
        lines.append(("Clients of Akismet with an option for the address", f"{base} with the key TOKEN"))
    if "score" in scopes:
        lines.append(("Coral, Custom endpoint", f"{base}/v1alpha1 with the API key TOKEN"))
        lines.append(("Clients of Perspective", f"{base}/v1alpha1/comments:analyze?key=TOKEN"))
        lines.append(
            ("Google's client libraries", f"{base}/$discovery/rest?version=v1alpha1 with the developer key TOKEN")
        )
        store = "" if "teach" in scopes else ', "store": false'
        body = f'{{"text": "Thank you!", "name": "Ann"{store}}}'
        lines.append(
            (
                "Comments that are kept elsewhere",
                f"curl -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' -d '{body}' "
                f"{base}/api/v1/sites/{key}/checks",
            )
        )
    return lines


async def revoke_token(request: Request, principal: Principal, typed: dict[str, str]) -> Response | None:
    services = services_of(request)
    async with services.database.transaction() as tx:
        tokens = [t for t in await moderators.api_tokens(tx, principal.site) if t.id == typed.get("token")]
        if not tokens:
            raise NotFound("There is no such token here; it may be revoked already.")
        await access.revoke_token(tx, services.signer, tokens[0].id, services.clock(), principal.name, tokens[0].site)
    return None


ACTS: dict[str, Callable[[Request, Principal, dict[str, str]], Awaitable[Response | None]]] = {
    "invite": invite,
    "invite-again": invite_again,
    "change": change,
    "remove": remove,
    "add-token": add_token,
    "revoke-token": revoke_token,
}
SAID = {
    "change": "The role is changed.",
    "remove": "The moderator is removed, and signed out everywhere.",
    "revoke-token": "The token is revoked.",
}


@sent_form
async def post_team(request: Request, principal: Principal, form: Form) -> Response:
    """Runs the form's `act`."""
    typed = bodies.single(form.pairs)
    check_administrator(principal)
    act = typed.get("act", "")
    try:
        if act not in ACTS:
            raise Invalid(detail="This page has no such action.")
        answer = await ACTS[act](request, principal, typed)
    except Problem as problem:
        return await team_page(request, principal, problem.status, error=in_a_sentence(problem))
    return answer or RedirectResponse(f"{PLACE}?done={act}", 303)


routes = [
    Route(PLACE, get_team, methods=["GET"]),
    Route(PLACE, post_team, methods=["POST"]),
]
