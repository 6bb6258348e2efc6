"""Readers' reports: for pages' scripts, and as a page that needs no script. The answer is the same whatever comes of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from typing_extensions import TypedDict

from moderation.comments.store_reports import REASONS
from moderation.comments.submission import has_lone_surrogate
from moderation.core.problem import FieldError, Invalid
from moderation.intake.public import network_of
from moderation.intake.texts import Words
from moderation.queue import reports
from moderation.queue.reports import MOST_SAID
from moderation.services import services_of
from moderation.sites.cache import article_key
from moderation.web import bodies
from moderation.web.cors import preflight_of
from moderation.web.operations import operation
from moderation.web.params import Body, OneOf, Says

COMMENT = "/sites/{site}/articles/{article}/comments/{id}"
REPORTS = COMMENT + "/reports"
NOTE = f"must be a text of at most {MOST_SAID} characters"


class ReportIn(Body):
    """What is wrong with a comment, in a reader's eyes."""

    reason: Annotated[str, OneOf(REASONS)]
    note: Annotated[str, Field(max_length=MOST_SAID), Says(NOTE)] = ""


class ReceivedOut(TypedDict):
    """The same for every report."""

    status: str


@operation("POST", REPORTS, body=ReportIn, answers={202: ReceivedOut}, tag="comments", shared=True)
async def create_report(request: Request, given: ReportIn) -> ReceivedOut:
    """Report a published comment to the moderators: one report of a reader on a comment counts."""
    await take(request, given.reason, given.note)
    return {"status": "received"}


async def take(request: Request, reason: str, note: str) -> None:
    """Raises NotFound for an unknown site, and Invalid for a note with what is no character."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    note = note.strip()
    if "\0" in note or has_lone_surrogate(note):
        raise Invalid(FieldError("note", "invalid", NOTE))
    await reports.report(
        services.database, site, article_key(request.path_params["article"]), request.path_params["id"],
        network_of(request)[1], reason, note, services.clock(),
    )  # fmt: skip


async def get_report(request: Request) -> Response:
    """The page that a comment's *Report* leads to."""
    return await page(request, {})


async def page(request: Request, errors: dict[str, str], typed: dict[str, str] | None = None) -> Response:
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    article, id = article_key(request.path_params["article"]), request.path_params["id"]
    async with services.database.reading() as session:
        shown = await reports.reportable(session, site.key, article, id)
    words = Words.for_reader(request.headers.get("accept-language", ""))
    told: dict[str, Any] = {"name": shown.name or words.say("anonymous"), "html": shown.html} if shown else {}
    return services.pages.answer(
        "intake/report.html",
        422 if errors else 200,
        {"Vary": "Accept-Language", "Cache-Control": "no-store"},
        t=words,
        lang=words.lang,
        dir=words.dir,
        site=site,
        comment=told,
        action=f"/sites/{site.key}/articles/{article}/comments/{id}/report",
        reasons=REASONS,
        most=MOST_SAID,
        errors=errors,
        typed=typed or {},
        sent="sent" in request.query_params,
    )


async def post_report(request: Request) -> Response:
    """The page's form."""
    typed = bodies.single(await bodies.form_fields(request, await bodies.read(request)))
    reason, note = typed.get("reason", ""), typed.get("note", "")
    if reason not in REASONS or len(note) > MOST_SAID:
        words = Words.for_reader(request.headers.get("accept-language", ""))
        field = "reason" if reason not in REASONS else "note"
        return await page(request, {field: words.say(f"page.report.no_{field}", n=MOST_SAID)}, typed)
    await take(request, reason, note)
    site, article, id = (request.path_params[name] for name in ("site", "article", "id"))
    return RedirectResponse(f"/sites/{site}/articles/{article}/comments/{id}/report?sent", 303)


routes = [
    create_report,
    preflight_of(REPORTS, "POST"),
    Route(COMMENT + "/report", get_report, methods=["GET"]),
    Route(COMMENT + "/report", post_report, methods=["POST"]),
]
