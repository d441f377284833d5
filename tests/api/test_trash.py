"""The trash: who may move records there, see, restore, and permanently delete them."""

import pytest

from quire.records import COMMENTS
from tests.api.test_access_order import code


@pytest.mark.parametrize("name", ["ann", "mod", "root"])
def test_delete_moves_to_the_trash_and_restore_back(as_, content, name):
    one = as_(name)
    before = one.get(f"posts/{content.live}").json
    assert "deleted_at" not in before
    assert one.delete(f"posts/{content.live}").status_code == 204
    gone = one.get(f"posts/{content.live}").json
    assert (gone["status"], gone["published"], bool(gone["deleted_at"])) == ("trashed", False, True)
    assert content.live not in [post["id"] for post in one.get("posts").json["posts"]]
    trash = one.get("posts?trashed=true").json
    assert {post["id"] for post in trash["posts"]} == {content.live, content.trashed}
    assert all(post["deleted_at"] for post in trash["posts"])
    for other in (None, "bob", "abe"):
        assert code(as_(other).get(f"posts/{content.live}")) == (404, "not_found")
        assert as_(other).get("posts?trashed=true").json["total"] == 0
    assert one.delete(f"posts/{content.live}").status_code == 204
    back = one.post(f"posts/{content.live}/restore")
    assert back.json["status"] == "published"
    assert "deleted_at" not in back.json
    assert as_(None).get(f"posts/{content.live}").status_code == 200


def test_restore_outside_the_trash_is_refused(as_, content, comment):
    assert code(as_("ann").post(f"posts/{content.live}/restore")) == (409, "wrong_state")
    assert code(as_("mod").post(f"comments/{comment('bob')}/restore")) == (409, "wrong_state")
    assert code(as_("abe").post(f"posts/{content.trashed}/restore")) == (404, "not_found")


def test_permanent_deletion(as_, content):
    ann, mod = as_("ann"), as_("mod")
    assert code(ann.delete(f"posts/{content.trashed}?permanent=true")) == (403, "forbidden")
    assert code(mod.delete(f"posts/{content.trashed}?permanent=maybe")) == (
        400,
        "invalid_parameter",
    )
    for twice in ("permanent=true&permanent=false", "permanent=false&permanent=true"):
        answer = mod.delete(f"posts/{content.trashed}?{twice}")
        assert code(answer) == (400, "invalid_parameter")
        assert answer.json["details"][0]["field"] == "permanent"
    assert mod.delete(f"posts/{content.trashed}?permanent=true").status_code == 204
    assert mod.delete(f"posts/{content.live}?permanent=true").status_code == 204
    for id in (content.trashed, content.live):
        assert code(mod.get(f"posts/{id}")) == (404, "not_found")
        assert code(mod.delete(f"posts/{id}")) == (404, "not_found")
    assert mod.delete(f"posts/{content.draft}?permanent=false").status_code == 204
    assert mod.get(f"posts/{content.draft}").json["status"] == "trashed"


def test_types_without_a_trash_are_deleted_immediately(as_, content):
    mod = as_("mod")
    assert code(mod.delete(f"pages/{content.page}?permanent=true")) == (400, "unknown_parameter")
    assert mod.delete(f"pages/{content.page}").status_code == 204
    assert code(mod.get(f"pages/{content.page}")) == (404, "not_found")
    assert code(mod.get("pages?trashed=true")) == (400, "unknown_parameter")


def test_comments_in_the_trash(as_, content, comment):
    first = comment("bob")
    bob, abe, mod = as_("bob"), as_("abe"), as_("mod")
    assert bob.delete(f"comments/{first}").status_code == 204
    assert bob.get(f"comments/{first}").json["deleted_at"]
    assert mod.get("comments?trashed=true").json["total"] == 1
    assert bob.get("comments?trashed=true").json["total"] == 1
    for other in (abe, as_(None)):
        assert code(other.get(f"comments/{first}")) == (404, "not_found")
        assert other.get("comments?trashed=true").json["total"] == 0
        assert other.get(f"posts/{content.live}/comments").json["total"] == 0
    assert code(bob.delete(f"comments/{first}?permanent=true")) == (403, "forbidden")
    assert bob.post(f"comments/{first}/restore").status_code == 200
    assert mod.delete(f"comments/{first}?permanent=true").status_code == 204


def test_author_of_the_post_can_trash_comments(as_, content, comment):
    first = comment("bob")
    ann = as_("ann")
    assert ann.delete(f"comments/{first}").status_code == 204
    assert code(as_("ann").delete(f"comments/{first}?permanent=true")) == (403, "forbidden")
    assert as_("mod").post(f"comments/{first}/restore").status_code == 200


def test_comments_are_deleted_with_their_post(as_, content, make, people):
    below = make(COMMENTS, post=content.live, author=people["bob"].id, body="x", status="approved")
    mod = as_("mod")
    mod.delete(f"posts/{content.live}")
    assert code(as_(None).get(f"comments/{below}")) == (404, "not_found")
    assert code(as_("bob").get(f"comments/{below}")) == (404, "not_found")
    mod.delete(f"posts/{content.live}?permanent=true")
    assert code(mod.get(f"comments/{below}")) == (404, "not_found")
