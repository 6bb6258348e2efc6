"""A comment's body in its format → HTML, plain text, and the positions of that text in the body.

`markdown` is the format of forms and JSON; its plain text is the body itself. `html` comes from WordPress's form and from imports.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from moderation.text import html, markdown

MARKDOWN, HTML = "markdown", "html"
FORMATS = (MARKDOWN, HTML)
LIGHT_HTML = 1_000


class Rendered(NamedTuple):
    """A body, parsed once."""

    text: str
    """The plain text that readers see. It is scored, compared with word lists and learnt from."""
    html: str
    """Safe HTML for a page."""
    link_hosts: tuple[str, ...]
    """One host for each link, including disguised ones; "" where it does not say where the link leads."""


def render(body: str, format: str) -> Rendered:
    if format == HTML:
        document = html.read(body)
        return Rendered(document.text, document.html, document.link_hosts)
    return Rendered(body, *markdown.rendered(body))


def is_light(body: str, format: str) -> bool:
    """Whether a body can be rendered in about a millisecond, whatever its content. Other bodies are rendered in a thread."""
    body = body.strip().replace("\r\n", "\n")
    return len(body) <= LIGHT_HTML if format == HTML else markdown.is_light(body)


def plain(body: str, format: str) -> str:
    """The `text` of `render` alone."""
    return html.read(body).text if format == HTML else body


def in_body(body: str, format: str, spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans of the plain text as spans of the body."""
    if format == HTML:
        found = html.read(body)
        return tuple(found.in_source(start, end) for start, end in spans)
    return tuple(spans)
