"""Forged access tokens, with claims and headers that have misled other libraries."""

import base64
import json

import jwt
import pytest

from quire.config.load import TESTING_SECRET
from tests.api.test_access_order import claims, code  # noqa: F401 - a fixture
from tests.users import token_of

URLS = {"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/certificate"}


def part(value):
    """Return a header or claims as they are encoded in a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def with_header(**changes):
    """Change the header and leave everything else unchanged, including the signature."""

    def forge(header, said, signature):
        return f"{part(header | changes)}.{part(said)}.{signature}"

    return forge


def with_claims(**changes):
    """Change claims and leave the signature unchanged."""
    return lambda header, said, signature: f"{part(header)}.{part(said | changes)}.{signature}"


FORGED = {
    **{f"alg {name!r}": with_header(alg=name) for name in
       ("none", "None", "NONE", "nOnE", "HS512", "RS256", "", None, ["HS256"], 256)},
    **{f"alg {name!r}, no signature": lambda header, said, signature, name=name:
       f"{part({'alg': name})}.{part(said)}." for name in ("none", "None", "HS256")},
    "other person": with_claims(sub="2"),
    "other session": with_claims(sid=2),
    "later end": with_claims(exp=2**33),
    "no signature": lambda header, said, signature: f"{part(header)}.{part(said)}.",
    "a part less": lambda header, said, signature: f"{part(header)}.{part(said)}",
    "a part more": lambda header, said, signature: f"{part(header)}.{part(said)}.{signature}.{signature}",
    "tail": lambda header, said, signature: f"{part(header)}.{part(said)}.{signature}{'A' * 9000}",
    "header that is no object": lambda header, said, signature: f"{part('x')}.{part(said)}.{signature}",
    "claims that are a list": lambda header, said, signature: f"{part(header)}.{part([said])}.{signature}",
}  # fmt: skip


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_tokens_are_refused(app, client, people, claims, forge):  # noqa: F811
    header, _, signature = token_of(app, people["root"]).split(".")
    header = json.loads(base64.urlsafe_b64decode(header + "=="))
    sent = {"Authorization": f"Bearer {forge(header, claims, signature)}"}
    assert code(client.get("users/me", headers=sent)) == (401, "invalid_token")


def test_keys_in_a_token_are_ignored(client, claims):  # noqa: F811
    own = {"kid": "../../dev/null", "jwk": {"kty": "oct", "k": "QQ"}, **URLS}
    for secret, headers in ((TESTING_SECRET, own), ("A" * 32, own), ("A" * 32, None)):
        token = jwt.encode(claims, secret, "HS256", headers=headers)
        answer = client.get("users/me", headers={"Authorization": f"Bearer {token}"})
        assert code(answer) == (401, "invalid_token")


def test_other_libraries_read_and_create_the_same_tokens(app, people):
    token = token_of(app, people["ann"])
    said = jwt.decode(token, TESTING_SECRET, ["HS256"], audience="quire",
                      options={"require": ["sub", "sid", "typ", "iat", "exp", "jti"]})  # fmt: skip
    assert jwt.encode(said, TESTING_SECRET, "HS256") == token


def test_unknown_critical_headers_are_refused(client, claims):  # noqa: F811
    """RFC 7515, 4.1.11."""
    token = jwt.encode(claims, TESTING_SECRET, "HS256", headers={"crit": ["exp2"], "exp2": 1})
    answer = client.get("users/me", headers={"Authorization": f"Bearer {token}"})
    assert code(answer) == (401, "invalid_token")


def test_tokens_of_a_pair_are_not_interchangeable(client, people):
    given = {"email": "ann@example.org", "password": "correct horse 7"}
    pair = client.post("auth/token", json=given).json
    sent = {"Authorization": f"Bearer {pair['refresh_token']}"}
    assert code(client.get("users/me", headers=sent)) == (401, "invalid_token")
    wrong = client.post("auth/refresh", json={"refresh_token": pair["access_token"]})
    assert code(wrong) == (401, "invalid_token")


def test_role_in_a_token_is_refused(app, client, people, claims):  # noqa: F811
    member = jwt.decode(token_of(app, people["bob"]), options={"verify_signature": False})
    token = jwt.encode(member | {"role": "admin"}, TESTING_SECRET, "HS256")
    sent = {"Authorization": f"Bearer {token}"}
    assert client.get("users/me", headers=sent).json["role"] == "member"
    assert code(client.get("audit_events", headers=sent)) == (403, "forbidden")
