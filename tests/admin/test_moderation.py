"""The moderation queue: waiting comments, decisions about one and about many, replies, undo."""

import re

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM, Actor
from quire.records import COMMENTS
from quire.store import read, write
from tests.query_plans import query_plans

QUEUE = "comments/moderation/"


@pytest.fixture
def waiting_comments(app, ids):
    """Twenty-five waiting comments on abe's post, of which two are in `ids`, the last one first."""
    with app.app_context():
        bob = Actor("member", ids.bob, "bob")
        raw = {"post": ids.abes}
        return [
            write.create(COMMENTS, bob, {**raw, "body": f"Number *{number}*"}).id
            for number in range(25)
        ][::-1]


def page(answer):
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def decide(browser, found, action, form=".decisions"):
    """Press a button of the page as a browser would, and follow the redirect."""
    form = found.select_one(form)
    data = {one["name"]: one["value"] for one in form.select("input[type=hidden]")}
    if form.get("id") == "queue":
        data["rowid"] = [one["value"] for one in found.select("[name=rowid][form=queue]")]
    return page(
        browser.client.post(form["action"], data={**data, "action": action}, follow_redirects=True)
    )


def undo(browser, found):
    form = found.select_one(".messages form")
    data = {one["name"]: one["value"] for one in form.select("input")}
    return page(browser.client.post(form["action"], data=data, follow_redirects=True))


def shown(found):
    return int(found.select_one(".decisions [name=rowid]")["value"])


def test_first_waiting_record_is_shown_in_full_with_its_authors_history(
    admin, waiting_comments, ids
):
    admin.post("comments/action/", {"action": "approve", "rowid": waiting_comments[:3]})
    admin.post("comments/action/", {"action": "spam", "rowid": waiting_comments[3]})
    found = page(admin.get(QUEUE))
    assert shown(found) == waiting_comments[4]
    assert found.select_one(".queue-one .prose em").text == "20"
    assert "Abe's nets" in found.select_one(".queue-one header").text
    history = found.select_one(".history").text
    assert history == "Earlier comments by this author: 23 pending, 3 approved, 1 spam"
    assert len(found.select(".queue-rest li")) == 20


def test_guests_name_and_the_parent_comment_are_shown(admin, app, ids, waiting_comments):
    with app.app_context():
        parent = write.create(COMMENTS, SYSTEM, {"post": ids.abes, "body": "Which nets?"}).id
        write.act(COMMENTS, SYSTEM, parent, "approve")
        raw = {"post": ids.abes, "body": "Those", "author_name": "A guest", "parent": parent}
        id = write.create(COMMENTS, SYSTEM, {**raw, "status": "pending"}).id
    found = page(admin.get(f"{QUEUE}?id={id}"))
    assert shown(found) == id
    assert "A guest" in found.select_one(".queue-one header").text
    assert found.select_one(".history").text == "This author has no account here."
    assert "Which nets?" in found.select_one(".queue-one").text


def test_next_record_follows_a_decision_which_can_be_undone(admin, waiting_comments, state):
    found = page(admin.get(QUEUE))
    for action, expected in (("approve", "approved"), ("spam", "spam")):
        id = shown(found)
        found = decide(admin, found, action)
        assert state(COMMENTS, id)["status"] == expected
        assert shown(found) == id - 1
        undo(admin, found)
        assert state(COMMENTS, id)["status"] == "pending"
    id = shown(found)
    found = decide(admin, found, "delete")
    assert state(COMMENTS, id)["deleted_at"] and "moved to the trash" in found.text
    undo(admin, found)
    assert not state(COMMENTS, id)["deleted_at"]


def test_page_of_comments_is_approved_and_undone_together(admin, waiting_comments, state):
    found = decide(admin, page(admin.get(QUEUE)), "approve", form="#queue")
    assert "20 comments approved." in found.text
    assert {state(COMMENTS, id)["status"] for id in waiting_comments[:20]} == {"approved"}
    assert "7 comments" in found.select_one(".queue-bar").text
    undo(admin, found)
    assert {state(COMMENTS, id)["status"] for id in waiting_comments} == {"pending"}


def test_all_waiting_records_are_decided_after_a_question(admin, waiting_comments, state):
    found = page(admin.get(QUEUE))
    form = found.select_one("#queue")
    assert form.select_one("[name=matching]").parent.text.strip() == "All 27 comments in this list"
    data = {one["name"]: one["value"] for one in form.select("input[name]:not([form])")}
    asked = page(admin.client.post(form["action"], data={**data, "action": "spam"}))
    assert "all 27 comments that match" in asked.text
    assert {state(COMMENTS, id)["status"] for id in waiting_comments} == {"pending"}
    done = decide(admin, asked, "spam", form="main form[method=post]")
    assert "27 comments marked as spam." in done.text and "All done" in done.text
    assert {state(COMMENTS, id)["status"] for id in waiting_comments} == {"spam"}
    undo(admin, done)
    assert {state(COMMENTS, id)["status"] for id in waiting_comments} == {"pending"}


