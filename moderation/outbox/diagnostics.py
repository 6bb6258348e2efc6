"""Likely errors in the mail settings, in plain words, without user name, password or address."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from typing import Protocol

LONGEST = 200


class Server(Protocol):
    """The mail server."""

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
    """The server's answer on one line, without addresses and credentials."""
    answer = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    for secret in (server.password, server.user):
        if secret:
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                answer = answer.replace(form, "…")
    answer = re.sub(r"[^\s<>\"',;:()]*@[^\s<>\"',;:()]*", "…", answer)
    answer = " ".join("".join(c if c.isprintable() else " " for c in answer).split())
    return f"It says: “{answer[:LONGEST]}”" if answer else ""


def why_silent(server: Server, error: Exception) -> str:
    """The usual cause of a failed connection."""
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
