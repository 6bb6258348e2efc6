"""Long work in threads beside the event loop.

Each lane has one thread: a second one would only compete for the interpreter's lock, and delay the loop further. Requests
have bounded queues. The intake's work inside a transaction has its own lane, so requests cannot delay it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from moderation.core.problem import Unavailable

T = TypeVar("T")


class Lane:
    """One thread, started with its first work."""

    def __init__(self, name: str, most: int = 0) -> None:
        """most: the number of calls that may wait; 0: no limit."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._most, self._waiting = most, 0

    async def run(self, work: Callable[..., T], *args: Any, here: bool = False, **named: Any) -> T:
        """Runs `work` in the lane's thread; short work (`here`) runs at once. Raises the work's errors, or Unavailable."""
        if here:
            return work(*args, **named)
        if 0 < self._most <= self._waiting:
            raise Unavailable("Too many requests are waiting; nothing was stored. Try again shortly.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **named))
        finally:
            self._waiting -= 1


REQUESTS = Lane("requests", 200)
"""Requests' bodies, before anything is stored."""
SCORES = Lane("scores", 200)
"""Texts to score, which are not stored: a thousand texts at once delay no comment."""
LISTS = Lane("lists")
"""Lists of thousands of words, compiled before a transaction needs them: meanwhile other sites' comments are stored."""
WRITING = Lane("writing")
"""Work inside a transaction, one at a time like transactions."""
