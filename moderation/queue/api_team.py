"""How a team shares the queue: comments are snoozed, and assigned. Both are undone by the id of the act."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from moderation.core.times import iso
from moderation.queue import assign, snooze
from moderation.queue.schemas import AssignmentIn, AssignmentOut, SnoozeIn, SnoozeOut, UndoneOut
from moderation.queue.store_assignments import ME
from moderation.services import services_of
from moderation.web.guard import principal_of
from moderation.web.operations import operation


@operation("POST", "/api/v1/snoozes", body=SnoozeIn, answers={200: SnoozeOut}, scope="moderate", tag="queue")
async def create_snooze(request: Request, given: SnoozeIn) -> dict[str, Any]:
    """Set pending comments aside until a time, or bring them back."""
    services, principal = services_of(request), principal_of(request)
    now = services.clock()
    until = snooze.moment(given.until, now)
    id, comments = await snooze.snooze(services.database, principal, given.comments, until, now)
    return {"id": id, "comments": comments, "until": iso(until)}


@operation("POST", "/api/v1/snoozes/{id}/undo", answers={200: UndoneOut}, scope="moderate", tag="queue")
async def undo_snooze(request: Request) -> dict[str, Any]:
    """Undo a snooze."""
    services, id = services_of(request), request.path_params["id"]
    return {
        "id": id,
        "comments": await snooze.undo(services.database, principal_of(request), id, services.clock()),
    }


@operation(
    "POST", "/api/v1/assignments", body=AssignmentIn, answers={200: AssignmentOut}, scope="moderate", tag="queue"
)
async def create_assignment(request: Request, given: AssignmentIn) -> dict[str, Any]:
    """Assign comments to a member of the team, or to nobody."""
    services, principal = services_of(request), principal_of(request)
    id, comments = await assign.assign(services.database, principal, given.comments, given.to, services.clock())
    return {"id": id, "comments": comments, "to": principal.name if given.to == ME else given.to or None}


@operation("POST", "/api/v1/assignments/{id}/undo", answers={200: UndoneOut}, scope="moderate", tag="queue")
async def undo_assignment(request: Request) -> dict[str, Any]:
    """Undo an assignment."""
    services, id = services_of(request), request.path_params["id"]
    return {"id": id, "comments": await assign.undo(services.database, principal_of(request), id, services.clock())}


routes = [create_snooze, undo_snooze, create_assignment, undo_assignment]
