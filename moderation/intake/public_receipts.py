"""Receipts: a page with a secret address for one comment: status, edit, withdraw, data. It needs no account and no script.

Possession of the address proves authorship, so it is kept out of logs, caches, search engines and referrers. Data about
a whole email address is not here: anybody can type an address into a comment.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_decisions as decisions
from moderation.comments import store_submissions as submissions
from moderation.comments.model import EDIT_WINDOW, Comment
from moderation.comments.store_decisions import Decision
from moderation.core.problem import FieldError, Forbidden, Gone, Invalid, NotFound, Problem
from moderation.core.times import iso
from moderation.intake.public import amend
from moderation.intake.schemas import ReceiptOut
from moderation.intake.texts import Words
from moderation.queue import decide as queue
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import Article
from moderation.web import bodies
from moderation.web.cors import Endpoint, problem_answer
from moderation.web.operations import Declared, Operation
from moderation.web.pages_problem import problem_page

SAVED = ("saved", "appealed")
"""The parameter of the page after an act."""
PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt's contents: no score, no automatic verdict, no email address."""

    comment: Comment
    article: Article
    status: str
    reason: str | None
    notify: bool
    versions: list[dict[str, Any]]
    """The texts before each edit."""
    can_edit: bool
    reason_code: str | None = None
    appeal: dict[str, Any] | None = None
    can_appeal: bool = False

    def document(self) -> dict[str, Any]:
        """The data of this one comment."""
        c = self.comment
        return {
            "id": c.id,
            "site": c.site,
            "article": c.article,
            "parent": c.parent,
            "status": self.status,
            "reason": self.reason,
            "reason_code": self.reason_code,
            "appeal": self.appeal,
            "can_appeal": self.can_appeal,
            "name": c.name,
            "url": c.url,
            "body": c.body,
            "format": c.format,
            "text": c.text,
            "html": c.html,
            "notify": self.notify,
            "created_at": iso(c.created_at),
            "edited_at": iso(c.edited_at),
            "edit_until": iso(c.created_at + EDIT_WINDOW),
            "versions": self.versions,
        }


def state_of(comment: Comment, taken: list[Decision]) -> tuple[str, str | None, str | None]:
    """(state, note, reason's code). Automatic verdicts show as `pending`; a moderator's rejection shows its note."""
    standing = [d for d in taken if d.undone_at is None and d.after_status == comment.status]
    if comment.status == "approved":
        return "approved", None, None
    if comment.status == "deleted" and not standing:
        return "withdrawn", None, None
    if comment.status == "pending" or not standing:
        return "pending", None, None
    last = standing[-1]
    return ("rejected", last.note or None, last.reason or None) if last.action == "reject" else ("rejected", None, None)


async def found(request: Request) -> Receipt:
    """The receipt's comment. Raises NotFound for a forged receipt, and Gone for an erased comment."""
    services = services_of(request)
    id = services.signer.comment_of(request.path_params["token"])
    if id is None:
        raise NotFound("There is no such receipt. Check that its address is complete.")
    async with services.database.reading() as session:
        comment = (await comments.find(session, [id])).get(id)
        if comment is None:
            raise Gone("The comment of this receipt has been erased. No data of it is stored.")
        taken = await decisions.on(session, comment.site, comment.id)
        article = (await sites.articles(session, comment.site, [comment.article]))[comment.article]
        notify = comment.id in await comments.notified(session, comment.site, [comment.id])
        judged = (await submissions.of(session, comment.site, [comment.id])).get(comment.id, [])
        versions = [{"body": v.body, "format": v.format, "created_at": iso(v.created_at)} for v in judged]
        appeal = (await appeals.of(session, comment.site, [comment.id])).get(comment.id)
    status, reason, code = state_of(comment, taken)
    can_edit = status in ("pending", "approved") and services.clock() <= comment.created_at + EDIT_WINDOW
    can_appeal = appeal is None and queue.may_appeal(comment, taken)
    return Receipt(comment, article, status, reason, notify, versions[:-1], can_edit, code, appeal, can_appeal)


