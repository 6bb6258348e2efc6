"""XML as it comes: bytes → tags and texts. It reads on where a strict parser stops, in bounded memory.

Exports are written by programs that print their data between tags, and that data is often not XML: undeclared prefixes,
HTML's entities, control characters, `]]>` within a CDATA section, a tag that never ends. Each of these has one reading:

- a piece that is no tag is text;
- a CDATA section ends at `]]>` before the end tag of its element, or, if another field of that name begins before, at the
  first end tag;
- an entity that nobody knows is text. Entities are never declared, so none can expand.
"""

from __future__ import annotations

import codecs
import html.entities
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from moderation.core.problem import BadRequest
from moderation.transfer.formats.file import File

LONGEST = 400_000
"""Characters of one field; the rest is dropped. The value is above every field's limit, so such a field is still too long."""
SECTION, TAG = 2_000_000, 64 * 1024
"""Characters of the longest CDATA section and tag that are read as such."""

OPENING = "<![CDATA["
_NAME = r"[A-Za-z_:\u00c0-\uffff][^\s/><\"'=]{0,200}"
_TAG = re.compile(rf"<(/?)({_NAME})((?:[^<>\"']++|\"[^<\"]*+\"|'[^<']*+')*+)")
_ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:#(\d{1,8})|#[xX]([0-9a-fA-F]{1,7})|([A-Za-z][A-Za-z0-9]{1,31}));")
_JOINT = re.compile(r"\]\]>([^<\]]*)<!\[CDATA\[")
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})")
# Characters that XML 1.0 forbids, and that blog databases contain.
_FORBIDDEN = dict.fromkeys([*(c for c in range(32) if c not in (9, 10, 13)), 0xFFFE, 0xFFFF])
_VAIN = 100_000_000
"""Characters searched for ends that are not there, after which no distant end is searched: such a file was made to cost time."""
_DISTANT = 64
"""Characters at the end of a piece that may belong to an entity in the next one."""


class Token(NamedTuple):
    """`kind` is `start`, `end` or `text`; `text` is a name as written, or a text."""

    kind: str
    text: str
    line: int
    attributes: str = ""
    is_empty: bool = False


def attributes_of(written: str) -> Iterator[tuple[str, str]]:
    for one in _ATTRIBUTE.finditer(written):
        yield one[1], unescaped(one[2] if one[2] is not None else one[3])


