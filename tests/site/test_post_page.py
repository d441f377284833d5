"""Comments: threads of limited depth, the form, and what was typed in it."""

import pytest

from quire.actor import SYSTEM
from quire.records import COMMENTS, POSTS, SETTINGS
from quire.site import post_page
from quire.site.post_page import threads
from quire.store import read
from quire.store.write import update
from tests.clocks import PAST
from tests.site.conftest import sign_in, soup


def one(id, parent=None):
    return {"id": id, "parent": parent and {"id": parent}}


def shape(said):
    return [(s.comment["id"], s.to and s.to["id"], shape(s.answers)) for s in said]


def test_threads():
    found = shape(threads([one(1), one(2), one(3, 1), one(4, 3), one(5, 1), one(6, 99)]))
    assert found == [
        (1, None, [(3, None, [(4, None, [])]), (5, None, [])]),
        (2, None, []),
        (6, None, []),
    ]


def test_deep_threads_stop_indenting():
    found = shape(threads([one(1), *(one(i, i - 1) for i in range(2, 8))]))
    deepest = found[0][2][0][2][0][2]
    assert deepest == [(4, None, []), (5, 4, []), (6, 5, []), (7, 6, [])]
    assert len(shape(threads([one(1), *(one(i, i - 1) for i in range(2, 3000))]))) == 1


def test_reply_imported_before_its_parent_is_not_lost():
    assert shape(threads([one(2, 1), one(1)])) == [(1, None, [(2, None, [])])]


def test_readers_see_approved_comments_in_threads(client, comment):
    first = comment("bob", body="**First**")
    comment("ann", body="Second", parent=first)
    comment(author_name="A guest", body="Third")
    comment("bob", body="waiting", status="pending")
    comment("bob", body="rubbish", status="spam")
    comment("bob", body="thrown away", deleted_at=PAST)
    page = soup(client.get("/posts/live"))
    comments = page.find(id="comments")
    assert comments.h2.text == "3 comments"
    assert [c["id"] for c in comments.select("article")] == [f"comment-{i}" for i in (1, 2, 3)]
    assert comments.select_one(f"li:has(> #comment-{first}) ol article").strong.text == "ann"
    assert comments.strong.text == "bob" and comments.find("strong", string="First")
    assert "A guest" in comments.text
    for word in ("waiting", "rubbish", "thrown away"):
        assert word not in page.text
    assert page.find("a", href="/auth/login?next=/posts/live").text == "Sign in"
    assert page.find("textarea") is None


@pytest.mark.parametrize(
    ("name", "sees"), [("bob", True), ("abe", False), ("ann", True), ("mod", True)]
)
def test_pending_comments_are_shown_to_their_writers_and_moderators(visitor, comment, name, sees):
    comment("bob", body="patience", status="pending")
    page = soup(visitor(name).get("/posts/live"))
    assert ("patience" in page.text) == sees
    assert ("Waiting for approval" in page.text) == sees
    assert page.find(id="comments").h2.text == "Comments", "the count is the public one"


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [("bob", "pending", "once it is approved"), ("ann", "approved", "Thank you.")],
)
def test_comment_is_added(app, visitor, content, name, status, words):
    browser = visitor(name)
    response = browser.post("/posts/live", data={"body": "Well *said*."})
    assert response.status_code == 302
    assert response.location == "/posts/live#comment-1"
    assert words in soup(browser.get(response.location)).find(role="status").text
    assert soup(browser.get(response.location)).find(role="status") is None
    with app.app_context():
        made = read.get_record(COMMENTS, SYSTEM, 1)
    assert (made["body"], made["status"]) == ("Well *said*.", status)
    assert made["author"]["username"] == name and made["parent"] is None


def test_reply_is_added(app, visitor, comment):
    first = comment("bob")
    browser = visitor("ann")
    form = soup(browser.get(f"/posts/live?reply={first}")).find(id="say")
    assert form.h3.text == "Reply to bob"
    assert form.find("input", id="parent")["value"] == str(first)
    browser.post("/posts/live", data={"body": "Yes", "parent": str(first)})
    with app.app_context():
        assert read.get_record(COMMENTS, SYSTEM, 2)["parent"] == {"id": first}


def test_approved_comments_have_a_reply_link(visitor, comment):
    first = comment("bob")
    comment("ann", status="pending")
    links = soup(visitor("ann").get("/posts/live")).select(".answer a")
    assert [link["href"] for link in links if link.text.startswith("Reply")] == [
        f"/posts/live?reply={first}#say"
    ]


@pytest.mark.parametrize("reply", ["99", "abc", "9" * 22, "%00"])
def test_reply_to_a_missing_comment_becomes_a_top_level_comment(visitor, comment, reply):
    comment("bob")
    form = soup(visitor("ann").get(f"/posts/live?reply={reply}")).find(id="say")
    assert form.h3.text == "Leave a comment"


