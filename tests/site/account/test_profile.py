"""One's own account: profile, password, address, devices, keys; exporting all data, and deleting the account."""

import json
import re

import pytest

from quire.actor import SYSTEM
from quire.records import COMMENTS, PROFILES, SESSIONS, USERS
from quire.store import read
from quire.store.write import update
from tests import mail_servers
from tests.clocks import FUTURE
from tests.site.conftest import known_as, sign_in, soup, token_of
from tests.users import PASSWORD, give_session

PAGES = [
    "/dashboard", "/profile", "/profile/password", "/profile/email", "/profile/sessions",
    "/profile/keys", "/profile/export", "/profile/delete",
]  # fmt: skip
KEY = {"name": "phone", "scopes": ["posts:read"]}
POSTED = ["/profile/sessions/1/end", "/profile/keys/1/delete"]


def said(response):
    return soup(response).find(role="status").get_text(" ", strip=True)


def errors(response):
    return [one.text.strip() for one in soup(response).select(".error, [role=alert] p")]


@pytest.mark.parametrize("path", PAGES)
def test_anonymous_users_are_sent_to_sign_in(client, people, path):
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (302, f"/auth/login?next={path}")
    assert client.post(path).status_code in (302, 405)


@pytest.mark.parametrize("path", POSTED)
def test_buttons_need_a_session(client, people, path):
    assert client.post(path).location.startswith("/auth/login")
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("name", ["bob", "ann", "root"])
@pytest.mark.parametrize("path", PAGES)
def test_every_user_has_these_pages(visitor, content, name, path):
    answer = visitor(name).get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_times_are_in_the_known_time_zone(visitor, content):
    ann = visitor("ann")
    ann.set_cookie("time_zone", "Pacific/Kiritimati")
    ann.post("/profile/keys", data=KEY | {"expires_at": "2099-06-30T23:30"})
    [key] = soup(ann.get("/profile/keys")).select(".rows li")
    assert key.find("time")["datetime"] == "2099-06-30T09:30:00Z"
    devices = soup(ann.get("/profile/sessions")).select_one(".rows")
    assert devices.find("time").text.endswith(" +14") and " UTC" not in str(devices)
    later = soup(ann.get("/dashboard")).find("time", datetime=FUTURE)
    assert later.text == "2 January 2099, 00:00 +14"
    assert "UTC" in soup(visitor("ann").get("/profile/sessions")).select_one(".rows").text


def test_expiry_is_in_the_zone_of_the_form(visitor, content):
    ann = visitor("ann")
    ann.set_cookie("time_zone", "Europe/Berlin")
    form = soup(ann.get("/profile/keys"))
    assert "Time zone: Europe/Berlin." in form.find(id="expires_at-hint").text
    zone = form.find("input", {"name": "_time_zone"})["value"]
    ann.set_cookie("time_zone", "UTC")
    ann.post("/profile/keys", data=KEY | {"expires_at": "2099-06-30T12:00", "_time_zone": zone})
    assert soup(ann.get("/profile/keys")).find("time", datetime="2099-06-30T10:00:00Z")
    last = {"expires_at": "9999-12-31T23:59", "_time_zone": "America/New_York"}
    assert ann.post("/profile/keys", data=KEY | last).status_code == 201


@pytest.mark.parametrize("path", [p for p in PAGES if p not in ("/dashboard", "/profile/export")])
def test_forms_need_a_csrf_token(guarded, people, path):
    browser = guarded.test_client()
    give_session(guarded, browser, people["ann"])
    assert browser.post(path, data={}).status_code == 403


@pytest.mark.parametrize("path", POSTED)
def test_buttons_need_a_csrf_token(guarded, people, path):
    browser = guarded.test_client()
    give_session(guarded, browser, people["ann"])
    assert browser.post(path).status_code == 403


def test_overview_shows_ones_own_content(visitor, content, comment):
    comment("ann", body="Mine")
    answer = visitor("ann").get("/dashboard")
    text = answer.text
    assert "Draft" in text and "Abes" not in text and "1 device" in text
    hints = {re.sub(r"\s+", " ", one.text).strip() for one in soup(answer).select("section .hint")}
    assert any(one.startswith("Scheduled for ") and one.endswith(" UTC") for one in hints)
    assert any(one.startswith("Published on ") for one in hints)
    assert any(one.startswith("Draft, last edited on ") for one in hints)


