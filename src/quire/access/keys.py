"""API keys as proof: the owner's rights, narrowed by the key's scopes, from its networks only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from flask import request
from sqlalchemy import Select, bindparam, or_, select

from quire.access.accounts import Account, account_columns, account_of
from quire.access.held import SEEN_SECONDS
from quire.access.tokens import broken
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.declare.sql import NOW
from quire.store.counters import mark
from quire.store.credentials import digest, is_key
from quire.store.db import reading


@dataclass(frozen=True)
class Key:
    """An API key that is good now."""

    id: int
    account: Account
    scopes: frozenset[str]
    networks: tuple[str, ...]
    used: datetime | None

    def touch(self) -> None:
        """Note that it was used, once a minute."""
        if self.used is None or self.used < now() - timedelta(seconds=SEEN_SECONDS):
            mark("api_keys", self.id, last_used_at=now())


@cache
def _good() -> Select[Any]:
    keys, users = REGISTRY["api_keys"].table, REGISTRY["users"].table
    columns = (keys.c[name] for name in ("id", "scopes", "networks", "last_used_at"))
    lasting = or_(keys.c.expires_at.is_(None), keys.c.expires_at > NOW)
    return (
        select(*account_columns(), *columns)
        .join_from(keys, users, users.c.id == keys.c.owner_id)
        .where(keys.c.hash == bindparam("hash"), users.c.is_active, lasting)
    )


def holder(text: str) -> Key:
    """The key that `text` is. Raises Unproven: misspelt, unknown, expired, from elsewhere."""
    found = _lookup(text) if is_key(text) else None
    if found is None or not _is_from(found.networks, request.remote_addr):
        raise broken("The API key is not valid.")
    found.touch()
    return found


def _lookup(text: str) -> Key | None:
    with reading() as connection:
        row = connection.execute(_good(), {"hash": digest(text), "now": now()}).first()
    if row is None:
        return None
    id, scopes, networks, used = row[-4:]
    return Key(id, account_of(row), _with_reading(scopes), tuple(networks), used)


def _with_reading(scopes: list[str]) -> frozenset[str]:
    """The scopes that a key has: whoever may write a type may read what he has written."""
    starts = (scope.removesuffix("write") for scope in scopes if scope.endswith(":write"))
    return frozenset([*scopes, *(f"{start}read" for start in starts)])


def _is_from(networks: tuple[str, ...], address: str | None) -> bool:
    if not networks:
        return True
    try:
        here = ip_address(address or "")
    except ValueError:
        return False
    return any(here in ip_network(one, strict=False) for one in networks)
