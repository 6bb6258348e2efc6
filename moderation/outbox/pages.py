"""The page of the mail settings, without secrets, and a test mail to the signed-in administrator."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.core.ids import EVERYWHERE
from moderation.db import audit
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import check_administrator, sent_form, signed_in


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """The mail settings."""
    check_administrator(principal)
    return await page(
        request, principal, "outbox/mail.html", settings=services_of(request).mail_check.settings, tried=None
    )


@sent_form
async def post_page(request: Request, principal: Principal, typed: Form) -> Response:
    """Send one test mail to the administrator's own address, and show the mail server's answer."""
    services = services_of(request)
    check_administrator(principal)
    assert principal.moderator
    tried, now = await services.mail_check.send(principal.moderator.email, services.clock()), services.clock()
    async with services.database.transaction() as tx:
        await audit.note(
            tx, site=EVERYWHERE, at=now, actor=principal.name, action="mail:test", subject="mail", taken=tried.taken
        )
    return await page(request, principal, "outbox/mail.html", settings=services.mail_check.settings, tried=tried)


routes = [
    Route("/moderate/mail", get_page, methods=["GET"]),
    Route("/moderate/mail", post_page, methods=["POST"]),
]