def test_profile_is_changed_in_one_step(app, visitor, people):
    ann = visitor("ann")
    sent = {
        "username": "anna", "display_name": "Anna", "bio": "Writes.", "location": "Quay",
        "website": "https://example.org/", "links": "https://example.com/a\n\nhttps://example.com/b",
    }  # fmt: skip
    assert ann.post("/profile", data=sent).location == "/profile"
    page = ann.get("/profile")
    assert said(page) == "Saved." and known_as(ann) == "anna"
    form = {one["name"]: one.get("value", one.text) for one in soup(page).select("main [name]")}
    assert (
        form["website"] == "https://example.org/" and form["links"].split() == sent["links"].split()
    )


def test_invalid_profile_changes_nothing(app, visitor, people):
    ann = visitor("ann")
    sent = {"username": "anna", "display_name": "A", "website": "javascript:x"}
    answer = ann.post("/profile", data=sent)
    assert answer.status_code == 422 and errors(answer)
    assert 'value="anna"' in answer.text
    assert known_as(ann) == "ann"
    taken = ann.post("/profile", data={"username": "BOB"})
    assert taken.status_code == 409 and "Username is already taken." in errors(taken)


def test_new_password(app, visitor, people):
    ann, elsewhere = visitor("ann"), visitor("ann")
    sent = {"current_password": PASSWORD, "password": "a better one 8", "confirm": "a better one 8"}
    assert ann.post("/profile/password", data=sent).location == "/profile/password"
    assert "All other devices have been signed out." in said(ann.get("/profile/password"))
    assert known_as(elsewhere) is None
    again = {"email": "ann@example.org", "password": "a better one 8"}
    assert app.test_client().post("/auth/login", data=again).status_code == 302


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"current_password": "wrong"}, "Current password is wrong."),
        ({"current_password": ""}, "Current password"),
        ({"confirm": "other"}, "The passwords do not match."),
        ({"password": "short", "confirm": "short"}, "at least 8 characters"),
    ],
)
def test_refused_password(visitor, people, given, message):
    sent = {"current_password": PASSWORD, "password": "long enough", "confirm": "long enough"}
    answer = visitor("ann").post("/profile/password", data=sent | given)
    assert answer.status_code == 422 and message in " ".join(errors(answer))
    assert "long enough" not in answer.text


def test_new_address_needs_the_password(visitor, people):
    ann = visitor("ann")
    sent = {"email": "new@example.org", "current_password": "wrong"}
    answer = ann.post("/profile/email", data=sent)
    assert answer.status_code == 422 and 'value="new@example.org"' in answer.text
    assert errors(answer)[-1] == "Current password is wrong."
    answer = ann.post("/profile/email", data={"email": "no address", "current_password": PASSWORD})
    assert (
        answer.status_code == 422
        and "New email address is not a valid email address." in " ".join(errors(answer))
    )


