"""A site's blocks, for programs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.core.problem import FieldError, Invalid
from moderation.policy import blocks, settings_history
from moderation.policy.api_rules import site_asked
from moderation.queue.schemas import BlockOut
from moderation.services import services_of
from moderation.sites.site_settings import LONGEST
from moderation.web.guard import principal_of
from moderation.web.operations import operation
from moderation.web.params import Body, Cursor, Query, Says, Text, limited, whole_number

BLOCKS = "/api/v1/sites/{site}/blocks"
PAGE, MOST = 100, 500


class BlockQuery(Query):
    limit: limited(MOST) = PAGE  # type: ignore[valid-type]
    cursor: Cursor = ""


class BlockList(TypedDict):
    """`over`: the latest that ended; they block nothing."""

    site: str
    total: int
    blocks: list[BlockOut]
    over: list[BlockOut]
    next: str | None


class LiftIn(Body):
    entry: Annotated[Text, Field(max_length=LONGEST), Says("must be an entry of the list")]


class LiftOut(TypedDict):
    site: str
    total: int


@operation("GET", BLOCKS, query=BlockQuery, answers={200: BlockList}, scope="moderate", tag="policy")
async def list_blocks(request: Request, asked: BlockQuery) -> dict[str, Any]:
    """What is blocked at a site, the latest first: by whom, when, why and until when."""
    services = services_of(request)
    _, key = site_asked(request)
    start, limit = whole_number(asked.cursor or "0"), int(asked.limit)
    if start is None:
        raise Invalid(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
    async with services.database.reading() as session:
        site = await settings_history.site_of(session, key)
        total, now = len(site.settings.disallowed), services.clock()
        return {
            "site": key,
            "total": total,
            "blocks": await blocks.listed(session, site, now, start, limit),
            "over": await blocks.listed_over(session, site, now),
            "next": str(start + limit) if start + limit < total else None,
        }


@operation("POST", BLOCKS + "/lift", body=LiftIn, answers={200: LiftOut}, scope="moderate", tag="policy")
async def lift_block(request: Request, given: LiftIn) -> dict[str, Any]:
    """Lift one block, by its entry of the list."""
    services = services_of(request)
    _, key = site_asked(request)
    async with services.database.transaction() as tx:
        await blocks.lift(tx, principal_of(request), key, given.entry, services.clock())
        site = await settings_history.site_of(tx, key)
    services.directory.forget()
    return {"site": key, "total": len(site.settings.disallowed)}


routes = [list_blocks, lift_block]
