"""Replies come in: JSON and browser form → Submission → intake; the author's own edit and withdrawal."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

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
from moderation.core.urls import Links
from moderation.intake import store as idempotency
from moderation.intake.admission import UNKNOWN_PARENT, Accepted, Arrival, arrive
from moderation.intake.intake import Intake
from moderation.intake.texts import Words
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.cache import article_key
from moderation.sites.model import Article, Site
from moderation.text import addresses
from moderation.text import body as formats
from moderation.web import bodies
from moderation.web.cors import preflight, shared
from moderation.web.templating import sends_to

HONEYPOT = "website"
"""A field of our own form that people cannot see and programs like to fill. The real one is `url`."""


TOKEN_LONGEST = 100
"""Of a form: longer than any that was ever served."""
KEPT_FIELDS = ("name", "email", "url", "body", "parent", "notify", "page_title", "page_url")
"""What stands in the form again where something was wrong."""


def json_answer(accepted: Accepted) -> Response:
    return Response(
        orjson.dumps(accepted.answer),
        201 if accepted.approved else 202,
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )


async def post_comment(request: Request) -> Response:
    """One reply. 201 published, 202 held; a browser's form gets a redirect, or the form back with what was typed."""
    services = services_of(request)
    intake = services.intake
    site: Site = request.state.site  # `shared` has just looked it up
    article = article_key(request.path_params["article"])
    kind = bodies.kind_of(request)
    if kind == "application/json":
        raw = await bodies.read(request, bodies.COMMENTS)
        fields = await bodies.parsed(raw)
        sent = await checked(request, site, article, fields)
        token, receipt = fields.get("form_token"), fields.get("receipt")
        form = "" if token is None else checked_token(intake, site, article, token)
        page = Page.of(fields.get("page"))
        proof = receipt if isinstance(receipt, str) else ""
        arrival = await arriving(request, site, article, sent, raw, proof, form=form, page=page)
        return json_answer(await intake.submit(arrival))
    if not bodies.is_form(kind):
        raise Unsupported(
            "Send application/json, application/x-www-form-urlencoded or multipart/form-data.",
            headers={"Accept": "application/json, application/x-www-form-urlencoded, multipart/form-data"},
        )
    return await post_form(request, site, article)


async def post_form(request: Request, site: Site, article: str) -> Response:
    intake = services_of(request).intake
    raw = await bodies.read(request, bodies.COMMENTS)
    typed: dict[str, str] = {}
    try:
        pairs = await bodies.form_fields(request, raw)
        typed = dict(pairs)
        bodies.single(pairs)
        sent = await checked(request, site, article, typed | {"notify": submission.ticked(typed.get("notify"))})
        token = checked_token(intake, site, article, typed.get("form_token", ""))
        filled = bool(typed.get(HONEYPOT, "").strip())
        receipt = typed.get("receipt", "")
        page = Page.of_form(typed)
        arrival = await arriving(request, site, article, sent, raw, receipt, form=token, honeypot=filled, page=page)
        accepted = await intake.submit(arrival)
    except BadRequest as problem:
        return problem_page(request, counted(request, problem))
    except Problem as problem:
        if isinstance(problem, bodies.HasFile):
            typed = problem.typed
        return await form_page(request, site, article, typed, counted(request, problem))
    return RedirectResponse(await where_next(request, site, article, typed, accepted), 303)


def counted(request: Request, problem: Problem) -> Problem:
    """What to answer a comment with that was not taken: it counts against its network's allowance."""
    services = services_of(request)
    site: Site | None = getattr(request.state, "site", None)
    if site is None:  # anybody can name sites that there are not
        return problem
    intake = services.intake
    return intake.allowance.told(
        problem, site, services.signer.address_key(services_of(request).authenticator.address(request)), intake.clock()
    )


async def checked(request: Request, site: Site, article: str, fields: Mapping[str, Any]) -> Submission:
    """Raises Invalid for every wrong field at once: what else is wrong must not hide that there is no such parent."""
    try:
        return await REQUESTS.run(submission.check, fields, site.rules, here=submission.is_light(fields))
    except Invalid as invalid:
        parent = fields.get("parent")
        if not isinstance(parent, str) or not parent.strip() or any(e.field == "parent" for e in invalid.errors):
            raise
        known: dict[str, Comment] = {}
        if is_id(parent := parent.strip()):
            async with services_of(request).database.reading() as session:
                known = await comments.of_site(session, site.key, [parent])
        if parent in known and known[parent].article == article and known[parent].status == "approved":
            raise
        raise Invalid(*invalid.errors, UNKNOWN_PARENT) from None


