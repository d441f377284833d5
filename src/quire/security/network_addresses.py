"""Which addresses the server may connect to on behalf of a user: only those of the public internet.

The operator may allow private networks too, but link-local addresses and those of cloud metadata services are never
connected to. A name is judged by the addresses it resolves to, never by its text (`127.1` and `2130706433` are the
same address), and the connection is made to the addresses that were judged.

https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from typing import Any

from quire.translations.messages import Message

NOT_PUBLIC = [ip_network(one) for one in ("192.88.99.0/24", "fec0::/10")]
"""Addresses that is_global considers public: 6to4 relays, site-local addresses."""
METADATA = [
    ip_network(one)
    for one in (
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle Cloud
        "fd00:ec2::/32",  # Amazon EC2
        "fd20:ce::254/128",  # Google Cloud
    )
]
"""Metadata services of clouds, including credentials, at addresses that are not link-local."""
NAT64 = [ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48")]
"""IPv6 forms of all IPv4 addresses (RFC 6052, RFC 8215)."""
IPV4_COMPATIBLE = ip_network("::/96")
"""Deprecated forms of them (RFC 4291)."""


LINK_LOCAL = Message("%(host)s leads to a link-local or cloud metadata address (%(address)s).")
PRIVATE = Message("%(host)s leads to a private network (%(address)s).")
UNKNOWN = Message("%(host)s could not be resolved.")


class ForbiddenAddress(Exception):
    """A name resolves to an address that must not be connected to; the `message` names it."""

    def __init__(self, message: Message):
        super().__init__(message)
        self.message = message


class PrivateAddress(ForbiddenAddress):
    """The same for an address in a private network, which the operator may allow."""


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """Return the addresses of a host. Raises OSError if there are none, or none was found within `seconds`.

    The system's resolver has no timeout, so it runs in a thread.
    """
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0))
    except Empty:
        raise TimeoutError(f"{host} could not be resolved in time.") from None
    if isinstance(answer, OSError):
        raise OSError(UNKNOWN.with_values(host=host)) from answer
    return answer


def _look_up(host: str, port: int, answers: SimpleQueue[Any]) -> None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(one[4][0]) for one in infos)))
    except OSError as error:
        answers.put(error)
    except UnicodeError as error:  # not a valid host name
        answers.put(OSError(str(error)))


def require_reachable(host: str, addresses: list[str], *, allow_private: bool = False) -> None:
    """Refuse a host if any of its addresses must not be connected to. Raises ForbiddenAddress."""
    for address in addresses:
        if is_link_local(address):
            raise ForbiddenAddress(LINK_LOCAL.with_values(host=host, address=address))
    for address in addresses:
        if not (allow_private or is_public(address)):
            raise PrivateAddress(PRIVATE.with_values(host=host, address=address))


def is_public(address: str) -> bool:
    """Whether an address, and any IPv4 address inside it, belongs to the public internet."""
    return not is_link_local(address) and all(_is_global(one) for one in _addresses_in(address))


def is_link_local(address: str) -> bool:
    """Whether an address is link-local or belongs to a cloud metadata service."""
    ips = _addresses_in(address)
    return any(ip.is_link_local or any(ip in one for one in METADATA) for ip in ips)


def _addresses_in(address: str) -> list[IPv4Address] | list[IPv4Address | IPv6Address]:
    """The address, or the IPv4 addresses inside it."""
    ip = ip_address(address.partition("%")[0])
    return (_embedded_ipv4(ip) if isinstance(ip, IPv6Address) else []) or [ip]


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    # is_global alone includes multicast
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local
    return ip.is_global and not special and not any(ip in one for one in NOT_PUBLIC)


def _embedded_ipv4(ip: IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address embeds or translates to."""
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip.sixtofour is not None:
        return [ip.sixtofour]
    if ip.teredo is not None:
        return list(ip.teredo)
    if ip in IPV4_COMPATIBLE or any(ip in one for one in NAT64):
        return [IPv4Address(int(ip) & 0xFFFFFFFF)]
    return []
