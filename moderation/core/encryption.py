"""Cipher: authenticated encryption of the few values that must be read again and must not stand in a file as they are.

AES-256-GCM (NIST SP 800-38D) from `cryptography`: the standard library has no cipher, and one of our own would be none. Its key
is derived from the secret key, so a copy of the database or of a recording alone tells nothing.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any

NONCE = 12
"""Bytes, random for each message: safe for 2³² messages under one key (SP 800-38D, 8.3)."""


class Cipher:
    """One for each kind of value; `key` has 32 bytes (`Signer.cipher_key`)."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._aead: Any = None

    def encrypt(self, value: bytes, about: str) -> str:
        """The value as a text in URL-safe base64. It can be decrypted under the same `about` alone, so it is of no use in
        another row."""
        nonce = secrets.token_bytes(NONCE)
        return base64.urlsafe_b64encode(nonce + self._opened().encrypt(nonce, value, about.encode())).decode()

    def decrypt(self, text: str, about: str) -> bytes | None:
        """The value; None for one that was changed, or encrypted under another key or `about`."""
        from cryptography.exceptions import InvalidTag

        try:
            raw = base64.urlsafe_b64decode(text.encode())
            value: bytes = self._opened().decrypt(raw[:NONCE], raw[NONCE:], about.encode())
        except (InvalidTag, binascii.Error, ValueError):  # a nonce of another length is a ValueError
            return None
        return value

    def _opened(self) -> Any:
        if self._aead is None:
            # imported here: it takes 58 ms, which a service without Coral never needs
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            self._aead = AESGCM(self._key)
        return self._aead
