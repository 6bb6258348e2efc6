"""Why a message did not arrive, in words that name no address and quote nobody."""

from __future__ import annotations


class Undelivered(Exception):
    """`final`: trying again would not help. `gone`: nothing will ever arrive there."""

    def __init__(self, said: str, *, final: bool = False, gone: bool = False) -> None:
        super().__init__(said)
        self.said, self.final, self.gone = said, final or gone, gone
