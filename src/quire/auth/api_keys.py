"""Authentication by API key: the owner's rights, limited by the key's scopes and networks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address, ip_network

from flask import request
from sqlalchemy import bindparam, select

from quire.auth.accounts import Account, account_columns, account_from_row
from quire.auth.jwt import invalid_token
from quire.auth.session_store import SEEN_SECONDS
from quire.declare.clock import now
from quire.declare.record import REGISTRY
from quire.security.tokens import digest, is_content_key, is_key
from quire.store.counters import touch_if_free
from quire.store.db import credential_connection
from quire.store.maintenance_mode import CredentialSelect


@dataclass(frozen=True)
class ActiveKey:
    """An API key of an active account."""

    id: int
    account: Account
    scopes: frozenset[str]
    networks: tuple[str, ...]
    used: datetime | None
    expires: datetime | None

    def touch(self) -> None:
        """Record a use of the key, at most once a minute."""
        if self.used is None or self.used < now() - timedelta(seconds=SEEN_SECONDS):
            touch_if_free("api_keys", self.id, last_used_at=now())


@cache
def _select_active() -> CredentialSelect:
    keys, users = REGISTRY["api_keys"].table, REGISTRY["users"].table
    columns = (keys.c[n] for n in ("id", "scopes", "networks", "last_used_at", "expires_at"))
    return CredentialSelect(
        select(*account_columns(), *columns)
        .join_from(keys, users, users.c.id == keys.c.owner_id)
        .where(keys.c.hash == bindparam("hash"), users.c.is_active)
    )


def authenticate(text: str) -> ActiveKey:
    """Return the key for `text`. Raises Unauthenticated if it is malformed, unknown or expired, or its network is
    not allowed."""
    return _require_usable(_lookup(text) if is_key(text) else None)


def authenticate_content_key(text: str) -> ActiveKey:
    """Authenticate a key that may only read public content through one API."""
    return _require_usable(_lookup(text) if is_content_key(text) else None)


def _require_usable(key: ActiveKey | None) -> ActiveKey:
    if key is None or not _is_from(key.networks, request.remote_addr):
        raise invalid_token("The API key is not valid.")
    if key.expires is not None and key.expires <= now():
        raise invalid_token("The API key has expired.", "token_expired")
    key.touch()
    return key


def _lookup(text: str) -> ActiveKey | None:
    with credential_connection() as connection:
        rows = _select_active()(connection, {"hash": digest(text)})
    if not rows:
        return None
    [row] = rows
    id, scopes, networks, used, expires = row[-5:]
    return ActiveKey(
        id, account_from_row(row), _expand_scopes(scopes), tuple(networks), used, expires
    )


def _expand_scopes(scopes: list[str]) -> frozenset[str]:
    """Return the scopes of a key, where permission to write a type includes reading it."""
    starts = (scope.removesuffix("write") for scope in scopes if scope.endswith(":write"))
    return frozenset([*scopes, *(f"{start}read" for start in starts)])


def _is_from(networks: tuple[str, ...], address: str | None) -> bool:
    if not networks:
        return True
    try:
        address_of_client = ip_address(address or "")
    except ValueError:
        return False
    return any(address_of_client in ip_network(one, strict=False) for one in networks)
