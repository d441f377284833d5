"""Signing in and out, registering, the first administrator; `next` never leads to other sites."""

import pytest
from sqlalchemy import update as sql_update

from quire.actor import SYSTEM
from quire.auth import first_admin
from quire.declare.query import Query
from quire.records import AUDIT_EVENTS, SETTINGS, USERS
from quire.site.content import equals
from quire.site.paths import local_path
from quire.store import read
from quire.store.db import transaction
from quire.store.write import update
from tests.site.conftest import known_as, sign_in, soup
from tests.users import PASSWORD

FOREIGN = [
    "//e", "/\\e", "\\\\e", "/%09/e", "http:e", "http://e/", "///e", "@e", "javascript:alert(1)",
    "%0d%0aSet-Cookie: a=b", "/a\r\nSet-Cookie: a=b", "/\t/e", "/a\tb", "/\n/e", "e", "", " /e",
    "/%2f%2fe/..//", "/%5ce", "/x\x00", "https://user@e/", "/ /e", "/" + "a" * 3000, "/%0d%0aX: y",
    "https:e", "https:/e", "//e@localhost/", "%2f%2fe", "data:text/html,x", "?//e", "#//e", "\uff0f\uff0fe", "\\/\\/e", "/%09//e",
    "//localhost@e/", "JaVaScRiPt:alert(1)", "\x01javascript:alert(1)", "vbscript:x", "blob:x", "//e:80", "/\x0b/e", "/\u0000//e",
]  # fmt: skip
LOCAL = [
    "/",
    "/admin/",
    "/posts/a?page=2&x=%20y",
    "/search?q=//e",
    "/posts/gr%C3%BC%C3%9Fe",
    "/a#b",
]


def sent(name="ann", password=PASSWORD, **more):
    return {"email": f"{name}@example.org", "password": password, **more}


@pytest.mark.parametrize("text", [t for t in FOREIGN if not t.startswith("/%2f%2fe")])
def test_foreign_urls_are_not_paths_of_this_site(text):
    assert local_path(text) is None


@pytest.mark.parametrize("text", LOCAL)
def test_local_paths_are_accepted(text):
    assert local_path(text) == text
    assert local_path(None) is None


@pytest.mark.parametrize("text", FOREIGN)
def test_signing_in_never_leads_elsewhere(client, people, text):
    response = client.post("/auth/login", query_string={"next": text}, data=sent())
    assert response.status_code == 302
    assert response.location == "/admin/"


@pytest.mark.parametrize("text", LOCAL)
def test_signing_in_leads_back(client, people, text):
    assert client.post("/auth/login", query_string={"next": text}, data=sent()).location == text


@pytest.mark.parametrize(("name", "start"), [("ann", "/admin/"), ("bob", "/"), ("root", "/admin/")])
def test_start_page_depends_on_the_role(client, people, name, start):
    assert client.post("/auth/login", data=sent(name)).location == start
    assert client.get("/auth/login").location == start
    assert client.get("/auth/login?next=/search").location == "/search"


def test_signed_in_user_is_shown_and_can_sign_out(client, people):
    client.post("/auth/login", data=sent())
    assert known_as(client) == "ann"
    response = client.post("/auth/logout")
    assert (response.status_code, response.location) == (302, "/")
    page = soup(client.get("/"))
    assert "You have been signed out." in page.find(role="status").text
    assert page.find("section", class_="account") is None


def test_signing_out_needs_a_post(client, people):
    client.post("/auth/login", data=sent())
    response = client.get("/auth/logout")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert known_as(client) == "ann"


