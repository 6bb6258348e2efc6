"""Web addresses that stand bare in a text: where they begin, where a reader sees them end, and their links."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import urlsplit

from markdown_it.common.normalize_url import normalizeLink

from moderation.text.disguised import ascii_host

# Brackets end a bare address so that [url=http://…]…[/url] and (http://…) read as people mean them, and so do quotation
# marks, the ellipsis and dash of prose, and full stops and commas of scripts that write no space after them.
ADDRESS = re.compile(
    r"://[^\s<>\"`\[\]{}|\\^\u0000-\u0020\u00ab\u00bb\u2014\u2015\u2018-\u201f\u2026\u2039\u203a"
    r"\u060c\u061b\u061f\u06d4\u0964\u0965\u3000-\u3002\u3008-\u3011\u3014-\u301f\ufe10-\ufe19\ufe30-\ufe6b"
    r"\uff01-\uff1f\uff3b\uff3d\uff5b-\uff65]{1,2040}"
)
_BARE = re.compile(rf"(?<![A-Za-z0-9])(https?)({ADDRESS.pattern})", re.IGNORECASE)
_TAIL = ".,:;!?'*_~("
_SHOWN_APART = ("P", "S", "Cf")
"""Categories of characters beyond ASCII that no address ends in: punctuation, symbols with emoji, and invisible marks."""
_EMOJI_STYLE = "\ufe0f"
_LEADS_ON = re.compile(
    r"https?(?::|%(?:25)*3a)|(?:^|[?&/=])(?:www\.|//)|/(?:redirect|redir|away|goto|leave|exit|out|link|url|jump)(?:\.\w{2,4})?[/?]|"
    r"[?&][\w-]{1,20}=[\w-]{1,63}(?:(?:\.|%(?:25)*2e)[\w-]{1,63})*(?:\.|%(?:25)*2e)[a-z]{2,12}(?:[/&#?%]|$)",
    re.IGNORECASE,
)
"""An address within an address, or a path that leads to one: a redirector's."""
_POSSESSIVE = re.compile(r"(?<=.)'s$", re.IGNORECASE)


def web_address(text: str) -> str | None:
    """The address for a link; None if it is not a web address."""
    href = normalizeLink(text) if 0 < len(text) <= 2048 else ""
    return href if is_web(href) else None


def is_web(href: str) -> bool:
    return href.lower().startswith(("http://", "https://"))


def without_tail(address: str) -> str:
    """An address without the sentence around it: without its punctuation, and up to a closing bracket that the address
    itself does not open, as in `(https://a.example/x)and`."""
    depth = 0
    for place, character in enumerate(address):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            address = address[:place]
            break
    end = len(address)
    while end > 0 and _is_tail(address[end - 1]):
        end -= 1
    return _POSSESSIVE.sub("", address[:end])


def _is_tail(character: str) -> bool:
    if character.isascii():
        return character in _TAIL
    return character == _EMOJI_STYLE or unicodedata.category(character).startswith(_SHOWN_APART)


def linked(text: str) -> tuple[str, list[str]]:
    """A plain text as HTML with its bare addresses linked, and where the links lead."""
    pieces, at, hrefs = [], 0, list[str]()
    after = 0
    while match := _BARE.search(text, after):
        address = match[1] + without_tail(match[2])
        after = match.start() + len(address)
        href = web_address(address)
        if href and len(address) > len(match[1]) + len("://"):
            pieces += [html.escape(text[at : match.start()], quote=False), f'<a href="{html.escape(href)}">']
            pieces += [html.escape(address, quote=False), "</a>"]
            at = after
            hrefs.append(href)
    return "".join([*pieces, html.escape(text[at:], quote=False)]), hrefs


def host_of(href: str) -> str:
    """The host of a web address as hosts are compared; "" where it leads on to another address, or has none."""
    try:
        parts = urlsplit(href)
        host = parts.hostname or ""
    except ValueError:
        return ""
    leads_on = _LEADS_ON.search(f"{parts.path}?{parts.query}")
    return "" if leads_on else ascii_host(host)
