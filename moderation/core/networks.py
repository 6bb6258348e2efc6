"""The reader's network address, behind proxies or without one."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from moderation.core.signing import SHARED, parsed_address

Networks = tuple[IPv4Network | IPv6Network, ...]
UNKNOWN = "unknown"
"""A hop without an address, as proxies write it."""


def forwarded_of(values: Sequence[str]) -> str:
    """The hops of all `X-Forwarded-For` headers of a request, the nearest last. Empty only without such a header."""
    return ", ".join(value if value.strip(" \t,") else UNKNOWN for value in values)


def client_address(peer: str, forwarded: str, trusted: Networks) -> str:
    """The client's network address: the rightmost hop that is not a trusted proxy. Empty: unknown, without a limit by address.

    A private or loopback peer with a forwarding header is an undeclared proxy. Its readers, and requests by a hop without an
    address, are `SHARED`: they have one wider limit together, and no header removes it.
    """
    here = parsed_address(peer)
    if not forwarded:  # a local peer is the operator, or a proxy without a forwarding header
        return "" if here is None or here.is_loopback else peer
    if here is None or not is_in(here, trusted):
        return SHARED if here is None or here.is_private or here.is_loopback else peer
    address = reader_of(forwarded, trusted)
    return SHARED if address is None else str(address)


def reader_of(forwarded: str, trusted: Networks) -> IPv4Address | IPv6Address | None:
    """The rightmost hop that is not a trusted proxy; the first hop where all are. None if a hop without an address comes
    before it."""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    address = None
    for hop in reversed(hops):
        address = hop_address(hop)
        if address is None or not is_in(address, trusted):
            return address
    return address


def hop_address(hop: str) -> IPv4Address | IPv6Address | None:
    """The address of a hop as proxies write it: optionally in quotes, or with a port, IPv6 then in brackets."""
    hop = hop.strip('" \t')
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    return parsed_address(hop.strip())


def is_in(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