@pytest.mark.parametrize(
    ("email", "password"),
    [("ann@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("", ""), ("ann@example.org", ""),
     ("ann\x00@example.org", PASSWORD), ("ann@example.org", f"{PASSWORD}\x00"), ("é" * 5000, "x" * 5000)],
)  # fmt: skip
def test_wrong_credentials_always_get_the_same_message(client, people, email, password):
    response = client.post("/auth/login", data={"email": email, "password": password})
    assert response.status_code == 401 and response.headers["WWW-Authenticate"]
    page = soup(response)
    assert page.find(role="alert").text.strip() == "Invalid email or password"
    assert page.find(id="email").get("value", "") == email.replace("\x00", "\x00")
    assert not page.find(id="password").get("value")
    assert known_as(client) is None


def test_form_without_fields_is_a_failed_sign_in(client, people):
    assert client.post("/auth/login").status_code == 401
    assert (
        client.post("/auth/login", data=b"\xff\xfe", content_type="text/plain").status_code == 401
    )


def test_inactive_users_cannot_sign_in(app, client, people):
    with app.app_context():
        update(USERS, SYSTEM, people["ann"].id, {"is_active": False})
    assert client.post("/auth/login", data=sent()).status_code == 401


def test_remember_me(app, client, people):
    client.post("/auth/login", data=sent(remember="y"))
    client.delete_cookie(app.config["SESSION_COOKIE_NAME"])
    assert known_as(client) == "ann"
    other = sign_in(app, "ann")
    other.delete_cookie(app.config["SESSION_COOKIE_NAME"])
    assert known_as(other) is None


def test_every_form_needs_a_csrf_token(guarded, content):
    browser = sign_in(guarded, "ann")
    stranger = guarded.test_client()
    tried = []
    for rule in guarded.url_map.iter_rules():
        if rule.endpoint.startswith("site.") and "POST" in rule.methods:
            path = rule.rule.replace("<word:slug>", "live").replace("<word:token>", "x")
            who = browser if path in ("/auth/logout", "/posts/live") else stranger
            data = {**sent(), "username": "new", "confirm": PASSWORD, "body": "Hi"}
            tried.append((path, who.post(path, data=data).status_code))
    assert {"/posts/live", "/auth/login", "/auth/logout", "/auth/register"} <= dict(tried).keys()
    done = [one for one in tried if one[1] not in (302, 403, 404)]
    assert not done
    assert known_as(browser) == "ann"


def account(**more):
    return {
        "username": "newcomer", "email": "New@Example.org", "password": PASSWORD,
        "confirm": PASSWORD, **more,
    }  # fmt: skip


def test_registering(app, client, people):
    assert soup(client.get("/auth/register")).h1.text == "Create an account"
    response = client.post("/auth/register", data=account())
    assert (response.status_code, response.location) == (302, "/auth/login")
    assert "Registration successful" in soup(client.get("/auth/login")).find(role="status").text
    data = {"email": "new@example.org", "password": PASSWORD}
    assert client.post("/auth/login", data=data).location == "/"
    with app.app_context():
        made = read.get_record(USERS, SYSTEM, read.find_id(USERS, SYSTEM, username="newcomer"))
    assert made["role"] == "member" and made["email"] == "new@example.org"
    assert client.get("/auth/register").location == "/"


def test_registration_only_creates_members(app, client, people):
    client.post("/auth/register", data=account(role="admin", is_active="y"))
    with app.app_context():
        id = read.find_id(USERS, SYSTEM, username="newcomer")
        assert read.get_record(USERS, SYSTEM, id)["role"] == "member"


@pytest.mark.parametrize(
    ("data", "status", "field", "words"),
    [
        ({"username": "a b"}, 422, "username", "Username contains characters"),
        ({"username": ""}, 422, "username", "Username is required."),
        ({"username": "x\x00y"}, 422, "username", "Username"),
        ({"email": "nonsense"}, 422, "email", "Email is not a valid email address."),
        ({"password": "short", "confirm": "short"}, 422, "password", "at least 8"),
        ({"password": "", "confirm": ""}, 422, "password", "Password is required."),
        ({"confirm": "another one"}, 422, "confirm", "The passwords do not match."),
        ({"username": "ANN"}, 409, "username", "Username"),
        ({"email": "ann@example.org"}, 409, "email", "Email"),
    ],
)
def test_errors_are_shown_beside_their_fields(client, people, data, status, field, words):
    response = client.post("/auth/register", data=account(**data))
    assert response.status_code == status
    page = soup(response)
    assert words in page.find(id=f"{field}-error").text
    marked = page.find(id=field)
    assert marked["aria-invalid"] == "true" and f"{field}-error" in marked["aria-describedby"]
    assert page.find(id="email")["value"] == data.get("email", "New@Example.org")
    assert not page.find(id="password").get("value")


@pytest.mark.parametrize("rule", ["closed", "invitation"])
def test_closed_registration_is_404(app, client, rule):
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"registration": rule})
    assert client.get("/auth/register").status_code == 403
    assert client.post("/auth/register", data=account()).status_code == 403
    assert soup(client.get("/auth/login")).find("a", href="/auth/register") is None


