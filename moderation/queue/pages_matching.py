"""A decision on all that match: a page that counts them, names the act, and asks once. The script works it in batches that can be
stopped; without it, the form does all of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.comments import decision
from moderation.core.problem import Conflict, Invalid
from moderation.queue import filters, matching
from moderation.queue.api import view_of
from moderation.queue.pages import page
from moderation.queue.schemas import CommentQuery
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in
from moderation.web.params import checked


def asked_in(given: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address or a form, checked. Raises Invalid."""
    asked = {name: value for name in filters.NAMES if (value := given.get(name, ""))}
    checked(CommentQuery, asked)
    return filters.canonical(asked)


async def shown(
    request: Request, principal: Principal, asked: dict[str, str], alarm: str = "", status: int = 200
) -> Response:
    services = services_of(request)
    view = replace(view_of(checked(CommentQuery, asked), principal), at=services.clock())
    try:
        count = len(await matching.matched(services.database, principal, view))
    except Invalid as too_many:
        count, alarm = 0, alarm or too_many.errors[0].message.capitalize()
    async with services.database.reading() as session:
        names = {key: site.name or key for key, site in (await sites.sites(session)).items()}
        names |= await moderators.names(session)
    return await page(
        request, principal, "queue/matching.html", status, matches=count, filters=asked, said=filters.said(asked, names),
        list_url="/moderate?" + urlencode(asked), alarm=alarm,
    )  # fmt: skip


@signed_in
async def get_matching(request: Request, principal: Principal) -> Response:
    """How many match, in words, and a button for each act."""
    return await shown(request, principal, asked_in(request.query_params))


@sent_form
async def post_matching(request: Request, principal: Principal, typed: Form) -> Response:
    """Decide on all that match, if they are as many as the page said."""
    services = services_of(request)
    asked, action, expected = asked_in(typed), typed.get("action", ""), typed.get("expected_count", "")
    if not action or not (expected.isascii() and expected.isdigit() and len(expected) < 6):
        return RedirectResponse("/moderate/matching?" + urlencode(asked), 303)
    reason = decision.checked_reason(typed.get("reason"), action) if action == "reject" else ""
    told = decision.checked(action, decision.labels_said(None, reason), typed.get("note", ""))
    view = view_of(checked(CommentQuery, asked), principal)
    try:
        decided, moved = await matching.decide(
            services.database, principal, view, int(expected), *told, services.clock(), reason
        )
    except Conflict as changed:
        return await shown(request, principal, asked, changed.detail, 409)
    services.decided[action] += len(moved)
    done = {"done": action, "count": len(moved), "decision": decided}
    return RedirectResponse("/moderate?" + urlencode(asked | done), 303)


routes = [
    Route("/moderate/matching", get_matching, methods=["GET"]),
    Route("/moderate/matching", post_matching, methods=["POST"]),
]
