"""Pages: the templates of all slices (`queue/comment.html` is the queue's), with headers that allow only the service's own
scripts and styles.

Templates name paths as routes do (`/moderate/account`). The prefix of the public address is put before them when a template
is compiled, in the attributes that hold addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from starlette.responses import HTMLResponse

from moderation.text import locales
from moderation.web.prefix import below

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


ADDRESS = r'(?<=[\s"])(?:href|src|action|formaction)="'
WRITTEN = re.compile(f"({ADDRESS}/)(?!/)")
"""An attribute with a path, as a template writes it."""
COMPUTED = re.compile(f"{ADDRESS}$")
"""The same, where an expression of the template follows."""


class Prefixed(Extension):
    """Puts `environment.prefix` before the paths in a template's attributes, written or computed. It sees the template, not the
    page: nothing that a reader wrote is touched."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        prefix: str = self.environment.prefix  # type: ignore[attr-defined]
        tokens = iter(stream)
        for token in tokens:
            if token.type != "data":
                yield token
                continue
            yield Token(token.lineno, "data", WRITTEN.sub(lambda found: f"{found[1][:-1]}{prefix}/", token.value))
            if COMPUTED.search(token.value):
                yield from self.filtered(tokens)

    @staticmethod
    def filtered(tokens: Iterator[Token]) -> Iterator[Token]:
        """The expression that follows, in parentheses, through the filter `below`."""
        begin = next(tokens)
        assert begin.type == "variable_begin", f"line {begin.lineno}: a whole address is written or computed"
        yield begin
        yield Token(begin.lineno, "lparen", "(")
        for token in tokens:
            if token.type == "variable_end":
                for kind, value in (("rparen", ")"), ("pipe", "|"), ("name", "below")):
                    yield Token(token.lineno, kind, value)
                yield token
                return
            yield token


@cache
def templates_of(package: Path, prefix: str = "") -> Environment:
    """The templates of every slice below `package`, each compiled once a process for all its services."""
    slices = {folder.parent.name: FileSystemLoader(folder) for folder in package.glob("*/templates")}
    environment = Environment(loader=PrefixLoader(slices), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["written"] = locales.written
    environment.filters["briefly"] = locales.written_briefly
    environment.filters["below"] = partial(below, prefix)
    if prefix:
        environment.extend(prefix=prefix)
        environment.add_extension(Prefixed)
    return environment


class Pages:
    def __init__(self, package: Path, prefix: str = "") -> None:
        """`prefix`: of the public address (`web/prefix.py`)."""
        self._templates = templates_of(package, prefix)

    def answer(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **told: Any
    ) -> HTMLResponse:
        text = self.text(template, **told)
        return HTMLResponse(text.encode("utf-8", "replace"), status, HEADERS | (headers or {}))

    def text(self, template: str, **told: Any) -> str:
        return self._templates.get_template(template).render(**told)
