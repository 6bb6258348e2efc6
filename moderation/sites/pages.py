"""The address of a site's pages: the question on the console's first page, until it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.urls import origin_of
from moderation.db import audit
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import Site, is_site_key
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import check_administrator, sent_form


def administered(principal: Principal, known: Sequence[Site], site: str) -> Site | None:
    """The site that the page shows, or the only one, if its questions are for this moderator."""
    shown = next((one for one in known if one.key == site), known[0] if len(known) == 1 else None)
    return shown if principal.is_administrator else None


def site_in(typed: Form, principal: Principal) -> str:
    """The key of the site that a form is about. Raises NotFound, or Forbidden for a moderator who does not administer."""
    key = typed.get("site", "")
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    check_administrator(principal)
    return key


def without_origin(principal: Principal, known: Sequence[Site], site: str) -> Site | None:
    """The site that the page shows, where an administrator has named no address of its pages yet."""
    shown = administered(principal, known, site)
    return shown if shown and not shown.origins else None


@sent_form
async def post_origin(request: Request, principal: Principal, typed: Form) -> Response:
    """Set the address of a site's pages. The path of the given address is left out."""
    services, key = services_of(request), site_in(typed, principal)
    try:
        origin = origin_of(typed.get("url", "").strip())
    except ValueError as error:  # in words
        raise Invalid(FieldError("url", "invalid", str(error))) from None
    async with services.database.transaction() as tx:
        site = (await sites.sites(tx, [key])).get(key)
        if site is None:
            raise NotFound("There is no such site.")
        if origin not in site.origins:
            await sites.put_site(tx, replace(site, origins=(*site.origins, origin)), services.clock())
            await audit.note(
                tx, site=key, at=services.clock(), actor=principal.name, action="site:put", subject=key, origin=origin
            )
    services.directory.forget()
    return RedirectResponse("/moderate?" + urlencode({"site": key}), 303)


routes = [Route("/moderate/origin", post_origin, methods=["POST"])]
