"""Forms to snooze and to assign from a comment, the page that asks to whom, and their undo."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.duplicates.pages import unpacked
from moderation.queue import assign, snooze
from moderation.queue import decide as queue
from moderation.queue.pages import back_of, cards, page
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in


def led_back(typed: Form, **told: object) -> Response:
    back = back_of(typed)
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{urlencode(told)}", 303)


@sent_form
async def post_snooze(request: Request, principal: Principal, typed: Form) -> Response:
    """Set a comment, or its whole wave, aside; `now` brings it back."""
    services, id, choice = services_of(request), request.path_params["id"], typed.get("until", "")
    now = services.clock()
    until = None if choice == "now" else snooze.chosen(choice, now) or snooze.moment(choice, now)
    ids = list(unpacked([id], typed)) or [id]
    act, moved = await snooze.snooze(services.database, principal, ids, until, now)
    return led_back(typed, done="snoozed" if until else "woken", count=len(moved), decision=act)


@sent_form
async def post_assign(request: Request, principal: Principal, typed: Form) -> Response:
    """Assign a comment, or its whole wave, to a member of the team; without one, to nobody."""
    services, id = services_of(request), request.path_params["id"]
    ids = list(unpacked([id], typed)) or [id]
    act, moved = await assign.assign(services.database, principal, ids, typed.get("to") or None, services.clock())
    return led_back(typed, done="assigned" if typed.get("to") else "unassigned", count=len(moved), decision=act)


@signed_in
async def get_assign(request: Request, principal: Principal) -> Response:
    """The members of the team, each a button."""
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    shown.pop("decisions")
    (comment,) = await cards(services, principal, [shown])
    async with services.database.reading() as session:
        members = await assign.members(session, comment["site"])
    return await page(
        request, principal, "queue/assign.html", comment=comment, members=members, me=principal.name,
        back=back_of(dict(request.query_params)),
    )  # fmt: skip


@sent_form
async def post_undo_snooze(request: Request, principal: Principal, typed: Form) -> Response:
    """Undo a snooze."""
    services = services_of(request)
    await snooze.undo(services.database, principal, request.path_params["id"], services.clock())
    return led_back(typed, done="taken-back")


@sent_form
async def post_undo_assignment(request: Request, principal: Principal, typed: Form) -> Response:
    """Undo an assignment."""
    services = services_of(request)
    await assign.undo(services.database, principal, request.path_params["id"], services.clock())
    return led_back(typed, done="taken-back")


routes = [
    Route("/moderate/comments/{id}/snooze", post_snooze, methods=["POST"]),
    Route("/moderate/comments/{id}/assign", get_assign, methods=["GET"]),
    Route("/moderate/comments/{id}/assign", post_assign, methods=["POST"]),
    Route("/moderate/snoozes/{id}/undo", post_undo_snooze, methods=["POST"]),
    Route("/moderate/assignments/{id}/undo", post_undo_assignment, methods=["POST"]),
]
