"""The mail settings, shown without anything secret and tried with one mail to whoever asks; for administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Forbidden
from moderation.db import audit
from moderation.queue.pages import page, signed_in
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web import bodies


def only_administrators(principal: Principal) -> None:
    """Raises Forbidden."""
    if not principal.administers(principal.site):
        raise Forbidden("Only an administrator may see and try the mail settings.", code="role")


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """The mail settings."""
    only_administrators(principal)
    return await page(
        request, principal, "outbox/mail.html", settings=services_of(request).mail_check.settings, tried=None
    )


@signed_in
async def post_page(request: Request, principal: Principal) -> Response:
    """Send one test mail to the administrator's own address, and show what the mail server answered."""
    services = services_of(request)
    typed = dict(await bodies.form_fields(request, await bodies.read(request)))
    services.authenticator.check_csrf(principal, typed.get("csrf_token", ""))
    only_administrators(principal)
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
