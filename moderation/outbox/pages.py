"""The mail settings, shown without anything secret and tried with one mail to whoever asks; for administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Forbidden
from moderation.db import audit
from moderation.queue.pages import page, signed_in
from moderation.team.model import Asker
from moderation.web import bodies as body


def only_administrators(asker: Asker) -> None:
    """Raises Forbidden."""
    if not asker.administers(asker.site):
        raise Forbidden("Only an administrator may see and try the mail settings.", code="role")


@signed_in
async def get_page(request: Request, asker: Asker) -> Response:
    """The mail settings."""
    only_administrators(asker)
    return await page(request, asker, "outbox/mail.html", settings=request.app.state.trial.settings, tried=None)


@signed_in
async def post_page(request: Request, asker: Asker) -> Response:
    """Send one test mail to the administrator's own address, and show what the mail server answered."""
    state = request.app.state
    typed = dict(await body.form_fields(request, await body.read(request)))
    state.doorman.check_csrf(asker, typed.get("csrf_token", ""))
    only_administrators(asker)
    assert asker.moderator
    tried, now = await state.trial.send(asker.moderator.email, state.clock()), state.clock()
    async with state.database.transaction() as tx:
        await audit.note(
            tx, site=EVERYWHERE, at=now, actor=asker.name, action="mail:test", subject="mail", taken=tried.taken
        )
    return await page(request, asker, "outbox/mail.html", settings=state.trial.settings, tried=tried)


routes = [
    Route("/moderate/mail", get_page, methods=["GET"]),
    Route("/moderate/mail", post_page, methods=["POST"]),
]
