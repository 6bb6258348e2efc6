"""Posting: JSON or a browser's form → Submission → intake; the author's edit and withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from classifier.values import value
from moderation.articles.page_metadata import Page
from moderation.comments import store as comments
from moderation.comments import submission
from moderation.comments.model import Comment
from moderation.comments.store import Keys
from moderation.comments.submission import Submission
from moderation.core.ids import is_id
from moderation.core.offload import REQUESTS
from moderation.core.problem import (
    BadRequest,
    FieldError,
    Invalid,
    NotFound,
    Problem,
    TooFast,
    Unauthorized,
    Unsupported,
)
from moderation.intake import store as idempotency
from moderation.intake.admission import UNKNOWN_PARENT, Accepted, Arrival
from moderation.intake.intake import Intake
from moderation.intake.public_form import form_page, where_next
from moderation.intake.schemas import AcceptedOut, CommentForm, CommentIn, EditIn
from moderation.services import services_of
from moderation.sites.cache import article_key
from moderation.sites.model import Site
from moderation.text import body as formats
from moderation.web import bodies
from moderation.web.cors import preflight_of, shared, site_of
from moderation.web.headers import header_of
from moderation.web.operations import Declared, Operation, operation
from moderation.web.pages_problem import problem_page

THREAD = "/sites/{site}/articles/{article}/comments"
HONEYPOT = "website"
"""The form's hidden field, which spam programs fill. The visible one is `url`."""


TOKEN_LONGEST = 100
"""Characters of a form token; every issued one is shorter."""


def json_answer(accepted: Accepted) -> Response:
    return Response(
        orjson.dumps(accepted.answer),
        201 if accepted.approved else 202,
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )


