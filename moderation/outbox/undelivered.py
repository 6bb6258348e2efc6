"""The error of a failed delivery; its text contains no address and no quotation."""

from __future__ import annotations


class Undelivered(Exception):
    """`final`: a retry cannot help. `gone`: the destination is gone for good. `alone`: only this message is affected.

    `hint` is for a manual test and is not stored: the likely error and the other end's answer."""

    def __init__(
        self, said: str, *, final: bool = False, gone: bool = False, alone: bool = False, hint: str = ""
    ) -> None:
        super().__init__(said)
        self.hint = hint
        self.said, self.final, self.gone, self.alone = said, final or gone, gone, final or alone
