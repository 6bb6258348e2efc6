"""Statistics, for programs."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.learning.pages import report_of, since_of, site_of
from moderation.services import services_of
from moderation.web.guard import principal_of
from moderation.web.operations import operation
from moderation.web.params import Query, Says


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


@operation("GET", "/api/v1/stats", query=StatsQuery, answers={200: StatsOut}, scope="moderate", tag="learning")
async def get_stats(request: Request, asked: StatsQuery) -> dict[str, Any]:
    """Submissions, decisions, agreement between model and moderators, time in the queue."""
    site = site_of(asked.site, principal_of(request))
    return await report_of(request, site, since_of(asked.since, services_of(request).clock()))


routes = [get_stats]
