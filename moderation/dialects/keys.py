"""Keys: tokens as the protocols carry them, in addresses, bodies and host names; guessing is limited."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from moderation.core.problem import TooFast, Unauthorized
from moderation.core.signing import Signer
from moderation.db.database import Database
from moderation.sites.allowance import times
from moderation.team import access
from moderation.team.model import Principal

FAILURES, WINDOW = 100, 15 * 60_000
"""Unknown keys from one network within milliseconds. An Akismet key has 48 bits: at this rate one network needs some forty million
years for half of them."""
NETWORKS = 10_000
"""Networks whose failures are counted; past them the oldest are forgotten."""
KEY_LONGEST = 200


class Keys:
    """One for each process, in `Services.keys`."""

    def __init__(self, database: Database, signer: Signer, clock: Callable[[], int]) -> None:
        self.database, self.signer, self.clock = database, signer, clock
        self._failures: dict[str, deque[int]] = {}

    async def principal(self, key: str, network_key: str) -> Principal | None:
        """The principal of a key, or None for an unknown one. Raises TooFast after too many unknown ones from a network, before
        the key is looked at."""
        now = self.clock()
        failures = self._failures.get(network_key)
        while failures and not now - WINDOW < failures[0] <= now:
            failures.popleft()
        if failures and len(failures) >= FAILURES * times(network_key):  # an unknown network has none
            raise TooFast("Too many unknown keys from this network.", WINDOW // 1000)
        if key and len(key) <= KEY_LONGEST:
            try:
                return await access.of_token(self.database, self.signer, key, now)
            except Unauthorized:
                pass
        if key and network_key:  # else all of this machine's programs would be one
            self._count(network_key, now)
        return None

    def _count(self, network_key: str, now: int) -> None:
        failures = self._failures.pop(network_key, None) or deque()
        failures.append(now)
        self._failures[network_key] = failures
        if len(self._failures) > NETWORKS:
            del self._failures[next(iter(self._failures))]