def checked_token(intake: Intake, site: Site, article: str, token: Any) -> str:
    """What the policy is told of a form's token. JSON without one says nothing; our own form without one is held."""
    ages = site.rules.form_youngest * 1000, site.rules.form_oldest * 60_000
    if not isinstance(token, str) or len(token) > TOKEN_LONGEST:
        return "missing"
    return intake.links.signer.check_form_token(token, site.key, article, intake.clock(), *ages)


def asked_of(site: Site) -> dict[str, Any]:
    """What a form asks for on this site, ours or the embed's."""
    rules = site.rules
    return {
        "required": ["body"] + ["name"] * rules.require_name + ["email"] * rules.require_email,
        "max_body": rules.max_body,
        "privacy_url": rules.privacy_url or None,
        "fresh_for": rules.form_oldest * 30,  # seconds, half of its age: then the embed asks for another token
        "offer_notify": False,  # where mail is set up, its page says so
    }


async def arriving(
    request: Request,
    site: Site,
    article: str,
    sent: Submission,
    raw: bytes,
    receipt: str = "",
    is_edit: bool = False,
    **more: Any,
) -> Arrival:
    """`arrival_of`, off the event loop where the text is long and not plain. Raises TooFast where its network is past its
    allowance already, but for an author's edit."""
    address = services_of(request).authenticator.address(request)
    network = services_of(request).links.signer.address_key(address)
    if not is_edit:
        await check_allowance(request, site, article, network)
    light = formats.is_light(sent.body, sent.format)
    given = (site, article, sent, raw, address, network, receipt)
    return await REQUESTS.run(arrival_of, request, *given, here=light, **more)


async def check_allowance(request: Request, site: Site, article: str, network: str) -> None:
    """Raises TooFast where the request's network is past its allowance already. The retry of an answered request is free."""
    services = services_of(request)
    now = services.intake.clock()
    try:
        services.intake.allowance.check(site, network, now)
    except TooFast:
        key = services.signer.token_hash(request.headers.get("idempotency-key", ""))
        async with services.database.reading() as session:
            if (article, key) not in await idempotency.find(session, site.key, [key], now):
                raise


def arrival_of(
    request: Request,
    site: Site,
    article: str,
    sent: Submission,
    raw: bytes,
    address: str,
    network: str,
    receipt: str,
    **more: Any,
) -> Arrival:
    """The submission with its circumstances: where from, by whom, whether it is a retry."""
    services = services_of(request)
    links = services.links
    headers = request.headers
    retry = None
    if (ticket := headers.get("idempotency-key")) is not None:
        if not 1 <= len(ticket) <= 255 or not ticket.isprintable():
            raise Invalid(FieldError("Idempotency-Key", "invalid", "must have 1 to 255 printable characters"))
        retry = (links.signer.token_hash(ticket), blake2b(raw, digest_size=16).hexdigest())
    keys = Keys(links.signer.author_key(sent.email, sent.name), network, sent.body_key)
    proof = links.signer.comment_of(headers.get("receipt") or receipt)
    return arrive(site.key, article, sent, keys, address=address, proof=proof, retry=retry, **more)


async def where_next(request: Request, site: Site, article: str, typed: Mapping[str, str], accepted: Accepted) -> str:
    """Back to the article's page, at the comment; or to the receipt of what is held."""
    services = services_of(request)
    if not accepted.approved:
        return str(accepted.answer["receipt"])
    async with services.database.reading() as session:
        known = (await sites.articles(session, site.key, [article])).get(article)
    places = [known.url if known and known.url else ""]
    for place in (typed.get("redirect_to", ""), request.headers.get("referer", "")):
        if is_allowed(site, services.links, place):
            places.append(place)
    page = next(filter(None, places), services.links.form(site.key, article))
    return f"{page.split('#')[0]}#comment-{accepted.id}"


def is_allowed(site: Site, links: Links, place: str) -> bool:
    """An address on the site's own pages or ours: anything else would make us a springboard."""
    if addresses.checked_url(place) is None:
        return False
    parts = urlsplit(place)
    origin = f"{parts.scheme}://{parts.netloc}"
    return origin in site.origins or links.is_own(origin)


