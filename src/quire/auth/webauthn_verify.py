"""Creates and verifies WebAuthn messages with the WebAuthn library."""

from dataclasses import dataclass
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

VERIFIED = UserVerificationRequirement.REQUIRED
INVALID_ANSWERS = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError)
"""Errors of the library for malformed responses."""


@dataclass(frozen=True)
class NewPasskey:
    """A new passkey: its credential id and public key."""

    credential_id: str
    public_key: bytes
    sign_count: int


def registration_options(
    rp_id: str, site: str, handle: bytes, name: str, challenge: bytes, credential_ids: list[str]
) -> str:
    """Return options for creating a passkey, on an authenticator that has none of the `known` ones."""
    selection = AuthenticatorSelectionCriteria(
        resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
    )
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name=site,
        user_id=handle,
        user_name=name,
        challenge=challenge,
        authenticator_selection=selection,
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in credential_ids
        ],
    )
    return options_to_json(options)


def verify_registration(
    rp_id: str, origin: str, challenge: bytes, credential: dict[str, Any]
) -> NewPasskey | None:
    """Return the passkey that a browser has created; None if the response is invalid."""
    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
        )
    except INVALID_ANSWERS:
        return None
    id = bytes_to_base64url(verified.credential_id)
    return NewPasskey(id, verified.credential_public_key, verified.sign_count)


def authentication_options(rp_id: str, challenge: bytes) -> str:
    """Return options for choosing a passkey."""
    options = generate_authentication_options(
        rp_id=rp_id, challenge=challenge, user_verification=VERIFIED
    )
    return options_to_json(options)


def verify_authentication(
    rp_id: str,
    origin: str,
    challenge: bytes,
    credential: dict[str, Any],
    public_key: bytes,
    count: int,
) -> int | None:
    """Return the new signature count of the passkey; None if the assertion is invalid."""
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=public_key,
            credential_current_sign_count=count,
            require_user_verification=True,
        )
    except INVALID_ANSWERS:
        return None
    return verified.new_sign_count