def test_empty_comment_is_explained_beside_the_field(visitor, comment):
    first = comment("bob")
    response = visitor("ann").post("/posts/live", data={"body": "", "parent": str(first)})
    assert response.status_code == 422
    form = soup(response).find(id="say")
    field = form.find("textarea")
    assert field["aria-invalid"] == "true"
    assert "body-error" in field["aria-describedby"].split()
    assert form.find(id="body-error").text == "Your comment is required."
    assert form.find("input", id="parent")["value"] == str(first)
    assert form.find(role="alert")


@pytest.mark.parametrize("parent", ["99", "abc", "9" * 22, "\x00", "-1", "²"])
def test_invalid_parent_is_refused_and_the_text_kept(visitor, content, parent):
    response = visitor("ann").post("/posts/live", data={"body": "Keep <me>", "parent": parent})
    assert response.status_code == 422
    page = soup(response)
    assert page.find("textarea").text.strip() == "Keep <me>"
    assert "does not exist" in page.find(role="alert").text


@pytest.mark.parametrize(("text", "times"), [("x\x00y", 1), ("é", 140_000)])
def test_invalid_text_is_refused(visitor, content, text, times):
    assert visitor("ann").post("/posts/live", data={"body": text * times}).status_code == 422


def test_commenting_needs_a_session(visitor, content):
    response = visitor().post("/posts/live", data={"body": "Hello"})
    assert response.status_code == 302
    assert response.location == "/auth/login?next=/posts/live"


def test_hidden_posts_cannot_be_commented_on(visitor, content):
    assert visitor("bob").post("/posts/draft", data={"body": "Hello"}).status_code == 404
    response = visitor("ann").post("/posts/draft", data={"body": "Hello"})
    assert response.status_code == 409
    assert "Comments are closed" in response.text


def test_closed_comments(app, visitor, content, comment):
    comment("bob")
    with app.app_context():
        update(POSTS, SYSTEM, content.live, {"comments_open": False})
        update(POSTS, SYSTEM, content.abes, {"comments_open": True})
    page = soup(visitor("ann").get("/posts/live"))
    assert page.find("form", id="say") is None and page.find("article", id="comment-1")
    assert soup(visitor("ann").get("/posts/abes")).find("form", id="say")
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"comments": "closed"})
    assert soup(visitor("ann").get("/posts/abes")).find("form", id="say") is None


def test_long_discussions_are_paged(monkeypatch, visitor, comment):
    monkeypatch.setattr(post_page, "AT_ONCE", 2)
    first = comment("bob")
    for _ in range(3):
        comment("bob", parent=first)
    page = soup(visitor("ann").get("/posts/live?page=2"))
    assert [c["id"] for c in page.select("article.comment")] == ["comment-3", "comment-4"]
    assert page.find("a", rel="prev")["href"] == "/posts/live"
    browser = visitor("ann")
    response = browser.post("/posts/live", data={"body": "Last"})
    assert response.location == "/posts/live?page=3#comment-5"
    assert "Last" in browser.get(response.location).text
    assert browser.get("/posts/live?page=4").status_code == 404


def test_form_without_a_csrf_token_changes_nothing_and_keeps_the_text(guarded, content):
    browser = sign_in(guarded, "ann")
    response = browser.post("/posts/live", data={"body": "Keep me"})
    assert response.status_code == 403
    page = soup(response)
    assert page.find("textarea").text.strip() == "Keep me"
    assert "open for too long" in page.find(role="alert").text
    token = page.find(id="say").find("input", {"name": "csrf_token"})["value"]
    again = browser.post("/posts/live", data={"body": "Keep me", "csrf_token": token})
    assert again.status_code == 302


def test_bots_are_thanked_and_ignored(app, visitor, content):
    browser = visitor("bob")
    assert "Leave this empty" in browser.get("/posts/live").text
    response = browser.post("/posts/live", data={"body": "Buy!", "subject": "Buy!"})
    assert response.location == "/posts/live"
    assert "once it is approved" in browser.get("/posts/live").text
    with app.app_context():
        assert read.find_id(COMMENTS, SYSTEM, id=1) is None


def test_comments_close_after_some_days(app, visitor, content):
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"comments_close_after_days": 36_000})
    assert soup(visitor("ann").get("/posts/live")).find("form", id="say")
    with app.app_context():
        update(SETTINGS, SYSTEM, 1, {"comments_close_after_days": 1})
    page = visitor("ann").get("/posts/live").text
    assert "Comments are closed." in page and 'id="say"' not in page
    assert visitor("ann").post("/posts/live", data={"body": "Late"}).status_code == 409


def test_links_in_comments_are_nofollow(client, comment):
    comment("bob", body="[me](https://example.org/)")
    link = soup(client.get("/posts/live")).find("a", href="https://example.org/")
    assert {"ugc", "nofollow"} <= set(link["rel"])
