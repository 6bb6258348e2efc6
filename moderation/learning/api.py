"""Statistics and shadow mode, for programs."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.learning import shadow
from moderation.learning.pages import report_of, since_of, site_of
from moderation.learning.pages_shadow import promote, report_on, start, stop
from moderation.policy import settings_history
from moderation.policy.api_rules import site_asked
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.guard import check_administrator, principal_of
from moderation.web.operations import operation
from moderation.web.params import Body, Cursor, Query, Says, limited
from moderation.web.prefix import below

SHADOW = "/api/v1/sites/{site}/shadow"


class Share(TypedDict):
    """`interval`: 95 %, by Wilson; null for a total of 0."""

    count: int
    hits: int
    share: float | None
    interval: list[float] | None
    picked: NotRequired[int]


class Sample(TypedDict):
    published_removed: Share
    filed_approved: Share


class InQueue(TypedDict):
    decided: int
    waiting: int
    median_s: int | None
    slowest_tenth_s: int | None
    oldest_s: int | None


class Week(TypedDict):
    """`week`: an ISO 8601 week."""

    week: str
    labels: dict[str, Share]


Tenth = TypedDict("Tenth", {"from": float, "count": int, "mean": float, "share": float})


class StatsOut(TypedDict):
    site: str
    since: str
    until: str
    submissions: dict[str, int]
    decisions: dict[str, int]
    published_removed: Share
    held_approved: Share
    filed_approved: Share
    audit_sample: Sample
    agreement: dict[str, Share]
    weeks: list[Week]
    reliability: dict[str, list[Tenth]]
    in_queue: InQueue


class StatsQuery(Query):
    site: str = ""
    since: Annotated[str, Says("must be a time like 2026-11-01T00:00:00Z, or 30d")] = ""


class RunOut(TypedDict):
    id: str
    model: str
    running: bool
    started_at: str
    started_by: str
    ended_at: str | None
    ended_by: str | None
    outcome: str | None
    problem: str | None


class Decided(TypedDict):
    agree: int
    disagree: int


Move = TypedDict("Move", {"from": str, "to": str, "count": int, "agree": int, "disagree": int})


class ReasonCounts(TypedDict):
    reason: str
    current: int
    candidate: int
    both: int


class LabelCounts(TypedDict):
    decided: int
    current: int
    candidate: int


class ShadowOut(TypedDict):
    site: str
    shadow: RunOut | None
    capped: bool
    comments: int
    differ: int
    moves: list[Move]
    decided: Decided
    reasons: list[ReasonCounts]
    labels: dict[str, LabelCounts]
    current: str
    models: list[str]


class ShadowIn(Body):
    model: Annotated[str, Field(min_length=1), Says("must be the name of a version")]


class PromotedOut(TypedDict):
    promoted: str
    site: str
    why: str


class BothScores(TypedDict):
    current: dict[str, float] | None
    candidate: dict[str, float] | None


Differing = TypedDict(
    "Differing",
    {
        "id": str, "revision": int, "url": str, "created_at": str, "name": str, "excerpt": str, "from": str, "to": str,
        "scores": BothScores, "reasons": object, "decided": str | None, "agrees": bool | None,
    },
)  # fmt: skip


class DifferingOut(TypedDict):
    comments: list[Differing]
    next: str | None


class ListQuery(Query):
    limit: limited(200) = 50  # type: ignore[valid-type]
    cursor: Cursor = ""


@operation("GET", "/api/v1/stats", query=StatsQuery, answers={200: StatsOut}, scope="moderate", tag="learning")
async def get_stats(request: Request, asked: StatsQuery) -> dict[str, Any]:
    """Submissions, decisions, agreement between model and moderators, time in the queue."""
    site = site_of(asked.site, principal_of(request))
    return await report_of(request, site, since_of(asked.since, services_of(request).clock()))


async def site_seen(request: Request) -> str:
    """The key of a site that the principal sees. Raises NotFound."""
    _, key = site_asked(request)
    async with services_of(request).database.reading() as session:
        await settings_history.site_of(session, key)
    return key


async def administered(request: Request) -> tuple[Principal, str]:
    """The site's key, for an administrator's session or a token with the scope. Raises Forbidden."""
    check_administrator(principal_of(request))
    return principal_of(request), await site_seen(request)


@operation("GET", SHADOW, answers={200: ShadowOut}, scope="moderate", tag="learning")
async def get_shadow(request: Request) -> dict[str, Any]:
    """The running or latest candidate model, and its differences from the current model."""
    return await report_on(request, await site_seen(request))


@operation("POST", SHADOW, body=ShadowIn, answers={200: ShadowOut}, scope="moderate", tag="learning")
async def start_shadow(request: Request, given: ShadowIn) -> dict[str, Any]:
    """Start a candidate model; it replaces a running one."""
    principal, key = await administered(request)
    await start(request, principal, key, given.model)
    return await report_on(request, key)


@operation("POST", SHADOW + "/stop", answers={200: ShadowOut}, scope="moderate", tag="learning")
async def stop_shadow(request: Request) -> dict[str, Any]:
    """End the candidate's run; its results stay for their retention period."""
    principal, key = await administered(request)
    await stop(request, principal, key)
    return await report_on(request, key)


@operation("POST", SHADOW + "/promote", answers={200: PromotedOut}, scope="moderate", tag="learning")
async def promote_shadow(request: Request) -> dict[str, Any]:
    """Make the candidate the live model."""
    principal, key = await administered(request)
    return await promote(request, principal, key)


@operation("GET", SHADOW + "/comments", query=ListQuery, answers={200: DifferingOut}, scope="moderate", tag="learning")
async def list_differing(request: Request, asked: ListQuery) -> dict[str, Any]:
    """The comments on which candidate and current model differ, newest first."""
    _, key = site_asked(request)
    limit: int = asked.limit
    services = services_of(request)
    found = await shadow.differing(services.database, key, shadow.place_of(asked.cursor), limit + 1)
    found = [one | {"url": below(services.links.prefix, one["url"])} for one in found]
    return {"comments": found[:limit], "next": shadow.cursor_of(found[limit - 1]) if len(found) > limit else None}


routes = [get_stats, get_shadow, start_shadow, stop_shadow, promote_shadow, list_differing]
