"""Calls of Akismet's protocol about a key: its use, its state, and what WordPress' settings page asks for."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from moderation.dialects import akismet, usage
from moderation.dialects.api_akismet_calls import Refused, admit, site_of_key, text
from moderation.dialects.schemas_akismet import Subscription, UsageLimit
from moderation.services import services_of
from moderation.sites.model import DAY
from moderation.web.operations import PRIVATE, json_answer


async def verify_key(request: Request) -> Response:
    """Whether a key and the address of a client's site are right: `valid` or `invalid`."""
    principal, given = await admit(request, key_first=True)
    if not akismet.is_blog(given.get("blog")):
        raise Refused(akismet.BAD_BLOG if given.get("blog").strip() else akismet.EMPTY_BLOG)
    await site_of_key(request, principal)
    services_of(request).key_usage.count(principal, akismet.site_of(given))
    return text(akismet.VALID)


async def usage_limit(request: Request) -> Response:
    """The comments checked with a key in this month. There is no limit."""
    principal, _ = await admit(request)
    checks = await services_of(request).key_usage.checks_of_month(principal)
    return json_answer(UsageLimit(limit="none", usage=checks, percentage="0.00", throttled=False))


async def key_sites(request: Request) -> Response:
    """The use of a key in a month by each client's site, as JSON or CSV."""
    principal, given = await admit(request)
    services = services_of(request)
    month = usage.month_named(given.get("month"), services.clock())
    page = usage.page_of(await services.key_usage.of_sites(principal, month), month, given)
    if given.get("format").strip().lower() == "csv":
        return Response(usage.sites_csv(page), headers=PRIVATE, media_type="text/csv")
    return json_answer(usage.sites_document(page))


async def get_subscription(request: Request) -> Response:
    """The state of a key, for WordPress' settings page: always active."""
    await admit(request, key_first=True)
    account = Subscription(
        account_id=1,
        account_name="leave-a-reply",
        account_type="self-hosted",
        status="active",
        next_billing_date=False,
        limit_reached=False,
    )
    return json_answer(account)


async def get_stats(request: Request) -> Response:
    """The use of a key by one client's site, for WordPress' settings page."""
    principal, given = await admit(request, key_first=True)
    services, span = services_of(request), given.get("from").strip()
    days = usage.SPANS.get(span)
    first = services.clock() // DAY - days + 1 if days else 0
    used = await services.key_usage.of_days(principal, akismet.site_of(given), first)
    return json_answer(usage.stats_document(used, by_day=span == "60-days"))


async def deactivate(request: Request) -> Response:
    """Takes a client's site off a key. The key stays valid, and the next call puts the site back."""
    principal, given = await admit(request, key_first=True)
    await services_of(request).key_usage.unlink(principal, akismet.site_of(given))
    return text(akismet.DEACTIVATED)


async def token(request: Request) -> Response:
    """An opaque text that opens nothing here, for WordPress' frame of statistics."""
    await admit(request)
    return text(secrets.token_hex(16))


async def verify_wpcom_key(request: Request) -> Response:
    """Always `invalid`: there are no WordPress.com accounts here."""
    raise Refused(akismet.NO_WPCOM)


async def test_connection(request: Request) -> Response:
    """`connected`, for WordPress' settings page."""
    return text(akismet.CONNECTED)


async def compatible_plugins(request: Request) -> Response:
    """An empty list, for WordPress' settings page."""
    return json_answer([])
