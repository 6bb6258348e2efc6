"""Signer: every value derived from the secret key (BLAKE2b, RFC 7693). Each kind of value has its own purpose string, so
none can be used as another."""

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
"""Milliseconds: the youngest and oldest valid age of a form token; site settings override them."""

SHARED = "shared"
"""The address, and the address key, shared by all readers behind an undeclared proxy."""

TICKET_LIFE = 10 * 60 * 1000
"""Milliseconds allowed between the password and the code."""


class Signer:
    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError("the secret key must have at least 16 bytes")
        self._key = blake2b(secret, digest_size=32).digest()
        self._begun: dict[tuple[str, int], blake2b] = {}

    def _mark(self, purpose: str, text: str, size: int = 16) -> bytes:
        begun = self._begun.get((purpose, size))
        if begun is None:  # the key is a block of its own: hashed once for each purpose, and copied
            begun = blake2b(key=self._key, person=purpose.encode()[:16], digest_size=size)
            self._begun[purpose, size] = begun
        hash = begun.copy()
        hash.update(text.encode("utf-8", "replace"))
        return hash.digest()

    def instance(self) -> str:
        """Names this service to its operator, 16 hex digits: two services with one secret key have the same."""
        return self._mark("instance", "", 8).hex()

    def author_key(self, email: str, name: str) -> str:
        """An author's key, 32 hex digits: from the email address. Without one it is from the name and identifies nobody; it
        only tells apart what is sent twice from one network."""
        who = f"email:{email.casefold()}" if email else f"name:{name.casefold()}"
        return self._mark("author", who).hex()

    def staff_key(self, who: str) -> str:
        """A moderator's author key, from the moderator's id."""
        return self._mark("staff", who).hex()

    def network_key(self, address: str) -> str:
        """A network address's key; IPv6 addresses by their /64. Empty for an unknown address."""
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
        """A comment's receipt: its id and a signature of 144 bits."""
        return comment + urlsafe(self._mark("receipt", comment, 18))

    def comment_of(self, receipt: str) -> str | None:
        """The comment id of a receipt, or of a receipt's full address; None for a forged one."""
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
        """`ok`, `missing` (or forged), `early` or `old`. A valid token with a future time comes from before the clock was set
        back: its age is unknown, and it is `ok`."""
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

    def device(self, moderator: str, password_hash: str, seed: str, id: str) -> str:
        """The cookie of a browser that has signed in: an id with its time, and a signature. A password change ends it, and so
        does a new seed."""
        return id + urlsafe(self._mark("device", f"{moderator}/{password_hash}/{seed}/{id}", 18))

    def device_of(self, moderator: str, password_hash: str, seed: str, token: str, since: int) -> str:
        """The id in such a cookie; empty if it is forged, another moderator's, over, or older than the given time."""
        id = token[:ID_LENGTH]
        good = hmac.compare_digest(
            self.device(moderator, password_hash, seed, id).encode("utf-8", "replace"), token.encode("utf-8", "replace")
        )
        return id if good and is_id(id) and made_at(id) > since else ""

    def totp_secret(self, moderator: str, seed: str) -> bytes:
        """The secret of a moderator's authenticator app (160 bits, as RFC 4226 recommends); stored nowhere."""
        return self._mark("totp", f"{moderator}/{seed}", 20)

    def login_token(self, site: str, moderator: str, password_hash: str, browser: str, now: int) -> str:
        """The proof, between the two steps of signing in, of a correct password in this browser. A password change ends it."""
        mark = urlsafe(self._mark("ticket", f"{site}/{moderator}/{password_hash}/{browser}/{now:x}", 18))
        return f"{site}/{moderator}/{now:x}/{mark}"

    def is_ticket(
        self, login_token: str, site: str, moderator: str, password_hash: str, browser: str, now: int
    ) -> bool:
        try:
            at = int(login_token.split("/")[2][:16], 16)
        except (IndexError, ValueError):
            return False
        good = self.login_token(site, moderator, password_hash, browser, at)
        same = hmac.compare_digest(good.encode(), login_token.encode("utf-8", "replace"))
        return same and now - at < TICKET_LIFE  # below 0 where the clock was set back meanwhile

    def token_hash(self, token: str) -> str:
        """A token as it is stored: a keyed hash."""
        return self._mark("token", token, 32).hex()

    def sign(self, purpose: str, id: str) -> str:
        """A link's token in a mail: an id and a signature of 144 bits."""
        return id + urlsafe(self._mark(f"mail:{purpose}", id, 18))

    def verify(self, purpose: str, token: str) -> str | None:
        """The id in a mail's token; None for a forged one."""
        id = token[:ID_LENGTH]
        good = hmac.compare_digest(self.sign(purpose, id).encode("utf-8", "replace"), token.encode("utf-8", "replace"))
        return id if good and is_id(id) else None

    def webhook_secret(self, endpoint: str) -> bytes:
        """The secret that signs a webhook's messages."""
        return self._mark("webhook", endpoint, 32)

    def cipher_key(self, purpose: str) -> bytes:
        """The key of a Cipher."""
        return self._mark("cipher", purpose, 32)

    def feed(self, site: str, article: str | None) -> str:
        """A feed's UUID: globally unique, and independent of the service's address."""
        return str(UUID(bytes=self._mark("feed", f"{site}/{article or ''}")))

    def avatar(self, name: str) -> str:
        """The seed of an avatar: 16 hex digits from the shown name alone, equal for visually equal spellings."""
        shown = normalize("NFKC", normalize("NFKC", name).casefold())
        return self._mark("avatar", " ".join(shown.split()), 8).hex()


@lru_cache(1024)
def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, or None. An IPv4-mapped IPv6 address, as dual-stack sockets report it, becomes the IPv4 address."""
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
