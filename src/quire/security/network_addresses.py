"""Where the server may connect to when somebody else names the address: to the public internet alone.

Names are judged by what they resolve to, never by their text (`127.1` and `2130706433` are names of
the same address), and whoever connects does so to the addresses that were judged.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from typing import Any

NOT_PUBLIC = [ip_network(one) for one in ("168.63.129.16/32", "192.88.99.0/24", "fec0::/10")]
"""What is_global calls public: metadata of a cloud, relays of 6to4, site-local addresses."""
NAT64 = ip_network("64:ff9b::/96")
"""IPv6 forms of all IPv4 addresses (RFC 6052)."""
IPV4_COMPATIBLE = ip_network("::/96")
"""Deprecated forms of the same (RFC 4291)."""


class ForbiddenAddress(Exception):
    """A name leads to an address that must not be connected to; the text says to which."""


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host. Raises OSError: there is none, or none was found within `seconds`.

    The system's resolver takes no deadline, so that a thread waits for it.
    """
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0))
    except Empty:
        raise TimeoutError(f"{host} could not be resolved in time.") from None
    if isinstance(answer, OSError):
        raise OSError(f"{host} could not be resolved.") from answer
    return answer


def _look_up(host: str, port: int, answers: SimpleQueue[Any]) -> None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(one[4][0]) for one in infos)))
    except OSError as error:
        answers.put(error)
    except UnicodeError as error:  # no name of a host
        answers.put(OSError(str(error)))


def require_public(host: str, addresses: list[str]) -> None:
    """Refuse a host of which any address is not public. Raises ForbiddenAddress."""
    for address in addresses:
        if not is_public(address):
            raise ForbiddenAddress(f"{host} leads to a private network ({address}).")


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, and an IPv4 address inside it too."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _embedded(ip)):
        return all(_is_global(one) for one in inner)
    return _is_global(ip)


def _is_global(ip: IPv4Address | IPv6Address) -> bool:
    # is_global alone is true of multicast
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local
    return ip.is_global and not special and not any(ip in one for one in NOT_PUBLIC)


def _embedded(ip: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for, or by which it is reached."""
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    if ip.sixtofour is not None:
        return [ip.sixtofour]
    if ip.teredo is not None:
        return list(ip.teredo)
    if ip in NAT64 or ip in IPV4_COMPATIBLE:
        return [IPv4Address(int(ip) & 0xFFFFFFFF)]
    return []
