"""Limits on sign-in attempts: they prevent guessing without locking anybody out.

An allowance belongs to an account *and* a network. It is counted in the database before anything is compared, so concurrent
attempts, also in several workers, cannot outrun it. A browser that has signed in to an account before has an allowance of
its own (a *device cookie* in OWASP's terms), which other browsers' failures do not touch. After failures from many networks,
unknown browsers only wait a little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from moderation.core.problem import TooFast
from moderation.db.database import Database, Session
from moderation.sites.allowance import times
from moderation.team import store as moderators
from moderation.team import store_failures as failures

ATTEMPTS, WINDOW = 5, 15 * 60 * 1000
"""Failures in a number of milliseconds, for an account from one network, or in one known browser."""
MANY = 10 * ATTEMPTS
"""Failures for one network over all accounts; and for an account from unknown networks, which can be many people."""
CEILING = 20
"""Failures for an account, over all networks, after which unknown browsers wait."""
STEP, LONGEST = 0.25, 5.0
"""Seconds of waiting for each further failure, and at most."""
WAITING = 200
"""The most requests that wait at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The keys of one attempt."""

    account: str
    """The key of the typed email address, of a known account or not."""
    network_key: str = ""
    """The network's key; empty: unknown."""
    device: str = ""
    """The browser's id, if it has signed in to this account before."""
    session: str = ""
    """The session of a signed-in moderator who repeats the password: such failures are not reported."""
    what: str = "password"

    @property
    def is_known(self) -> bool:
        return bool(self.device or self.session)

    @property
    def counted(self) -> str:
        """The account's own counter, of passwords or of codes."""
        return self.account if self.what == "password" else f"{self.what} {self.account}"

    @property
    def limits(self) -> dict[str, int]:
        """Counter → its limit of failures."""
        if self.is_known:
            return {f"{self.counted} {self.device or self.session}": ATTEMPTS}
        if not self.network_key:
            return {f"{self.counted} ": MANY}
        shared = times(self.network_key)
        return {f"{self.counted} {self.network_key}": ATTEMPTS * shared, self.network_key: MANY * shared}


async def refuse(session: Session, caller: Caller, now: int) -> None:
    """Raises TooFast if the allowance is used up."""
    for who, most in caller.limits.items():
        if await moderators.attempts(session, who, now, WINDOW) >= most:
            detail = f"Too many wrong {caller.what}s. Try again in 15 minutes."
            raise TooFast(detail, WINDOW // 1000, code="attempts")


async def count(tx: Session, caller: Caller, now: int) -> dict[str, str]:
    """Counts an attempt as a failure. Returns the ids for `take_back`. Raises TooFast."""
    await refuse(tx, caller, now)
    if not caller.session:
        await failures.add(tx, caller.account, now)
    return {who: await moderators.add_attempt(tx, who, now) for who in (*caller.limits, caller.counted)}


async def take_back(tx: Session, caller: Caller, counted: dict[str, str]) -> None:
    """Removes an attempt after a success."""
    if not caller.session:
        await failures.take_back(tx, caller.account)
    for who, id in counted.items():
        await moderators.forget_attempt(tx, who, id)


class Throttle:
    def __init__(self, database: Database, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.database, self.sleep = database, sleep
        self._waiting = 0

    async def wait(self, caller: Caller, now: int) -> None:
        """Delays an unknown browser at an account with failures from many networks. Meanwhile it holds neither a connection nor
        a place in the hashing queue. Raises TooFast if the allowance is used up or too many requests wait."""
        async with self.database.reading() as session:
            await refuse(session, caller, now)
            failed = 0 if caller.is_known else await moderators.attempts(session, caller.counted, now, WINDOW)
        if failed < CEILING:
            return
        if self._waiting >= WAITING:
            raise TooFast("Too many are signing in right now. Try again in a few seconds.", int(LONGEST), code="busy")
        self._waiting += 1
        try:
            await self.sleep(min(LONGEST, STEP * (failed - CEILING + 1)))
        finally:
            self._waiting -= 1
