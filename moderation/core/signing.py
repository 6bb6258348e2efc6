"""Signer: all that is made from the secret key. Each use has its own purpose, so no value serves as another (BLAKE2b, RFC 7693)."""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import AF_INET, inet_pton
from uuid import UUID

from classifier.streamsafe import normalize
from moderation.core.ids import ID_LENGTH, is_id, made_at

FORM_YOUNGEST = 1_000
FORM_OLDEST = 24 * 3600 * 1000
"""Milliseconds: a form comes back no earlier, and no later, than this after it was served; a site may say otherwise."""

SHARED = "shared"
"""In an address's stead, and in its key's: all readers who came through a proxy that does not tell us who they are."""

TICKET_LIFE = 10 * 60 * 1000
"""Milliseconds between the password and the code."""


class Signer:
    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret key must have at least 16 bytes")
        self._key = blake2b(secret, digest_size=32).digest()

    def _mark(self, purpose: str, text: str, size: int = 16) -> bytes:
        return blake2b(
            text.encode("utf-8", "replace"), key=self._key, person=purpose.encode()[:16], digest_size=size
        ).digest()

    def author_key(self, email: str, name: str) -> str:
        """Who wrote it, without saying who: 32 hex digits. By address; by name only where there is none."""
        who = f"email:{email.casefold()}" if email else f"name:{name.casefold()}"
        return self._mark("author", who).hex()

    def staff_key(self, who: str) -> str:
        """The same for what moderators write: by themselves, not by an address."""
        return self._mark("staff", who).hex()

    def network_key(self, address: str) -> str:
        """Where it came from, an IPv6 address by its /64; empty for an unknown one."""
        if address == SHARED:
            return SHARED
        ip = parsed_address(address)
        if ip is None:
            return ""
        if isinstance(ip, IPv6Address):
            if ip.ipv4_mapped:
                ip = ip.ipv4_mapped
            else:
                return self._mark("address", ip.packed[:8].hex()).hex()
        return self._mark("address", ip.packed.hex()).hex()

    def edit_token(self, comment: str) -> str:
        return urlsafe(self._mark("edit", comment, 18))

    def is_edit_token(self, comment: str, token: str) -> bool:
        return hmac.compare_digest(self.edit_token(comment).encode(), token.encode("utf-8", "replace"))

    def receipt(self, comment: str) -> str:
        """The unguessable name of one comment, for its author: the id and 144 bits that only we can make."""
        return comment + urlsafe(self._mark("receipt", comment, 18))

    def comment_of(self, receipt: str) -> str | None:
        """The comment that a receipt is for, or None for a forged one. A whole receipt address is taken too."""
        receipt = receipt.strip().rsplit("/", 1)[-1]
        comment = receipt[:ID_LENGTH]
        if not is_id(comment):
            return None
        good = hmac.compare_digest(self.receipt(comment).encode(), receipt.encode("utf-8", "replace"))
        return comment if good else None

    def form_token(self, site: str, article: str, now: int) -> str:
        return f"{now:x}.{urlsafe(self._mark('form', f'{site}/{article}/{now:x}'))}"

    def check_form_token(
        self, token: str, site: str, article: str, now: int, youngest: int = FORM_YOUNGEST, oldest: int = FORM_OLDEST
    ) -> str:
        """`ok`, `missing` (or forged), `early` or `old`. One of ours from later than now was made before the clock was set
        back: it says nothing of its age, and is `ok`."""
        made, _, _ = token.partition(".")
        try:
            at = int(made, 16)
        except ValueError:
            return "missing"
        if not hmac.compare_digest(self.form_token(site, article, at).encode(), token.encode("utf-8", "replace")):
            return "missing"
        return "early" if 0 <= now - at < youngest else "old" if now - at > oldest else "ok"

    def csrf_token(self, session: str) -> str:
        return urlsafe(self._mark("csrf", session, 18))

    def is_csrf_token(self, session: str, token: str) -> bool:
        return hmac.compare_digest(self.csrf_token(session).encode(), token.encode("utf-8", "replace"))

    def device(self, account: str, id: str) -> str:
        """What a browser keeps that has signed in to an account: an id, which holds its time, and a mark for this account."""
        return id + urlsafe(self._mark("device", f"{account}/{id}", 18))

    def device_of(self, account: str, token: str, since: int) -> str:
        """Its id; empty for a forged one, another account's, or one from before that time."""
        id = token[:ID_LENGTH]
        good = hmac.compare_digest(
            self.device(account, id).encode("utf-8", "replace"), token.encode("utf-8", "replace")
        )
        return id if good and is_id(id) and made_at(id) > since else ""

    def totp_secret(self, moderator: str, seed: str) -> bytes:
        """What a moderator's app makes codes from (RFC 4226 recommends 160 bits); kept nowhere."""
        return self._mark("totp", f"{moderator}/{seed}", 20)

    def ticket(self, site: str, moderator: str, password_hash: str, browser: str, now: int) -> str:
        """Between the two steps of signing in: this moderator's password was right, in this browser. Ends when the password
        changes."""
        mark = urlsafe(self._mark("ticket", f"{site}/{moderator}/{password_hash}/{browser}/{now:x}", 18))
        return f"{site}/{moderator}/{now:x}/{mark}"

    def is_ticket(self, ticket: str, site: str, moderator: str, password_hash: str, browser: str, now: int) -> bool:
        try:
            at = int(ticket.split("/")[2][:16], 16)
        except (IndexError, ValueError):
            return False
        good = self.ticket(site, moderator, password_hash, browser, at)
        same = hmac.compare_digest(good.encode(), ticket.encode("utf-8", "replace"))
        return same and now - at < TICKET_LIFE  # below 0 where the clock was set back meanwhile

    def token_hash(self, token: str) -> str:
        """A token as it is stored: a keyed hash."""
        return self._mark("token", token, 32).hex()

    def sign(self, purpose: str, id: str) -> str:
        """The unguessable name of something in a mail that we sent: its id, and 144 bits that only we can make."""
        return id + urlsafe(self._mark(f"mail:{purpose}", id, 18))

    def verify(self, purpose: str, token: str) -> str | None:
        """None for a forged one."""
        id = token[:ID_LENGTH]
        good = hmac.compare_digest(self.sign(purpose, id).encode("utf-8", "replace"), token.encode("utf-8", "replace"))
        return id if good and is_id(id) else None

    def webhook_secret(self, endpoint: str) -> bytes:
        """What an endpoint's messages are signed with."""
        return self._mark("webhook", endpoint, 32)

    def feed(self, site: str, article: str | None) -> str:
        """A feed's UUID: its own among all services, and the same wherever this one moves."""
        return str(UUID(bytes=self._mark("feed", f"{site}/{article or ''}")))

    def avatar(self, name: str) -> str:
        """16 hex digits from the shown name, and from nothing else: what an avatar is drawn from.

        The same for every spelling that readers see as the same.
        """
        shown = normalize("NFKC", normalize("NFKC", name).casefold())
        return self._mark("avatar", " ".join(shown.split()), 8).hex()


@lru_cache(1024)
def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, or None; an IPv4 address in IPv6 form, as a socket for both says it, is the IPv4 address."""
    try:
        return IPv4Address(inet_pton(AF_INET, text))  # a quarter of what `ip_address` takes
    except (OSError, ValueError):
        pass
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