async def form_page(
    request: Request,
    site: Site,
    key: str,
    typed: Mapping[str, str],
    problem: Problem | None = None,
) -> Response:
    """The Leave a Reply form; on a problem with all that was typed still in it, and each message at its field."""
    services = services_of(request)
    pages = services.pages
    database = services.database
    async with database.reading() as session:
        article = (await sites.articles(session, site.key, [key])).get(key) or Article(site.key, key)
        parent = typed.get("parent", "").strip()
        found = (await comments.of_site(session, site.key, [parent])).get(parent) if is_id(parent) else None
    words = Words.for_reader(request.headers.get("accept-language", ""))
    form = reply_form(services.links, services.intake.clock(), site, article, typed, words, problem, found)
    onwards = [*site.origins, services.links.origin]
    if article.url:
        parts = urlsplit(article.url)
        onwards.append(f"{parts.scheme}://{parts.netloc}")
    form["redirect_to"] = typed.get("redirect_to") or None
    form["offer_notify"] = services.mails
    return pages.answer(
        "intake/form.html",
        problem.status if problem else 200,
        (problem.headers if problem else {}) | sends_to(*onwards) | {"Vary": "Accept-Language"},
        t=words,
        lang=words.lang,
        dir=words.dir,
        site=site,
        article=article,
        form=form,
        thread_url=article.url,
    )


def reply_form(
    links: Links,
    now: int,
    site: Site,
    article: Article,
    typed: Mapping[str, str],
    words: Words,
    problem: Problem | None,
    parent: Comment | None,
) -> dict[str, Any]:
    shown = parent if parent and parent.status == "approved" and parent.article == article.key else None
    return asked_of(site) | {
        "action": f"/sites/{site.key}/articles/{article.key}/comments",
        "token": links.signer.form_token(site.key, article.key, now),
        "values": {name: typed.get(name, "") for name in KEPT_FIELDS},
        "errors": words.told(problem) if problem else {},
        "t": words,
        "replying_to": {"id": shown.id, "name": shown.name or "Anonymous"} if shown else None,
        "cancel_url": f"/sites/{site.key}/articles/{article.key}/form",
        "redirect_to": None,
        "open": article.is_open(site.rules, now),
    }


def problem_page(request: Request, problem: Problem) -> Response:
    pages = services_of(request).pages
    return pages.answer("web/problem.html", problem.status, dict(problem.headers), problem=problem)


async def get_form(request: Request) -> Response:
    """The form as a plain page: it works without JavaScript."""
    directory = services_of(request).directory
    site = await directory.site(request.path_params["site"])
    parent = request.query_params.get("parent", "")[:64]
    return await form_page(request, site, article_key(request.path_params["article"]), {"parent": parent})


async def one_comment(request: Request) -> Response:
    """PATCH and DELETE by the comment's author, within 15 minutes, with the Edit-Token."""
    services = services_of(request)
    intake = services.intake
    directory = services.directory
    site = await directory.site(request.path_params["site"])
    article, id = article_key(request.path_params["article"]), request.path_params["id"]
    token = request.headers.get("edit-token", "")
    if not is_id(id):
        raise NotFound("There is no such comment.")
    async with services.database.reading() as session:
        old = (await comments.of_site(session, site.key, [id])).get(id)
    if old is None or old.article != article or old.status == "deleted":
        raise NotFound("There is no such comment.")
    if not intake.links.signer.is_edit_token(id, token):
        raise Unauthorized("The Edit-Token is missing or wrong.")
    if request.method == "DELETE":
        await intake.withdraw(site.key, article, id)
        return Response(status_code=204)
    if bodies.kind_of(request) != "application/json":
        raise Unsupported("Send application/json.")
    raw = await bodies.read(request, bodies.COMMENTS)
    accepted = await amend(request, site, old, await bodies.parsed(raw), raw)
    answer = json_answer(accepted)
    answer.status_code = 200 if accepted.approved else 202
    return answer


async def amend(request: Request, site: Site, old: Comment, changes: Mapping[str, Any], raw: bytes) -> Accepted:
    """What the author may change: name, url, body. The address stays."""
    kept = {"name": old.name, "email": old.email, "url": old.url, "body": old.body}
    kept |= {field: changes[field] for field in ("name", "url", "body") if field in changes}
    light = submission.is_light(kept, old.format)
    sent = await REQUESTS.run(submission.check, kept, site.rules, old.format, here=light)
    arrival = await arriving(request, site, old.article, sent, raw, is_edit=True)
    return await services_of(request).intake.amend(arrival, old.id)


THREAD = "/sites/{site}/articles/{article}/comments"
POST_COMMENT = Route(THREAD, shared(post_comment, counted), methods=["POST"])
routes = [
    POST_COMMENT,
    Route(THREAD, preflight("GET, POST"), methods=["OPTIONS"]),
    Route(THREAD + "/{id}", shared(one_comment), methods=["PATCH", "DELETE"]),
    Route(THREAD + "/{id}", preflight("PATCH, DELETE"), methods=["OPTIONS"]),
    Route("/sites/{site}/articles/{article}/form", get_form, methods=["GET"]),
]
