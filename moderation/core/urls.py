"""Every address of the service that it sends out. The base is a setting, never the request's Host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from socket import inet_aton, inet_ntoa
from urllib.parse import unquote, urlsplit

import idna

from moderation.core.signing import Signer

HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def origin_of(address: str) -> str:
    """The origin of an http(s) address (RFC 6454) as browsers send it (WHATWG URL, host parser): in lower case, the host in
    ASCII, without the scheme's own port. The full stop after a host is left out. Raises ValueError, in words."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "\\" in address:
        raise ValueError("give an origin like https://blog.example.org")
    host, port = host_of(parts.hostname or ""), parts.port
    end = "" if port in (None, {"http": 80, "https": 443}[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{end}"


def origin_if_any(address: str) -> str | None:
    """The same, or None."""
    try:
        return origin_of(address)
    except ValueError:
        return None


def host_of(text: str) -> str:
    """A host as browsers write it; an IPv6 address in brackets. Raises ValueError, in words."""
    if ":" in text:
        try:
            return f"[{IPv6Address(text).compressed}]"
        except ValueError:
            raise ValueError("what stands in brackets is no IPv6 address") from None
    host = unquote(text)
    if "*" in host:
        raise ValueError("a wildcard matches no page: give each origin by itself, like https://blog.example.org")
    if not host.isascii():
        try:  # per label as browsers do, which take symbols that registries refuse
            labels = idna.uts46_remap(host, std3_rules=False).split(".")
            host = ".".join(one if one.isascii() else f"xn--{one.encode('punycode').decode()}" for one in labels)
        except UnicodeError:
            raise ValueError("the host has a character that no address has") from None
    host = host.lower().removesuffix(".")
    if not HOST.fullmatch(host):
        raise ValueError("give an origin like https://blog.example.org")
    if not NUMBER.fullmatch(host.rpartition(".")[2]):
        return host
    try:  # `127.1` and `0x7f000001` are IPv4 addresses too
        return inet_ntoa(inet_aton(host))
    except OSError:
        raise ValueError("the host ends in a number and is no IPv4 address") from None


@lru_cache(16)
def own_origins(base: str) -> tuple[str, ...]:
    """The origins of the service's own pages. On the local machine, without a public address, there are three names for it."""
    origin = origin_of(base)
    scheme, _, rest = origin.partition("://")
    name = next((name for name in LOOPBACK if rest == name or rest.startswith(name + ":")), None)
    return (origin,) if name is None else tuple(f"{scheme}://{other}{rest[len(name) :]}" for other in LOOPBACK)


def is_local(base: str) -> bool:
    """Whether an address is this machine's own."""
    return len(own_origins(base)) > 1


@dataclass(frozen=True, slots=True)
class Links:
    base: str
    """The base address, without a final slash."""
    signer: Signer

    @property
    def origin(self) -> str:
        return origin_of(self.base)

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
