"""How much waits for a person: the question on the console's first page, until somebody has answered it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.db.database import Session
from moderation.policy import settings_history
from moderation.policy import store_settings_history as past_settings
from moderation.services import services_of
from moderation.sites.model import Site
from moderation.sites.pages import administered, site_in
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form


async def unanswered(session: Session, principal: Principal, known: Sequence[Site], site: str) -> Site | None:
    """The site that the page shows, where an administrator has not set its policy yet."""
    shown = administered(principal, known, site)
    return None if shown is None or await past_settings.has_any(session, shown.key) else shown


@sent_form
async def post_hold(request: Request, principal: Principal, typed: Form) -> Response:
    """Choose how much waits."""
    services, key = services_of(request), site_in(typed, principal)
    async with services.database.transaction() as tx:
        await settings_history.choose_hold(
            tx, key, typed.get("hold", ""), services.signer, principal.name, services.clock()
        )
    services.directory.forget()
    return RedirectResponse("/moderate?" + urlencode({"site": key}), 303)


routes = [Route("/moderate/hold", post_hold, methods=["POST"])]
