"""Texts of other systems as their authors typed them: addresses without trackers and entities, pictures as links."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*)\b((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>")
_BARE = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_AND = re.compile(r"&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
_HREF = re.compile(r"(\bhref\s*=\s*)(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_SOURCE = re.compile(r"\bsrc\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_SMILEY = re.compile(r"smil|emoji|emoticon", re.IGNORECASE)
_SHOWN = {"img", "iframe", "video", "audio", "embed", "source"}
_PICTURE = re.compile(r"!\[([^\]\n]{0,500})\]\(\s*<?(https?://[^\s<>)]{1,2000})>?[^)\n]{0,300}\)")


def imported_html(text: str) -> str:
    """HTML of another system: what was shown by its address has a link to it, and addresses are those that were typed."""
    if "<" not in text:
        return _plain_addresses(text)
    out, at, inside = list[str](), 0, ""
    for tag in _TAG.finditer(text):
        between = text[at : tag.start()]
        out.append(between if inside else _plain_addresses(between))
        name = tag[1].lower()
        if name in _SHOWN:
            out.append(_shown(tag[2]))
        elif name == "a":
            out.append(f"<{tag[1]}{_HREF.sub(_untracked_href, tag[2])}>")
        else:
            out.append(tag[0])
        inside = name if name in ("code", "pre") else "" if name in ("/code", "/pre") else inside
        at = tag.end()
    rest = text[at:]
    return "".join([*out, rest if inside else _plain_addresses(rest)])


def imported_markdown(text: str) -> str:
    """Markdown of another system: a picture is a link to it."""
    return _PICTURE.sub(lambda picture: f"[{picture[1]}](<{picture[2]}>)" if picture[1].strip() else picture[2], text)


def _plain_addresses(text: str) -> str:
    """`&amp;` within bare addresses as `&`: WordPress stores what people typed in that form."""
    return _BARE.sub(lambda address: _AND.sub("&", address[0]), text) if "&" in text and "://" in text else text


def _untracked_href(href: re.Match[str]) -> str:
    return f'{href[1]}"{html.escape(untracked(html.unescape(href[2][1:-1])))}"'


def untracked(url: str) -> str:
    """The address that a link through Disqus's counter leads to: `disq.us/url?url=ADDRESS:SIGNATURE`."""
    try:
        parts = urlsplit(url.strip())
        if parts.hostname not in ("disq.us", "www.disq.us"):
            return url
        (target, *_) = parse_qs(parts.query).get("url", [""])
    except ValueError:
        return url
    target = re.sub(r":[A-Za-z0-9_-]{10,64}\Z|:[A-Za-z0-9_-]{8}\Z", "", target)
    return target if target.lower().startswith(("http://", "https://")) else url


def _shown(attributes: str) -> str:
    """A picture or a film as a link to it; a smiley as its characters."""
    source, alternative = _SOURCE.search(attributes), _ALTERNATIVE.search(attributes)
    address = html.unescape(next(filter(None, source.groups()), "") if source else "").strip()
    words = html.unescape(next(filter(None, alternative.groups()), "") if alternative else "").strip()
    if words and _SMILEY.search(attributes):
        return html.escape(words)
    address = f"https:{address}" if address.startswith("//") else address
    if not address.lower().startswith(("http://", "https://")):
        return html.escape(words)
    return f' <a href="{html.escape(address)}">{html.escape(words or address)}</a> '


# --- isso: Markdown with HTML in it ------------------------------------------------------------------------------------

_CODE = re.compile(r"```.*?(?:```|\Z)|``.+?``|`[^`\n]+`", re.DOTALL)
_KNOWN = re.compile(r"</?(?:p|br|a|b|strong|i|em|u|s|del|strike|code|pre|blockquote|ul|ol|li|h[1-6]|hr|div|span|img|script)\b[^<>]*/?>", re.IGNORECASE)  # fmt: skip
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "del": "~~", "s": "~~", "strike": "~~", "code": "`"}
_HIDDEN = ("script", "style")
_DROPPED = {"u", "span", "div", "font", "sub", "sup", "small", "abbr", "cite", "q", "ins", "kbd", "html", "body"}
_HELD, _AMPERSAND = "\ue000", "\ue001"
"""Stand for a piece of code and for `&` while tags are read: characters of private use, removed from texts before."""


