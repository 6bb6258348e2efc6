"""Markdown → safe HTML, for pages, feeds and mail.

Two independent layers: markdown-it-py renders a subset without raw HTML and images, and nh3 then keeps only the tags and
links named here. All functions accept any string and never raise.
"""

import html
import re
from collections.abc import Iterable, Set
from typing import Any

import nh3
from markdown_it.token import Token

from moderation.text import disguised
from moderation.text.bare_addresses import host_of
from moderation.text.markdown_parser import build

REL = "nofollow ugc noopener"
SHORT, LONG = 256, 10_000
"""Characters up to which a text is rendered at once: any text, and text without mark-up."""
TAGS = {"p", "br", "hr", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "del"}
ATTRIBUTES = {"a": {"href"}, "ol": {"start", "reversed", "type"}, "li": {"value"}}

# The remainder, after nh3, of a link whose address is invalid, as in http://[.
_LEADS_NOWHERE = re.compile(f'<a rel="{REL}">(.*?)</a>', re.DOTALL)
# Anything except letters, digits and punctuation without a meaning in Markdown or HTML, in lines that begin with a
# letter and end without a space.
_MARKED = re.compile(
    r"[^A-Za-z0-9 \n,.;:'\"?!()%$/+=@\-\u00c0-\u024f\u0400-\u0481\u048a-\u04ff\u2013-\u2019\u201c-\u201e\u2026"
    r"\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
    r"|://| \n| \Z|\n\Z|\n\n\n|(?:\A|\n)(?![\nA-Za-z\u00c0-\u00d6\u0400-\u0481\u4e00-\u9fff])|\A\n"
)
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \n,.;:'\"?!()%$/+=@-"
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEGINS = re.compile("https?://", re.IGNORECASE)
# A part of every rendered link; an entity or a backslash can replace some of it.
_MAY_LINK = re.compile(r"https?:|[&\\]", re.IGNORECASE)
# Links that are shown as text but that the sender meant as links. Those with http(s) are already linked as bare ones.
_MEANT = re.compile(r"(?:\[url=|<a\s[^<>]*?\bhref\s*+=)\s*+[\"']?+(?!https?://[^\s\"'<>\]])", re.IGNORECASE)
_MARK = re.compile(r"[`~*_#>\[\]|<!-]|^[ \t]|\d[.)]\s", re.MULTILINE)
"""Where it is absent, the words that readers see are those that were typed."""
_APART = {"softbreak": "\n", "hardbreak": "\n", "code_inline": " ` ", "link_open": " "}
_SHOWN = re.compile(r">\s*[^<\s]|<hr>")
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def render(body: str) -> str:
    """The safe HTML of a comment's Markdown."""
    return rendered(body)[0]


def link_hosts(body: str) -> tuple[str, ...]:
    """One host for each link, rendered or disguised, and for each of the sender's BBCode and HTML, which are shown as text. ""
    where a link has no host that says where it leads."""
    if not _MAY_LINK.search(body) and not _MARK.search(body):  # then nothing needs to be parsed
        return (*disguised.hosts(body), *meant(body))
    return rendered(body)[1]


def count_links(body: str) -> int:
    return len(link_hosts(body))


def estimated_links(body: str) -> int:
    """An estimate of `count_links` without a parser: every address counts."""
    return len(_BEGINS.findall(body)) + len(meant(body)) + len(disguised.hosts(body))


def _is_plain(body: str) -> bool:
    """Whether a text has no character with a meaning in Markdown or HTML."""
    if not body.isascii():
        return not _MARKED.search(body)
    # The same result for most comments, in a tenth of the pattern's time.
    if body.encode().translate(None, _PLAIN) or "://" in body:
        return False
    if "\n" not in body:  # one line, as most
        return body[0].isalpha() and body[-1] != " "
    if " \n" in body or "\n\n\n" in body:
        return False
    return body[-1] not in " \n" and all(not line or line[0].isalpha() for line in body.split("\n")) and body[0] != "\n"


def is_light(body: str) -> bool:
    """Whether a text can be rendered in about a millisecond: it is short, or has no mark-up."""
    return len(body) <= SHORT or (len(body) <= LONG and _is_plain(body))


def rendered(body: str) -> tuple[str, tuple[str, ...]]:
    """`render` and `link_hosts` with one parse; a text without mark-up, as most comments, needs none."""
    if body and _is_plain(body):
        paragraphs = body.replace("\n", "<br>\n").split("<br>\n<br>\n")
        return "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs), tuple(disguised.hosts(body))
    body, env = whole(body), dict[str, Any]()
    parser = _PARSER if "]" in body else _WITHOUT_LABELS
    try:
        tokens = parser.parse(body, env)
        made = str(parser.renderer.render(tokens, parser.options, env))
        hrefs = [
            str(inner.attrGet("href"))
            for token in tokens
            for inner in token.children or ()
            if inner.type == "link_open"
        ]
        hosts = [*map(host_of, hrefs), *disguised.hosts(prose(tokens))]
    except Exception:  # a parser's bug on one comment must neither break the whole thread nor lower the count
        made, hosts = f"<p>{html.escape(body)}</p>", [""] * len(_BEGINS.findall(body))
    shown = safe(made)
    if body.strip() and not _SHOWN.search(shown):  # nothing but mark-up, as in `#`: a reader sees what was typed
        shown = f"<p>{html.escape(body.strip(), quote=False)}</p>\n"
    return shown, (*hosts, *meant(body))


def prose(tokens: Iterable[Token]) -> str:
    """The words that readers see, without code and without those of links."""
    words = list[str]()
    for token in tokens:
        links = 0
        for inner in token.children or ():
            links += (inner.type == "link_open") - (inner.type == "link_close")
            words.append(
                inner.content if inner.type in ("text", "text_special") and not links else _APART.get(inner.type, "")
            )
        words.append("\n")
    return "".join(words)


def meant(body: str) -> list[str]:
    """An empty host for each link that the sender wrote as BBCode or HTML, and that is shown as text or dropped."""
    return [""] * len(_MEANT.findall(body))


def safe(made: str, tags: Set[str] = TAGS) -> str:
    """The second layer: keeps only the allowed tags, and sets `rel` on links."""
    kept = nh3.clean(
        made,
        tags=set(tags),
        clean_content_tags=set(),
        attributes=ATTRIBUTES,
        url_schemes={"http", "https"},
        url_relative="deny",
        link_rel=REL,
    )
    return _LEADS_NOWHERE.sub(r"\1", kept)


READ = 20_000
"""Characters of a text that an excerpt is taken from."""


def excerpt(text: str, words: int = 55) -> str:
    """The first words of a plain text on one line, ending in … if more follow. Each CJK character is a word."""
    more = len(text) > READ
    text = " ".join(whole(text[:READ]).split())
    for seen, word in enumerate(_WORD.finditer(text), start=1):
        if seen == words and word.end() < len(text):
            return text[: word.end()].rstrip(".,;:!?…。，、") + "…"
    return text + "…" * more if words > 0 else ""


def whole(text: str) -> str:
    """The text without lone surrogates, which cannot be encoded."""
    return _SURROGATE.sub("\ufffd", text)


_PARSER = build()
_WITHOUT_LABELS = build().disable("link")
"""The parser for texts without a closing bracket: ten thousand `[` are scanned once, not each to the end of the text."""
