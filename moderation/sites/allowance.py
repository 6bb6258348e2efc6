"""Allowance: what one network may still ask. Answers that stored nothing are counted here, in memory that has a bound.

What is stored counts itself (`comments/store.py: recent`), over all workers and restarts. A refusal leaves no row, so
each process counts its own: with N workers one network is refused at most N times as often as with one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from moderation.core.problem import Invalid, Problem, TooFast, Unavailable
from moderation.core.signing import SHARED
from moderation.sites.model import Site

MINUTE = 60
WRONG_A_MINUTE = 30
"""Submissions with wrong fields that one network gets explained in any minute. They count apart: who mistypes may post."""
TOO_MANY = "Too many comments come from your address. Try again in a minute."
SHARED_TIMES = 10
KEPT = 20_000
"""Counters in memory; where there are more, the oldest second is forgotten. Some megabytes."""


def times(network: str) -> int:
    """How many times what one reader may do is due to a network, or an address: behind an undeclared proxy are many."""
    return SHARED_TIMES if network == SHARED else 1


class LastMinute:
    """How often each key was counted in the last 60 seconds: a table for each second, and the sum of them."""

    def __init__(self, kept: int = KEPT) -> None:
        self._most, self._size = kept, 0
        self._seconds: deque[tuple[int, dict[Hashable, int]]] = deque()
        self._sums: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return self._size

    def of(self, key: Hashable, now: int) -> int:
        if not self._sums:
            return 0
        self._forget(now // 1000)
        return self._sums.get(key, 0)

    def add(self, key: Hashable, now: int) -> int:
        """How often with this time."""
        second = now // 1000
        self._forget(second)
        if not self._seconds or self._seconds[-1][0] < second:
            self._seconds.append((second, {}))
        counts = self._seconds[-1][1]
        self._size += key not in counts
        counts[key] = counts.get(key, 0) + 1
        self._sums[key] = self._sums.get(key, 0) + 1
        while self._size > self._most:
            self._drop()
        return self._sums.get(key, 1)

    def _forget(self, second: int) -> None:
        if (
            self._seconds and second < self._seconds[-1][0] - MINUTE
        ):  # the clock was set back: these would stay for long
            self._seconds.clear()
            self._sums.clear()
            self._size = 0
        while self._seconds and self._seconds[0][0] <= second - MINUTE:
            self._drop()

    def _drop(self) -> None:
        _, counts = self._seconds.popleft()
        self._size -= len(counts)
        for key, count in counts.items():
            left = self._sums[key] - count
            if left:
                self._sums[key] = left
            else:
                del self._sums[key]


class Allowance:
    """Every answer counts against the network that asked, whatever it says; but those that are no attempt of anybody's (a
    first answer given again, an author's own edit: neither is brought here), and our own failures."""

    def __init__(self) -> None:
        self._refused, self._wrong = LastMinute(), LastMinute()

    def refused(self, site: Site, network: str, now: int) -> int:
        """How many answers in the last minute stored nothing."""
        return self._refused.of((site.key, network), now)

    def check(self, site: Site, network: str, now: int) -> None:
        """Raises TooFast where refusals alone have used it up: then nothing need be read, rendered or scored."""
        if network and 0 < most(site, network) <= self.refused(site, network, now):
            raise TooFast(TOO_MANY, MINUTE)

    def told(self, problem: Problem, site: Site, network: str, now: int) -> Problem:
        """What to answer with this problem, counted: the same, or that there were too many. Counted once, however often it
        is brought."""
        if not network or problem.counted or isinstance(problem, Unavailable):
            return problem
        if isinstance(problem, Invalid):
            is_over = self._wrong.add(network, now) > WRONG_A_MINUTE * times(network)
        else:
            is_over = 0 < most(site, network) < self._refused.add((site.key, network), now)
        if is_over and not isinstance(problem, TooFast):
            problem = TooFast(TOO_MANY, MINUTE)
        problem.counted = True
        return problem


def most(site: Site, network: str) -> int:
    """Answers that one network gets on a site in any minute; 0 is no limit."""
    return site.settings.per_address_a_minute * times(network)
