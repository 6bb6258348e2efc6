"""WordPress's comment form, unmodified: its fields, its order of checks and its words, with accurate statuses.

A site exported from WordPress changes only the form's `action`. docs/wordpress.md lists the differences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from moderation.comments import store as comments
from moderation.comments import submission
from moderation.comments.model import Comment
from moderation.core.ids import ID_LENGTH, is_id
from moderation.core.problem import FieldError, Forbidden, Invalid, NotFound, Problem, Unavailable, Unsupported
from moderation.db.database import Session
from moderation.intake.public import Sent, check_allowance, counted, json_answer, submit
from moderation.intake.public_form import is_allowed, where_next
from moderation.intake.schemas import AcceptedOut, WordPressIn
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import Site, is_article_key
from moderation.text import addresses
from moderation.text import body as formats
from moderation.transfer import store as imports
from moderation.web import bodies
from moderation.web.cors import EXPOSED, problem_answer
from moderation.web.operations import Declared, Operation

SOURCE = "wordpress"
"""The name under which imports store WordPress's numbers."""
PAUSE = 15_000
"""Milliseconds that WordPress requires between two comments of one address or author."""
BYTES = {"author": 245, "email": 100, "url": 200, "comment": 65_525}
TAGGED = 10 * BYTES["author"]
"""Characters of a name whose tags are removed; a longer name is too long anyway."""
SHORTEST_EMAIL = 6
"""Bytes, as in `is_email`."""
FIELDS = (*BYTES, "comment_post_ID", "comment_parent", "redirect_to", "receipt")
THEIR_NAMES = {"name": "author", "email": "email", "url": "url", "body": "comment"}
NOUNS = {"author": "name", "email": "email address", "url": "URL", "comment": "comment"}

UNAPPROVED_PARENT = "Sorry, replies to unapproved comments are not allowed."
CLOSED = "Sorry, comments are closed for this item."
REQUIRED = "Error: Please fill the required fields."
BAD_EMAIL = "Error: Please enter a valid email address."
EMPTY = "Error: Please type your comment text."
DUPLICATE = "Duplicate comment detected; it looks as though you’ve already said that!"
FLOOD = "You are posting comments too quickly. Slow down."
NOT_SAVED = "Error: The comment could not be saved. Please try again later."

_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")


async def create_wordpress_comment(request: Request) -> Response:
    """WordPress's comment form: redirects to the article or the receipt; the first error is in WordPress's words."""
    typed: dict[str, str] = {}
    site: Site | None = None
    origin = None
    try:
        directory = services_of(request).directory
        site = request.scope["site"] = await directory.site(request.path_params["site"])
        raw = await read(request, typed)
        origin = directory.allowed(site, request)
        response = await take(request, site, typed, raw)
    except Problem as problem:
        if isinstance(problem, bodies.HasFile | bodies.Unstorable):
            typed |= {name: value for name, value in problem.typed.items() if name in FIELDS}
        response = await refuse(request, site, typed, in_their_words(counted(request, problem)))
    response.headers["Vary"] = "Origin, Accept"
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
    return response


async def read(request: Request, typed: dict[str, str]) -> bytes:
    """Reads the form into `typed`, as far as possible, so that no value is lost after an error."""
    if not bodies.is_form(bodies.kind_of(request)):
        raise Unsupported("Send application/x-www-form-urlencoded or multipart/form-data, as WordPress's form does.")
    raw = await bodies.read(request, bodies.COMMENTS)
    # Plugins add fields, some of them twice: only fields with a meaning here must be unique.
    pairs = [(name, value) for name, value in await bodies.form_fields(request, raw) if name in FIELDS]
    typed |= dict(pairs)
    bodies.single(pairs)
    for name in FIELDS:
        typed[name] = typed.get(name, "").strip()
    for name in ("author", "email", "url"):
        typed[name] = addresses.trimmed(typed[name])
    if len(typed["author"]) <= TAGGED:
        typed["author"] = _TAG.sub("", typed["author"]).strip()
    return raw


async def take(request: Request, site: Site, typed: Mapping[str, str], raw: bytes) -> Response:
    """Submits the comment and returns the redirect. Raises the first Problem."""
    article, parent = await place_of(request, site, typed)
    check(site, typed)
    fields = {
        "name": typed["author"],
        "email": typed["email"],
        "url": website(typed["url"]),
        "body": typed["comment"],
        "parent": parent.id if parent else None,
    }
    await check_allowance(request, site, article)
    sent = Sent(
        site=site,
        article=article,
        fields=fields,
        raw=raw,
        format=formats.HTML,
        receipt=typed["receipt"],
        pause=PAUSE,
    )
    accepted = await submit(request, sent)
    if wants_json(request):
        return json_answer(accepted)
    return RedirectResponse(await where_next(request, site, article, typed, accepted), 303)


