"""The saved filters with their numbers, as far as they can be counted at little cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request

from moderation.core.problem import Forbidden, Invalid
from moderation.queue import decide as queue
from moderation.queue import saved, store_matching
from moderation.queue.api import view_of
from moderation.queue.schemas import CommentQuery, FilterList
from moderation.services import Services, services_of
from moderation.team.model import Principal
from moderation.web.guard import principal_of
from moderation.web.operations import operation
from moderation.web.params import checked

COUNTED = 250
"""To which a tab counts: a page has a dozen of them, and of a common label and a common word each comment is looked at."""


async def counted(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Each with its number; None where that is not known, or a filter names what is no more."""
    found = []
    async with services.database.reading() as session:
        for one in await saved.visible(session, principal):
            count = None
            try:
                view = queue.own(principal, view_of(checked(CommentQuery, one.filters), principal))
                count = await store_matching.count(session, replace(view, at=services.clock()), COUNTED)
            except (Invalid, Forbidden):
                pass
            found.append(
                {
                    "id": one.id,
                    "name": one.name,
                    "team": not one.owner,
                    "query": one.filters,
                    "count": count.number if count else None,
                    "is_exact": count.is_exact if count else False,
                    "number": str(count) if count else "",
                    "may_change": saved.may_change(principal, one),
                }
            )
    return found


@operation("GET", "/api/v1/filters", answers={200: FilterList}, scope="moderate", tag="queue")
async def list_filters(request: Request) -> dict[str, Any]:
    """The saved filters of the moderator and of the team, oldest first, each with the number of comments that match."""
    return {"filters": await counted(services_of(request), principal_of(request))}


routes = [list_filters]
