"""How often one may try to sign in: so that nobody guesses a password, and nobody is kept out by those who try.

An allowance is for an account *and* a network, counted in the database before anything is compared, so that attempts at the
same time, or in several workers, cannot outrun it. A browser that has signed in to an account before has an allowance of its
own (OWASP calls its cookie a device cookie): strangers' failures never touch it. Where an account fails from everywhere,
strangers wait a little longer each time, and no more than that.
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
"""This many wrong ones in this many milliseconds: for an account from one network, or in one browser that it knows."""
MANY = 10 * ATTEMPTS
"""For one network over all accounts; and for an account from where nobody knows: that may be everybody."""
CEILING = 20
"""Wrong ones for an account, over all networks, from which on strangers wait."""
STEP, LONGEST = 0.25, 5.0
"""Seconds that each failure above that adds, and the most."""
WAITING = 200
"""How many may wait like that at the same time."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who tries, by keys only."""

    account: str
    """The key of the email address that was typed, whether anybody has it or not."""
    network_key: str = ""
    """The network's; empty: unknown."""
    device: str = ""
    """The browser, where it has signed in to this account before."""
    session: str = ""
    """The session of whoever is signed in and gives it once more: nothing to tell them of."""
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
        """Counter → how many failures it takes."""
        if self.is_known:
            return {f"{self.counted} {self.device or self.session}": ATTEMPTS}
        if not self.network_key:
            return {f"{self.counted} ": MANY}
        shared = times(self.network_key)
        return {f"{self.counted} {self.network_key}": ATTEMPTS * shared, self.network_key: MANY * shared}


async def refuse(session: Session, caller: Caller, now: int) -> None:
    """Raises TooFast where the allowance is used up."""
    for who, most in caller.limits.items():
        if await moderators.attempts(session, who, now, WINDOW) >= most:
            detail = f"Too many wrong {caller.what}s. Try again in 15 minutes."
            raise TooFast(detail, WINDOW // 1000, code="attempts")


async def count(tx: Session, caller: Caller, now: int) -> dict[str, str]:
    """One more attempt, taken for a failure until it is taken back. Raises TooFast; what it returns takes it back."""
    await refuse(tx, caller, now)
    if not caller.session:
        await failures.add(tx, caller.account, now)
    return {who: await moderators.add_attempt(tx, who, now) for who in (*caller.limits, caller.counted)}


async def take_back(tx: Session, caller: Caller, counted: dict[str, str]) -> None:
    """It was right."""
    if not caller.session:
        await failures.take_back(tx, caller.account)
    for who, id in counted.items():
        await moderators.forget_attempt(tx, who, id)


class Throttle:
    def __init__(self, database: Database, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.database, self.sleep = database, sleep
        self._waiting = 0

    async def wait(self, caller: Caller, now: int) -> None:
        """For a stranger to an account that fails from everywhere. It holds nothing meanwhile: neither a connection nor a
        place among those who hash. Raises TooFast where the allowance is used up, or too many wait."""
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
