"""A bounded shutdown: every step has a time limit, and after all of them the process ends."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

log = logging.getLogger("moderation.web.shutdown")

REST = 9.0
"""Seconds after the requests in flight: for all steps of the lifespan (8), and the threads."""

Step = tuple[str, Callable[[], Coroutine[Any, Any, None]], float]
"""A step's name, its action, and its time limit in seconds."""


async def in_turn(*steps: Step) -> None:
    """Runs the steps in order. The log names a step that fails or takes too long, and the next one follows."""
    for name, stop, seconds in steps:
        task = asyncio.create_task(stop(), name=f"stop {name}")
        done, _ = await asyncio.wait([task], timeout=seconds)
        if not done:
            task.cancel()  # not awaited: it may ignore the cancellation too
            log.error("did not stop in time", extra={"which": name, "seconds": seconds})
        elif task.cancelled() or task.exception():
            error = None if task.cancelled() else task.exception()
            log.error("did not stop", exc_info=error, extra={"which": name})


@contextlib.asynccontextmanager
async def background(end: Callable[[], None]) -> AsyncIterator[asyncio.TaskGroup]:
    """A group for the loops that run beside the requests. Without any of them the service is half a service: where one
    fails, the others are cancelled, the log says why, and `end` is called. Raises what failed."""
    try:
        async with asyncio.TaskGroup() as loops:
            yield loops
    except* Exception as failed:
        log.critical("a background loop failed; the service ends", exc_info=failed)
        end()
        raise


@contextlib.contextmanager
def told_to_stop(act: Callable[[], None]) -> Iterator[None]:
    """On a stop signal, runs `act` before the server's own handler."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def first(number: int, frame: Any) -> None:
        act()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    taken = [number for number, handler in before.items() if callable(handler)]
    for number in taken:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])


class LastResort:
    """Ends the process some seconds after the stop signal, with status 1 and the stack of each thread on standard error.

    A thread that waits for a disk cannot be stopped, and the interpreter waits for its threads. Acknowledged data is on
    disk. The timer runs outside the interpreter, which may itself hang.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._armed = False

    def arm(self) -> None:
        if self._armed:
            return
        self._armed = True
        try:
            faulthandler.dump_traceback_later(self.seconds, exit=True)
        except (AttributeError, OSError, RuntimeError, ValueError):  # standard error is missing
            nowhere = open(os.devnull, "w")  # noqa: SIM115  (it stays open for as long as the process runs)
            faulthandler.dump_traceback_later(self.seconds, exit=True, file=nowhere)
