"""A guest's receipt: an unguessable page for one comment. Status, edit, withdraw, its own data; no account."""

from __future__ import annotations

from contextlib import suppress

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation import body
from moderation.comment import EDIT_WINDOW, Comment, iso
from moderation.pages import Pages
from moderation.problem import FieldError, Forbidden, Invalid, NotFound, Problem
from moderation.public.posting import amend
from moderation.public.sites import Directory
from moderation.public.texts import Words
from moderation.site import Article
from moderation.storage import comments, decisions, sites
from moderation.storage.decisions import Entry


def state_of(comment: Comment, taken: list[Entry]) -> tuple[str, str | None]:
    """(state, reason). What the machine filed says `pending`; only a person's decision shows, a rejection with its note."""
    standing = [d for d in taken if d.undone_at is None and d.after_status == comment.status]
    if comment.status == "approved":
        return "approved", None
    if comment.status == "deleted" and not standing:
        return "withdrawn", None
    if comment.status == "pending" or not standing:
        return "pending", None
    return "rejected", (standing[-1].note or None) if standing[-1].action == "reject" else None


async def found(request: Request) -> tuple[Comment, list[Entry], Article]:
    """Raises NotFound for a forged receipt, and for a comment that is gone."""
    state = request.app.state
    id = state.links.seal.comment_of(request.path_params["token"])
    async with state.database.reading() as session:
        comment = (await comments.find(session, [id])).get(id) if id else None
        if comment is None:
            raise NotFound("There is no such receipt, or its comment has been erased.")
        taken = await decisions.on(session, comment.site, comment.id)
        article = (await sites.articles(session, comment.site, [comment.article]))[comment.article]
    return comment, taken, article


async def show(request: Request, errors: dict[str, str] | None = None, status: int = 200, typed: str = "") -> Response:
    comment, taken, article = await found(request)
    state, reason = state_of(comment, taken)
    clock = request.app.state.intake.clock
    until = comment.created_at + EDIT_WINDOW
    can_edit = state in ("pending", "approved") and clock() <= until
    if "application/json" in request.headers.get("accept", ""):
        data = {
            "id": comment.id,
            "site": comment.site,
            "article": comment.article,
            "status": state,
            "reason": reason,
            "name": comment.name,
            "url": comment.url,
            "body": comment.body,
            "format": comment.format,
            "created_at": iso(comment.created_at),
            "edited_at": iso(comment.edited_at),
            "edit_until": iso(until),
        }
        headers = {"Cache-Control": "no-store", "Vary": "Origin"}
        with suppress(Forbidden):  # the embed on the site's own page shows its reader what became of it
            site = await request.app.state.directory.site(comment.site)
            if origin := request.app.state.directory.allowed(site, request.headers):
                headers["Access-Control-Allow-Origin"] = origin
        return Response(orjson.dumps(data), media_type="application/json", headers=headers)
    pages: Pages = request.app.state.public_pages
    return pages.answer(
        "receipt.html",
        status,
        t=Words(),
        receipt={
            "state": state,
            "author_name": comment.name or "Anonymous",
            "html": comment.html,
            "body": typed or comment.body,
            "created_at": iso(comment.created_at),
            "article": article,
            "comment_url": f"{article.url}#comment-{comment.id}" if article.url else None,
            "can_edit": can_edit,
            "edit_until": iso(until),
            "action": f"/receipts/{request.path_params['token']}",
            "errors": errors or {},
            "reason": reason,
            "saved": "saved" in request.query_params,
        },
    )


async def get_receipt(request: Request) -> Response:
    """What became of one comment, for whoever holds its link."""
    return await show(request)


async def post_receipt(request: Request) -> Response:
    """`act`: `edit` with a new `body`, or `withdraw`."""
    comment, _, _ = await found(request)
    directory: Directory = request.app.state.directory
    raw = await body.read(request, body.COMMENTS)
    typed = body.single(await body.form_fields(request, raw))
    try:
        if typed.get("act") == "withdraw":
            await request.app.state.intake.withdraw(comment.site, comment.article, comment.id)
        elif typed.get("act") == "edit":
            site = await directory.site(comment.site)
            await amend(request, site, comment, {"body": typed.get("body", "")}, raw)
        else:
            raise Invalid(FieldError("act", "invalid", "must be edit or withdraw"))
    except Problem as problem:
        errors = {e.field: e.message for e in problem.errors} or {"": problem.detail}
        return await show(request, errors, problem.status, typed.get("body", ""))
    return RedirectResponse(f"/receipts/{request.path_params['token']}?saved", 303)


routes = [
    Route("/receipts/{token}", get_receipt, methods=["GET"]),
    Route("/receipts/{token}", post_receipt, methods=["POST"]),
]
