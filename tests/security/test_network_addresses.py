"""Addresses that the server must never connect to, in all their notations."""

import socket
import threading

import pytest

from quire.security.network_addresses import (
    ForbiddenAddress,
    is_public,
    require_reachable,
    resolve,
)

PRIVATE = (
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.1.1 0.0.0.0 224.0.0.1 255.255.255.255 "
    "168.63.129.16 192.0.2.1 192.88.99.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fec0::1 ff0e::1 ::ffff:10.0.0.1 "
    "::7f00:1 64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001:0:7f00:1:: 2001:db8::1 fd00:ec2::254"
)
LOCAL = (
    "169.254.169.254 169.254.0.1 169.254.170.2 fe80::1 fe80::1%eth0 fe80::a9fe:a9fe febf::1 100.100.100.200 "
    "168.63.129.16 192.0.0.192 fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 ::169.254.169.254 "
    "64:ff9b::a9fe:a9fe 64:ff9b:1::a9fe:a9fe 2002:a9fe:a9fe::"
)
"""Link-local and cloud metadata addresses, which give out credentials."""
PUBLIC = "93.184.215.14 2606:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::"


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_address_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost"])
def test_host_names_are_judged_by_their_addresses(host):
    with pytest.raises(ForbiddenAddress, match="leads to a private network"):
        require_reachable(host, resolve(host, 80, 5))


def test_one_private_address_among_public_ones_is_refused():
    with pytest.raises(ForbiddenAddress):
        require_reachable("example.org", ["93.184.215.14", "10.0.0.1"])


@pytest.mark.parametrize("address", LOCAL.split())
def test_link_local_and_metadata_addresses_are_always_refused(address):
    assert not is_public(address)
    with pytest.raises(ForbiddenAddress, match="link-local or cloud metadata address"):
        require_reachable("example.org", ["10.0.0.1", address], allow_private=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fd12::1"])
def test_private_networks_can_be_allowed(address):
    require_reachable("example.org", [address], allow_private=True)


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'a' * 70}.example", ""])
def test_unresolvable_host_is_an_error(host, monkeypatch):
    if not host:
        monkeypatch.setattr(socket, "getaddrinfo", _raise)
    with pytest.raises(OSError, match="could not be resolved"):
        resolve(host, 80, 30)


def _raise(*given, **more):
    raise socket.gaierror("no address")


def test_hanging_resolver_times_out(monkeypatch):
    def wait(*given, **more):
        answered.wait(30)
        return []

    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", wait)
    with pytest.raises(TimeoutError):
        resolve("example.org", 80, 0.01)
    answered.set()
