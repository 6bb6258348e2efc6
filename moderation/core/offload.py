"""Reading what takes so long that others would notice: in a thread of its own, so that the event loop goes on.

Each lane has one thread, since two would only wait for the interpreter's lock in turn, and the loop behind both. What
somebody brings waits in a queue with an end; what the intake does inside a transaction never waits behind that.
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
    """Its thread begins with the first work."""

    def __init__(self, name: str, most: int = 0) -> None:
        """most: how many may wait; 0: any number."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._most, self._waiting = most, 0

    async def run(self, work: Callable[..., T], *args: Any, here: bool = False, **named: Any) -> T:
        """`here`: it is so little that it is done at once. Raises what the work raises, or Unavailable."""
        if here:
            return work(*args, **named)
        if 0 < self._most <= self._waiting:
            raise Unavailable("Too much is waiting; nothing was stored. Try again shortly.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **named))
        finally:
            self._waiting -= 1


REQUESTS = Lane("requests", 200)
"""What requests bring, before anything is stored."""
SCORES = Lane("scores", 200)
"""What programs ask about and nobody stores: a thousand texts at once hold up no comment."""
WRITING = Lane("writing")
"""What is worked out inside a transaction, one at a time as those are."""
