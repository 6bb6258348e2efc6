"""WordPress's HTML → safe HTML, plain text, and the position of each of its characters in the source.

One pass over the source produces all three, so the scored text is the visible text. The output has only the tags named
here, balanced, with no attribute except a link's address; nh3 then sanitises it like Markdown's. Other HTML tags are
dropped, as in WordPress; text that is not an HTML tag (List<String>, <3) stays text.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from moderation.text import bare_addresses, disguised, markdown

INLINE = {"a", "abbr", "acronym", "b", "cite", "code", "del", "em", "i", "q", "s", "strike", "strong"}
BLOCKS = {"blockquote", "ul", "ol", "li", "pre"}
DEEPEST = 12
"""Nesting depth of tags; deeper tags are ignored."""
MOST_GROWTH = 8
"""If the output is longer than this many times the source, only the text is shown, without tags."""
_NO_TEXT = (
    "address applet area article aside audio base basefont big blink body button canvas caption center col colgroup data "
    "dd details dfn dialog dir div dl dt embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 "
    "h6 head header hgroup hr html iframe img input ins kbd label legend link main map mark marquee math menu meta meter "
    "nav nobr noembed noframes noscript object optgroup option output param picture plaintext progress rp rt ruby samp "
    "script section select slot small source span style sub summary sup svg table tbody td template textarea tfoot th "
    "thead time title tr track tt u var video wbr xmp"
)
_APART = "div dd dl dt h1 h2 h3 h4 h5 h6 hr table tr section article header footer figure center"
_DROPPED, _PARTS = set(_NO_TEXT.split()), set(_APART.split())
"""Dropped tags; the content of the second kind is a block of its own."""
_REFERENCE = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_CHARACTER = re.compile(_REFERENCE)
_TOKEN = re.compile(
    rf"<!--[^<]*?-->|<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9]*+)(?P<rest>(?=[\s/>])[^<>]*+)>|{_REFERENCE}"
    rf"|(?P<address>(?<![A-Za-z0-9])[Hh][Tt][Tt][Pp][Ss]?{bare_addresses.ADDRESS.pattern})",
    re.DOTALL,
)
_NUMBERING = re.compile(
    r"\b(?:(?P<name>start|value)\s*=\s*[\"']?(?P<number>-?\d{1,9})\b|(?P<kind>type)\s*=\s*[\"']?(?P<style>[1aAiI])\b|(?P<down>reversed)\b)",
    re.IGNORECASE,
)
_HREF = re.compile(r"\bhref\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'>]+))", re.IGNORECASE)
_NONE, _LINE, _ALL = re.compile(""), re.compile(r"[ \t]*(?:\n(?![ \t]*\n)[ \t]*)?"), re.compile(r"[ \t\n]*")
"""White space to skip: none, one line end, or all."""
_BLANK_LINE = re.compile(r"\n[ \t\n]*\n")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Hypertext:
    """`runs` are (start in the text, start in the source, length in the source, whether they go character by character)."""

    html: str
    link_hosts: tuple[str, ...]
    text: str
    runs: tuple[tuple[int, int, int, bool], ...]

    def in_source(self, start: int, end: int) -> tuple[int, int]:
        """A span of the text as a span of the source, with everything between its first and last character."""
        if not self.runs or start >= end:
            return 0, 0
        first, after = (bisect_left(self.runs, place, key=lambda run: run[0]) for place in (start + 1, end))
        pieces = [self._at(start), *(self._at(run[0]) for run in self.runs[first:after]), self._at(end - 1)]
        return min(first for first, _ in pieces), max(last for _, last in pieces)

    def _at(self, place: int) -> tuple[int, int]:
        begins, source, length, each = self.runs[max(bisect_right(self.runs, place, key=lambda run: run[0]) - 1, 0)]
        return (source + place - begins, source + place - begins + 1) if each else (source, source + length)


@lru_cache(64)
def read(source: str) -> Hypertext:
    """Takes any string and never raises."""
    writer = _Writer(markdown.whole(source))
    writer.write()
    made = "".join(writer.page)
    if len(made) > MOST_GROWTH * len(source) + 200:
        parts = (html.escape(part, quote=False).replace("\n", "<br>\n") for part in _BLANK_LINE.split(writer.said()))
        made = "".join(f"<p>{part}</p>\n" for part in parts)
    text = writer.said()
    hosts = (
        *map(bare_addresses.host_of, writer.hrefs),
        *disguised.hosts("".join(writer.prose)),
        *markdown.meant(source),
    )
    return Hypertext(markdown.safe(made, INLINE | BLOCKS | {"p", "br", "hr"}), hosts, text, tuple(writer.runs))


def _unescaped(reference: re.Match[str]) -> str:
    return _UNSEEN.sub("", html.unescape(reference[0]).replace("\r", "\n"))


def _numbering(name: str, attributes: str) -> str:
    """The attributes of a list or an item that say which numbers its reader sees."""
    kept = dict[str, str]()
    for match in _NUMBERING.finditer(attributes):
        attribute = next(word for word in (match["name"], match["kind"], match["down"]) if word).lower()
        kept.setdefault(attribute, f'="{match["number"] or match["style"]}"' if attribute != "reversed" else "")
    return "".join(
        f" {attribute}{value}" for attribute, value in kept.items() if attribute in markdown.ATTRIBUTES[name]
    )


class _Writer:
    """The output in progress: the HTML, and the plain text with its positions."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.page: list[str] = []
        self.hrefs: list[str] = []
        self.prose: list[str] = []
        """The words that readers see, without code and without those of links."""
        self.runs: list[tuple[int, int, int, bool]] = []
        self._text: list[str] = []
        self._length = 0
        self._open: list[str] = []
        self._again: list[str] = []
        """Inline tags closed by the end of a paragraph, to be reopened in the next one."""
        self._address: tuple[str, int, int, int] | None = None
        """The open link: its address, position and length in the source, and its first piece of text."""
        self._skip = _ALL
        """The white space to skip: after a break, and at the beginning."""

    def said(self) -> str:
        return "".join(self._text).rstrip()

    def write(self) -> None:
        at = 0
        while token := _TOKEN.search(self.source, at):
            self._words(at, token.start())
            at = token.end()
            if token["address"]:
                at = self._bare_address(token.start(), at)
            elif token["tag"]:
                self._tag(token)
            elif token[0].startswith("&"):
                self._character(token)
        self._words(at, len(self.source))
        self._close_to(0)

    # --- text

    def _note(self, text: str, start: int, length: int, each: bool) -> None:
        if text:
            self.prose.append(" " if any(name in self._open for name in ("a", "code", "pre")) else text)
            self.runs.append((self._length, start, length, each))
            self._text.append(text)
            self._length += len(text)

    def _apart(self, newlines: int, at: int) -> None:
        """Ensures this many line ends before the next text."""
        there = "".join(piece[-2:] for piece in self._text[-3:])
        ends = len(there) - len(there.rstrip("\n"))
        if self._length:
            self._note("\n" * (newlines - ends), at, 0, False)

    def _words(self, start: int, end: int) -> None:
        """Writes text from the source, with links, line ends and paragraphs."""
        passed = self._skip.match(self.source, start, end)
        start = passed.end() if passed else start
        text = self.source[start:end]
        if not text:
            return
        self._skip = _NONE
        self._note(text, start, len(text), True)
        if "pre" in self._open:
            self.page.append(html.escape(text, quote=False))
            return
        for number, part in enumerate(_BLANK_LINE.split(text)):
            if number:
                self._end_paragraph(remember=True)
            if part and (self._is_in_paragraph() or part.strip()):
                self._paragraph()
                self._lines(part if self.page[-1] != "<p>" else part.lstrip())

    def _lines(self, part: str) -> None:
        self.page.append(html.escape(part, quote=False).replace("\n", "<br>\n"))

    def _bare_address(self, start: int, end: int) -> int:
        """Writes an address from the source, up to a reference to a character that ends it (`&quot;`); returns its end."""
        address, at = "", start
        while at < end:
            reference = _CHARACTER.match(self.source, at, end)
            if reference is None:
                after = _CHARACTER.search(self.source, at, end)
                shown, to = self.source[at : after.start() if after else end], after.start() if after else end
            else:
                shown, to = _unescaped(reference), reference.end()
                if not bare_addresses.ADDRESS.fullmatch(f"://{shown}"):
                    break
            self._note(shown, at, to - at, reference is None)
            address, at = address + shown, to
        self._skip = _NONE
        self._paragraph()
        is_plain = any(name in self._open for name in ("a", "code", "pre"))
        linked, hrefs = (html.escape(address, quote=False), []) if is_plain else bare_addresses.linked(address)
        self.hrefs += hrefs
        self.prose.append(" ")
        self.page.append(linked)
        return at

    def _character(self, token: re.Match[str]) -> None:
        shown = _unescaped(token)
        if shown.isspace():
            shown = shown if "\n" in shown and self._length else " "
        self._note(shown, token.start(), len(token[0]), False)
        if shown:
            self._paragraph()
        self._skip = _NONE
        self.page.append(html.escape(shown, quote=False))

    # --- tags

    def _tag(self, token: re.Match[str]) -> None:
        name, closes = token["tag"].lower(), bool(token["end"])
        if name in INLINE:
            self._end_inline(name) if closes else self._begin_inline(name, token)
        elif name == "br":
            if self._is_in_paragraph() or "pre" in self._open:
                self.page.append("<br>\n" if self._is_in_paragraph() else "\n")
            self._note("\n" if self._length else "", token.start(), len(token[0]), False)
            self._skip = _LINE
        elif name == "p" or name in _PARTS:
            self._end_paragraph(remember=False)
            self._apart(2, token.start())
            self._skip = _ALL
            if name == "hr" and "pre" not in self._open:
                self.page.append("<hr>\n")
        elif name in BLOCKS:
            self._block(name, token)
        elif name not in _DROPPED:
            self._note(token[0], token.start(), len(token[0]), True)
            self._paragraph()
            self.page.append(html.escape(token[0], quote=False))

    def _begin_inline(self, name: str, token: re.Match[str]) -> None:
        opening, found, address = f"<{name}>", _HREF.search(token["rest"]) if name == "a" else None, None
        if name == "a":
            if found and found.lastgroup:
                href = _CHARACTER.sub(_unescaped, found[found.lastgroup])
                address = bare_addresses.web_address(href.strip())
            if address is None:
                return
            self._end_inline("a")
            opening = f'<a href="{html.escape(address)}">'
        self._paragraph()
        if len(self._open) >= DEEPEST:
            return
        if found and found.lastgroup and address:
            begins = token.start("rest") + found.start(found.lastgroup)
            self._address = (address, begins, len(found[found.lastgroup]), len(self._text))
            self.hrefs.append(address)
        self._open.append(name)
        self.page.append(opening)

    def _end_inline(self, name: str) -> None:
        if name in self._again:
            self._again.remove(name)
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place] == name:
                self._close_to(place)
                return
            if self._open[place] in BLOCKS or self._open[place] == "p":
                return

    def _block(self, name: str, token: re.Match[str]) -> None:
        closes = bool(token["end"])
        self._end_paragraph(remember=False)
        self._apart(1 if name == "li" else 2, token.start())
        self._skip = _NONE if name == "pre" and not closes else _ALL
        if closes:
            if name in self._open:
                self._close_to(len(self._open) - 1 - self._open[::-1].index(name))
            return
        listed = [place for place, tag in enumerate(self._open) if tag in ("ul", "ol")]
        if name == "li":
            if not listed:
                return
            self._close_to(listed[-1] + 1)
        elif self._open and self._open[-1] in ("ul", "ol"):
            self._push("li")
        if len(self._open) < DEEPEST and "pre" not in self._open:
            self._push(name, _numbering(name, token["rest"]) if name in ("ol", "li") else "")

    # --- balance

    def _push(self, name: str, attributes: str = "") -> None:
        self._open.append(name)
        self.page.append(f"<{name}{attributes}>")

    def _is_in_paragraph(self) -> bool:
        return "p" in self._open

    def _paragraph(self) -> None:
        """Opens a paragraph (in a list, an item) if none is open, and reopens the inline tags of the last one."""
        if self._is_in_paragraph() or "pre" in self._open:
            return
        if self._open and self._open[-1] in ("ul", "ol"):
            self._push("li")
        self._push("p")
        for name in self._again:
            self._push(name)
        self._again = []

    def _end_paragraph(self, *, remember: bool) -> None:
        self._again = self._again if remember else []
        if self._is_in_paragraph():
            place = self._open.index("p")
            self._again = [name for name in self._open[place + 1 :] if name != "a"] if remember else []
            self._close_to(place)

    def _close_to(self, place: int) -> None:
        """Closes all tags opened since. After a link, the plain text gets its address, unless the link's text contains it."""
        while len(self._open) > place:
            name = self._open.pop()
            if name == "p" and self.page[-1].endswith("<br>\n"):
                self.page[-1] = self.page[-1].removesuffix("<br>\n")
            self.page.append(f"</{name}>" + "\n" * (name == "p" or name in BLOCKS))
            if name == "a" and self._address:
                address, at, length, since = self._address
                text, self._address = "".join(self._text[since:]), None
                if text.strip() not in (address, address.rstrip("/")):
                    self._note("(" if text.endswith(" ") else " (", at, 0, False)
                    self._note(address, at, length, False)
                    self._note(")", at + length, 0, False)
