"""Progress of long commands, on standard error: standard output is for scripts."""

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
    """The items, with a line of progress every few seconds."""
    last = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            log(f"{number} {what}")