async def place_of(request: Request, site: Site, typed: Mapping[str, str]) -> tuple[str, Comment | None]:
    """The article's key and the parent. Raises WordPress's errors about the parent, then the post, before any other."""
    above = number(typed["comment_parent"])
    async with services_of(request).database.reading() as session:
        key = await ours(session, site, imports.ARTICLE, typed["comment_post_ID"])
        article = (await sites.listed_articles(session, site.key, [key])).get(key) if is_article_key(key) else None
        parent = None
        if above:
            id = await ours(session, site, imports.COMMENT, above)
            parent = (await comments.of_site(session, site.key, [id])).get(id) if is_id(id) else None
            # a pingback stands on the static page and in no thread here: a reply to it stands at the top
            is_pingback = id == imports.PINGBACK
            if not is_pingback and (
                article is None or parent is None or parent.article != key or parent.status != "approved"
            ):
                raise Forbidden(UNAPPROVED_PARENT, code="unknown_parent")
    if not is_article_key(key) or (article is None and site.settings.articles == "registered"):
        raise NotFound("There is no such post here (comment_post_ID).")
    if article is not None and not article.is_open(site.settings, services_of(request).clock()):
        raise Forbidden(CLOSED, code="closed")
    return key, parent


async def ours(session: Session, site: Site, kind: str, theirs: str) -> str:
    """The key or id of an imported post or comment by its WordPress number; other values are returned unchanged."""
    theirs = number(theirs)
    if not theirs.isdigit() or len(theirs) >= ID_LENGTH:
        return theirs
    return (await imports.found(session, site.key, SOURCE, kind, [theirs])).get(theirs, theirs)


def number(text: str) -> str:
    """A number without leading zeros; empty for 0, as in WordPress."""
    return text.lstrip("0") if text.isascii() and text.isdigit() and len(text) < ID_LENGTH else text


def check(site: Site, typed: Mapping[str, str]) -> None:
    """WordPress's checks of the fields, in its order. Raises Invalid for the first that fails."""
    if site.settings.require_email and not typed["email"]:
        raise wrong("email", "required", REQUIRED)
    if site.settings.require_name and not typed["author"]:
        raise wrong("author", "required", REQUIRED)
    email = typed["email"]
    if (
        email
        and len(email) <= addresses.EMAIL_LONGEST
        and not (len(email.encode()) >= SHORTEST_EMAIL and addresses.checked_email(email))
    ):
        raise wrong("email", "invalid", BAD_EMAIL)
    if not typed["comment"]:
        raise wrong("comment", "required", EMPTY)
    for field, most in BYTES.items():
        if len(typed[field].encode()) > most:
            raise wrong(field, "too_long", f"Error: Your {NOUNS[field]} is too long.")


def wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid(FieldError(field, code, message), detail=message)


def website(url: str) -> str | None:
    """The author's web address as in WordPress: a bare host gets a scheme, and an invalid address is dropped silently."""
    url = addresses.with_scheme(url)
    if url and ":" not in url and url[0] not in "/#?":
        url = f"http://{url}"
    return url if len(url) > submission.URL_LONGEST or addresses.checked_url(url) else None


def in_their_words(problem: Problem) -> Problem:
    """A problem of the intake or the site's rules, in WordPress's words."""
    error = problem.errors[0] if problem.errors else None
    if isinstance(problem, Invalid) and error and error.field == "parent":
        return Forbidden(UNAPPROVED_PARENT, code="unknown_parent")
    if (
        isinstance(problem, Invalid)
        and error
        and error.field in THEIR_NAMES
        and not problem.detail.startswith("Error:")
    ):
        field = THEIR_NAMES[error.field]
        said = {
            "required": EMPTY if field == "comment" else REQUIRED,
            "too_long": f"Error: Your {NOUNS[field]} is too long.",
        }
        if field == "email" and error.code == "invalid":
            said["invalid"] = BAD_EMAIL
        return wrong(field, error.code, said.get(error.code, f"Error: Your {NOUNS[field]} {error.message}."))
    said_here = {"duplicate": DUPLICATE, "too_fast": FLOOD, "closed": CLOSED}
    if problem.code in said_here:
        problem.detail = said_here[problem.code]
    elif isinstance(problem, Unavailable):
        problem = Unavailable(NOT_SAVED, code=problem.code)
    return problem


def wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


async def refuse(request: Request, site: Site | None, typed: Mapping[str, str], problem: Problem) -> Response:
    """A small page with the message, the form's values and a link back."""
    if wants_json(request):
        return problem_answer(problem)
    pages = services_of(request).pages
    back = await way_back(request, site, typed) if site else ""
    return pages.answer(
        "intake/refused.html",
        problem.status,
        problem.headers,
        message=problem.detail,
        back=back,
        typed=[(NOUNS[name].capitalize(), typed[name]) for name in ("author", "email", "url") if typed.get(name)],
        comment=typed.get("comment", ""),
    )


async def way_back(request: Request, site: Site, typed: Mapping[str, str]) -> str:
    """The address of the form's page, if known."""
    links, headers = services_of(request).links, request.headers
    referer = headers.get("referer", "")
    told = referer if is_allowed(site, links, referer) else ""
    if urlsplit(told).path.strip("/"):
        return told
    async with services_of(request).database.reading() as session:
        key = await ours(session, site, imports.ARTICLE, typed.get("comment_post_ID", ""))
        known = (await sites.listed_articles(session, site.key, [key])).get(key) if is_article_key(key) else None
    return (known.url if known else None) or told


routes: list[BaseRoute] = [
    Operation(
        "POST", "/sites/{site}/wp-comments-post.php", create_wordpress_comment,
        Declared(
            form=WordPressIn, headers=("Receipt",),
            answers={201: AcceptedOut, 202: AcceptedOut, 303: None}, tag="comments",
        ),
    )
]  # fmt: skip