def test_excerpts_contain_no_markdown(admin, waiting_comments):
    rest = page(admin.get(QUEUE)).select_one(".queue-rest").text
    assert "Number 24" in rest and "*" not in rest
    assert "*24*" not in page(admin.get("comments/")).select_one("tbody").text


def test_decided_record_can_wait_again(admin, waiting_comments, state):
    admin.post("comments/action/", {"action": "spam", "rowid": waiting_comments[0]})
    found = page(admin.get(f"{QUEUE}?status=spam"))
    names = [one["value"] for one in found.select(".decisions button")]
    assert names == ["approve", "pending", "delete"] and not found.select(".reply")
    assert decide(admin, found, "pending").select_one(".empty") is not None
    assert state(COMMENTS, waiting_comments[0])["status"] == "pending"


def test_reply_approves_its_parent_and_both_are_undone(admin, app, waiting_comments, state):
    found = page(admin.get(QUEUE))
    form, id = found.select_one(".reply"), shown(found)
    assert form.button.text == "Approve and reply"
    data = {one["name"]: one["value"] for one in form.select("input")}
    for _ in range(2):  # the second one is a double click
        sent = admin.client.post(form["action"], data={**data, "body": "Thank you!"})
        assert sent.status_code == 302
    found = page(admin.client.get(sent.location))
    assert "Your reply to “Number 24” is published." in found.text
    assert shown(found) == id - 1 and state(COMMENTS, id)["status"] == "approved"
    with app.app_context():
        replies = [read.get_record(COMMENTS, SYSTEM, n) for n in range(id + 1, id + 2)]
        assert read.find_id(COMMENTS, SYSTEM, id=id + 2) is None
    assert [(one["parent"]["id"], one["body"]) for one in replies] == [(id, "Thank you!")]


def test_reply_is_undone_with_the_approval(admin, waiting_comments, state):
    found = page(admin.get(QUEUE))
    form, id = found.select_one(".reply"), shown(found)
    data = {one["name"]: one["value"] for one in form.select("input")}
    sent = admin.client.post(form["action"], data={**data, "body": "Ah"}, follow_redirects=True)
    undo(admin, page(sent))
    assert state(COMMENTS, id)["status"] == "pending"
    assert state(COMMENTS, id + 1)["deleted_at"]


def test_refused_reply_keeps_what_was_typed(admin, waiting_comments, state):
    found = page(admin.get(QUEUE))
    form, id = found.select_one(".reply"), shown(found)
    data = {one["name"]: one["value"] for one in form.select("input")}
    sent = admin.client.post(form["action"], data={**data, "body": "x\x00y"})
    assert sent.status_code == 422
    found = BeautifulSoup(sent.text, "html.parser")
    assert "The reply was not saved." in found.select_one("#problem").text
    assert shown(found) == id and state(COMMENTS, id)["status"] == "pending"


def test_authors_moderate_below_their_own_posts(browser, ids, waiting_comments):
    ann = browser("ann")
    found = page(ann.get(QUEUE))
    assert shown(found) == ids.comment and len(found.select(".queue-rest li")) == 1
    assert browser("bob").get(QUEUE).status_code == 403
    assert "All done" in decide(ann, found, "approve").text


def test_queue_is_in_the_menu_and_current_only_there(admin, ids):
    found = page(admin.get(QUEUE))
    assert [one.text for one in found.select(".nav [aria-current]")] == ["Moderation"]
    assert page(admin.get("comments/")).select_one(".nav [aria-current]").text == "Comments"


@pytest.mark.parametrize("path", ["posts/moderation/", f"{QUEUE}?status=x", f"{QUEUE}?id=x"])
def test_other_types_and_states_have_no_queue(admin, path):
    assert admin.get(path).status_code == 404


def test_foreign_urls_are_not_followed(admin, waiting_comments):
    found = page(admin.get(QUEUE))
    form = found.select_one(".reply")
    data = {one["name"]: one["value"] for one in form.select("input")}
    away = {**data, "body": "Ah", "url": "https://example.com/"}
    assert admin.client.post(form["action"], data=away).location == "/admin/comments/"


def test_queue_takes_six_statements(admin, waiting_comments, statements):
    admin.get(QUEUE)
    _, sent = statements(admin.get, QUEUE)
    assert len(sent) <= 6, sent


def test_queue_is_read_by_its_index(app, admin, waiting_comments):
    with app.app_context():
        from_index = query_plans(app.extensions["sqlalchemy"].engine, lambda: admin.get(QUEUE))
    listed = [one for one in from_index if "comments" in one and "ix_comments_status" in one]
    assert listed and not re.search(r"SCAN comments\b(?!.*INDEX)", "\n".join(from_index))


def test_single_record_is_not_called_all(admin, ids):
    text = admin.get("comments/moderation/").text
    assert "Select all 2" in text
    admin.post("comments/action/", {"action": "approve", "rowid": [ids.comment]})
    text = admin.get("comments/moderation/").text
    assert "Select all" not in text and "<span data-queue-count>Select</span>" in text
