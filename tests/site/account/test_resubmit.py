"""Forms submitted after a session has ended: nothing typed is lost, and nothing can be forged."""

import random
import string
import time

import pytest
from sqlalchemy import delete

from quire.actor import SYSTEM
from quire.auth import pending_login
from quire.records import COMMENTS, POSTS, SESSIONS
from quire.site.account.resubmit import SECONDS
from quire.store import read
from quire.store.db import transaction
from tests.site.account.test_two_factor import enrol
from tests.site.conftest import sign_in, soup, token_of
from tests.users import PASSWORD, give_session

TYPED = "An afternoon of typing\n\n“ü” & <b>more</b>"


@pytest.fixture
def ann(guarded, people):
    """A browser in which Ann is signed in; `end()` ends the session in the database."""
    client = guarded.test_client()
    give_session(guarded, client, people["ann"])

    def end():
        with guarded.app_context(), transaction() as connection:
            connection.execute(delete(SESSIONS.table))

    client.end = end
    return client


def token(client, path):
    found = soup(client.get(path)).find("input", {"name": "csrf_token"})
    return {"csrf_token": found["value"]}


def hidden(page):
    """Return what a form would send if nothing was typed."""
    return {one["name"]: one.get("value", "") for one in page.find_all("input", {"type": "hidden"})}


def form_of(response):
    return soup(response).select_one("main form")


def sign_in_there(client, response, **more):
    """Fill in the sign-in form that `response` shows."""
    form = form_of(response)
    sent = {"email": "ann@example.org", "password": PASSWORD, **hidden(form), **more}
    return client.post(form.get("action", response.request.path), data=sent)


def send_on(client, response):
    form = form_of(response)
    return client.post(form["action"], data=hidden(form))


def test_comment_is_kept_through_sign_in(guarded, ann, content):
    sent = {"body": TYPED, "parent": "", **token(ann, "/posts/live")}
    ann.end()
    asked = ann.post("/posts/live?page=1", data=sent)
    assert asked.status_code == 401 and soup(asked).h1.text == "Sign in"
    assert "private, no-store" in asked.headers["Cache-Control"]
    assert "Sign in to submit what you typed" in asked.text
    offered = sign_in_there(ann, asked)
    assert offered.status_code == 200 and soup(offered).h1.text == "Welcome back"
    assert form_of(offered)["action"] == "/posts/live?page=1"
    done = send_on(ann, offered)
    assert done.status_code == 302
    with guarded.app_context():
        assert read.list_records(COMMENTS, SYSTEM, read.Query()).rows[0]["body"] == TYPED


def test_panel_form_is_kept_through_sign_in(guarded, ann, content):
    path = f"/admin/posts/edit/?id={content.draft}"
    page = soup(ann.get(path))
    sent = {
        **hidden(page.find("form", {"data-unsaved-guard": True})),
        "title": "Draft",
        "body": TYPED,
    }
    ann.end()
    asked = ann.post(path, data=sent, headers={"Referer": f"http://localhost{path}"})
    assert asked.status_code == 401
    again = sign_in_there(ann, asked, password="wrong")
    assert again.status_code == 401 and "pending_form" in hidden(form_of(again))
    offered = sign_in_there(ann, again)
    assert form_of(offered).find("a")["href"] == path
    assert send_on(ann, offered).location == "/admin/posts/"
    with guarded.app_context():
        assert read.get_record(POSTS, SYSTEM, content.draft)["body"] == TYPED


def test_form_is_kept_through_the_second_step(guarded, ann, people, content):
    app, _ = enrol(guarded, people["ann"])
    sent = {"body": TYPED, **token(ann, "/posts/live")}
    ann.end()
    second = sign_in_there(ann, ann.post("/posts/live", data=sent))
    assert soup(second).h1.text == "Two-factor authentication"
    form = form_of(second)
    wrong = ann.post(form["action"], data={**hidden(form), "otp": "nothing"})
    assert wrong.status_code == 401
    offered = ann.post(form["action"], data={**hidden(form_of(wrong)), "otp": app.now()})
    assert soup(offered).h1.text == "Welcome back"
    assert send_on(ann, offered).status_code == 302


