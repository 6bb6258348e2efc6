"""The headers of a mail as they go over the wire.

The standard library's policy encodes every long token, also where RFC 2047 (section 5) has no room for an encoded word:
mail programs then show no button for `List-Unsubscribe`. It also loses spaces between long words, and quotation marks around
a long name. So the headers that carry texts, names or addresses are written here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UniqueAddressHeader, UniqueUnstructuredHeader
from email.policy import SMTP, EmailPolicy, Policy
from typing import Any

from markdown_it.common.normalize_url import normalizeLink

LONGEST_LINE = 76
"""Characters of a line with an encoded word (RFC 2047, section 2)."""
_WORD_BYTES = 39
"""Bytes of UTF-8 in one encoded word: with its frame and `Subject: ` before it, it fits a line."""
_PLAIN = re.compile(r"[\x20-\x7e]*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
"""A phrase of atoms (RFC 5322, 3.2.3), without quotation marks."""


class _AsGiven(UniqueUnstructuredHeader, BaseHeader):  # type: ignore[misc]  # mixins in typeshed, joined when a header is made
    """A header whose value is a text, not an encoding of one: `=?utf-8?q?Bcc?=` in a title stays that."""

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["parse_tree"], kwds["decoded"] = cls.value_parser(value), value


class Verbatim(_AsGiven):
    """A header of tokens: on one line, as it is."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class Text(_AsGiven):
    """A header of words."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(lines(str(self), len(self.name) + 2))}{policy.linesep}"


class Person(UniqueAddressHeader, BaseHeader):  # type: ignore[misc]
    """A header of one name and address. A local part beyond ASCII needs a policy with `utf8` (RFC 6532)."""

    def fold(self, *, policy: Policy) -> str:
        (person,) = self.addresses
        name = list(phrase(person, len(self.name) + 2))
        address = f"<{person.addr_spec}>" if name else person.addr_spec
        fits = len(name) == 1 and len(self.name) + 3 + len(name[0]) + len(address) <= LONGEST_LINE
        parts = [f"{name[0]} {address}"] if fits else [*name, address]
        return f"{self.name}: {f'{policy.linesep} '.join(parts)}{policy.linesep}"


def policy(*, utf8: bool = False) -> EmailPolicy[Any]:
    registry = HeaderRegistry()
    for name in ("list-unsubscribe", "list-unsubscribe-post", "message-id", "in-reply-to", "references"):
        registry.map_to_type(name, Verbatim)
    registry.map_to_type("subject", Text)
    for name in ("from", "to"):
        registry.map_to_type(name, Person)
    return SMTP.clone(cte_type="7bit", utf8=utf8, header_factory=registry)


def address_in_header(url: str) -> str:
    """A web address between angle brackets, in ASCII."""
    return f"<{normalizeLink(url)}>"


def lines(text: str, taken: int) -> Iterator[str]:
    """A text of one line as the lines of a header, whose first has `taken` characters already."""
    words = text.split(" ")
    if not _PLAIN.fullmatch(text) or "=?" in text or max(map(len, words)) + taken > LONGEST_LINE:
        yield from encoded_words(text)
        return
    line = words[0]
    for word in words[1:]:
        if taken + len(line) + 1 + len(word) > LONGEST_LINE:
            yield line
            line, taken = word, 1
        else:
            line = f"{line} {word}"
    yield line


def phrase(person: Address, taken: int) -> Iterator[str]:
    """The lines of a display name; none without a name."""
    name = person.display_name
    if not name:
        return
    escaped = re.sub(r'([\\"])', r"\\\1", name)
    quoted = name if _PLAIN_NAME.fullmatch(name) else f'"{escaped}"'
    if not _PLAIN.fullmatch(name) or "=?" in name or taken + len(quoted) > LONGEST_LINE:
        yield from encoded_words(name)
    else:
        yield quoted


def encoded_words(text: str) -> Iterator[str]:
    """RFC 2047, each of whole characters. White space between them is no part of the text."""
    part = b""
    for character in text:
        encoded = character.encode()
        if len(part) + len(encoded) > _WORD_BYTES:
            yield f"=?utf-8?b?{b64encode(part).decode()}?="
            part = b""
        part += encoded
    yield f"=?utf-8?b?{b64encode(part).decode()}?="
