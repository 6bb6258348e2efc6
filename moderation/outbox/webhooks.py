"""Webhooks by the Standard Webhooks convention: signed, sent to a checked address, without following redirects."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import orjson

from moderation import __version__
from moderation.core.ids import new_id
from moderation.core.problem import FieldError, Invalid
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.outbox import store_webhooks as webhooks
from moderation.outbox.events import EVENTS
from moderation.outbox.store import Message
from moderation.outbox.store_webhooks import Endpoint
from moderation.outbox.undelivered import Undelivered
from moderation.text.addresses import checked_url

NAT64 = ip_network("64:ff9b::/96")
ADDRESSES_TRIED = 3


def secret_text(signer: Signer, endpoint: str) -> str:
    """The secret in the form of the receiver's library."""
    return "whsec_" + base64.b64encode(signer.webhook_secret(endpoint)).decode()


def signature(secret: bytes, id: str, timestamp: int, body: bytes) -> str:
    signed = b"%s.%d.%s" % (id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def is_public(address: str) -> bool:
    """Whether an address is public: not loopback, private, link-local, multicast or reserved, and not an IPv6 form of such
    an IPv4 address."""
    try:
        ip: IPv4Address | IPv6Address | None = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip is not None and ip.is_global and not ip.is_multicast


async def add(tx: Session, signer: Signer, url: str, site: str, events: str, *, to_private: bool, now: int) -> str:
    """Adds an endpoint. Returns its secret, to be shown once. Raises Invalid."""
    wrong = []
    address = checked_url(url)
    if address is None or len(url) > 2000 or urlsplit(address).fragment:
        wrong.append(
            FieldError("url", "invalid", "must be a web address without a name, a password or a fragment in it")
        )
    elif not address.startswith("https:") and not to_private:
        wrong.append(
            FieldError("url", "invalid", "must start with https:// (http:// only with MODERATION_WEBHOOKS_TO_PRIVATE)")
        )
    names = tuple(dict.fromkeys(e.strip() for e in events.split(",") if e.strip())) or tuple(EVENTS)
    if not set(names) <= set(EVENTS):
        wrong.append(FieldError("events", "invalid", f"must be some of {', '.join(EVENTS)}"))
    if wrong or address is None:
        raise Invalid(*wrong)
    endpoint = Endpoint(site=site, id=new_id(now), url=address, events=names)
    await webhooks.add(tx, endpoint, now)
    await audit.note(tx, site=site, at=now, actor="operator", action="webhook:add", subject=endpoint.id)
    return secret_text(signer, endpoint.id)


class Webhooks:
    def __init__(self, database: Database, links: Links, clock: Callable[[], int], *, to_private: bool) -> None:
        self.database, self.links, self.clock, self.to_private = database, links, clock, to_private
        self._tls: Any = None

    async def send(self, message: Message) -> None:
        """Raises Undelivered."""
        async with self.database.reading() as session:
            endpoint = await webhooks.find(session, message.destination)
        if endpoint is None or endpoint.disabled_at is not None:
            raise Undelivered("the endpoint is removed or disabled", gone=True)
        content = message.content
        if author := content["data"].get("author"):
            author["avatar"] = self.links.avatar(author["name"])
        await self._post(endpoint, f"msg_{message.id}", orjson.dumps(content))

    async def _post(self, endpoint: Endpoint, id: str, body: bytes) -> None:
        import httpx  # imported here: a service without webhooks never loads it

        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        parts = urlsplit(endpoint.url)
        host = parts.hostname or ""
        at = self.clock() // 1000
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": f"leave-a-reply/{__version__}",
            "webhook-id": id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self.links.signer.webhook_secret(endpoint.id), id, at, body),
        }
        addresses = await self._resolved(host, parts.port or (443 if parts.scheme == "https" else 80))
        for turn, address in enumerate(addresses, 1):
            # The connection uses the checked address, so neither a second DNS answer nor a redirect can change it. The
            # certificate is still compared with the name.
            place = httpx.URL(endpoint.url).copy_with(host=address)
            try:
                async with (
                    httpx.AsyncClient(verify=self._tls, trust_env=False, follow_redirects=False, timeout=15) as client,
                    client.stream(
                        "POST", place, content=body, headers=headers, extensions={"sni_hostname": host}
                    ) as answer,
                ):
                    status = answer.status_code  # the body is not read
            except httpx.ConnectError:
                if turn == len(addresses):
                    raise Undelivered("no connection") from None
            except httpx.HTTPError as error:
                raise Undelivered(f"no answer ({type(error).__name__})") from None
            else:
                break
        if status == 410:
            raise Undelivered("answered 410: gone, and disabled", gone=True)
        if not 200 <= status < 300:
            raise Undelivered(
                f"answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
            )

    async def _resolved(self, host: str, port: int) -> list[str]:
        try:
            entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise Undelivered("its host has no address") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        if not self.to_private and not all(is_public(address) for address in addresses):
            raise Undelivered("its address is private or loopback; see MODERATION_WEBHOOKS_TO_PRIVATE")
        return addresses[:ADDRESSES_TRIED]
