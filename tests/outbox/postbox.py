"""A real SMTP server on loopback that keeps what it takes."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.conftest import free_port


@dataclass
class Postbox:
    url: str = ""
    got: list[Envelope] = field(default_factory=list)
    rcpt: dict[str, list[str]] = field(default_factory=dict)
    """What it says to recipients, in turn; when nothing is left, it takes them."""
    tls: list[bool] = field(default_factory=list)

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_string((e.content or b"").decode(), policy=email.policy.default) for e in self.got]  # type: ignore[union-attr, misc]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt.get(address):
            return self.rcpt[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.got.append(envelope)
        self.tls.append(session.ssl is not None)
        return "250 taken"


def signs_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    well = isinstance(data, LoginPassword) and data == LoginPassword(b"ann@relay.example", b"p@ss/word")
    return AuthResult(success=well, handled=False)


@contextmanager
def postbox(tls: ssl.SSLContext | None = None, *, utf8: bool = True, login: bool = False) -> Iterator[Postbox]:
    box, port = Postbox(), free_port()
    more: dict[str, Any] = (
        {"auth_required": True, "authenticator": signs_in, "auth_require_tls": False} if login else {}
    )
    controller = Controller(
        box, hostname="127.0.0.1", port=port, enable_SMTPUTF8=utf8, tls_context=tls, ready_timeout=20, **more
    )
    controller.start()
    user = "ann%40relay.example:p%40ss%2Fword@" if login else ""
    box.url = f"smtp://{user}127.0.0.1:{port}"
    try:
        yield box
    finally:
        controller.stop()
