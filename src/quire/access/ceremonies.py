"""The two ceremonies of passkeys (WebAuthn, section 7): one is made, one signs somebody in.

User verification (a finger, a face, a PIN) is required in both: a passkey is two factors at once.
"""

import base64
from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import current_app, request

from quire.access import challenges, passkeys
from quire.access.accounts import Account, account_of
from quire.access.origin import own_origin
from quire.actor import Actor
from quire.errors import Conflict
from quire.safety import LOOPBACK

SIGN_IN = "sign in"


@dataclass(frozen=True)
class Place:
    """Where passkeys are good: the name they belong to, and the origin of our pages."""

    rp_id: str
    origin: str


def place() -> Place | None:
    """Where passkeys work here; None where they cannot: they belong to a name, never to a number."""
    origin = own_origin()
    name = urlsplit(origin).hostname or ""
    is_known = bool(current_app.config["PUBLIC_URL"]) or name in LOOPBACK
    return Place(name, origin) if is_known and not _is_number(name) else None


def by_name() -> str | None:
    """The address of this page by the name of this machine, where it is open by its number."""
    here = urlsplit(request.url)
    if current_app.config["PUBLIC_URL"] or here.hostname not in LOOPBACK - {"localhost"}:
        return None
    return here._replace(netloc=f"localhost:{here.port}" if here.port else "localhost").geturl()


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _here() -> Place:
    found = place()
    if found is None:
        raise Conflict("Passkeys do not work at this address.")
    return found


def _checks() -> Any:
    """What needs the WebAuthn library, which takes longer to load than all else of a start: only who
    uses passkeys waits for it."""
    return import_module("quire.access.webauthn_checks")


def creation_options(actor: Actor, site: str) -> str:
    """What the actor's browser needs to make a passkey: JSON. Raises Conflict."""
    here, id = _here(), _own_id(actor)
    held = passkeys.ids_of(id)
    if len(held) >= passkeys.MOST:
        raise Conflict(f"{passkeys.MOST} passkeys are enough; remove one first.")
    challenge = challenges.give(_adding(id))
    name = actor.username or ""
    return str(_checks().creation(here.rp_id, site, _handle(id), name, challenge, held))


def add(actor: Actor, name: str, answer: str) -> None:
    """Keep the passkey that the actor's browser has made. Raises Invalid."""
    here, challenge = _here(), challenges.take(_adding(_own_id(actor)))
    if challenge is None:
        raise passkeys.refused("This took too long. Try again.")
    made = _checks().made(here.rp_id, here.origin, challenge.value, _read(answer))
    if made is None or len(made.credential_id) > passkeys.LONGEST_ID:
        raise passkeys.refused("The passkey was not accepted. Try again.")
    passkeys.keep(actor, name, made.credential_id, made.public_key, made.sign_count)


def sign_in_options() -> str:
    """What a browser needs to let somebody choose one of his passkeys: JSON. Raises Conflict."""
    here = _here()
    return str(_checks().asking(here.rp_id, challenges.give(SIGN_IN)))


def prove(answer: str) -> Account | None:
    """The active account whose passkey has signed our challenge. Raises Conflict."""
    here, challenge, credential = _here(), challenges.take(SIGN_IN), _read(answer)
    found = passkeys.known(credential.get("id"))
    if challenge is None or found is None or not _is_of(account_of(found), credential):
        return None
    signed = _checks().signed
    key, count = found.public_key, found.sign_count
    count = signed(here.rp_id, here.origin, challenge.value, credential, key, count)
    if count is None or not passkeys.use(found.passkey_id, count, challenge.given_at):
        return None
    return account_of(found)


def _is_of(owner: Account, credential: dict[str, Any]) -> bool:
    """Whether the device says that the passkey belongs to this account (section 7.2, step 6)."""
    response = credential.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    expected = base64.urlsafe_b64encode(_handle(owner.id)).decode("ascii").rstrip("=")
    return bool(handle == expected)


def _own_id(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _adding(user_id: int) -> str:
    return f"add to user {user_id}"


def _handle(user_id: int) -> bytes:
    """How devices know an account: by nothing that says whose it is."""
    return f"user {user_id}".encode()


def _read(answer: str) -> dict[str, Any]:
    try:
        found = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
