"""The statistics page, with charts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.comments.model import AUDIT_SAMPLE
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Forbidden, Invalid
from moderation.core.times import iso
from moderation.policy import error_rates
from moderation.policy import store_verdicts as decided_verdicts
from moderation.queue import store as queue
from moderation.queue import store_snoozes as snoozes
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import DAY, is_site_key
from moderation.team.model import Principal
from moderation.web.guard import signed_in

DAYS = (7, 30, 90, 365)


def since_of(text: str, now: int) -> int:
    """Unix milliseconds of an RFC 3339 time, a date, or `30d`; by default 30 days ago. Raises Invalid."""
    if not text:
        return now - 30 * DAY
    if text.endswith("d") and text[:-1].isascii() and text[:-1].isdigit() and 1 <= int(text[:-1][:5]) <= 3650:
        return now - int(text[:-1]) * DAY
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
        at = int(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise Invalid(FieldError("since", "invalid", "must be a time like 2026-11-01T00:00:00Z, or 30d")) from None
    return max(0, at)


def site_of(text: str, principal: Principal) -> str:
    """The form's site. Raises Invalid, or Forbidden for a site that the principal does not see."""
    site = text or principal.site
    if site != EVERYWHERE and not is_site_key(site):
        raise Invalid(FieldError("site", "invalid", "is no site's key"))
    if not principal.sees(site):
        raise Forbidden("You moderate another site.", code="site")
    return site


async def report_of(request: Request, site: str, since: int) -> dict[str, Any]:
    services = services_of(request)
    now = services.clock()
    async with services.database.reading() as session:
        judged = await decided_verdicts.judged(session, site, since)
        picked = await decided_verdicts.judged(session, site, since, AUDIT_SAMPLE)
        decided = await decided_verdicts.outcomes(session, site, since)
        # A snoozed comment waits as well: nobody has decided on it.
        waiting = (await queue.counts(session, site, now))["pending"] + await snoozes.count(session, site, now)
        oldest = await decided_verdicts.oldest_waiting(session, site)
    told = await asyncio.to_thread(error_rates.report, judged, decided, picked)
    told["in_queue"] |= {"waiting": waiting, "oldest_s": max(0, round((now - oldest) / 1000)) if oldest else None}
    return {"site": site, "since": iso(since), "until": iso(now)} | told


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """The site's own error rates."""
    services = services_of(request)
    asked = request.query_params
    days = int(asked.get("days", "")) if asked.get("days", "") in map(str, DAYS) else 30
    site = site_of(asked.get("site", ""), principal)
    told = await report_of(request, site, services.clock() - days * DAY)
    async with services.database.reading() as session:
        known = [s for s in (await sites.sites(session)).values() if principal.sees(s.key)]
    return await page(request, principal, "learning/stats.html", told=told, sites=known, days=days, choices=DAYS)


routes = [
    Route("/moderate/stats", get_page, methods=["GET"]),
]
