"""Registration and authentication with passkeys (WebAuthn, section 7).

Both require user verification (fingerprint, face or PIN), so that a passkey counts as two factors.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import current_app, request, session

from quire.actor import Actor
from quire.auth import passkeys
from quire.auth.accounts import Account, account_from_row
from quire.auth.cross_origin import own_origin
from quire.config.validation import LOOPBACK
from quire.declare.clock import now
from quire.errors import Conflict

SIGN_IN = "sign in"


@dataclass(frozen=True)
class RelyingParty:
    """Where passkeys are valid: the relying party id and the origin of our pages."""

    rp_id: str
    origin: str


def relying_party() -> RelyingParty | None:
    """Return the relying party of this site; None at a numeric address, for which passkeys cannot exist."""
    origin = own_origin()
    name = urlsplit(origin).hostname or ""
    is_known = bool(current_app.config["PUBLIC_URL"]) or name in LOOPBACK
    return RelyingParty(name, origin) if is_known and not _is_number(name) else None


def localhost_url() -> str | None:
    """Return the URL of this page at `localhost`, if it was opened at a loopback address."""
    parts = urlsplit(request.url)
    if current_app.config["PUBLIC_URL"] or parts.hostname not in LOOPBACK - {"localhost"}:
        return None
    return parts._replace(netloc=f"localhost:{parts.port}" if parts.port else "localhost").geturl()


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _required_relying_party() -> RelyingParty:
    party = relying_party()
    if party is None:
        raise Conflict("Passkeys do not work at this address.")
    return party


def _verifier() -> Any:
    """Load the WebAuthn library on first use, since its import is slow."""
    return import_module("quire.auth.webauthn_verify")


def registration_options(actor: Actor, site: str) -> str:
    """Return the JSON options for the browser to create a passkey for the actor. Raises Conflict."""
    relying_party, id = _required_relying_party(), _own_id(actor)
    credential_ids = passkeys.credential_ids(id)
    passkeys.check_limit(credential_ids)
    challenge = issue(_registration_purpose(id))
    name = actor.username or ""
    return str(
        _verifier().registration_options(
            relying_party.rp_id, site, _user_handle(id), name, challenge, credential_ids
        )
    )


def register(actor: Actor, name: str, answer: str) -> None:
    """Store the passkey that the actor's browser has created. Raises ValidationFailed."""
    relying_party, challenge = (
        _required_relying_party(),
        consume(_registration_purpose(_own_id(actor))),
    )
    if challenge is None:
        raise passkeys.invalid_credential("This took too long. Try again.")
    credential = _verifier().verify_registration(
        relying_party.rp_id, relying_party.origin, challenge.value, _parse(answer)
    )
    if credential is None or len(credential.credential_id) > passkeys.LONGEST_ID:
        raise passkeys.invalid_credential("The passkey was not accepted. Try again.")
    passkeys.store_passkey(
        actor, name, credential.credential_id, credential.public_key, credential.sign_count
    )


def authentication_options() -> str:
    """Return the JSON options for the browser to let the user choose a passkey. Raises Conflict."""
    relying_party = _required_relying_party()
    return str(_verifier().authentication_options(relying_party.rp_id, issue(SIGN_IN)))


@dataclass(frozen=True)
class Assertion:
    """A challenge of ours, signed with the passkey of an active account."""

    owner: Account
    passkey_id: int
    sign_count: int
    given_at: datetime

    def use(self) -> bool:
        """Record the use of the passkey in the current transaction; return False if the challenge was used before."""
        return passkeys.record_use(self.passkey_id, self.sign_count, self.given_at)


def authenticate(answer: str) -> Assertion | None:
    """Verify a passkey's assertion; return None if it is invalid. Raises Conflict."""
    relying_party, challenge, credential = (
        _required_relying_party(),
        consume(SIGN_IN),
        _parse(answer),
    )
    passkey = passkeys.find_by_credential(credential.get("id"))
    if (
        challenge is None
        or passkey is None
        or not _belongs_to(account_from_row(passkey), credential)
    ):
        return None
    signed = _verifier().verify_authentication
    key, count = passkey.public_key, passkey.sign_count
    count = signed(
        relying_party.rp_id, relying_party.origin, challenge.value, credential, key, count
    )
    if count is None:
        return None
    return Assertion(account_from_row(passkey), passkey.passkey_id, count, challenge.given_at)


def _belongs_to(owner: Account, credential: dict[str, Any]) -> bool:
    """Return whether the authenticator assigns the passkey to this account (section 7.2, step 6)."""
    response = credential.get("response")
    handle = response.get("userHandle") if isinstance(response, dict) else None
    expected = base64.urlsafe_b64encode(_user_handle(owner.id)).decode("ascii").rstrip("=")
    return bool(handle == expected)


def _own_id(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _registration_purpose(user_id: int) -> str:
    return f"add to user {user_id}"


def _user_handle(user_id: int) -> bytes:
    """Return the opaque user handle of an account."""
    return f"user {user_id}".encode()


def _parse(answer: str) -> dict[str, Any]:
    try:
        response = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return {}
    return response if isinstance(response, dict) else {}


NAME = "challenge"
SECONDS = 300


@dataclass(frozen=True)
class Challenge:
    """Random bytes that a passkey has to sign, and when they were issued."""

    value: bytes
    given_at: datetime


def issue(purpose: str) -> bytes:
    """Create a challenge, which replaces the previous one."""
    value = secrets.token_bytes(32)
    text = base64.b64encode(value).decode("ascii")
    session[NAME] = [purpose, text, int(now().timestamp())]
    return value


def consume(purpose: str) -> Challenge | None:
    """Return the challenge issued for `purpose`, and delete it in any case."""
    given_for, text, moment = session.pop(NAME, None) or ("", "", 0)
    if given_for != purpose or moment + SECONDS <= now().timestamp():
        return None
    return Challenge(base64.b64decode(text), datetime.fromtimestamp(moment, UTC))
