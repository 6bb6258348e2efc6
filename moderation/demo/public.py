"""The demo: a few articles, each with its page, thread and related articles. Only with MODERATION_DEMO."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.articles import register as registration
from moderation.articles.public import teaser
from moderation.comments import store as comments
from moderation.comments.model import tree
from moderation.core.ids import is_id
from moderation.core.problem import NotFound
from moderation.core.urls import Links
from moderation.db.database import Session
from moderation.intake.public_form import reply_form
from moderation.intake.texts import Words
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import Article
from moderation.web.templating import sends_to

TEXTS = Path(__file__).parent / "templates" / "articles"
SITE, FIRST = "default", "why-a-garden-needs-a-gate"
PUBLISHED = 1_790_000_000_000


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    kicker: str
    byline: str


STORIES = {
    FIRST: Story("Why a garden needs a gate", "Notes from a comment section", "By the gardener · four minutes"),
    "what-the-compost-knows": Story("What the compost knows", "Notes from behind the beans", "By the gardener · two minutes"),
    "bread-on-the-second-day": Story("Bread on the second day", "Notes from a kitchen", "By the baker · two minutes"),
    "a-jar-of-flour-and-water": Story("A jar of flour and water", "Notes from a kitchen", "By the baker · two minutes"),
    "the-night-train-north": Story("The night train north", "Notes from platform six", "By a passenger · two minutes"),
    "a-timetable-is-a-promise": Story("A timetable is a promise", "Notes from platform six", "By a planner · two minutes"),
}  # fmt: skip


def text_of(key: str) -> str:
    """An article's text, as a site would send it with PUT."""
    html = (TEXTS / f"{key}.html").read_text("utf-8")
    return " ".join(unescape(re.sub("<[^>]+>", " ", html)).split())


def page(key: str) -> str:
    return "/" if key == FIRST else f"/demo/{key}"


async def register(tx: Session, links: Links, now: int) -> None:
    """Registers missing articles."""
    known = await sites.articles(tx, SITE, STORIES)
    for day, (key, story) in enumerate(STORIES.items()):
        if key not in known or not known[key].text:
            at = PUBLISHED + day * 24 * 3600 * 1000
            opened = known[key].comments_open if key in known else True
            made = Article(
                site=SITE,
                key=key,
                title=story.title,
                url=links.base + page(key),
                text=text_of(key),
                published_at=at,
                comments_open=opened,
                created_at=now,
            )
            await registration.register(tx, made)


async def show(request: Request, key: str) -> Response:
    services = services_of(request)
    site = await services.directory.site(SITE)
    parent = request.query_params.get("parent", "")[:64]
    also = await services.related.nearest(site.key, key, 3)
    async with services.database.reading() as session:
        article = (await sites.articles(session, site.key, [key]))[key]
        places = await comments.thread(session, site.key, key, newest=False, limit=200, after=None)
        shown = tree(await services.threads.shown.documents(session, site.key, site.settings.author_links, places))
        count = (await comments.approved(session, site.key, [key]))[key]
        above = (await comments.of_site(session, site.key, [parent])).get(parent) if is_id(parent) else None
    form = reply_form(services.links, services.intake.clock(), site, article, {"parent": parent}, Words(), None, above)
    form["cancel_url"] = page(key) + "#reply-form"
    form["offer_notify"] = services.mails
    told: dict[str, Any] = {"story": STORIES[key], "article": article, "count": count, "comments": shown, "form": form}
    pages = services.pages
    return pages.answer(
        "demo/demo.html",
        headers=sends_to(services.links.origin),
        **told,
        base=services.links.base,
        # After a move of the service, its own articles still have the old addresses.
        also=[teaser(other) | ({"url": page(other.key)} if other.key in STORIES else {}) for other in also],
        reply_base=page(key),
        report_base=f"/sites/{site.key}/articles/{key}/comments",
    )


async def first_page(request: Request) -> Response:
    """The demo article with its thread and the form."""
    return await show(request, FIRST)


async def other_page(request: Request) -> Response:
    """One of the other demo articles."""
    if request.path_params["key"] not in STORIES:
        raise NotFound("There is no such article in the demo.")
    return await show(request, request.path_params["key"])


routes = [Route("/", first_page, methods=["GET"]), Route("/demo/{key}", other_page, methods=["GET"])]
