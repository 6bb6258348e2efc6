"""Allowances: the answers that one network may still get. Refusals are counted here, in bounded memory.

Stored comments are counted in the database (`comments/store.py: recent`), over all workers and restarts. A refusal leaves
no row, so each process counts its own: with N workers, a network gets up to N times as many refusals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from moderation.core.problem import Invalid, Problem, TooFast, Unavailable
from moderation.core.signing import SHARED
from moderation.sites.model import Site

MINUTE = 60
WRONG_A_MINUTE = 30
"""Invalid submissions (`422`) of one network in any minute. They have their own limit, so typing errors do not use up posts."""
PREVIEWS_A_MINUTE = 30
"""Previews of one network in any minute."""
TOO_MANY = "Too many comments come from your address. Try again in a minute."
SHARED_TIMES = 10
KEPT = 20_000
"""The most counters in memory, some megabytes; beyond them the oldest second is dropped."""


def times(network: str) -> int:
    """The factor on one reader's limits: SHARED_TIMES for readers behind an undeclared proxy, else 1."""
    return SHARED_TIMES if network == SHARED else 1


class LastMinute:
    """Counts by key over the last 60 seconds: a table for each second, and their sum."""

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
        """Counts a key once. Returns its count, this one included."""
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
        ):  # the clock was set back: these seconds would stay for long
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
    """Every answer counts against its network. Exempt are repeated first answers and an author's own edits, which do not come
    here, and the service's own failures."""

    def __init__(self) -> None:
        self._refused, self._wrong, self._previews = LastMinute(), LastMinute(), LastMinute()

    def refused(self, site: Site, network: str, now: int) -> int:
        """The number of refusals in the last minute."""
        return self._refused.of((site.key, network), now)

    def check(self, site: Site, network: str, now: int) -> None:
        """Raises TooFast if refusals alone have used up the allowance, before the request is read, rendered or scored."""
        if network and 0 < most(site, network) <= self.refused(site, network, now):
            raise TooFast(TOO_MANY, MINUTE)

    def preview(self, network: str, now: int) -> None:
        """Counts a preview. Raises TooFast past their limit, which is their own."""
        if network and self._previews.add(network, now) > PREVIEWS_A_MINUTE * times(network):
            raise TooFast("Too many previews come from your address. Try again in a minute.", MINUTE)

    def told(self, problem: Problem, site: Site, network: str, now: int) -> Problem:
        """Counts a problem, once, and returns the answer: the same problem, or TooFast."""
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
    """The limit of one network's answers on a site in any minute; 0: no limit."""
    return site.settings.per_address_a_minute * times(network)
