"""A test of the mail settings with one test mail, and its result in plain words."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from moderation.core.ids import new_id
from moderation.outbox.smtp import Letter, Smtp, composed, send
from moderation.outbox.undelivered import Undelivered

TAKEN = (
    "The mail server has taken it. Where it does not arrive within a few minutes, look into the spam folder, and at SPF and "
    "DKIM of the sender's domain."
)


@dataclass(frozen=True, slots=True)
class Tried:
    """The result; `said` is one line for people."""

    taken: bool
    said: str


class MailCheck:
    def __init__(self, server: Smtp | None, host: str, base: str) -> None:
        """`host` is the service's host name, `base` its address."""
        self._server, self._host, self._base = server, host, base
        self._one = asyncio.Lock()

    @property
    def settings(self) -> dict[str, str]:
        """The settings without secrets; empty if mail is not set up."""
        if self._server is None:
            return {}
        return {
            "server": f"{self._server.host}:{self._server.port}",
            "encrypted": "from the start" if self._server.tls else "where the server offers it (STARTTLS)",
            "signs in": "with a name and a password" if self._server.user else "no",
            "from": str(self._server.sender),
        }

    async def check_connection(self) -> Tried:
        """Tests connection and login; sends nothing."""
        return await self._try("", 0)

    async def send(self, address: str, now: int) -> Tried:
        return await self._try(address, now)

    async def _try(self, address: str, now: int) -> Tried:
        if self._server is None:
            return Tried(False, "not set up (MODERATION_SMTP_URL); nobody is mailed")
        try:
            mail = None
            if address:
                letter = Letter(address, "A test mail", (f"The mail of {self._base} works.",))
                mail = composed(letter, self._server.sender, f"test.{new_id(now)}", self._host, now)
            async with self._one:  # one at a time, to spare the mail server
                await asyncio.to_thread(send, self._server, mail, self._host)
        except Undelivered as problem:
            return Tried(False, f"{problem.said}. {problem.hint}" if problem.hint else problem.said)
        return Tried(True, TAKEN if address else "ok")