@value(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request to comment in any format, before its fields are checked."""

    site: Site
    article: str
    fields: Mapping[str, Any]
    raw: bytes
    format: str = formats.MARKDOWN
    receipt: str = ""
    form: str = ""
    """The state of the form token, for the policy."""
    honeypot: bool = False
    page: Page | None = None
    pause: int = 0
    """Milliseconds required between two comments from this form."""


async def create_comment(request: Request) -> Response:
    """Post a comment: 201 published, 202 held. A browser's form gets a redirect, or after an error the form with its values."""
    site = site_of(request)
    assert site  # `shared` has just looked it up
    article = article_key(request.path_params["article"])
    kind = bodies.kind_of(request)
    if kind == "application/json":
        return await from_program(request, site, article)
    if bodies.is_form(kind):
        return await from_form(request, site, article)
    raise Unsupported(
        "Send application/json, application/x-www-form-urlencoded or multipart/form-data.",
        headers={"Accept": "application/json, application/x-www-form-urlencoded, multipart/form-data"},
    )


async def from_program(request: Request, site: Site, article: str) -> Response:
    services = services_of(request)
    await check_allowance(request, site, article)  # before the body is read: a refused network costs next to nothing
    raw = await bodies.read(request, bodies.COMMENTS)
    fields = await bodies.parsed(raw)
    token, receipt = fields.get("form_token"), fields.get("receipt")
    sent = Sent(
        site=site,
        article=article,
        fields=fields,
        raw=raw,
        receipt=receipt if isinstance(receipt, str) else "",
        form="" if token is None else checked_token(services.intake, site, article, token),
        page=Page.of(fields.get("page")),
    )
    return json_answer(await submit(request, sent))


async def from_form(request: Request, site: Site, article: str) -> Response:
    services = services_of(request)
    raw = await bodies.read(request, bodies.COMMENTS)
    typed: dict[str, str] = {}
    try:
        pairs = await bodies.form_fields(request, raw)
        typed = dict(pairs)
        bodies.single(pairs)
        await check_allowance(request, site, article)
        sent = Sent(
            site=site,
            article=article,
            fields=typed | {"notify": submission.ticked(typed.get("notify"))},
            raw=raw,
            receipt=typed.get("receipt", ""),
            form=checked_token(services.intake, site, article, typed.get("form_token", "")),
            honeypot=bool(typed.get(HONEYPOT, "").strip()),
            page=Page.of_form(typed),
        )
        accepted = await submit(request, sent)
    except BadRequest as problem:
        return problem_page(request, counted(request, problem))
    except Problem as problem:
        if isinstance(problem, bodies.HasFile):
            typed = problem.typed
        return await form_page(request, site, article, typed, counted(request, problem))
    return RedirectResponse(await where_next(request, site, article, typed, accepted), 303)


async def submit(request: Request, sent: Sent) -> Accepted:
    """The one way in: checks and renders once, then submits to the intake. Raises the Problem of a refusal."""
    services = services_of(request)
    checked = await checked_submission(request, sent)
    return await services.intake.submit(arrival_of(request, sent, checked))


def counted(request: Request, problem: Problem) -> Problem:
    """Counts a refusal against its network's allowance, and returns the answer."""
    services = services_of(request)
    site = site_of(request)
    if site is None:  # an unknown site has no allowance
        return problem
    intake = services.intake
    return intake.allowance.told(problem, site, network_of(request)[1], intake.clock())


async def checked_submission(request: Request, sent: Sent) -> Submission:
    """The checked submission. Raises Invalid for every wrong field at once, an unknown parent included."""
    light = submission.is_light(sent.fields, sent.format)
    try:
        return await REQUESTS.run(submission.check, sent.fields, sent.site.settings, sent.format, here=light)
    except Invalid as invalid:
        parent = sent.fields.get("parent")
        if not isinstance(parent, str) or not parent.strip() or any(e.field == "parent" for e in invalid.errors):
            raise
        known: dict[str, Comment] = {}
        if is_id(parent := parent.strip()):
            async with services_of(request).database.reading() as session:
                known = await comments.of_site(session, sent.site.key, [parent])
        if parent in known and known[parent].article == sent.article and known[parent].status == "approved":
            raise
        raise Invalid(*invalid.errors, UNKNOWN_PARENT) from None


def checked_token(intake: Intake, site: Site, article: str, token: Any) -> str:
    """The state of a form token. JSON needs none; the service's own form without one is held."""
    ages = site.settings.form_youngest * 1000, site.settings.form_oldest * 60_000
    if not isinstance(token, str) or len(token) > TOKEN_LONGEST:
        return "missing"
    return intake.links.signer.check_form_token(token, site.key, article, intake.clock(), *ages)


async def check_allowance(request: Request, site: Site, article: str) -> None:
    """Raises TooFast if the network's allowance is used up. A retry of an answered request is free."""
    services = services_of(request)
    now = services.intake.clock()
    try:
        services.intake.allowance.check(site, network_of(request)[1], now)
    except TooFast:
        key = services.signer.token_hash(request.headers.get("idempotency-key", ""))
        async with services.database.reading() as session:
            if (article, key) not in await idempotency.find(session, site.key, [key], now):
                raise


def network_of(request: Request) -> tuple[str, str]:
    """The request's network address, empty if unknown, and its keyed hash; computed once for each request."""
    origin: tuple[str, str] | None = request.scope.get("network")
    if origin is None:
        services = services_of(request)
        address = services.authenticator.address(request)
        origin = request.scope["network"] = address, services.signer.network_key(address)
    return origin


def arrival_of(request: Request, sent: Sent, checked: Submission) -> Arrival:
    """The submission with its circumstances: network, author's key, retry. Raises Invalid."""
    signer = services_of(request).signer
    retry = None
    if (key := header_of(request, b"idempotency-key")) is not None:
        if not 1 <= len(key) <= 255 or not key.isprintable():
            raise Invalid(FieldError("Idempotency-Key", "invalid", "must have 1 to 255 printable characters"))
        retry = (signer.token_hash(key), blake2b(sent.raw, digest_size=16).hexdigest())
    address, network = network_of(request)
    return Arrival(
        site=sent.site.key,
        article=sent.article,
        submission=checked,
        keys=Keys(author=signer.author_key(checked.email, checked.name), network=network, body=checked.body_key),
        address=address,
        form=sent.form,
        honeypot=sent.honeypot,
        proof=signer.comment_of(receipt) if (receipt := header_of(request, b"receipt") or sent.receipt) else None,
        retry=retry,
        pause=sent.pause,
        page=sent.page,
    )


async def own_comment(request: Request) -> tuple[Site, Comment]:
    """The comment of the Edit-Token. Raises NotFound or Unauthorized."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    article, id = article_key(request.path_params["article"]), request.path_params["id"]
    if not is_id(id):
        raise NotFound("There is no such comment.")
    async with services.database.reading() as session:
        comment = (await comments.of_site(session, site.key, [id])).get(id)
    if comment is None or comment.article != article or comment.status == "deleted":
        raise NotFound("There is no such comment.")
    if not services.signer.is_edit_token(id, request.headers.get("edit-token", "")):
        raise Unauthorized("The Edit-Token is missing or wrong.")
    return site, comment


async def edit_comment(request: Request) -> Response:
    """Edit a comment as its author, within 15 minutes, with the Edit-Token."""
    site, comment = await own_comment(request)
    if bodies.kind_of(request) != "application/json":
        raise Unsupported("Send application/json.")
    raw = await bodies.read(request, bodies.COMMENTS)
    accepted = await amend(request, site, comment, await bodies.parsed(raw), raw)
    answer = json_answer(accepted)
    answer.status_code = 200 if accepted.approved else 202
    return answer


@operation("DELETE", THREAD + "/{id}", answers={204: None}, headers=("Edit-Token",), tag="comments", shared=True)
async def withdraw_comment(request: Request) -> None:
    """Withdraw a comment as its author, within 15 minutes, with the Edit-Token."""
    site, comment = await own_comment(request)
    await services_of(request).intake.withdraw(site.key, comment.article, comment.id)


async def amend(request: Request, site: Site, old: Comment, changes: Mapping[str, Any], raw: bytes) -> Accepted:
    """The author's edit of name, url and body. The email address stays."""
    kept = {"name": old.name, "email": old.email, "url": old.url, "body": old.body}
    kept |= {field: changes[field] for field in ("name", "url", "body") if field in changes}
    sent = Sent(site=site, article=old.article, fields=kept, raw=raw, format=old.format)
    checked = await REQUESTS.run(
        submission.check, kept, site.settings, old.format, here=submission.is_light(kept, old.format)
    )
    return await services_of(request).intake.amend(arrival_of(request, sent, checked), old.id)


POST_COMMENT = Operation(
    "POST", THREAD, shared(create_comment, counted),
    Declared(
        body=CommentIn, form=CommentForm, headers=("Idempotency-Key", "Receipt"),
        answers={201: AcceptedOut, 202: AcceptedOut, 303: None}, tag="comments",
    ),
)  # fmt: skip
EDIT_COMMENT = Operation(
    "PATCH", THREAD + "/{id}", shared(edit_comment),
    Declared(body=EditIn, headers=("Edit-Token",), answers={200: AcceptedOut, 202: AcceptedOut}, tag="comments"),
)  # fmt: skip
routes = [
    POST_COMMENT,
    preflight_of(THREAD, "GET, POST"),
    EDIT_COMMENT,
    withdraw_comment,
    preflight_of(THREAD + "/{id}", "PATCH, DELETE"),
]