@pytest.fixture
def fresh(make_app, tmp_path):
    """An installation without an administrator, and the token of its setup link."""
    app = make_app(QUIRE_INSTANCE=tmp_path)
    with app.app_context(), transaction() as connection:
        connection.execute(sql_update(USERS.table).values(role="member"))
        return app, first_admin.create_token()


def test_the_first_administrator(fresh):
    app, token = fresh
    client = app.test_client()
    page = soup(client.get(f"/auth/setup/{token}"))
    assert page.h1.text == "Create the first administrator"
    response = client.post(f"/auth/setup/{token}", data=account())
    assert (response.status_code, response.location) == (302, "/admin/")
    assert known_as(client) == "newcomer"
    with app.app_context():
        made = read.get_record(USERS, SYSTEM, read.find_id(USERS, SYSTEM, username="newcomer"))
        event = read.list_records(
            AUDIT_EVENTS, SYSTEM, Query(conditions=equals("record_id", made["id"]))
        ).rows[-1]
    assert made["role"] == "admin" and event["door"] == "site"
    assert client.get(f"/auth/setup/{token}").status_code == 404


def test_invalid_form_does_not_use_up_the_link(fresh):
    app, token = fresh
    client = app.test_client()
    response = client.post(f"/auth/setup/{token}", data=account(password="x", confirm="x"))
    assert response.status_code == 422
    assert "at least 8" in soup(response).find(id="password-error").text
    assert client.post(f"/auth/setup/{token}", data=account()).status_code == 302


def test_invalid_links_are_refused(fresh):
    client = fresh[0].test_client()
    for token in ("x", "%00", "é", "a" * 300):
        assert client.get(f"/auth/setup/{token}").status_code == 404
        assert client.post(f"/auth/setup/{token}", data=account()).status_code == 404


def test_first_of_two_windows_wins(fresh, monkeypatch):
    app, token = fresh
    answers = iter([True, False])
    monkeypatch.setattr(first_admin, "is_valid", lambda _: next(answers))
    response = app.test_client().post(f"/auth/setup/{token}", data=account())
    assert response.status_code == 403
    assert "The first administrator has already been created." in response.text


@pytest.mark.parametrize("path", ["/dashboard", "/profile/keys", "/admin/posts/"])
def test_redirect_to_sign_in_fits_into_a_header(client, path):
    assert client.get(f"{path}?x=1").location == f"/auth/login?next={path}%3Fx%3D1"
    assert client.get(f"{path}?x={'y' * 60_000}").location == f"/auth/login?next={path}"


@pytest.mark.parametrize("name", ["bob", "ann", "root"])
def test_dashboard_is_named_after_the_start_page(client, people, name):
    landed = client.post("/auth/login", data=sent(name), follow_redirects=True)
    assert landed.status_code == 200 and "Dashboard" in soup(landed).get_text()
    assert "Dashboard" in soup(client.get("/dashboard")).title.get_text()