def test_new_address_applies_when_its_link_is_opened(make_app, people, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    ann = sign_in(app, "ann")
    sent = {"email": "New@example.org", "current_password": PASSWORD}
    assert ann.post("/profile/email", data=sent).location == "/profile/email"
    assert "ann@example.org" in ann.get("/profile/email").text
    letters = {letter["To"]: letter for letter in mail_servers.sent(app)}
    assert set(letters) >= {"new@example.org", "ann@example.org"}
    assert ann.post(mail_servers.link_in(letters["new@example.org"])).status_code == 302
    assert "new@example.org" in ann.get("/profile/email").text


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/profile/export"])
def test_head_changes_nothing(visitor, people, path):
    ann = visitor("ann")
    assert ann.head(path, data={"username": "x"}).status_code == 200
    assert known_as(ann) == "ann"


def test_devices_are_listed_and_signed_out(app, people):
    ann = app.test_client()
    here = give_session(app, ann, people["ann"])
    other, third = (give_session(app, app.test_client(), people["ann"]) for _ in "ab")
    assert soup(ann.get("/profile/sessions")).select_one(".badge").text == "this device"
    assert ann.post(f"/profile/sessions/{other}/end").location == "/profile/sessions"
    assert ann.post(f"/profile/sessions/{other}/end").location == "/profile/sessions"
    assert len(soup(ann.get("/profile/sessions")).select(".rows li")) == 2
    ann.post("/profile/sessions")
    assert len(soup(ann.get("/profile/sessions")).select(".rows li")) == 1
    assert third != here
    assert ann.post(f"/profile/sessions/{here}/end").location == "/auth/login"
    assert known_as(ann) is None


def test_devices_of_others_cannot_be_signed_out(app, people, visitor):
    other = give_session(app, app.test_client(), people["bob"])
    visitor("ann").post(f"/profile/sessions/{other}/end")
    with app.app_context():
        assert read.find_id(SESSIONS, SYSTEM, id=other) == other


def test_key_is_shown_once_and_deleted(visitor, people):
    ann = visitor("ann")
    sent = {
        "name": "phone",
        "scopes": ["posts:read", "posts:write"],
        "expires_at": "2099-01-02T03:04",
    }
    made = ann.post("/profile/keys", data=sent | {"networks": "127.0.0.0/8\n"})
    key = soup(made).select_one(".key").text
    assert made.status_code == 201 and key.startswith("qk_")
    later = ann.get("/profile/keys")
    assert key not in later.text and key[:11] in later.text and "2 January 2099" in later.text
    assert ann.get("/api/v1/posts", headers={"X-API-Key": key}).status_code == 200
    id = soup(later).select_one(".rows form")["action"].split("/")[-2]
    ann.post(f"/profile/keys/{id}/delete")
    assert ann.get("/api/v1/posts", headers={"X-API-Key": key}).status_code == 401


def test_ghost_content_key_is_offered_if_that_api_is_enabled(visitor, app, monkeypatch):
    ann = visitor("ann")
    made = ann.post("/profile/keys", data={"name": "site", "scopes": ["content:read"]})
    key = soup(made).select_one(".key").text
    assert len(key) == 26 and made.status_code == 201
    assert ann.get(f"/ghost/api/content/posts/?key={key}").status_code == 200
    monkeypatch.setitem(app.config, "COMPAT_GHOST", False)
    assert "content:read" not in soup(ann.get("/profile/keys")).select_one("form .choices").text


def test_key_without_a_scope_keeps_what_was_typed(visitor, people):
    answer = visitor("ann").post("/profile/keys", data={"name": "phone", "networks": "here"})
    assert answer.status_code == 422 and 'value="phone"' in answer.text
    assert len(errors(answer)) == 3


def test_only_useful_scopes_are_offered(visitor, people):
    def offered(name):
        found = soup(visitor(name).get("/profile/keys")).select("[name=scopes]")
        return {one["value"] for one in found}

    assert "audit_events:read" in offered("root") - offered("ann")
    assert offered("bob") >= {"posts:read", "comments:write"}
    assert not {"tags:write", "settings:write", "audit_events:read"} & offered("bob")


def test_personal_data_can_be_exported(visitor, content, comment, people):
    comment("ann", body="Mine")
    answer = visitor("ann").get("/profile/export")
    found = json.loads(answer.data)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-account.json"'
    assert found["users"][0]["email"] == "ann@example.org"
    assert len(found["posts"]) >= 4 and found["comments"][0]["body"] == "Mine"
    assert found["sessions"] and not any(word in answer.text for word in ("hash", "$2b$"))
    assert PASSWORD not in answer.text and "canaryabes" not in answer.text


def test_account_without_posts_is_deleted(app, visitor, people, content, comment):
    id = comment("bob", body="I was here")
    bob = visitor("bob")
    assert bob.post("/profile/delete", data={"current_password": "wrong"}).status_code == 422
    answer = bob.post("/profile/delete", data={"current_password": PASSWORD})
    assert answer.location == "/" and known_as(bob) is None
    with app.app_context():
        assert read.find_id(USERS, SYSTEM, username="bob") is None
        left = read.get_record(COMMENTS, SYSTEM, id)
    assert (left["author"], left["author_name"]) == (None, "bob")


def test_account_with_posts_leaves_only_a_name(app, visitor, people, content):
    ann = visitor("ann")
    assert "comments stay on the site under the name ann" in ann.get("/profile/delete").text
    with app.app_context():
        profile = read.find_id(PROFILES, SYSTEM, user_id=people["ann"].id)
        update(PROFILES, SYSTEM, profile, {"location": "Quay"})
    ann.post("/profile/delete", data={"current_password": PASSWORD})
    with app.app_context():
        user = read.get_record(USERS, SYSTEM, people["ann"].id)
        about = read.get_record(PROFILES, SYSTEM, profile)
    assert (user["username"], user["email"], user["is_active"]) == ("ann", None, False)
    assert about["location"] == ""
    sent = {"email": "ann@example.org", "password": PASSWORD}
    assert app.test_client().post("/auth/login", data=sent).status_code == 401
    assert app.test_client().get("/posts/live").status_code == 200


def test_last_administrator_cannot_delete_their_account(visitor, people):
    answer = visitor("root").post("/profile/delete", data={"current_password": PASSWORD})
    assert answer.status_code == 409 and "last active administrator" in " ".join(errors(answer))


def test_csrf_tokens_are_only_on_our_own_forms(guarded, people):
    browser = guarded.test_client()
    give_session(guarded, browser, people["ann"])
    sent = {"username": "ann", "bio": "Hi"} | token_of(browser, "/profile")
    assert browser.post("/profile", data=sent).status_code == 302
    assert sign_in(guarded, None).get("/profile").status_code == 302
