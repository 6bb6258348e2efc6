"""A problem as a page for a reader."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from moderation.core.problem import Problem
from moderation.services import services_of


def problem_page(request: Request, problem: Problem) -> Response:
    pages = services_of(request).pages
    return pages.answer("web/problem.html", problem.status, dict(problem.headers), problem=problem)
