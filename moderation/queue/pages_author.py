"""An author's page: everything that somebody wrote at a site; and the forms of notes, which stand here and on a comment's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.queue import author, notes
from moderation.queue import decide as queue
from moderation.queue.pages import back_of, cards, page, with_names
from moderation.services import services_of
from moderation.team import store as moderators
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in


@signed_in
async def get_author(request: Request, principal: Principal) -> Response:
    """The author of a comment."""
    services, id = services_of(request), request.path_params["id"]
    cursor = request.query_params.get("cursor", "")
    found = await author.of_comment(services.database, principal, id, cursor, services.clock())
    shown = await cards(services, principal, await queue.explained(services.scorer, found.comments))
    async with services.database.reading() as session:
        names = await moderators.names(session)
    for one in shown:
        one["past"] = past(one, names)
        one["notes"] = [note for note in one["notes"] if note["on"] == "comment"]  # those on the author stand above
    address = f"/moderate/comments/{id}/author"
    return await page(
        request,
        principal,
        "queue/author.html",
        author=found.document()
        | {
            "id": id,
            "is_somebody": bool(found.comment.email) or found.comment.is_staff,
            "blocks": [one | {"moderator": names.get(one["moderator"], one["moderator"])} for one in found.blocks],
            "notes": with_names(found.notes, names, principal),
        },
        comments=shown,
        address=f"{address}?{urlencode({'cursor': cursor})}" if cursor else address,
        next_url=f"{address}?{urlencode({'cursor': found.following})}" if found.following else None,
    )


def past(shown: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """What was decided and reported on a comment, for its row."""
    taken = [one | {"moderator": names.get(one["moderator"], one["moderator"])} for one in shown["decisions"]]
    return {"decisions": taken, "reports": shown["all_reports"]}


@sent_form
async def post_note(request: Request, principal: Principal, typed: Form) -> Response:
    """Add a note."""
    services, id = services_of(request), request.path_params["id"]
    on = "author" if typed.get("on") == "author" else "comment"
    await notes.add(services.database, principal, id, on, typed.get("body", ""), services.clock())
    return RedirectResponse(f"{back_of(typed)}#notes", 303)


@sent_form
async def post_change(request: Request, principal: Principal, typed: Form) -> Response:
    """Change or delete a note of one's own."""
    services, id = services_of(request), request.path_params["id"]
    if typed.get("act") == "delete":
        await notes.delete(services.database, principal, id, services.clock())
    else:
        await notes.change(services.database, principal, id, typed.get("body", ""), services.clock())
    return RedirectResponse(f"{back_of(typed)}#notes", 303)


routes = [
    Route("/moderate/comments/{id}/author", get_author, methods=["GET"]),
    Route("/moderate/comments/{id}/notes", post_note, methods=["POST"]),
    Route("/moderate/notes/{id}", post_change, methods=["POST"]),
]
