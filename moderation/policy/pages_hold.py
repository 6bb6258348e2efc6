"""How much waits for a person: the question on the console's first page, until somebody has answered it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import NotFound
from moderation.db.database import Session
from moderation.policy import settings_history
from moderation.policy import store_settings_history as past_settings
from moderation.services import services_of
from moderation.sites.model import Site, is_site_key
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import check_administrator, sent_form


async def unanswered(session: Session, principal: Principal, known: Sequence[Site], site: str) -> Site | None:
    """The site that the page shows, or the only one, where an administrator has not set its policy yet."""
    shown = next((one for one in known if one.key == site), known[0] if len(known) == 1 else None)
    if shown is None or not principal.is_administrator or await past_settings.has_any(session, shown.key):
        return None
    return shown


@sent_form
async def post_hold(request: Request, principal: Principal, typed: Form) -> Response:
    """Choose how much waits."""
    services = services_of(request)
    key = typed.get("site", "")
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    check_administrator(principal)
    async with services.database.transaction() as tx:
        await settings_history.choose_hold(
            tx, key, typed.get("hold", ""), services.signer, principal.name, services.clock()
        )
    services.directory.forget()
    return RedirectResponse("/moderate?" + urlencode({"site": key}), 303)


routes = [Route("/moderate/hold", post_hold, methods=["POST"])]
