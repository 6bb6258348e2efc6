"""A comment's body in its format: as a page, as plain text, and where a piece of that text stands in the body.

`markdown` is what people type here; its plain text is itself. `html` is what WordPress's form sends and importers bring.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from moderation.text import html, markdown

MARKDOWN, HTML = "markdown", "html"
FORMATS = (MARKDOWN, HTML)
LIGHT_HTML = 1_000


class Rendered(NamedTuple):
    """A body, read once."""

    text: str
    """What a reader reads: this is scored, compared with listed words, and learnt from."""
    html: str
    """Safe to stand in a page."""
    links: int
    """How many it has, or its sender meant."""


def render(body: str, format: str) -> Rendered:
    if format == HTML:
        document = html.read(body)
        return Rendered(document.text, document.html, document.links)
    return Rendered(body, *markdown.render_and_count(body))


def is_light(body: str, format: str) -> bool:
    """It is read, rendered and counted in a millisecond or so, whatever it is made of. All else belongs into a thread."""
    body = body.strip().replace("\r\n", "\n")
    return len(body) <= LIGHT_HTML if format == HTML else markdown.is_light(body)


def plain(body: str, format: str) -> str:
    """The text of `render` alone."""
    return html.read(body).text if format == HTML else body


def in_body(body: str, format: str, spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans of the plain text as spans of the body."""
    if format == HTML:
        found = html.read(body)
        return tuple(found.in_source(start, end) for start, end in spans)
    return tuple(spans)
