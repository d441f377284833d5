"""Comments: who may write, see, approve, edit and delete them, and where."""

from collections import Counter
from datetime import timedelta

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.records import POSTS
from quire.store.counters import touch
from quire.store.write import create
from tests.api.test_access_order import code
from tests.users import signed_in


def test_comments_of_members_wait_and_those_of_authors_do_not(as_, content):
    bob, abe = as_("bob"), as_("abe")
    held = bob.post(f"posts/{content.live}/comments", json={"body": "*Hi*"})
    assert held.status_code == 201
    assert held.headers["Location"] == f"/api/v1/comments/{held.json['id']}"
    assert held.json["status"] == "pending"
    assert held.json["author"] == {"id": bob.account.id, "username": "bob"}
    assert held.json["author_name"] == "bob"
    assert held.json["body_html"] == "<p><em>Hi</em></p>\n"
    assert held.json["post"] == {"id": content.live, "title": "Live", "slug": "live"}
    assert held.json["parent"] is None
    assert list(held.json) == [
        "id", "post", "parent", "author", "author_name", "body", "body_html", "status",
        "created_at", "updated_at", "version",
    ]  # fmt: skip
    shown = abe.post("comments", json={"post": content.live, "body": "Hi"})
    assert shown.json["status"] == "approved"
    seen = as_(None).get(f"posts/{content.live}/comments").json["comments"]
    assert [one["id"] for one in seen] == [shown.json["id"]]
    assert code(as_(None).get(f"comments/{held.json['id']}")) == (404, "not_found")
    for name in ("bob", "ann", "mod"):  # the commenter, the author of the post, a moderator
        assert as_(name).get(f"comments/{held.json['id']}").status_code == 200
    assert code(abe.get(f"comments/{held.json['id']}")) == (404, "not_found")


def test_count_is_of_approved_comments_for_everyone(as_, content, comment):
    comment("bob")
    comment("bob", status="pending")
    comment("bob", status="spam")
    for name in (None, "bob", "ann", "root"):
        assert as_(name).get(f"posts/{content.live}").json["comment_count"] == 1
    waiting = as_("ann").get("comments?status=pending").json["comments"][0]["id"]
    as_("ann").post(f"comments/{waiting}/approve")
    assert as_(None).get(f"posts/{content.live}").json["comment_count"] == 2
    as_("bob").delete(f"comments/{waiting}")
    assert as_(None).get(f"posts/{content.live}").json["comment_count"] == 1


@pytest.mark.parametrize("setting", ["closed", "post", "draft"])
def test_closed_comments_are_refused(as_, content, setting):
    place = content.live
    if setting == "closed":
        as_("root").patch("settings", json={"comments": "closed"})
    elif setting == "post":
        as_("ann").patch(f"posts/{place}", json={"comments_open": False})
    else:
        place = content.draft
    for name in ("ann", "mod"):
        answer = as_(name).post(f"posts/{place}/comments", json={"body": "x"})
        assert code(answer) == (409, "comments_closed")


def test_without_moderation_comments_of_members_appear_immediately(as_, content):
    as_("root").patch("settings", json={"comments": "open"})
    answer = as_("bob").post(f"posts/{content.live}/comments", json={"body": "x"})
    assert answer.json["status"] == "approved"


def test_threads_stay_below_one_post(as_, content, comment):
    first = comment("bob")
    abe = as_("abe")
    reply = abe.post(f"posts/{content.live}/comments", json={"body": "x", "parent": first})
    assert reply.json["parent"] == {"id": first}
    again = abe.post("comments", json={"post": "live", "body": "x", "parent": {"id": first}})
    assert again.status_code == 201
    for bad, word in (
        (first, "not_allowed"),
        (999, "not_found"),
        (comment("bob", status="pending"), "not_found"),
    ):
        answer = abe.post("comments", json={"post": content.abes, "body": "x", "parent": bad})
        assert code(answer) == (422, "validation_failed")
        assert [(d["field"], d["code"]) for d in answer.json["details"]] == [("parent", word)]


def test_url_determines_the_post(as_, content):
    abe = as_("abe")
    for same in (content.live, {"id": content.live}, "live"):
        answer = abe.post(f"posts/{content.live}/comments", json={"body": "x", "post": same})
        assert answer.json["post"]["id"] == content.live
    for other in (content.abes, {"id": content.abes}, "abes", 999, None, True):
        answer = abe.post(f"posts/{content.live}/comments", json={"body": "x", "post": other})
        assert code(answer) == (422, "validation_failed"), other
        assert answer.json["details"][0]["field"] == "post"


def test_comments_on_missing_posts_are_404(as_, content):
    bob = as_("bob")
    for hidden in (content.draft, content.later, content.trashed, 999):
        answer = bob.post("comments", json={"post": hidden, "body": "x"})
        assert code(answer) == (422, "validation_failed")
        assert answer.json["details"][0] == {
            "field": "post", "code": "not_found", "message": f"Post {hidden} does not exist.",
        }  # fmt: skip