def unescaped(text: str) -> str:
    """XML's and HTML's entities as their characters, forbidden ones dropped. Pairs of surrogates are one character."""
    if "&" not in text:
        return text
    text = _REFERENCE.sub(_character, text)
    if re.search("[\ud800-\udfff]", text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _character(reference: re.Match[str]) -> str:
    if reference[3]:
        return html.entities.html5.get(f"{reference[3]};", reference[0])
    code = int(reference[1]) if reference[1] else int(reference[2], 16)
    if code in _FORBIDDEN or code > 0x10FFFF:
        return ""
    # 128 to 159 are meant as in Windows-1252 (HTML Standard, numeric character reference end state)
    return html.unescape(f"&#{code};") if 0x80 <= code < 0xA0 else chr(code)


def decoder_of(head: bytes) -> Callable[[bytes, bool], str]:
    """A decoder of pieces by the declared encoding: broken characters are replaced, forbidden ones dropped."""
    declared, name = _DECLARED.search(head), "utf-8-sig"
    if declared:
        try:
            codec = codecs.lookup(declared[1].decode())
        except LookupError:
            pass
        else:
            # a file of two bytes a character is UTF-8 here already: `File` transcodes it
            if codec._is_text_encoding and not codec.name.startswith(("utf", "ascii")):
                name = codec.name
    decoder = codecs.getincrementaldecoder(name)("replace")
    return lambda piece, is_last: decoder.decode(piece, is_last).translate(_FORBIDDEN)


class Tokens:
    """The tokens of a file, in order. `line` is the line read so far."""

    def __init__(self, file: File, roots: frozenset[str]) -> None:
        """What stands before the first tag of a name in `roots` is not read."""
        self._pieces, self._decode = file.pieces(), decoder_of(file.head)
        self._text, self._at, self._is_over = "", 0, False
        self._roots, self._has_begun = roots, False
        self._element = ""
        """The innermost element as written, while nothing but text has followed its start."""
        self.line, self._counted, self._vain = 1, 0, 0

    def __iter__(self) -> Iterator[Token]:
        while True:
            opening = self._text.find("<", self._at)
            if opening < 0:
                yield from self._words(len(self._text), is_last=self._is_over)
                if self._is_over:
                    return
                self._more()
                continue
            yield from self._words(opening, is_last=True)
            if opening + 1 == len(self._text) and self._more():
                continue
            if self._text.startswith("<!", opening) or self._text.startswith("<?", opening):
                yield from self._declaration()
            else:
                yield from self._tag()

    # --- the buffer

    def _more(self) -> bool:
        """Reads a piece; False at the end of the file."""
        if self._is_over:
            return False
        self._mark_line()
        piece = next(self._pieces, b"")
        self._is_over = not piece
        self._text = self._text[self._at :] + self._decode(piece, not piece)
        self._at = self._counted = 0
        return True

    def _mark_line(self) -> int:
        self.line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self.line

    def _find(self, pattern: re.Pattern[str], longest: int) -> re.Match[str] | None:
        """The next occurrence of a pattern within some `longest` characters, read as far as needed."""
        since = self._at
        while self._vain < _VAIN:
            if one := pattern.search(self._text, since):
                return one
            read = len(self._text) - self._at
            if read > longest or not self._more():
                self._vain += read
                break
            since = max(self._at, read - 300)
        return None

    # --- tokens

    def _words(self, end: int, *, is_last: bool) -> Iterator[Token]:
        """The text up to `end`; what may be the beginning of an entity waits for the next piece."""
        if not is_last and (entity := self._text.rfind("&", max(self._at, end - _DISTANT), end)) >= 0:
            end = entity
        if end > self._at and self._has_begun:
            yield Token("text", unescaped(self._text[self._at : end]), self.line)
        self._at = max(self._at, end)

    def _literally(self) -> Iterator[Token]:
        """A `<` that begins no tag."""
        if self._has_begun:
            yield Token("text", "<", self.line)
        self._at += 1

    def _tag(self) -> Iterator[Token]:
        while True:
            tag = _TAG.match(self._text, self._at)
            end = tag.end() if tag else len(self._text)
            if tag and self._text.startswith(">", end):
                break
            # perhaps it goes on in the next piece
            goes_on = self._text.find("<", self._at + 1) < 0 and len(self._text) - self._at < TAG
            if not goes_on or not self._more():
                yield from self._literally()
                return
        line, written = self._mark_line(), tag[3]
        self._at = end + 1
        if not self._has_begun:
            self._has_begun = not tag[1] and tag[2].rpartition(":")[2] in self._roots
            if not self._has_begun:
                return
        is_empty = written.endswith("/")
        self._element = "" if tag[1] or is_empty else tag[2]
        yield Token("end" if tag[1] else "start", tag[2], line, written, is_empty and not tag[1])

    def _declaration(self) -> Iterator[Token]:
        while len(self._text) - self._at < len(OPENING) and self._more():
            pass
        if self._text.startswith(OPENING, self._at):
            yield from self._section()
            return
        if (
            not self._has_begun
            and re.compile("<!doctype", re.IGNORECASE).match(self._text, self._at)
            and not re.compile(r"<!doctype\s+html\s*>", re.IGNORECASE).match(
                self._text, self._at
            )  # it declares nothing
        ):
            raise BadRequest(
                f"Line {self._mark_line()}: the file declares a document type or entities. No export does, and they can be used "
                "to attack whoever reads them; it was refused."
            )
        ends = {"<!--": "-->", "<?": "?>"}
        start = next((start for start in ends if self._text.startswith(start, self._at)), "")
        if not start:
            yield from self._literally()
            return
        # a comment or an instruction; if another begins before its end, it was never ended and is text
        self._at += len(start)
        closing = self._find(re.compile(rf"{re.escape(ends[start])}|<!--"), TAG)
        if closing and closing[0] == ends[start]:
            self._at = closing.end()
        elif self._has_begun:
            yield Token("text", start, self.line)

    def _section(self) -> Iterator[Token]:
        """A CDATA section as a text, with the sections that continue it."""
        name = re.escape(self._element)
        self._at += len(OPENING)
        end = self._find(re.compile(rf"\]\]>\s*(?=</{name}\s*>)" if name else r"\]\]>"), SECTION)
        content = self._text[self._at : end.start() if end else len(self._text)]
        closing = re.search(rf"</{name}\s*>", content) if name else None
        again = closing and re.compile(rf"<{name}(?:\s[^<>]*)?>\s*<!\[CDATA\[").search(content, closing.end())
        if end and not again:
            self._at = end.end()
        elif not closing and len(content) > SECTION:
            yield Token("text", content[:LONGEST], self._mark_line())
            self._skip_section()
            return
        else:
            # the section was never ended, or more text of its element comes after it
            content = content[: closing.start()] if closing else content
            before, ending, _ = content.rpartition("]]>") if closing else content.partition("]]>")
            content = before if ending else content
            self._at += len(content) + len(ending)
        if content and self._has_begun:
            yield Token("text", _joined(content), self.line)

    def _skip_section(self) -> None:
        """Passes over the rest of a section that is longer than any text."""
        while True:
            at = self._text.find("]]>", self._at)
            if at >= 0:
                self._at = at + 3
                return
            self._at = max(self._at, len(self._text) - 2)
            if not self._more():
                self._at = len(self._text)
                return


def _joined(content: str) -> str:
    """Two sections of one text: WordPress writes `]]>` as `]]]]><![CDATA[>`."""
    first = _JOINT.search(content) if "]]>" in content else None
    if first is None:
        return content
    # the text's own `<![CDATA[`, as around old scripts, is closed by its own `]]>`
    has_own = content.find(OPENING) < first.end() - len(OPENING)
    return _JOINT.sub(lambda joint: joint[0] if has_own and joint[1] else unescaped(joint[1]), content)
