"""Bounded reading of untrusted XML, a record at a time: no DTD, no custom entities, and a few records in memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from moderation.core.problem import BadRequest
from moderation.transfer.formats.file import File

DEEPEST = 100
MOST_NAMES = 10_000
LONGEST = 400_000
"""Characters of one field; the rest is dropped. The value is above every field's limit, so such a field is still too long."""
TOKEN = 8 * 1024 * 1024

# Characters that XML 1.0 forbids, and that blog databases contain.
FORBIDDEN = bytes(c for c in range(32) if c not in (9, 10, 13))
PREFIXES = (
    ("http://wordpress.org/export/", "wp:"),
    ("http://purl.org/rss/1.0/modules/content/", "content:"),
    ("http://disqus.com/disqus-internals", "dsq:"),
    ("http://www.disqus.com/", "dsq:"),
    ("http://disqus.com", ""),
    ("http://www.sitemaps.org/schemas/sitemap/", "sm:"),
    ("http://www.google.com/schemas/sitemap-news/", "news:"),
    ("http://www.w3.org/2005/Atom", "atom:"),
)


@dataclass(slots=True)
class Element:
    """One record: its texts by name (`author/name`; an attribute as `thread@dsq:id`)."""

    name: str
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    within: Element | None = None


def elements(file: File, records: frozenset[str], wanted: frozenset[str]) -> Iterator[Element]:
    """Each element at one of the paths `records`, at its end, with its `wanted` fields.

    Raises BadRequest for refused constructs and for truncated XML, after all complete records.
    """
    return Parser(records, wanted, file.head).run(file)


def shortened(name: str) -> str:
    """`{namespace} local` → `wp:local`, for any prefix in the file."""
    uri, _, local = name.rpartition(" ")
    return next(
        (prefix + local for start, prefix in PREFIXES if uri.startswith(start)), f"other:{local}" if uri else local
    )


class Parser:
    def __init__(self, records: frozenset[str], wanted: frozenset[str], head: bytes) -> None:
        self.records, self.wanted = records, wanted
        self.last = {path.rpartition("/")[2] for path in records}
        self.done: list[Element] = []
        self.open: list[tuple[Element, int]] = []
        self.stack: list[str] = []
        self.collecting, self.collected, self.length, self.depth = "", list[str](), 0, 0
        self.names: dict[str, str] = {}
        encoding, self.clean = cleaner(head)
        self.expat: Any = expat.ParserCreate(encoding, " ")
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self.start
        self.expat.EndElementHandler = self.end
        self.expat.CharacterDataHandler = self.text
        self.expat.StartDoctypeDeclHandler = self.refuse
        self.expat.EntityDeclHandler = self.refuse
        self.expat.UnparsedEntityDeclHandler = self.refuse
        self.expat.ExternalEntityRefHandler = self.refuse

    def run(self, file: File) -> Iterator[Element]:
        fed = 0
        try:
            for piece in file.pieces():
                given = self.clean(piece)
                fed += len(given)
                self.expat.Parse(given, False)
                yield from self.taken()
                if fed - self.expat.CurrentByteIndex > TOKEN or len(self.expat.intern) > MOST_NAMES:
                    raise BadRequest(
                        f"Line {self.expat.CurrentLineNumber}: this is no export of comments; it was refused."
                    )
            self.expat.Parse(b"", True)
        except expat.ExpatError as error:
            yield from self.taken()
            said = expat.ErrorString(error.code)
            raise BadRequest(
                f"Line {error.lineno}: the XML is broken ({said}). The file is cut short or damaged: export or download it "
                "again, and run this again; nothing comes in twice."
            ) from None
        yield from self.taken()

    def taken(self) -> list[Element]:
        done, self.done = self.done, []
        return done

    def refuse(self, *_: object) -> Any:
        raise BadRequest(
            f"Line {self.expat.CurrentLineNumber}: the file declares a document type or entities. No export does, and they can be "
            "used to attack whoever reads them; it was refused."
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        short = self.names.get(name)
        if short is None:
            short = self.names[name] = shortened(name)
        self.stack.append(short)
        if len(self.stack) > DEEPEST:
            raise BadRequest(
                f"Line {self.expat.CurrentLineNumber}: this is nested too deeply for an export; it was refused."
            )
        if short in self.last and "/".join(self.stack) in self.records:
            element = Element(short, self.expat.CurrentLineNumber, {}, self.open[-1][0] if self.open else None)
            self.open.append((element, len(self.stack)))
            path = ""
        elif self.open:
            path = "/".join(self.stack[self.open[-1][1] :])
            if path in self.wanted and path not in self.open[-1][0].fields:
                self.collecting, self.collected, self.length, self.depth = path, [], 0, len(self.stack)
        else:
            return
        if attributes.get("rel", "alternate") != "alternate":
            return  # of an Atom entry's links, only the one to its page
        for attribute, value in attributes.items():
            key = f"{path}@{shortened(attribute)}"
            if key in self.wanted:
                self.open[-1][0].fields.setdefault(key, value[:LONGEST])

    def end(self, name: str) -> None:
        if self.open:
            element, depth = self.open[-1]
            if len(self.stack) == depth:
                self.open.pop()
                self.done.append(element)
            elif self.collecting and len(self.stack) == self.depth:
                element.fields[self.collecting] = "".join(self.collected)
                self.collecting = ""
        self.stack.pop()

    def text(self, text: str) -> None:
        if self.collecting and self.length < LONGEST:
            self.collected.append(text)
            self.length += len(text)


def cleaner(head: bytes) -> tuple[str | None, Callable[[bytes], bytes]]:
    """The encoding, and a filter for each piece: repairs broken UTF-8 and drops characters that XML forbids."""
    said = re.match(
        rb"\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})", head.removeprefix(codecs.BOM_UTF8)
    )
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None, lambda piece: piece
    if said and said[1].upper() not in (b"UTF-8", b"UTF8", b"US-ASCII"):
        return None, lambda piece: piece.translate(None, FORBIDDEN)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return "utf-8", lambda piece: decoder.decode(piece.translate(None, FORBIDDEN)).encode()
