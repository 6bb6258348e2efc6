"""Exceptions as answers: a page for browsers, else problem+json."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from moderation.core.problem import MethodNotAllowed, NotFound, Problem, TooLarge
from moderation.queue import pages as queue_pages
from moderation.web.cors import problem_answer
from moderation.web.middleware import route_of
from moderation.web.pages_problem import problem_page

log = logging.getLogger("moderation")


async def on_problem(request: Request, error: Exception) -> Response:
    """A Problem as a page for browsers, else as problem+json."""
    assert isinstance(error, Problem)
    path = request.url.path
    if path.startswith("/moderate"):
        return await queue_pages.problem_page(request, error)
    page = path.startswith(("/receipts", "/subscriptions", "/digests", "/privacy", "/demo")) or path.endswith("/form")
    if page and "text/html" in request.headers.get("accept", ""):
        return problem_page(request, error)
    return problem_answer(error)


async def on_http(request: Request, error: Exception) -> Response:
    """Starlette's errors as problems."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        if request.url.path.startswith("/sites/"):
            headers["Vary"] = "Origin"
        return problem_answer(MethodNotAllowed("Another method is wanted here.", headers=allow(request, headers)))
    if error.status_code == 404:
        if place := without_slash(request):
            return RedirectResponse(place, 307)
        if "text/html" in request.headers.get("accept", ""):
            return problem_page(request, NotFound("There is nothing at this address."))
        return problem_answer(NotFound("There is nothing at this address."))
    known = TooLarge if error.status_code == 413 else Problem
    return problem_answer(known("The request cannot be answered."))


def without_slash(request: Request) -> str:
    """The path without a superfluous final slash. Without a host, which the client could choose."""
    path = request.url.path.rstrip("/")
    said: str = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
    if not said.endswith("/") or not any(isinstance(r, Route) and r.path_regex.match(path) for r in request.app.routes):
        return ""
    return said.rstrip("/") + (f"?{request.url.query}" if request.url.query else "")


def allow(request: Request, headers: dict[str, str]) -> dict[str, str]:
    """The header Allow with all methods of the path, not only those of the first matching route."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.path_regex.match(request.url.path):
            methods |= route.methods or set()
    return headers | {"Allow": ", ".join(sorted(methods))} if methods else headers


async def on_error(request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error, extra={"path": route_of(request.scope), "method": request.method})
    return problem_answer(Problem("Something went wrong on our side; it is in the log."))
