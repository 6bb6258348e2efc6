"""CORS by the site's allowed origins, for answers and for problems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from moderation.core.problem import Forbidden, Problem
from moderation.services import services_of
from moderation.sites.model import Site
from moderation.web import bodies

Endpoint = Callable[[Request], Awaitable[Response]]
EXPOSED = "ETag, Retry-After"
HEADERS = "Content-Type, Edit-Token, Idempotency-Key, Receipt"


def problem_answer(problem: Problem) -> Response:
    return Response(
        orjson.dumps(problem.document(), default=str),
        problem.status,
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} | problem.headers,
        media_type="application/problem+json",
    )


def told(request: Request, problem: Problem) -> Response:
    """A problem as a page for a browser's form, else as problem+json."""
    if bodies.is_form(bodies.kind_of(request)) and "text/html" in request.headers.get("accept", ""):
        pages = services_of(request).pages
        return pages.answer("web/problem.html", problem.status, dict(problem.headers), problem=problem)
    return problem_answer(problem)


def site_of(request: Request) -> Site | None:
    """The site of a shared request, after `shared` has looked it up."""
    site: Site | None = request.scope.get("site")
    return site


async def origin_of(request: Request) -> str | None:
    """The Origin to allow in the answer. Raises Forbidden for an origin that the site does not allow."""
    directory = services_of(request).directory
    site = request.scope["site"] = await directory.site(request.path_params["site"])
    return directory.allowed(site, request)


def shared(endpoint: Endpoint, counted: Callable[[Request, Problem], Problem] | None = None) -> Endpoint:
    """Makes an answer readable by the site's pages. For other pages a change is 403 and a GET is unreadable.

    `counted` receives every problem and returns the one to answer with."""

    async def answer(request: Request) -> Response:
        origin = None
        try:
            try:
                origin = await origin_of(request)
            except Forbidden:
                if request.method not in ("GET", "HEAD"):
                    raise
            response = await endpoint(request)
        except Problem as problem:
            response = told(request, counted(request, problem) if counted else problem)
        response.headers["Vary"] = "Origin"
        if origin:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response

    answer.__name__ = getattr(endpoint, "__name__", "answer")
    answer.__doc__ = endpoint.__doc__
    return answer


def preflight_of(path: str, methods: str) -> Route:
    """The path's answer to a CORS preflight request, with the headers that scripts may send."""
    return Route(path, preflight(methods), methods=["OPTIONS"])


def preflight(methods: str) -> Endpoint:
    async def answer(request: Request) -> Response:
        origin = await origin_of(request)
        headers = {"Vary": "Origin"}
        if origin:
            headers |= {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": HEADERS,
                "Access-Control-Max-Age": "600",
            }
        return Response(status_code=204, headers=headers)

    return shared(answer)
