"""The page linked from the digest. It needs no session. Opening it changes nothing; a POST does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import NotFound
from moderation.db.database import Session
from moderation.services import services_of
from moderation.team import members
from moderation.team import store as moderators
from moderation.team.model import Moderator
from moderation.web import bodies

ACTS = {"stop": False, "start": True}


async def found(request: Request, session: Session) -> Moderator:
    """The link's moderator. Raises NotFound for a forged link and for a removed moderator."""
    id = services_of(request).links.signer.verify("digest", request.path_params["token"])
    moderator = await moderators.of_id(session, id) if id else None
    if moderator is None:
        raise NotFound("There is no such link, or its owner is no longer a moderator.")
    return moderator


async def get_digest(request: Request) -> Response:
    """The digest's subscription page, for the holder of the mailed link."""
    services = services_of(request)
    async with services.database.reading() as session:
        moderator = await found(request, session)
    pages = services.pages
    return pages.answer(
        "queue/digest.html", wanted=moderator.wants_digest, action=f"/digests/{request.path_params['token']}"
    )


async def post_digest(request: Request) -> Response:
    """`act`: `stop` or `start`; or a mail program's own unsubscribe button (RFC 8058)."""
    services = services_of(request)
    act, one_click = await bodies.answer_to_mail(request, ACTS, "stop")
    async with services.database.transaction() as tx:
        await members.digest(tx, await found(request, tx), ACTS[act], services.clock())
    if one_click:
        return await get_digest(request)
    return RedirectResponse(f"/digests/{request.path_params['token']}", 303)


routes = [
    Route("/digests/{token}", get_digest, methods=["GET"]),
    Route("/digests/{token}", post_digest, methods=["POST"]),
]
