"""The moderators' API: an author with all comments, and notes on a comment or its author."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from moderation.queue import author, notes
from moderation.queue import decide as queue
from moderation.queue.schemas import AuthorOut, AuthorQuery, NoteChange, NoteIn, NoteOut
from moderation.services import services_of
from moderation.web.guard import principal_of
from moderation.web.operations import operation

COMMENT = "/api/v1/comments/{id}"
NOTE = "/api/v1/notes/{id}"


@operation("GET", COMMENT + "/author", query=AuthorQuery, answers={200: AuthorOut}, scope="moderate", tag="queue")
async def get_author(request: Request, asked: AuthorQuery) -> dict[str, Any]:
    """The author of a comment: counts, blocks, notes, and every comment at this site, newest first."""
    services, id = services_of(request), request.path_params["id"]
    limit: int = asked.limit
    found = await author.of_comment(services.database, principal_of(request), id, asked.cursor, services.clock(), limit)
    shown = await queue.explained(services.scorer, found.comments)
    return found.document() | {"comments": shown, "next": found.following}


@operation("POST", COMMENT + "/notes", body=NoteIn, answers={201: NoteOut}, scope="moderate", tag="queue")
async def create_note(request: Request, given: NoteIn) -> dict[str, Any]:
    """Note something for the team, on a comment or its author."""
    services, id = services_of(request), request.path_params["id"]
    note = await notes.add(services.database, principal_of(request), id, given.on, given.body, services.clock())
    return note.document()


@operation("PATCH", NOTE, body=NoteChange, answers={200: NoteOut}, scope="moderate", tag="queue")
async def change_note(request: Request, given: NoteChange) -> dict[str, Any]:
    """Change a note of one's own."""
    services, id = services_of(request), request.path_params["id"]
    return (await notes.change(services.database, principal_of(request), id, given.body, services.clock())).document()


@operation("DELETE", NOTE, answers={204: None}, scope="moderate", tag="queue")
async def delete_note(request: Request) -> None:
    """Delete a note of one's own."""
    services = services_of(request)
    await notes.delete(services.database, principal_of(request), request.path_params["id"], services.clock())


routes = [get_author, create_note, change_note, delete_note]
