"""Cookies: their names and attributes, over http and over https."""

import pytest

from tests.site.conftest import token_of
from tests.users import PASSWORD

HTTPS = {
    "__Host-quire": {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"},
    "__Host-quire-remember": {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"},
    "user_prefs": {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"},
}
HTTP = {
    name.replace("__Host-", "").replace("quire-", "quire_"): rest - {"Secure"}
    for name, rest in HTTPS.items()
}


def cookies(response):
    """Return the attributes of cookies by name, without those that say when a cookie ends."""
    found = {}
    for line in response.headers.getlist("Set-Cookie"):
        pair, *attributes = line.split("; ")
        ends = ("Expires=", "Max-Age=")
        found[pair.partition("=")[0]] = {a for a in attributes if not a.startswith(ends)}
    return found


@pytest.mark.parametrize(
    ("address", "expected"),
    [("https://example.org", HTTPS), ("http://example.org", HTTP), ("", HTTP)],
)
def test_cookie_attributes(make_app, people, address, expected):
    app = make_app(WTF_CSRF_ENABLED=True, PUBLIC_URL=address)
    client = app.test_client()
    base = {"base_url": "https://localhost"} if expected is HTTPS else {}
    got = client.get("/auth/login", **base)
    seen = cookies(got)
    token = got.text.split('name="csrf_token" value="')[1].split('"')[0]
    sent = {"email": "ann@example.org", "password": PASSWORD, "remember": "y", "csrf_token": token}
    signed_in = client.post("/auth/login", data=sent, **base)
    assert signed_in.status_code == 302
    seen |= cookies(signed_in) | cookies(client.get("/theme/dark", **base))
    assert seen == expected
    out = client.post("/auth/logout", data={"csrf_token": token}, **base)
    assert out.status_code in (302, 403)


def test_api_sets_no_cookies_for_programs(app, people, as_):
    client = as_("ann")
    for answer in (client.get("posts"), client.post("posts", json={}), client.get("users/me")):
        assert "Set-Cookie" not in answer.headers
    sent = {"email": "ann@example.org", "password": PASSWORD}
    assert "Set-Cookie" not in app.test_client().post("auth/token", json=sent).headers


def test_signing_out_removes_cookies(app, people, client):
    sent = {"email": "ann@example.org", "password": PASSWORD, "remember": "y"}
    client.post("/auth/login", data=sent | token_of(client, "/auth/login"))
    assert client.get_cookie("quire") and client.get_cookie("quire_remember")
    client.post("/auth/logout")
    assert client.get_cookie("quire_remember") is None
    assert client.get("users/me").status_code == 401
