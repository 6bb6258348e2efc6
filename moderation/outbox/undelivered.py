"""Why a message did not arrive, in words that name no address and quote nobody."""

from __future__ import annotations


class Undelivered(Exception):
    """`final`: trying again would not help. `gone`: nothing will ever arrive there. `alone`: others may well arrive.

    `hint` is for whoever tries it by hand, and is kept nowhere: what may be wrong, and what the other end said of it."""

    def __init__(
        self, said: str, *, final: bool = False, gone: bool = False, alone: bool = False, hint: str = ""
    ) -> None:
        super().__init__(said)
        self.hint = hint
        self.said, self.final, self.gone, self.alone = said, final or gone, gone, final or alone
