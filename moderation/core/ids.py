"""Ids that sort by time and cannot be guessed, and the key that means all sites."""

from __future__ import annotations

import secrets
from functools import lru_cache
from uuid import UUID

EVERYWHERE = "*"
"""A site key that means all sites."""


ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: sorts as its numbers do
ID_LENGTH = 26
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_ORDERS = [ALPHABET[order >> 10] + ALPHABET[order >> 5 & 31] + ALPHABET[order & 31] for order in range(4096)]
_OF_BYTE = bytes(ord(ALPHABET[byte & 31]) for byte in range(256))
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]


def new_id(now: int, order: int = 0) -> str:
    """26 characters that sort by time (Unix milliseconds), then by `order` (0..4095), and end in 65 random bits."""
    return f"{_time(now)}{_ORDERS[min(order, 4095)]}{secrets.token_bytes(13).translate(_OF_BYTE).decode()}"


@lru_cache(16)
def _time(now: int) -> str:
    return spelled(now << 80)[:10]


def first_id_at(now: int) -> str:
    """The lowest possible id at `now` (Unix milliseconds); no comment has it."""
    return spelled(now << 80)


def spelled(number: int) -> str:
    """130 bits as 26 characters, converted two characters at a time."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def next_id(id: str) -> str:
    """The next id. In every collation it sorts after all paths that begin with `id`."""
    kept = id.rstrip(ALPHABET[-1])
    return kept[:-1] + ALPHABET[ALPHABET.index(kept[-1]) + 1] if kept else id + ALPHABET[-1]


def uuid_of(id: str) -> str:
    """The id's 128 bits as a UUID: the comment's permanent name in feeds, independent of the service's address."""
    number = 0
    for character in id:
        number = number << 5 | ALPHABET.index(character)
    return str(UUID(int=number & (1 << 128) - 1))


def made_at(id: str) -> int:
    """The time of an id in Unix milliseconds: the inverse of `first_id_at`."""
    at = 0
    for character in id[:10]:  # the time's 50 bits
        at = at << 5 | _VALUES[character]
    return at


def is_id(text: str) -> bool:
    return len(text) == ID_LENGTH and all(c in ALPHABET for c in text)
