"""body → safe HTML, once for pages, feeds and mail.

Two belts: markdown-it-py builds HTML from a subset that cannot hold raw HTML or images, and nh3 then keeps only
the tags and links named here, whatever the first one let through. All functions take any string and never raise.
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
"""Characters that are read at once whatever they are, and those where they are plain."""
TAGS = {"p", "br", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "del"}

# What nh3 leaves of a link whose address no browser could follow, as in http://[.
_LEADS_NOWHERE = re.compile(f'<a rel="{REL}">(.*?)</a>', re.DOTALL)
# Anything but letters, digits and the punctuation that means nothing to Markdown or HTML, in lines that begin with a
# letter and end without a space.
_MARKED = re.compile(
    r"[^A-Za-z0-9 \n,.;:'\"?!()%$/+=@\-\u00c0-\u024f\u0400-\u0481\u048a-\u04ff\u2013-\u2019\u201c-\u201e\u2026"
    r"\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
    r"|://| \n| \Z|\n\Z|\n\n\n|(?:\A|\n)(?![\nA-Za-z\u00c0-\u00d6\u0400-\u0481\u4e00-\u9fff])|\A\n"
)
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \n,.;:'\"?!()%$/+=@-"
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEGINS = re.compile("https?://", re.IGNORECASE)
# What every link of ours has; an entity or a backslash may stand for some of it.
_MAY_LINK = re.compile(r"https?:|[&\\]", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE)
# Brackets end a bare address so that [url=http://…]…[/url] and (http://…) read as people mean them, and so do
# quotation marks and full stops of scripts that write no space after them.
_ADDRESS = re.compile(
    r"://[^\s<>\"`\[\]{}|\\^\u0000-\u0020\u3000-\u3002\u300a-\u3011\u2018-\u201f\uff01-\uff1f]{1,2040}"
)
_BARE = re.compile(rf"(?<![A-Za-z0-9])(https?)({_ADDRESS.pattern})", re.IGNORECASE)
_TRAILING = ".,:;!?'*_~"
# Links that we show as text, but that their sender meant as links. Those with http(s) are already linked as bare ones.
_MEANT = re.compile(r"(?:\[url=|<a\s[^<>]*?\bhref\s*+=)\s*+[\"']?+(?!https?://[^\s\"'<>\]])", re.IGNORECASE)
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def render(body: str) -> str:
    """The safe HTML of a comment's Markdown."""
    return render_and_count(body)[0]


def count_links(body: str) -> int:
    """How many links the rendered text has, and those that only its sender's BBCode or HTML would have made."""
    if not _MAY_LINK.search(body):  # then nothing needs to be parsed
        return count_meant(body)
    return render_and_count(body)[1]


def estimated_links(body: str) -> int:
    """The same without a parser: addresses count wherever they stand."""
    return len(_BEGINS.findall(body)) + count_meant(body)


def _is_plain(body: str) -> bool:
    """Nothing in it means anything to Markdown or HTML."""
    if not body.isascii():
        return not _MARKED.search(body)
    # The same for most comments, at a tenth of the pattern's price.
    if body.encode().translate(None, _PLAIN) or "://" in body or " \n" in body or "\n\n\n" in body:
        return False
    return body[-1] not in " \n" and all(not line or line[0].isalpha() for line in body.split("\n")) and body[0] != "\n"


def is_light(body: str) -> bool:
    """To be read in a millisecond or so: short, or without anything that means something to Markdown."""
    return len(body) <= SHORT or (len(body) <= LONG and _is_plain(body))


def render_and_count(body: str) -> tuple[str, int]:
    """Both, for the price of one parse; for next to nothing where there is no mark-up at all, as in most comments."""
    if body and _is_plain(body):
        paragraphs = body.replace("\n", "<br>\n").split("<br>\n<br>\n")
        return "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs), 0
    body, env = whole(body), dict[str, Any]()
    parser = _PARSER if "]" in body else _WITHOUT_LABELS
    try:
        tokens = parser.parse(body, env)
        made = str(parser.renderer.render(tokens, parser.options, env))
        links = sum(inner.type == "link_open" for token in tokens for inner in token.children or ())
    except Exception:  # a parser's bug on one odd comment must not take the whole thread away, nor lower the count
        made, links = f"<p>{html.escape(body)}</p>", len(_BEGINS.findall(body))
    return safe(made), links + count_meant(body)


def count_meant(body: str) -> int:
    """Links that are shown as text, or not at all, but that their sender meant as links."""
    return len(_MEANT.findall(body))


def safe(made: str, tags: Set[str] = TAGS) -> str:
    """The last belt: only these tags, and links that say what they are."""
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
"""Characters of a text in which an excerpt's words are looked for."""


def excerpt(text: str, words: int = 55) -> str:
    """The first words of a plain text on one line, ending in … if more follow. Each CJK character is a word."""
    more = len(text) > READ
    text = " ".join(whole(text[:READ]).split())
    for seen, word in enumerate(_WORD.finditer(text), start=1):
        if seen == words and word.end() < len(text):
            return text[: word.end()].rstrip(".,;:!?…。，、") + "…"
    return text + "…" * more if words > 0 else ""


def linked(text: str) -> tuple[str, int]:
    """A plain text as HTML, its bare addresses as links; and how many there are."""
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
    """As it stands in a link; None for what is no address of the web."""
    href = _PARSER.normalizeLink(text) if 0 < len(text) <= 2048 else ""
    return href if _is_web(href) else None


def whole(text: str) -> str:
    """Without lone surrogates, which no encoder takes."""
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
    """Without the punctuation that belongs to the sentence; a closing bracket stays if it was opened inside."""
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
    # No images and no raw HTML. Reference links would let one line far away decide where another leads, a row of
    # dashes is no heading, and an indented line is no code in what people type.
    parser.disable(["image", "html_inline", "html_block", "reference", "lheading", "hr", "code"])
    parser.inline.ruler.before("emphasis", "bare_address", _bare_address)
    return parser


_PARSER = _build()
_WITHOUT_LABELS = _build().disable("link")
"""The same where nothing closes a label: ten thousand `[` are looked through once, not each to the text's end."""