def test_slow_second_step_starts_again_with_everything_typed(guarded, ann, people, content):
    app, _ = enrol(guarded, people["ann"])
    sent = {"body": TYPED, **token(ann, "/posts/live")}
    ann.end()
    second = sign_in_there(ann, ann.post("/posts/live", data=sent))
    with ann.session_transaction() as cookie:
        cookie[pending_login.NAME] = [*cookie[pending_login.NAME][:3], int(time.time()) - 1]
    form = form_of(second)
    late = ann.post(form["action"], data={**hidden(form), "otp": app.now()})
    assert late.status_code == 401 and "Sign in to submit what you typed" in late.text
    form = form_of(sign_in_there(ann, late))
    offered = ann.post(form["action"], data={**hidden(form), "otp": app.now()})
    assert send_on(ann, offered).status_code == 302
    with guarded.app_context():
        assert read.list_records(COMMENTS, SYSTEM, read.Query()).rows[0]["body"] == TYPED


@pytest.mark.parametrize("cleared", [True, False])
def test_form_is_kept_without_a_cookie(guarded, ann, content, cleared):
    sent = {"body": TYPED, **token(ann, "/posts/live")}
    ann.end()
    if cleared:
        ann.delete_cookie("quire")
    offered = sign_in_there(ann, ann.post("/posts/live", data=sent))
    assert send_on(ann, offered).status_code == 302


def test_passwords_are_never_kept(ann):
    sent = {"current_password": "hidden-1", "password": "hidden-2", "confirm": "hidden-3",
            "display_name": "seen", **token(ann, "/profile/password")}  # fmt: skip
    ann.end()
    asked = ann.post("/profile/password", data=sent)
    assert asked.status_code == 401 and "hidden-" not in asked.text
    offered = sign_in_there(ann, asked)
    assert "seen" in offered.text and "hidden-" not in offered.text


def test_foreign_forms_are_not_kept(guarded, content):
    stranger = guarded.test_client()
    for data in ({"body": TYPED}, {"body": TYPED, "csrf_token": "made.up"}, {"csrf_token": ""}):
        answer = stranger.post("/posts/live", data=data)
        assert (answer.status_code, answer.location) == (302, "/auth/login?next=/posts/live")
        answer = stranger.post("/admin/posts/new/", data=data)
        assert answer.status_code == 302


def test_kept_form_cannot_be_forged(guarded, people):
    for text in ("x", "WyIvIl0.aaaa.bbbb", "", "a" * 5000):
        sent = {"email": "ann@example.org", "password": PASSWORD, "pending_form": text}
        client = guarded.test_client()
        answer = client.post("/auth/login", data=sent | token_of(client, "/auth/login"))
        assert (answer.status_code, answer.location) == (302, "/admin/")


def test_kept_form_expires(guarded, ann, content, monkeypatch):
    sent = {"body": TYPED, **token(ann, "/posts/live")}
    ann.end()
    asked = ann.post("/posts/live", data=sent)
    monkeypatch.setattr("quire.site.account.resubmit.SECONDS", -1)
    assert SECONDS == 3600
    assert sign_in_there(ann, asked).status_code == 302


def test_loss_of_a_too_long_form_is_reported(guarded, ann, content):
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=700_000)
    sent = {"body": "".join(letters), **token(ann, "/posts/live")}
    ann.end()
    asked = ann.post("/posts/live", data=sent)
    assert asked.status_code == 401 and "too long to keep" in asked.text
    assert "pending_form" not in hidden(form_of(asked))


def test_scripts_get_an_error(ann, content):
    headers = {"X-CSRFToken": token(ann, "/posts/live")["csrf_token"], "Accept": "application/json"}
    ann.end()
    answer = ann.post("/admin/posts/ajax/update/", data={"id": "1"}, headers=headers)
    assert answer.status_code == 401 and "signed out" in answer.json["message"]


def test_reading_redirects_to_sign_in_as_usual(guarded):
    client = guarded.test_client()
    assert client.get("/admin/posts/").location == "/auth/login?next=/admin/posts/"
    assert client.get("/profile").location == "/auth/login?next=/profile"


def test_ordinary_sign_in_keeps_nothing(guarded, people):
    assert "pending_form" not in guarded.test_client().get("/auth/login").text
    assert sign_in(guarded, "ann").get("/admin/").status_code == 200
