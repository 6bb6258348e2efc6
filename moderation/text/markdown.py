"""Markdown → safe HTML, for pages, feeds and mail.

Two independent layers: markdown-it-py renders a subset without raw HTML and images, and nh3 then keeps only the tags and
links named here. All functions accept any string and never raise.
"""

import html
import re
from collections.abc import MutableMapping, Sequence, Set
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

REL = "nofollow ugc noopener"
SHORT, LONG = 256, 10_000
"""Characters up to which a text is rendered at once: any text, and text without mark-up."""
TAGS = {"p", "br", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "del"}

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
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE)
# Brackets end a bare address so that [url=http://…]…[/url] and (http://…) read as people mean them, and so do
# quotation marks and full stops of scripts that write no space after them.
_ADDRESS = re.compile(
    r"://[^\s<>\"`\[\]{}|\\^\u0000-\u0020\u3000-\u3002\u300a-\u3011\u2018-\u201f\uff01-\uff1f]{1,2040}"
)
_BARE = re.compile(rf"(?<![A-Za-z0-9])(https?)({_ADDRESS.pattern})", re.IGNORECASE)
_TRAILING = ".,:;!?'*_~"
# Links that are shown as text but that the sender meant as links. Those with http(s) are already linked as bare ones.
_MEANT = re.compile(r"(?:\[url=|<a\s[^<>]*?\bhref\s*+=)\s*+[\"']?+(?!https?://[^\s\"'<>\]])", re.IGNORECASE)
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def render(body: str) -> str:
    """The safe HTML of a comment's Markdown."""
    return render_and_count(body)[0]


def count_links(body: str) -> int:
    """The number of rendered links, plus the links of the sender's BBCode and HTML, which are shown as text."""
    if not _MAY_LINK.search(body):  # then nothing needs to be parsed
        return count_meant(body)
    return render_and_count(body)[1]


def estimated_links(body: str) -> int:
    """An estimate of `count_links` without a parser: every address counts."""
    return len(_BEGINS.findall(body)) + count_meant(body)


def _is_plain(body: str) -> bool:
    """Whether a text has no character with a meaning in Markdown or HTML."""
    if not body.isascii():
        return not _MARKED.search(body)
    # The same result for most comments, in a tenth of the pattern's time.
    if body.encode().translate(None, _PLAIN) or "://" in body or " \n" in body or "\n\n\n" in body:
        return False
    return body[-1] not in " \n" and all(not line or line[0].isalpha() for line in body.split("\n")) and body[0] != "\n"


def is_light(body: str) -> bool:
    """Whether a text can be rendered in about a millisecond: it is short, or has no mark-up."""
    return len(body) <= SHORT or (len(body) <= LONG and _is_plain(body))


def render_and_count(body: str) -> tuple[str, int]:
    """`render` and `count_links` with one parse; a text without mark-up, as most comments, needs none."""
    if body and _is_plain(body):
        paragraphs = body.replace("\n", "<br>\n").split("<br>\n<br>\n")
        return "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs), 0
    body, env = whole(body), dict[str, Any]()
    parser = _PARSER if "]" in body else _WITHOUT_LABELS
    try:
        tokens = parser.parse(body, env)
        made = str(parser.renderer.render(tokens, parser.options, env))
        links = sum(inner.type == "link_open" for token in tokens for inner in token.children or ())
    except Exception:  # a parser's bug on one comment must neither break the whole thread nor lower the count
        made, links = f"<p>{html.escape(body)}</p>", len(_BEGINS.findall(body))
    return safe(made), links + count_meant(body)


def count_meant(body: str) -> int:
    """The number of links that the sender meant as links and that are shown as text or dropped."""
    return len(_MEANT.findall(body))


def safe(made: str, tags: Set[str] = TAGS) -> str:
    """The second layer: keeps only the allowed tags, and sets `rel` on links."""
    kept = nh3.clean(
        made,
        tags=set(tags),
        clean_content_tags=set(),
        attributes={"a": {"href"}},
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


def linked(text: str) -> tuple[str, int]:
    """A plain text as HTML with its bare addresses linked, and the number of links."""
    out, at, links = [], 0, 0
    for found in _BARE.finditer(text):
        written = found[1] + _without_tail(found[2])
        href = web_address(written)
        if href and len(written) > len(found[1]) + len("://"):
            out += [html.escape(text[at : found.start()], quote=False), f'<a href="{html.escape(href)}">']
            out += [html.escape(written, quote=False), "</a>"]
            at, links = found.start() + len(written), links + 1
    return "".join([*out, html.escape(text[at:], quote=False)]), links


def web_address(text: str) -> str | None:
    """The address for a link; None if it is not a web address."""
    href = _PARSER.normalizeLink(text) if 0 < len(text) <= 2048 else ""
    return href if _is_web(href) else None


def whole(text: str) -> str:
    """The text without lone surrogates, which cannot be encoded."""
    return _SURROGATE.sub("\ufffd", text)


def _bare_address(state: StateInline, silent: bool) -> bool:
    """An inline rule: http://… and https://… without any brackets become links."""
    if silent or state.linkLevel > 0 or state.src[state.pos] != ":":
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    rest = _ADDRESS.match(state.src, state.pos, state.posMax) if scheme else None
    if not scheme or not rest:
        return False
    address = _without_tail(rest[0])
    href = state.md.normalizeLink(scheme[0] + address)
    if len(address) <= len("://") or not _is_web(href):
        return False
    state.pending = state.pending[: -len(scheme[0])]
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = scheme[0] + address
    state.push("link_close", "a", -1)
    state.pos += len(address)
    return True


def _without_tail(address: str) -> str:
    """An address without the sentence's punctuation; a closing bracket stays if the address contains the opening one."""
    unopened = address.count(")") - address.count("(")
    end = len(address)
    while end > 0:
        last = address[end - 1]
        if last == ")" and unopened > 0:
            unopened -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return address[:end]


def _is_web(href: str) -> bool:
    return href.lower().startswith(("http://", "https://"))


class _Renderer(RendererHTML):
    """Headings become bold paragraphs: a comment must not shout over the page's own outline. Struck text is <del>."""

    def s_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return "<del>"

    def s_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return "</del>"

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return "<p><strong>"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return "</strong></p>\n"


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return _is_web(url)


def _build() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    parser.enable("strikethrough")
    # No images and no raw HTML. No reference links: a distant line would set a link's target. No headings by a row of
    # dashes and no code by indentation: people type both without meaning them.
    parser.disable(["image", "html_inline", "html_block", "reference", "lheading", "hr", "code"])
    parser.inline.ruler.before("emphasis", "bare_address", _bare_address)
    return parser


_PARSER = _build()
_WITHOUT_LABELS = _build().disable("link")
"""The parser for texts without a closing bracket: ten thousand `[` are scanned once, not each to the end of the text."""
