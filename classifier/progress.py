"""What a long command says while it works: on stderr, so that stdout stays what a script needs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
EVERY = 5.0
"""Seconds between two lines."""


def log(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def counted(items: Iterable[T], what: str) -> Iterator[T]:
    """The items as they are; every few seconds, how many there were."""
    told = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - told >= EVERY:
            told = time.monotonic()
            log(f"{number} {what}")
