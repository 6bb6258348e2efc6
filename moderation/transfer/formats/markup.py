"""Bounded reading of untrusted XML, a record at a time: no DTD, no custom entities, and a few records in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from moderation.core.problem import BadRequest
from moderation.transfer.formats.file import File
from moderation.transfer.formats.tokens import LONGEST, Token, Tokens, attributes_of
from moderation.transfer.records import Skipped

DEEPEST = 100
"""Open elements; deeper ones are not told apart."""
TOO_DEEP = 1_000_000
"""Elements of one record below `DEEPEST` after which a file is refused: it was made to cost time."""

NAMESPACES = (
    ("wordpress.org/export/", "wp:"),
    ("purl.org/rss/1.0/modules/content", "content:"),
    ("purl.org/dc/elements", "dc:"),
    ("disqus.com/disqus-internals", "dsq:"),
    ("disqus.com/", "dsq:"),
    ("disqus.com", ""),
    ("sitemaps.org/schemas/sitemap/", "sm:"),
    ("google.com/schemas/sitemap-news/", "news:"),
    ("w3.org/2005/atom", "atom:"),
)
"""The beginning of a namespace without its scheme and `www.`, and our prefix for it."""
PREFIXES = frozenset({"wp", "content", "dsq", "dc", "atom", "news"})
"""Prefixes that mean the same in each file, declared or not."""


@dataclass(slots=True)
class Element:
    """One record: its texts by name (`author/name`; an attribute as `thread@dsq:id`)."""

    name: str
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    within: Element | None = None
    is_whole: bool = True
    """The file has its end."""


def elements(file: File, records: frozenset[str], fields: frozenset[str]) -> Iterator[Element | Skipped]:
    """Each element at one of the paths `records`, at its end, with the values at the paths `fields` below it.

    If the file ends early, the elements with others inside come with what was read of them, and a Skipped names the line.
    Raises BadRequest for refused constructs.
    """
    return _Reader(file, records, fields).read()


@lru_cache(1024)
def prefix_of(namespace: str) -> str | None:
    """Our prefix for a namespace; None for an unknown one. `http:` and `https:` and slashes at the end mean the same."""
    bare = namespace.strip().lower().partition("://")[2].removeprefix("www.")
    return next((prefix for start, prefix in NAMESPACES if bare.startswith(start)), None)


class _Reader:
    def __init__(self, file: File, records: frozenset[str], fields: frozenset[str]) -> None:
        self.records, self.paths = records, fields
        self.last = {path.rpartition("/")[2] for path in records}
        roots = {path.partition("/")[0] for path in records}
        self.roots = roots
        self.inner = {path.rpartition("/")[2] for path in records if path.rpartition("/")[0] in records}
        """Records that stand within others."""
        self.tokens = Tokens(file, frozenset(root.rpartition(":")[2] for root in roots))
        self.prefixes: dict[str, str] = {}
        """Written prefix → ours, as the file declares them."""
        self.names: dict[str, str] = {}
        self.open: list[tuple[Element, int]] = []
        self.stack: list[str] = []
        self.done: list[Element | Skipped] = []
        self.field, self.texts, self.length, self.depth, self.too_deep = "", list[str](), 0, 0, 0
        self.has_ended = False

    def read(self) -> Iterator[Element | Skipped]:
        for token in self.tokens:
            if token.kind == "text":
                if self.field and self.length < LONGEST:
                    self.texts.append(token.text)
                    self.length += len(token.text)
            elif token.kind == "end":
                self.end(self.short(token.text))
            else:
                self.start(token)
            if self.done:
                yield from self.done
                self.done.clear()
        if not self.has_ended:
            yield from self.rest()

    def rest(self) -> Iterator[Element | Skipped]:
        """The records that the end of the file left open."""
        unfinished = self.open[-1][0] if self.open else None
        for outer, _ in self.open[:-1] if unfinished and unfinished.within else self.open:
            outer.is_whole = False
            yield outer
        where = unfinished.line if unfinished else self.tokens.line
        yield Skipped(
            f"line {where}",
            "the file is cut short or damaged here: it has no end. What stands before has come in"
            if not unfinished or not unfinished.within
            else "the file is cut short or damaged: it ends within this comment. What stands before has come in",
        )

    # --- names

    def short(self, name: str) -> str:
        """`wp:comment` for that element, whichever prefix the file gives it."""
        short = self.names.get(name)
        if short is None:
            short = self.shortened(name)
            if len(self.names) < 10_000:
                self.names[name] = short
        return short

    def shortened(self, name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        ours = self.prefixes.get(prefix)
        if ours is None:
            ours = f"{prefix}:" if prefix in PREFIXES else "other:" if colon else ""
        return ours + local

    def declare(self, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if name == "xmlns" or name.startswith("xmlns:"):
                prefix, ours = name.partition(":")[2], prefix_of(value)
                if ours is not None and len(self.prefixes) < 1000 and self.prefixes.get(prefix) != ours:
                    self.prefixes[prefix] = ours
                    self.names.clear()

    # --- elements

    def start(self, token: Token) -> None:
        attributes = dict(attributes_of(token.attributes)) if token.attributes.strip("/ \t\r\n") else {}
        if not self.stack or not self.open:
            self.declare(attributes)
        name = self.short(token.text)
        # one without its namespaces, within another, is a word of a text
        if name in self.roots and (attributes or not self.stack):
            self.close_to(0)  # also a second document in the same file
            self.has_ended = False
        elif not self.stack:
            return
        if name in self.last:
            # a record that never ended: no record stands within one of its own kind
            for place in range(len(self.open)):
                if self.open[place][0].name == name:
                    self.close_to(self.open[place][1] - 1)
                    break
            self.close_to(self.outer(name))
        if len(self.stack) >= DEEPEST:
            self.too_deep += 1
            if self.too_deep > TOO_DEEP:
                raise BadRequest(f"Line {token.line}: this is nested too deeply for an export; it was refused.")
            return
        self.stack.append(name)
        path = ""
        if name in self.last and "/".join(self.stack) in self.records:
            self.open.append((Element(name, token.line, {}, self.open[-1][0] if self.open else None), len(self.stack)))
        elif name in self.inner and not self.open:
            self.done.append(Skipped(f"line {token.line}", "it stands outside of what it belongs to"))
        elif self.open:
            path = "/".join(self.stack[self.open[-1][1] :])
            if path in self.paths and path not in self.open[-1][0].fields and not self.field:
                self.field, self.texts, self.length, self.depth = path, [], 0, len(self.stack)
        if (
            self.open and attributes.get("rel", "alternate") == "alternate"
        ):  # of an Atom entry's links, that to its page
            for attribute, value in attributes.items():
                # an attribute without a prefix is in no namespace (Namespaces in XML 1.0, 6.2)
                key = f"{path}@{self.short(attribute) if ':' in attribute else attribute}"
                if key in self.paths:
                    self.open[-1][0].fields.setdefault(key, value[:LONGEST])
        if token.is_empty:
            self.close_to(len(self.stack) - 1)

    def outer(self, name: str) -> int:
        """The depth at which a record of this name stands, without the elements that were never ended; else the present one."""
        begins = self.stack[: self.open[-1][1]] if self.open else None
        for path in self.records:
            *parent, last = path.split("/")
            if last == name and self.stack[: len(parent)] == parent and begins in (None, parent):
                return len(parent)
        return len(self.stack)

    def end(self, name: str) -> None:
        """Closes the innermost element of this name, with all in it that has no end; an end without a start is nothing."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] == name:
                self.close_to(place)
                self.has_ended |= not place
                return

    def close_to(self, depth: int) -> None:
        while len(self.stack) > depth:
            if self.field and len(self.stack) == self.depth:
                self.open[-1][0].fields[self.field] = "".join(self.texts)
                self.field = ""
            elif self.open and len(self.stack) == self.open[-1][1]:
                self.done.append(self.open.pop()[0])
                self.too_deep = 0
            self.stack.pop()
