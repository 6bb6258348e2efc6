"""Pages: the templates of all slices (`queue/comment.html` is the queue's), with headers that allow only the service's own
scripts and styles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.responses import HTMLResponse

from moderation.text import locales

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: a browser would send `Origin: null` with the service's own form.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cache-Control": "no-store",
}


def sends_to(*origins: str) -> dict[str, str]:
    """The header of a form page whose answer may redirect to these origins: browsers apply `form-action` to redirects too."""
    return {"Content-Security-Policy": " ".join([CSP, *dict.fromkeys(origins)])}


@cache
def templates_of(package: Path) -> Environment:
    """The templates of every slice below `package`, each compiled once a process for all its services."""
    slices = {folder.parent.name: FileSystemLoader(folder) for folder in package.glob("*/templates")}
    environment = Environment(loader=PrefixLoader(slices), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["written"] = locales.written
    return environment


class Pages:
    def __init__(self, package: Path) -> None:
        self._templates = templates_of(package)

    def answer(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **told: Any
    ) -> HTMLResponse:
        text = self.text(template, **told)
        return HTMLResponse(text.encode("utf-8", "replace"), status, HEADERS | (headers or {}))

    def text(self, template: str, **told: Any) -> str:
        return self._templates.get_template(template).render(**told)
