"""Mail: a Letter as an RFC 5322 message, sent by the standard library's smtplib in a thread.

Mails are few and sent one after another, so an asynchronous package would bring no advantage.
"""

from __future__ import annotations

import asyncio
import html
import smtplib
import ssl
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import idna

from moderation.outbox import diagnostics, mail_headers
from moderation.outbox.store import Message
from moderation.outbox.undelivered import Undelivered

WAIT = 10
"""Seconds to wait for each answer of the server."""


@dataclass(frozen=True, slots=True)
class Link:
    says: str
    url: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation in a letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one address. `unsubscribe` is the address of the one-click button (RFC 8058)."""

    to: str
    subject: str
    parts: tuple[str | Link | Quote, ...]
    name: str = ""
    unsubscribe: str = ""
    lang: str = "en"


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server and the sender."""

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)
    sender: Address = field(default_factory=Address)

    @classmethod
    def of(cls, url: str, sender: str) -> Smtp:
        """The server of `smtp[s]://user:password@host:port`, which the settings have checked."""
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        name, email = parseaddr(sender)
        return cls(
            parts.hostname or "",
            parts.port or (465 if tls else 587),
            tls,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            address_of(email, name),
        )

    @property
    def is_here(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def line(text: str, longest: int = 200) -> str:
    """A name or title as one line, for a header."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(plain.split())[:longest]


def address_of(email: str, name: str = "") -> Address:
    """The address with its domain in ASCII, so that only a non-ASCII local part needs SMTPUTF8. Raises Undelivered."""
    local, _, domain = email.rpartition("@")
    try:
        shown = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
        return Address(line(name, 100), username=local, domain=shown)
    except (ValueError, idna.IDNAError, IndexError):
        raise Undelivered("the address cannot be written to", final=True) from None


def composed(letter: Letter, sender: Address, id: str, host: str, at: int) -> EmailMessage:
    """The message of a letter; the bytes are equal for all attempts."""
    recipient = address_of(letter.to, letter.name)
    mail = EmailMessage(mail_headers.policy(utf8=not (sender.username + recipient.username).isascii()))
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = line(letter.subject)
    mail["Date"] = format_datetime(datetime.fromtimestamp(at / 1000, UTC))
    mail["Message-ID"] = f"<{id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        mail["List-Unsubscribe"] = mail_headers.address_in_header(letter.unsubscribe)
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("\n\n".join(plain(part) for part in letter.parts) + "\n")
    mail.add_alternative(
        f'<!doctype html>\n<html lang="{letter.lang}"><head><meta charset="utf-8"></head><body>\n'
        + "\n".join(marked_up(part) for part in letter.parts)
        + "\n</body></html>\n",
        subtype="html",
    )
    mail.set_boundary(f"=_{id}")
    return mail


def plain(part: str | Link | Quote) -> str:
    if isinstance(part, Link):
        return f"{part.says}:\n{part.url}"
    if isinstance(part, Quote):
        return "\n".join(f"> {line}".rstrip() for line in part.text.splitlines())
    return part


def marked_up(part: str | Link | Quote) -> str:
    if isinstance(part, Link):
        return f'<p><a href="{html.escape(part.url)}">{html.escape(part.says)}</a></p>'
    if isinstance(part, Quote):
        return (
            f'<blockquote dir="auto">{"<br>".join(html.escape(line) for line in part.text.splitlines())}</blockquote>'
        )
    return f"<p>{html.escape(part)}</p>"


def connected(server: Smtp, our_name: str) -> smtplib.SMTP:
    """A connection after greeting, encryption and login. A password is sent unencrypted only to this machine."""
    tls = ssl.create_default_context()
    if server.is_here:  # a relay on this machine has a self-signed certificate, or one for another name
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if server.tls:
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, our_name, timeout=WAIT, context=tls)
    else:
        client = smtplib.SMTP(server.host, server.port, our_name, timeout=WAIT)
    try:
        client.ehlo_or_helo_if_needed()
        if not server.tls and client.has_extn("starttls"):
            client.starttls(context=tls)
            client.ehlo()
        elif not server.tls and server.user and not server.is_here:
            raise Undelivered("the mail server offers no STARTTLS, and the password is not sent in the clear")
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def send(server: Smtp, mail: EmailMessage | None, our_name: str) -> None:
    """Sends a mail; without one, only connects. Raises Undelivered, whose text contains no address, even if the server's
    does."""
    try:
        with connected(server, our_name) as connection:
            if mail is None:
                connection.noop()
                return
            if not mail["To"].addresses[0].addr_spec.isascii() and not connection.has_extn("smtputf8"):
                raise Undelivered("the mail server takes no international addresses (SMTPUTF8)", final=True)
            connection.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = max(error.recipients.values(), default=(0, b""))
        problem = f"the mail server refuses the recipient ({code})"
        raise Undelivered(
            problem, final=500 <= code < 600, alone=True, hint=diagnostics.quoted(server, words)
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        hint = "Look at the name and the password in MODERATION_SMTP_URL; `@`, `/` and `:` in them are written %40, %2F and %3A"
        raise Undelivered(f"the mail server refuses our name or password ({error.smtp_code})", hint=hint) from None
    except smtplib.SMTPSenderRefused as error:
        hint = f"{diagnostics.quoted(server, error.smtp_error)} MODERATION_MAIL_FROM must be an address that it lets us write from"
        raise Undelivered(f"the mail server refuses our sender ({error.smtp_code})", hint=hint.strip()) from None
    except smtplib.SMTPDataError as error:
        final, hint = 500 <= error.smtp_code < 600, diagnostics.quoted(server, error.smtp_error)
        problem = f"the mail server refuses the mail ({error.smtp_code})"
        raise Undelivered(problem, final=final, alone=True, hint=hint) from None
    except smtplib.SMTPResponseException as error:
        hint = diagnostics.quoted(server, error.smtp_error)
        raise Undelivered(f"the mail server answers {error.smtp_code}", hint=hint) from None
    except smtplib.SMTPNotSupportedError:
        raise Undelivered("the mail server does not know AUTH, or SMTPUTF8 for our own address") from None
    except (smtplib.SMTPException, OSError) as error:
        problem = f"the mail server does not answer ({type(error).__name__})"
        raise Undelivered(problem, hint=diagnostics.why_silent(server, error)) from None


Write = Callable[[Message], Awaitable[Letter | None]]


class Mail:
    def __init__(self, server: Smtp | None, host: str, write: Write) -> None:
        """`write` makes the letter when the mail is sent; None if it is obsolete."""
        self._server, self._host, self._write = server, host, write

    async def send(self, message: Message) -> None:
        """Raises Undelivered."""
        if self._server is None:
            raise Undelivered("no mail is set up (MODERATION_SMTP_URL)", final=True)
        letter = await self._write(message)
        if letter:
            mail = composed(letter, self._server.sender, message.id, self._host, message.created_at)
            await asyncio.to_thread(send, self._server, mail, self._host)
