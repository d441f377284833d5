"""Which addresses count as one network, so that clients cannot evade a limit by changing theirs."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

PREFIX = 64
"""Bits of an IPv6 address that identify a network: each customer controls at least the rest."""


@lru_cache(1000)
def client_network(address: str | None) -> str:
    """The network of an address: itself for IPv4 and this machine, its /64 for IPv6."""
    try:
        ip = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        if not ip.is_loopback:
            return str(ip_network((ip, PREFIX), strict=False))
    return str(ip)
