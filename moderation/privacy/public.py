"""Export and erasure for readers: a page to request a link by mail, and the link's page with two buttons, each for one use."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import FieldError, Forbidden, Invalid
from moderation.privacy import data_requests as privacy
from moderation.services import services_of
from moderation.text.addresses import EMAIL_LONGEST, checked_email
from moderation.web import bodies


async def get_privacy(request: Request) -> Response:
    """The page to request the data held on an email address."""
    return page(request)


def page(request: Request, error: str = "", typed: str = "", status: int = 200) -> Response:
    services = services_of(request)
    pages = services.pages
    said = next((what for what in ("sent", "erased") if what in request.query_params), "")
    return pages.answer("privacy/privacy.html", status, said=said, error=error, typed=typed, mails=services.mails)


async def post_privacy(request: Request) -> Response:
    """Mail a link to the address if data is held on it. The answer is the same in both cases."""
    services = services_of(request)
    if not services.mails:
        raise Forbidden("This service sends no mail. Write to the site's operator.", code="no_mail")
    typed = bodies.single(await bodies.form_fields(request, await bodies.read(request))).get("email", "").strip()
    email = checked_email(typed) if len(typed) <= EMAIL_LONGEST else None
    if email is None:
        return page(request, "Please give an email address.", typed[:EMAIL_LONGEST], 422)
    await services.authenticator.slow_down(request, "privacy")
    await privacy.ask(services.database, services.signer, email, services.clock())
    return RedirectResponse("/privacy?sent", 303)


def id_of(request: Request) -> str | None:
    found: str | None = services_of(request).links.signer.verify("person", request.path_params["token"])
    return found


async def get_person(request: Request, *, sure: bool = False) -> Response:
    """The link's page. Opening it changes nothing. With `sure` it asks once more about the erasure."""
    services = services_of(request)
    async with services.database.reading() as session:
        link = await privacy.of_link(session, id_of(request), services.clock())
    pages = services.pages
    action = f"/privacy/{request.path_params['token']}"
    return pages.answer("privacy/person.html", action=action, may_export=link.exported_at is None, sure=sure)


async def post_person(request: Request) -> Response:
    """`act`: `export` downloads all data, `erase` asks once more, and with `sure` erases it. Each works once."""
    services = services_of(request)
    typed = bodies.single(await bodies.form_fields(request, await bodies.read(request)))
    act = typed.get("act")
    if act == "export":
        found = await privacy.export_by_link(
            services.database, id_of(request), services.keep.addresses, services.clock()
        )
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="my-comments.json"'}
        return Response(orjson.dumps(found, option=orjson.OPT_INDENT_2), 200, headers, "application/json")
    if act == "erase" and typed.get("sure") != "yes":
        return await get_person(request, sure=True)
    if act == "erase":
        await privacy.erase_by_link(services.database, id_of(request), services.clock())
        return RedirectResponse("/privacy?erased", 303)
    raise Invalid(FieldError("act", "invalid", "must be export or erase"))


routes = [
    Route("/privacy", get_privacy, methods=["GET"]),
    Route("/privacy", post_privacy, methods=["POST"]),
    Route("/privacy/{token}", get_person, methods=["GET"]),
    Route("/privacy/{token}", post_person, methods=["POST"]),
]
