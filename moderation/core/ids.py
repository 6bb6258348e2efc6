"""Ids: sortable by time, unguessable; and the key that stands for every site."""

from __future__ import annotations

import secrets
from uuid import UUID

EVERYWHERE = "*"
"""In place of a site's key: all sites."""


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: sorts as its numbers do
ID_LENGTH = 26
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]


def new_id(now: int, order: int = 0) -> str:
    """26 characters that sort by time (Unix milliseconds), then by `order` (0..4095), and end in 68 random bits."""
    return spelled((now << 80) | (min(order, 4095) << 68) | secrets.randbits(68))


def first_id_at(now: int) -> str:
    """Not an id of any comment: the lowest that one made at `now` could have."""
    return spelled(now << 80)


def spelled(number: int) -> str:
    """130 bits as 26 characters, two at a time."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def next_id(id: str) -> str:
    """The lowest id above this one: every path that begins with `id` is below it, in every collation."""
    kept = id.rstrip(ALPHABET[-1])
    return kept[:-1] + ALPHABET[ALPHABET.index(kept[-1]) + 1] if kept else id + ALPHABET[-1]


def uuid_of(id: str) -> str:
    """The same 128 bits as a UUID: what a feed calls this comment, for ever and wherever the service moves."""
    number = 0
    for character in id:
        number = number << 5 | ALPHABET.index(character)
    return str(UUID(int=number & (1 << 128) - 1))


def made_at(id: str) -> int:
    """When an id was made: the inverse of `first_id_at`."""
    at = 0
    for character in id[:10]:  # the time's 50 bits
        at = at << 5 | _VALUES[character]
    return at


def is_id(text: str) -> bool:
    return len(text) == ID_LENGTH and all(c in ALPHABET for c in text)