def markdown_of(text: str) -> str:
    """Markdown that may contain HTML, as Markdown alone. A text without known tags outside of code comes back as it is."""
    text = text.replace(_HELD, "").replace(_AMPERSAND, "")
    codes = list[str]()

    def held(code: re.Match[str]) -> str:
        codes.append(code[0])
        return _HELD

    without = _CODE.sub(held, text)
    if not _KNOWN.search(without):
        return imported_markdown(text)
    writer = _Markdown()
    writer.feed(without.replace("&", _AMPERSAND))
    writer.close()
    rest = iter(codes)
    return imported_markdown(re.sub(_HELD, lambda _: next(rest, ""), writer.text().replace(_AMPERSAND, "&")))


class _Markdown(HTMLParser):
    """HTML's tags as Markdown's marks; text stays as it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces = [list[str]()]
        """The text of each open quotation or list, outermost first."""
        self.links, self.hidden = list[str](), ""
        self.lists: list[int | None] = []
        """The next number of each open list; None for bullets."""

    def text(self) -> str:
        while len(self.pieces) > 1:
            self._close("> ")
        return re.sub(r"\n{3,}", "\n\n", "".join(self.pieces[0])).strip()

    def write(self, text: str) -> None:
        if not self.hidden:
            self.pieces[-1].append(text)

    def _close(self, prefix: str) -> None:
        inner = re.sub(r"\n{3,}", "\n\n", "".join(self.pieces.pop())).strip()
        further = prefix if prefix == "> " else " " * len(prefix)
        lines = [f"{further if number else prefix}{line}".rstrip() for number, line in enumerate(inner.split("\n"))]
        self.pieces[-1].append("\n\n" * (prefix == "> ") + "\n".join(lines) + "\n" + "\n" * (prefix == "> "))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _HIDDEN:
            self.hidden = tag
        elif tag == "br":
            self.write("\n")
        elif tag in ("p", "hr", "pre") or re.fullmatch("h[1-6]", tag):
            self.write("\n\n```\n" if tag == "pre" else "\n\n---\n\n" if tag == "hr" else "\n\n")
        elif tag == "a":
            address = html.unescape(values.get("href", "").replace(_AMPERSAND, "&")).strip()
            self.links.append(address if address.lower().startswith(("http://", "https://")) else "")
            self.write("[" if self.links[-1] else "")
        elif tag in _SHOWN and values.get("src", "").startswith(("http://", "https://")):
            self.write(f" {values['src']} ")
        elif tag in _MARKS:
            self.write(_MARKS[tag])
        elif tag in ("blockquote", "li") and len(self.pieces) < 5:
            self.pieces.append([])
            if tag == "li" and self.lists and self.lists[-1] is not None:
                self.lists[-1] = _number(values.get("value"), self.lists[-1])
        elif tag in ("ul", "ol"):
            self.lists.append(_number(values.get("start"), 1) if tag == "ol" else None)
            self.write("\n\n" if len(self.pieces) == 1 else "\n")
        elif tag not in _DROPPED and tag not in _SHOWN and tag not in ("blockquote", "li"):
            self.write(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.hidden:
            self.hidden = ""
        elif tag in ("p", "pre") or re.fullmatch("h[1-6]", tag):
            self.write("\n```\n\n" if tag == "pre" else "\n\n")
        elif tag == "a" and self.links:
            address = self.links.pop()
            self.write(f"](<{address.replace('>', '%3E')}>)" if address else "")
        elif tag in _MARKS:
            self.write(_MARKS[tag])
        elif tag == "blockquote" and len(self.pieces) > 1:
            self._close("> ")
        elif tag == "li" and len(self.pieces) > 1:
            number = self.lists[-1] if self.lists else None
            self._close("- " if number is None else f"{number}. ")
            if number is not None:
                self.lists[-1] = number + 1
        elif tag in ("ul", "ol"):
            self.lists = self.lists[:-1]
            self.write("\n")
        elif tag not in _DROPPED and tag not in ("blockquote", "li", "a", "br", "hr", "p"):
            self.write(f"</{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.write(data)


def _number(attribute: str | None, otherwise: int) -> int:
    """The number of a list's or an item's attribute, of at most nine digits as in Markdown."""
    return int(attribute) if attribute and re.fullmatch("[0-9]{1,9}", attribute) else otherwise
