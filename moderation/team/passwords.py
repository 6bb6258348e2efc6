"""Passwords: slow hashes on purpose, so in threads, two at a time, with a bounded queue."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from moderation.core.problem import FieldError, Invalid, Unavailable

T = TypeVar("T")
SHORTEST, LONGEST = 10, 1000
AT_ONCE = 2
"""Concurrent hashes, of 64 MiB each: readers and writers have priority."""
SEATS = 32
"""Places in the queue, a wait of a second or two. Browsers that have signed in before have as many places of their own and
priority, so that a flood of unknown browsers cannot keep them out."""

hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106's low-memory profile
_salt, _hash = (
    b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (hasher.salt_len, hasher.hash_len)
)
NOBODY = f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${_salt}${_hash}"
"""A hash for unknown accounts, so that the check takes as long as for known ones. No password matches it. It is written by
hand (PHC string format): hashing would cost each command and each start a fifth of a second."""


def checked(password: str) -> str:
    """The password. Raises Invalid for one that is too short or too long."""
    if len(password) < SHORTEST:
        raise Invalid(FieldError("password", "invalid", f"must have at least {SHORTEST} characters"))
    if len(password) > LONGEST:
        raise Invalid(FieldError("password", "too_long", f"at most {LONGEST} characters"))
    return password


def verify(password_hash: str | None, password: str) -> bool:
    try:
        return hasher.verify(password_hash or NOBODY, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def step_back() -> None:
    """Lowers the priority of a hashing thread and of argon2's threads, in favour of the event loop. (On Linux priorities belong
    to threads; elsewhere this would affect the whole process.)"""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class Passwords:
    """Hashing and checking, off the event loop."""

    def __init__(self, at_once: int = AT_ONCE, seats: int = SEATS) -> None:
        self.seats = seats
        self._free = at_once
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password", initializer=step_back)
        self._taken = {True: 0, False: 0}
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}

    @contextmanager
    def seat(self, known: bool = False) -> Iterator[None]:
        """A place, held while a password is checked. Raises Unavailable if all are taken, before any attempt is counted."""
        if self._taken[known] >= self.seats:
            raise Unavailable("Too many are signing in right now. Try again in a few seconds.", 3, code="busy")
        self._taken[known] += 1
        try:
            yield
        finally:
            self._taken[known] -= 1

    async def verify(self, password_hash: str | None, password: str, known: bool = False) -> bool:
        return await self._run(known, verify, password_hash, password)

    async def hash(self, password: str) -> str:
        """The hash of a `checked` password. It has priority: the caller has already shown a link or a password."""
        return await self._run(True, hasher.hash, password)

    async def _run(self, known: bool, work: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        if self._free:
            self._free -= 1
        else:
            turn = loop.create_future()
            self._waiting[known].append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # its turn came at the moment of the cancellation
                    self._next()
                raise
        job = loop.run_in_executor(self._threads, work, *args)
        job.add_done_callback(self._next)
        return await asyncio.shield(job)  # after a cancellation the thread still works: its place is not free yet

    def _next(self, job: asyncio.Future[T] | None = None) -> None:
        if job and not job.cancelled():
            job.exception()  # retrieved here, because the caller may be gone
        for known in (True, False):
            while self._waiting[known]:
                turn = self._waiting[known].popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