def test_access_to_editing_and_deleting(as_, comment):
    first = comment("bob")
    assert as_("bob").patch(f"comments/{first}", json={"body": "mine"}).json["body"] == "mine"
    assert as_("mod").patch(f"comments/{first}", json={"body": "ours"}).json["body"] == "ours"
    for name in ("ann", "abe"):
        assert code(as_(name).patch(f"comments/{first}", json={"body": "x"})) == (403, "forbidden")
    assert code(as_("abe").delete(f"comments/{first}")) == (403, "forbidden")
    assert as_("ann").delete(f"comments/{first}").status_code == 204


@pytest.mark.parametrize("field", ["post", "parent", "author", "status", "author_name"])
def test_only_the_body_can_be_changed(as_, content, comment, field):
    first = comment("bob")
    answer = as_("mod").patch(f"comments/{first}", json={field: content.abes})
    assert [(d["field"], d["code"]) for d in answer.json["details"]] == [(field, "read_only")]


def test_access_to_approving(as_, content, comment):
    held = comment("bob", status="pending")
    assert code(as_("bob").post(f"comments/{held}/approve")) in (
        (403, "forbidden"),
        (404, "not_found"),
    )
    assert code(as_("abe").post(f"comments/{held}/approve")) == (404, "not_found")
    assert as_("ann").post(f"comments/{held}/approve").json["status"] == "approved"
    assert code(as_("bob").post(f"comments/{held}/spam")) == (403, "forbidden")
    assert as_("ann").post(f"comments/{held}/spam").json["status"] == "spam"
    assert as_("mod").post(f"comments/{held}/approve").json["status"] == "approved"
    assert as_("mod").post(f"comments/{held}/approve").status_code == 200
    own = as_("bob").get("comments?author=" + str(as_("bob").account.id)).json["comments"]
    assert [one["id"] for one in own] == [held]


def test_comments_are_listed_oldest_first(as_, content, comment):
    ids = [comment("bob"), comment("ann"), comment("bob")]
    found = as_(None).get(f"posts/{content.live}/comments").json["comments"]
    assert [one["id"] for one in found] == ids
    assert [one["id"] for one in as_(None).get("comments?sort=-id").json["comments"]] == ids[::-1]


def test_imported_guests_have_a_name_without_an_account(as_, comment):
    guest = comment(None, author_name="A guest")
    shown = as_(None).get(f"comments/{guest}").json
    assert (shown["author"], shown["author_name"]) == (None, "A guest")


def test_writers_can_edit_their_comments_for_an_hour(app, as_, comment):
    first = comment("bob")
    with app.app_context():
        touch("comments", first, created_at=now() - timedelta(minutes=61))
    refused = as_("bob").patch(f"comments/{first}", json={"body": "other"})
    assert code(refused) == (403, "forbidden") and "60 minutes" in refused.json["message"]
    assert (
        as_("bob").patch(f"comments/{first}", json={"body": "Hello."}).status_code == 200
    )  # the same
    assert as_("mod").patch(f"comments/{first}", json={"body": "ours"}).status_code == 200
    as_("root").patch("settings", json={"comment_edit_minutes": 0})
    assert as_("bob").patch(f"comments/{first}", json={"body": "mine"}).status_code == 200


def test_comments_close_after_some_days(as_, content):
    as_("root").patch("settings", json={"comments_close_after_days": 1})
    answer = as_("ann").post(f"posts/{content.live}/comments", json={"body": "x"})
    assert code(answer) == (409, "comments_closed")


def test_members_have_a_quota_of_comments(make_app, as_, content, people):
    app = make_app(RATELIMIT_ENABLED=True)
    with app.app_context():
        post = create(POSTS, SYSTEM, {
            "title": "Live", "body": "x", "author": people["ann"].id,
            "published_at": "2026-01-01T10:00:00Z",
        }).id  # fmt: skip
    bob, ann = (signed_in(app, people[name]) for name in ("bob", "ann"))
    said = [bob.post(f"posts/{post}/comments", json={"body": "x"}) for _ in range(31)]
    assert [one.status_code for one in said] == [201] * 30 + [429]
    assert int(said[-1].headers["Retry-After"]) > 0
    assert ann.post(f"posts/{post}/comments", json={"body": "x"}).status_code == 201


def test_cost_of_a_new_comment_is_bounded(as_, content, statements):
    """The user and maintenance mode, two checks, the row and what is shown of it; five rows of side effects."""
    ann = as_("ann")

    def comment():
        return ann.post(f"posts/{content.live}/comments", json={"body": "Hi"})

    comment()  # afterwards the next request finds all versions changed
    answer, seen = statements(comment)
    assert answer.status_code == 201
    assert Counter(one.split()[0] for one in seen) == {"SELECT": 4, "INSERT": 5, "UPDATE": 1}
    assert not [
        one for one in seen if "change_feed" in one
    ]  # only the state on which readers' caches depend
