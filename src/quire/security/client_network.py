"""Networks of clients: what counts as one, so that nobody gets round a limit by another address."""

from ipaddress import IPv6Address, ip_address, ip_network

PREFIX = 64
"""Bits of an IPv6 address that name a network: one customer has at least all that follow."""


def client_network(address: str | None) -> str:
    """The network of an address: itself for IPv4 and this machine, its /64 for IPv6."""
    try:
        found = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        if not found.is_loopback:
            return str(ip_network((found, PREFIX), strict=False))
    return str(found)