def private(endpoint: Endpoint) -> Endpoint:
    """Adds the headers that keep the receipt's address secret, to any answer."""

    async def answer(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except Problem as problem:
            is_page = "text/html" in request.headers.get("accept", "")
            response = problem_page(request, problem) if is_page else problem_answer(problem)
        response.headers.update(PRIVATE)
        return response

    answer.__name__, answer.__doc__ = getattr(endpoint, "__name__", "answer"), endpoint.__doc__
    return answer


async def show(request: Request, problem: Problem | None = None, typed: str = "", appeal: str = "") -> Response:
    receipt = await found(request)
    words = Words.for_reader(request.headers.get("accept-language", ""))
    address = f"/receipts/{request.path_params['token']}"
    comment, article = receipt.comment, receipt.article
    pages = services_of(request).pages
    return pages.answer(
        "intake/receipt.html",
        problem.status if problem else 200,
        {"Vary": "Accept, Accept-Language, Origin"},
        lang=words.lang,
        dir=words.dir,
        t=words,
        receipt={
            "state": receipt.status,
            "author_name": comment.name or words.say("anonymous"),
            "author_url": comment.url,
            "html": comment.html,
            "body": typed or comment.body,
            "source": comment.body,
            "format": comment.format,
            "created_at": iso(comment.created_at),
            "edited_at": iso(comment.edited_at),
            "article": article,
            "comment_url": f"{article.url}#comment-{comment.id}" if article.url else None,
            "can_edit": receipt.can_edit,
            "edit_until": iso(comment.created_at + EDIT_WINDOW),
            "notify": receipt.notify,
            "versions": receipt.versions,
            "action": address,
            "data": f"{address}/data",
            "by_mail": services_of(request).mails,
            "errors": words.told(problem) if problem else {},
            "reason": receipt.reason,
            "reason_code": receipt.reason_code,
            "appeal": receipt.appeal,
            "can_appeal": receipt.can_appeal,
            "appealing": appeal,
            "saved": next((key for key in SAVED if key in request.query_params), None),
        },
    )


async def get_receipt(request: Request) -> Response:
    """The status and data of one comment, for the holder of its receipt."""
    if "application/json" not in request.headers.get("accept", ""):
        return await show(request)
    receipt = await found(request)
    headers = {"Vary": "Accept, Accept-Language, Origin"}
    with suppress(Forbidden):  # the embed on the site's own page shows its reader the status
        directory = services_of(request).directory
        if origin := directory.allowed(await directory.site(receipt.comment.site), request):
            headers["Access-Control-Allow-Origin"] = origin
    return Response(orjson.dumps(receipt.document()), media_type="application/json", headers=headers)


async def get_receipt_data(request: Request) -> Response:
    """The data of this one comment, as a file."""
    receipt = await found(request)
    name = f"comment-{receipt.comment.id}.json"
    return Response(
        orjson.dumps(receipt.document(), option=orjson.OPT_INDENT_2) + b"\n",
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


async def post_receipt(request: Request) -> Response:
    """`act`: `edit` with a new `body`, `withdraw`, `appeal` with a text `appeal` against a rejection, once, or `unsubscribe` from mails about replies to this comment."""
    comment = (await found(request)).comment
    directory = services_of(request).directory
    intake = services_of(request).intake
    raw = await bodies.read(request, bodies.COMMENTS)
    typed = bodies.single(await bodies.form_fields(request, raw))
    try:
        if typed.get("act") == "withdraw":
            await intake.withdraw(comment.site, comment.article, comment.id)
        elif typed.get("act") == "unsubscribe":
            await intake.unsubscribe(comment.site, comment.id)
        elif typed.get("act") == "appeal":
            services = services_of(request)
            await queue.appeal(services.database, comment.site, comment.id, typed.get("appeal", ""), services.clock())
        elif typed.get("act") == "edit":
            site = await directory.site(comment.site)
            await amend(request, site, comment, {"body": typed.get("body", "")}, raw)
        else:
            raise Invalid(FieldError("act", "invalid", "must be edit, withdraw, appeal or unsubscribe"))
    except Problem as problem:
        return await show(request, problem, typed.get("body", ""), typed.get("appeal", ""))
    saved = "appealed" if typed["act"] == "appeal" else "saved"
    return RedirectResponse(f"/receipts/{request.path_params['token']}?{saved}", 303)


routes = [
    Operation("GET", "/receipts/{token}", private(get_receipt), Declared(answers={200: ReceiptOut}, tag="receipts")),
    Route("/receipts/{token}", private(post_receipt), methods=["POST"]),
    Operation(
        "GET", "/receipts/{token}/data", private(get_receipt_data), Declared(answers={200: ReceiptOut}, tag="receipts")
    ),
]
