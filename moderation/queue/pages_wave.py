"""A wave, opened: all its comments with their differences, to be decided together or apart."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.comments import store as comments
from moderation.comments.verdict import Verdict
from moderation.core.ids import is_id
from moderation.core.offload import REQUESTS
from moderation.core.problem import NotFound
from moderation.duplicates import duplicates
from moderation.queue import decide as queue
from moderation.queue.pages import cards, page
from moderation.queue.pages_card import alike, differing
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.guard import signed_in


@signed_in
async def get_wave(request: Request, principal: Principal) -> Response:
    """The waiting near-duplicates of a comment, oldest first, with itself. Raises NotFound."""
    services = services_of(request)
    id = request.path_params["id"]
    async with services.database.reading() as session:
        first = (await comments.find(session, [id])).get(id) if is_id(id) else None
    if first is None or not principal.sees(first.site):
        raise NotFound("There is no such comment.")
    near = await duplicates.waiting_with(services.database, first, queue.MOST - 1)
    members = sorted([*near, *([first] if first.status == "pending" else [])], key=lambda one: one.id)
    async with services.database.reading() as session:
        verdicts = await comments.verdicts(session, first.site, [one.id for one in members])
        shown = await queue.documents(
            session, [(one, verdicts.get(one.id) or Verdict(action="hold")) for one in members]
        )
    found = await cards(services, principal, shown)
    told: dict[str, Any] | None = None
    if found:
        (told,) = await cards(services, principal, [shown[0] | {"wave": {one.id: one.revision for one in members}}])
        found = [alike(found[0])] + await REQUESTS.run(
            lambda: [differing(card, found[0]["body"]) for card in found[1:]], here=False
        )
    return await page(request, principal, "queue/wave.html", comments=found, together=told, id=id)


routes = [Route("/moderate/comments/{id}/wave", get_wave, methods=["GET"])]
