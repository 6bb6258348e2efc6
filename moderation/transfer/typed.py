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
_SOURCE = re.compile(r"\b(?:src|data)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_RELATIVE = re.compile(r"(?!//)[\w./%~-]{1,500}")
_SMILEY = re.compile(r"smil|emoji|emoticon", re.IGNORECASE)
_SHOWN = {"img", "iframe", "video", "audio", "embed", "source", "object"}
_CODE = re.compile(r"```.*?(?:```|\Z)|``.+?``|`[^`\n]+`", re.DOTALL)
_PICTURE = re.compile(r"!\[([^\]\n]{0,500})\]\(\s*<?((?:https?:)?//[^\s<>)]{1,2000})>?[^)\n]{0,300}\)", re.IGNORECASE)
_ON_THE_PAGE = re.compile(r"(?<!!)\[([^\[\]\n]{1,500})\]\(#[^\s()]{0,200}\)")


def imported_html(text: str) -> str:
    """HTML of another system: what was shown by its address has a link to it, and addresses are those that were typed."""
    if "<" not in text:
        return _plain_addresses(text)
    out, at, inside, link = list[str](), 0, "", ""
    for tag in _TAG.finditer(text):
        between = text[at : tag.start()]
        out.append(between if inside else _plain_addresses(between))
        name = tag[1].lower()
        if name in _SHOWN:
            out.append(_shown(tag[2], link))
        elif name == "a":
            out.append(f"<{tag[1]}{_HREF.sub(_untracked_href, tag[2])}>")
            aim = _HREF.search(tag[2])
            link = html.unescape(aim[2][1:-1]).strip() if aim else ""
        else:
            out.append(tag[0])
        link = "" if name == "/a" else link
        inside = name if name in ("code", "pre") else "" if name in ("/code", "/pre") else inside
        at = tag.end()
    rest = text[at:]
    return "".join([*out, rest if inside else _plain_addresses(rest)])


def imported_markdown(text: str) -> str:
    """Markdown of another system: a picture is a link to it, and a link to a place on its own page, as in `[@Ann](#1)`, words."""
    pieces, at = list[str](), 0
    for code in _CODE.finditer(text) if "`" in text else ():
        pieces += [_imported_prose(text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*pieces, _imported_prose(text[at:])])


def _imported_prose(text: str) -> str:
    return _plain_addresses(_ON_THE_PAGE.sub(r"\1", _PICTURE.sub(_linked_picture, text)))


def _linked_picture(picture: re.Match[str]) -> str:
    address = _whole(picture[2])
    return f"[{picture[1]}](<{address}>)" if picture[1].strip() else address


def _plain_addresses(text: str) -> str:
    """`&amp;` within bare addresses as `&`: WordPress stores what people typed in that form."""
    return (
        _BARE.sub(lambda address: untracked(_AND.sub("&", address[0])), text) if "&" in text and "://" in text else text
    )


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


def _whole(address: str) -> str:
    return f"https:{address}" if address.startswith("//") else address


def _shown(attributes: str, link: str) -> str:
    """A picture or a film as a link to it, or as the words of the link around it; a smiley as its characters."""
    source, alternative = _SOURCE.search(attributes), _ALTERNATIVE.search(attributes)
    address = html.unescape(next(filter(None, source.groups()), "") if source else "").strip()
    words = html.unescape(next(filter(None, alternative.groups()), "") if alternative else "").strip()
    words, address = _words_and_address(words, address, is_smiley=_SMILEY.search(attributes) is not None)
    if link or not address:
        return html.escape(words or address or link)
    return f' <a href="{html.escape(address)}">{html.escape(words or address)}</a> '


def _words_and_address(words: str, address: str, *, is_smiley: bool) -> tuple[str, str]:
    """Without an address where it leads nowhere; one within the former site is kept as words."""
    address = _whole(address)
    if address.lower().startswith(("http://", "https://")) and not (words and is_smiley):
        return words, address
    return words or (address if _RELATIVE.fullmatch(address) else ""), ""


# --- isso: Markdown with HTML in it ------------------------------------------------------------------------------------

_KNOWN = re.compile(
    r"</?(?:p|br|a|b|strong|i|em|u|s|del|ins|strike|code|pre|blockquote|ul|ol|li|h[1-6]|hr|div|span|font|small|sub|sup|kbd|center|"
    r"table|tbody|thead|tr|td|th)\b[^<>]*/?>|<(?:img|iframe|video|audio|embed|object)\s[^<>]*>|<(?:script|style)\b",
    re.IGNORECASE,
)
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "del": "~~", "s": "~~", "strike": "~~", "code": "`"}
_HIDDEN = ("script", "style")
_DROPPED = {
    "u",
    "span",
    "font",
    "sub",
    "sup",
    "small",
    "abbr",
    "cite",
    "q",
    "ins",
    "kbd",
    "html",
    "body",
    "table",
    "tbody",
    "thead",
}
_DROPPED |= {"td", "th", "param", "figure", "figcaption", "picture", "noscript"}
_LINES = {"div", "center", "tr"}
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
    writer.feed(_without_scripts(without.replace("&", _AMPERSAND)))
    writer.close()
    rest = iter(codes)
    return imported_markdown(re.sub(_HELD, lambda _: next(rest, ""), writer.text().replace(_AMPERSAND, "&")))


def _without_scripts(text: str) -> str:
    """The text without scripts and style sheets. One without an end is somebody's word for it, and stays."""
    for name in _HIDDEN:
        ends = [end.end() for end in re.finditer(rf"</{name}\s*>", text, re.IGNORECASE)]
        within, after = text[: ends[-1] if ends else 0], text[ends[-1] if ends else 0 :]
        within = re.sub(rf"<{name}\b[^<>]*>.*?</{name}\s*>", "", within, flags=re.DOTALL | re.IGNORECASE)
        text = re.sub(rf"<(?={name}\b)", f"{_AMPERSAND}lt;", within + after, flags=re.IGNORECASE)
    return text


class _Markdown(HTMLParser):
    """HTML's tags as Markdown's marks; text stays as it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces = [list[str]()]
        """The text of each open quotation or list, outermost first."""
        self.links = list[str]()
        self.lists: list[int | None] = []
        """The next number of each open list; None for bullets."""
        self.marks: list[tuple[str, list[str], int]] = []
        """Open emphasis and code: its tag, and the place among the pieces where its words begin."""
        self.is_code = self.is_after_break = False

    def text(self) -> str:
        while len(self.pieces) > 1:
            self._close("> ")
        return re.sub(r"\n{3,}", "\n\n", "".join(self.pieces[0])).strip()

    def write(self, text: str) -> None:
        self.is_after_break = False
        self.pieces[-1].append(text)

    def _mark(self, tag: str) -> None:
        """Ends emphasis or code, with the spaces at its ends outside, where Markdown wants them. What spans blocks gets no mark."""
        place = next((place for place in range(len(self.marks) - 1, -1, -1) if self.marks[place][0] == tag), -1)
        if place < 0:
            return
        _, pieces, begins = self.marks.pop(place)
        if pieces is not self.pieces[-1]:
            return
        words = "".join(pieces[begins:])
        inner, mark = words.strip(), _MARKS[tag]
        if inner and "\n\n" not in inner and not (mark == "`" and ("`" in inner or self.is_code)):
            start, end = words[: len(words) - len(words.lstrip())], words[len(words.rstrip()) :]
            pieces[begins:] = [f"{start}{mark}{inner}{mark}{end}"]

    def _close(self, prefix: str) -> None:
        inner = re.sub(r"\n{3,}", "\n\n", "".join(self.pieces.pop())).strip()
        further = prefix if prefix == "> " else " " * len(prefix)
        lines = [f"{further if number else prefix}{line}".rstrip() for number, line in enumerate(inner.split("\n"))]
        self.pieces[-1].append("\n\n" * (prefix == "> ") + "\n".join(lines) + "\n" + "\n" * (prefix == "> "))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "br":
            self.write("\n")
            self.is_after_break = True
        elif tag in ("p", "hr", "pre") or re.fullmatch("h[1-6]", tag):
            self.write("\n\n```\n" if tag == "pre" else "\n\n---\n\n" if tag == "hr" else "\n\n")
            self.is_code |= tag == "pre"
        elif tag == "a":
            address = untracked(html.unescape(values.get("href", "").replace(_AMPERSAND, "&")).strip())
            self.links.append(address if address.lower().startswith(("http://", "https://")) else "")
            self.write("[" if self.links[-1] else "")
        elif tag in _SHOWN:
            self.write(_shown_as_markdown(values, self.links[-1] if self.links else ""))
        elif tag in _MARKS and len(self.marks) < 20:
            self.marks.append((tag, self.pieces[-1], len(self.pieces[-1])))
        elif tag in _LINES or tag in ("td", "th"):
            self.write(" " if tag in ("td", "th") else "\n" if "".join(self.pieces[-1][-1:])[-1:] != "\n" else "")
        elif tag in ("blockquote", "li") and len(self.pieces) < 5:
            self.pieces.append([])
            if tag == "li" and self.lists and self.lists[-1] is not None:
                self.lists[-1] = _number(values.get("value"), self.lists[-1])
        elif tag in ("ul", "ol"):
            self.lists.append(_number(values.get("start"), 1) if tag == "ol" else None)
            self.write("\n\n" if len(self.pieces) == 1 else "\n")
        elif tag not in _DROPPED and tag not in _MARKS and tag not in ("blockquote", "li"):
            self.write(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "pre") or re.fullmatch("h[1-6]", tag):
            self.write("\n```\n\n" if tag == "pre" else "\n\n")
            self.is_code &= tag != "pre"
        elif tag == "a" and self.links:
            address = self.links.pop()
            self.write(f"](<{address.replace('>', '%3E')}>)" if address else "")
        elif tag in _MARKS:
            self._mark(tag)
        elif tag in _LINES:
            self.write("\n")
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
        elif tag not in _DROPPED and tag not in _SHOWN and tag not in ("blockquote", "li", "a", "br", "hr", "p"):
            self.write(f"</{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self.is_after_break:  # HTML's own line end after a break is no second one
            data = re.sub(r"\A[ \t\r]*\n", "", data)
        if self.is_code or any(tag == "code" for tag, _, _ in self.marks):
            data = html.unescape(data.replace(_AMPERSAND, "&")).replace("&", _AMPERSAND)
        self.write(data)


def _shown_as_markdown(attributes: dict[str, str], link: str) -> str:
    """As `_shown`."""
    named = {name: html.unescape(value.replace(_AMPERSAND, "&")).strip() for name, value in attributes.items()}
    source = next((named[name] for name in ("data-src", "src", "data") if named.get(name)), "")
    is_smiley = _SMILEY.search(" ".join(named.values())) is not None
    words, address = _words_and_address(re.sub(r"[\[\]]", "", named.get("alt", "")), source, is_smiley=is_smiley)
    if link or not address:
        return words or address or link
    address = re.sub(r"[<>\s]", lambda sign: f"%{ord(sign[0]):02X}", address)
    return f" [{words}](<{address}>) " if words else f" {address} "


def _number(attribute: str | None, otherwise: int) -> int:
    """The number of a list's or an item's attribute, of at most nine digits as in Markdown."""
    return int(attribute) if attribute and re.fullmatch("[0-9]{1,9}", attribute) else otherwise
