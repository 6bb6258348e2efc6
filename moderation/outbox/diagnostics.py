"""What may be wrong with the mail's settings, in plain words, for whoever tries them. No name, password or address is in them."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from typing import Protocol

LONGEST = 200


class Server(Protocol):
    """Where mail is handed in."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def tls(self) -> bool: ...
    @property
    def user(self) -> str: ...
    @property
    def password(self) -> str: ...


def quoted(server: Server, words: bytes | str) -> str:
    """What the server said, on one line, without addresses and without what we signed in with."""
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    for secret in (server.password, server.user):
        if secret:
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                said = said.replace(form, "…")
    said = re.sub(r"[^\s<>\"',;:()]*@[^\s<>\"',;:()]*", "…", said)
    said = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return f"It says: “{said[:LONGEST]}”" if said else ""


def why_silent(server: Server, error: Exception) -> str:
    """What usually stands behind a connection that does not come about."""
    where = f"{server.host}:{server.port}"
    other = "smtp:// (port 587)" if server.tls else "smtps:// (port 465)"
    if isinstance(error, socket.gaierror):
        return f"The name {server.host} is not known: is it spelled right in MODERATION_SMTP_URL?"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {server.host} cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"{where} does not encrypt as expected: is it {other}?"
    if isinstance(error, ConnectionRefusedError):
        return f"Nothing listens at {where}: is the port right?"
    if isinstance(error, TimeoutError):
        return f"{where} keeps silent: is there a firewall between, or is it {other}?"
    return f"{where} ended the conversation: is it {other}?"
