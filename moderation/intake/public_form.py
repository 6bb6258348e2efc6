"""Our own form as a plain page, with what was typed and what is wrong; and where a browser goes after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.core.ids import is_id
from moderation.core.problem import (
    Problem,
)
from moderation.core.urls import Links, origin_if_any
from moderation.intake.admission import Accepted
from moderation.intake.texts import Words
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.cache import article_key
from moderation.sites.model import Article, Site
from moderation.text import addresses
from moderation.web.templating import sends_to

NOTIFY_SENT = "?notify-sent"
"""The form's page after a comment that asks for mails of replies."""
KEPT_FIELDS = ("name", "email", "url", "body", "parent", "notify", "page_title", "page_url")
"""The fields that keep their values when the form is shown again after an error."""


def asked_of(site: Site) -> dict[str, Any]:
    """The site's settings for a form, the service's own or the embed's."""
    rules = site.settings
    return {
        "required": ["body"] + ["name"] * rules.require_name + ["email"] * rules.require_email,
        "max_body": rules.max_body,
        "privacy_url": rules.privacy_url or None,
        "fresh_for": rules.form_oldest * 30,  # seconds, half of the token's valid age: then the embed renews it
        "offer_notify": False,  # set to True by the page if mail is set up
    }


async def where_next(request: Request, site: Site, article: str, typed: Mapping[str, str], accepted: Accepted) -> str:
    """The redirect after a form: the article's page at the comment, or the receipt of a held one."""
    services = services_of(request)
    if not accepted.approved:
        return str(accepted.answer["receipt"])
    async with services.database.reading() as session:
        known = (await sites.listed_articles(session, site.key, [article])).get(article)
    places = [known.url if known and known.url else ""]
    for place in (typed.get("redirect_to", ""), request.headers.get("referer", "")):
        if is_allowed(site, services.links, place):
            places.append(place)
    notify = NOTIFY_SENT if services.mails and typed.get("notify") else ""
    page = next(filter(None, places), f"{services.links.form(site.key, article)}{notify}")
    return f"{page.split('#')[0]}#comment-{accepted.id}"


def is_allowed(site: Site, links: Links, place: str) -> bool:
    """Whether an address is on the site's origins or the service's own; any other would be an open redirect."""
    if addresses.checked_url(place) is None:
        return False
    origin = origin_if_any(place)
    return origin is not None and (origin in site.origins or links.is_own(origin))


async def form_page(
    request: Request,
    site: Site,
    key: str,
    typed: Mapping[str, str],
    problem: Problem | None = None,
) -> Response:
    """The Leave a Reply form; after an error with its values kept and each message at its field."""
    services = services_of(request)
    pages = services.pages
    database = services.database
    async with database.reading() as session:
        known = (await sites.listed_articles(session, site.key, [key])).get(key)
        article = known or Article(site=site.key, key=key)
        parent = typed.get("parent", "").strip()
        found = (await comments.of_site(session, site.key, [parent])).get(parent) if known and is_id(parent) else None
    words = Words.for_reader(request.headers.get("accept-language", ""))
    form = reply_form(services.links, services.intake.clock(), site, article, typed, words, problem, found)
    onwards = [*site.origins, services.links.origin]
    if article.url and (origin := origin_if_any(article.url)):
        onwards.append(origin)
    form["redirect_to"] = typed.get("redirect_to") or None
    form["offer_notify"] = services.mails
    form["notify_sent"] = NOTIFY_SENT[1:] in request.query_params
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
        "open": article.is_open(site.settings, now),
    }


async def get_form(request: Request) -> Response:
    """The form as a plain page, which works without JavaScript."""
    directory = services_of(request).directory
    site = await directory.site(request.path_params["site"])
    parent = request.query_params.get("parent", "")[:64]
    return await form_page(request, site, article_key(request.path_params["article"]), {"parent": parent})


routes = [Route("/sites/{site}/articles/{article}/form", get_form, methods=["GET"])]
