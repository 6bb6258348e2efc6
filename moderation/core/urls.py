"""Every address of the service that it sends out. The base is a setting, never the request's Host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

import idna

from moderation.core.signing import Signer

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@lru_cache(16)
def own_origins(base: str) -> tuple[str, ...]:
    """The origins of the service's own pages (RFC 6454). On the local machine, without a public address, there are three
    names for it."""
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode()
    named = f"[{host}]" if ":" in host else host
    end = "" if port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{port}"
    return tuple(f"{parts.scheme}://{name}{end}" for name in (LOOPBACK if named in LOOPBACK else (named,)))


@dataclass(frozen=True, slots=True)
class Links:
    base: str
    """The base address, without a final slash."""
    signer: Signer

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def prefix(self) -> str:
        """The path of the base address, percent-encoded: `/comments`, or empty where the service has the host to itself."""
        return urlsplit(self.base).path

    def is_own(self, origin: str) -> bool:
        """Whether an address is the service's own, by the setting alone: the client chooses the header `Host`."""
        return origin in own_origins(self.base)

    def receipt(self, comment: str) -> str:
        return f"{self.base}/receipts/{self.signer.receipt(comment)}"

    def avatar(self, name: str) -> str:
        return f"{self.base}/avatars/{self.signer.avatar(name)}.svg"

    def thread(self, site: str, article: str) -> str:
        return f"{self.base}/sites/{site}/articles/{article}/comments"

    def form(self, site: str, article: str) -> str:
        return f"{self.base}/sites/{site}/articles/{article}/form"

    def fragment(self, site: str, article: str) -> str:
        return f"{self.base}/sites/{site}/articles/{article}/fragment"

    def feed(self, site: str, article: str | None, name: str = "feed") -> str:
        """The feed of an article or of a whole site. `name` is `feed` (Atom) or `feed.json` (JSON Feed)."""
        return f"{self.base}/sites/{site}{f'/articles/{article}' if article else ''}/{name}"

    def subscription(self, id: str) -> str:
        return f"{self.base}/subscriptions/{self.signer.sign('subscription', id)}"

    def person(self, id: str) -> str:
        return f"{self.base}/privacy/{self.signer.sign('person', id)}"

    def digest(self, moderator: str) -> str:
        return f"{self.base}/digests/{self.signer.sign('digest', moderator)}"

    def console(self, comment: str = "") -> str:
        return f"{self.base}/moderate" + (f"/comments/{comment}" if comment else "")

    def account(self) -> str:
        return f"{self.base}/moderate/account"

    def set_password(self, token: str) -> str:
        return f"{self.base}/moderate/set-password/{token}"
