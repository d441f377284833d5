"""A passkey in software that responds as a browser's authenticator does (WebAuthn, sections 5.1 and 6)."""

import json
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40
ES256, EC2, P256 = -7, 2, 1


def encoded(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


class Authenticator:
    """One passkey at pages of `origin`; `flags` are the authenticator's flags, such as user verification."""

    def __init__(self, origin="http://localhost", flags=PRESENT | VERIFIED):
        self.origin, self.flags, self.count = origin, flags, 0
        self.id, self.key = secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1())
        self.user = ""

    def create(self, options):
        """Return the response to options for a new passkey."""
        self.user = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        key = cbor2.dumps({1: EC2, 3: ES256, -1: P256, -2: x, -3: y})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(options["rp"]["id"], HAS_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options)
        return self._answer(client_data, attestationObject=encoded(attestation))

    def get(self, options):
        """Return the response to options for signing in."""
        self.count += 1
        data = self._data(options["rpId"])
        client_data = self._client_data("webauthn.get", options)
        signature = self.key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            client_data,
            authenticatorData=encoded(data),
            signature=encoded(signature),
            userHandle=self.user,
        )

    def _data(self, rp_id, more=0):
        flags = bytes([self.flags | more])
        return sha256(rp_id.encode()).digest() + flags + self.count.to_bytes(4, "big")

    def _client_data(self, type, options):
        data = {"type": type, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(data | {"crossOrigin": False}).encode()

    def _answer(self, client_data, **response):
        id = encoded(self.id)
        response["clientDataJSON"] = encoded(client_data)
        return json.dumps({"id": id, "rawId": id, "type": "public-key", "response": response})
