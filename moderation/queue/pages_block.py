"""Forms to block from a comment, and to unblock."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.policy.blocks import Lasts
from moderation.queue.api_acts import blocked
from moderation.queue.pages import back_of
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import sent_form


async def by_form(request: Request, principal: Principal, typed: Form, *, lift: bool) -> Response:
    services = services_of(request)
    id, target, back = request.path_params["id"], typed.get("target", ""), back_of(typed)
    asked = typed.get(f"lasts-{id}", "")
    lasts: Lasts = asked if asked in ("day", "week", "month") else "good"  # type: ignore[assignment]
    await blocked(services, principal, id, target, lift=lift, lasts=lasts, reason=typed.get(f"because-{id}", ""))
    told = {"done": "unblocked" if lift else "blocked", "target": target, "comment": id}
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{urlencode(told)}", 303)


@sent_form
async def post_block(request: Request, principal: Principal, typed: Form) -> Response:
    """Close the comment's article, or block the chosen target."""
    return await by_form(request, principal, typed, lift=False)


@sent_form
async def post_unblock(request: Request, principal: Principal, typed: Form) -> Response:
    """Take a block back."""
    return await by_form(request, principal, typed, lift=True)


routes = [
    Route("/moderate/comments/{id}/block", post_block, methods=["POST"]),
    Route("/moderate/comments/{id}/unblock", post_unblock, methods=["POST"]),
]
