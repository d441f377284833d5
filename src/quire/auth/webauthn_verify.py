"""What browsers are asked for and what they answer, as the WebAuthn library writes and checks it."""

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
"""What the library raises for answers that no browser sends."""


@dataclass(frozen=True)
class NewPasskey:
    """A new key pair of a device: its name and its public half."""

    credential_id: str
    public_key: bytes
    sign_count: int


def registration_options(
    rp_id: str, site: str, handle: bytes, name: str, challenge: bytes, credential_ids: list[str]
) -> str:
    """What a browser needs to make a passkey, on a device that has none of the `known` ones."""
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
    """The passkey that a browser has made, None when its answer proves nothing."""
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
    """What a browser needs to let somebody choose one of his passkeys."""
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
    """The new count of the passkey that has signed the challenge, None when it has not."""
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
