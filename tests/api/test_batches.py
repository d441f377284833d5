"""Batches: what a user did in bulk is listed for them, and undone row by row."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from quire.actor import SYSTEM
from quire.records import BATCHES, TAGS, USERS
from quire.store import write
from quire.store.db import transaction
from quire.store.history import batch_undo, undoable_batches


def bulk(client, path, *operations, **more):
    """Run operations in bulk; return the id of their batch."""
    answer = client.post(f"{path}/bulk", json={"operations": list(operations), **more})
    assert answer.status_code == 200, answer.text
    return answer.json["batch"]


def undo(client, batch):
    return client.post(f"batches/{batch}/undo")


@pytest.fixture
def ann(as_):
    return as_("ann")


def test_batch_describes_what_it_did(ann, as_, people):
    batch = bulk(ann, "tags", *({"op": "create", "data": {"name": n}} for n in ("sea", "sky")))
    shown = ann.get(f"batches/{batch}").json
    assert shown == {
        "id": int(batch),
        "kind": "bulk",
        "actor": {"id": people["ann"].id, "username": "ann"},
        "created_at": shown["created_at"],
        "rows": 2,
        "undone_at": None,
    }
    more = ann.get(f"batches/{batch}?fields=action,type,file_name").json
    assert more == {"id": int(batch), "action": "create", "type": "tags", "file_name": None}
    assert ann.get("batches").json["batches"] == [shown]
    assert as_("root").get("batches?kind=bulk").json["batches"] == [shown]


def test_batch_of_several_actions_is_one_of_changes(ann, content):
    batch = bulk(
        ann,
        "posts",
        {"op": "publish", "id": content.draft},
        {"op": "update", "id": content.live, "data": {"title": "Other"}},
        {"op": "delete", "id": content.live},
    )
    shown = ann.get(f"batches/{batch}?fields=type,action,rows").json
    assert (shown["type"], shown["action"], shown["rows"]) == ("posts", "update", 3)


@pytest.mark.parametrize("name", ["abe", "mod", "bob"])
def test_batches_of_others_do_not_exist(ann, as_, name):
    batch = bulk(ann, "tags", {"op": "create", "data": {"name": "sea"}})
    client = as_(name)
    assert client.get("batches").json["total"] == 0
    assert client.get(f"batches/{batch}").status_code == 404
    assert undo(client, batch).status_code == 404
    assert (
        client.get("batches/4711").json["message"] == client.get(f"batches/{batch}").json["message"]
    )


def test_anonymous_clients_are_asked_to_sign_in(ann, as_):
    batch = bulk(ann, "tags", {"op": "create", "data": {"name": "sea"}})
    assert as_(None).get("batches").status_code == 401
    assert undo(as_(None), batch).status_code == 401


def test_all_changes_are_undone_in_reverse_order(ann, content):
    before = {id: ann.get(f"posts/{id}").json for id in (content.live, content.draft)}
    batch = bulk(
        ann,
        "posts",
        {"op": "create", "data": {"title": "New", "body": "x"}},
        {"op": "update", "id": content.draft, "data": {"title": "Other", "tags": ["new"]}},
        {"op": "publish", "id": content.draft},
        {"op": "upsert", "match_on": "slug", "data": {"slug": "new", "excerpt": "short"}},
        {"op": "unpublish", "id": content.live},
        {"op": "delete", "id": content.live},
    )
    answer = undo(ann, batch)
    assert answer.status_code == 200, answer.text
    assert (answer.json["succeeded"], answer.json["failed"], answer.json["remaining"]) == (6, 0, 0)
    assert [row["index"] for row in answer.json["results"]] == list(range(6))
    assert answer.json["batch"]["undone_at"] is not None
    assert answer.json["batch"] == ann.get(f"batches/{batch}").json
    shown = ann.get(f"batches/{batch}?fields=undone,undone_by").json
    assert (shown["undone"], shown["undone_by"]["username"]) == (True, "ann")
    for id, old in before.items():
        now = ann.get(f"posts/{id}").json
        differ = {name for name in now if now[name] != old[name]}
        assert differ <= {"version", "updated_at"}
    trashed = ann.get("posts?trashed=true").json["posts"]
    assert "New" in [one["title"] for one in trashed]


def test_records_changed_since_are_kept(ann, content):
    title = {"op": "update", "data": {"title": "Other"}}
    batch = bulk(ann, "posts", {**title, "id": content.live}, {**title, "id": content.draft})
    ann.patch(f"posts/{content.live}", json={"title": "Third"})
    answer = undo(ann, batch)
    assert [row["status"] for row in answer.json["results"]] == [412, 200]
    row = answer.json["results"][0]
    assert (row["code"], row["changed_fields"], row["current_version"]) == (
        "version_conflict",
        ["title"],
        3,
    )
    assert ann.get(f"posts/{content.live}").json["title"] == "Third"
    assert ann.get(f"posts/{content.draft}").json["title"] == "Draft"
    assert ann.get(f"batches/{batch}?fields=undone").json["undone"] is False  # part of it remains
    again = undo(ann, batch)
    assert [(row["index"], row["status"]) for row in again.json["results"]] == [(0, 412)]
    assert (again.json["succeeded"], again.json["failed"]) == (0, 1)


def test_nothing_is_undone_twice(ann):
    batch = bulk(ann, "tags", {"op": "create", "data": {"name": "sea"}})
    answer = undo(ann, batch)
    assert answer.json["results"][0]["status"] == 403  # authors may not delete tags
    batch = bulk(ann, "posts", {"op": "create", "data": {"title": "x", "body": "x"}})
    assert undo(ann, batch).json["succeeded"] == 1
    assert (undo(ann, batch).status_code, undo(ann, batch).json["code"]) == (409, "wrong_state")


def test_permanently_deleted_records_are_reported(as_, make):
    mod = as_("mod")
    ids = [make(TAGS, name=name) for name in ("sea", "sky")]
    batch = bulk(mod, "tags", *({"op": "delete", "id": id} for id in ids))
    answer = undo(mod, batch)
    assert [row["code"] for row in answer.json["results"]] == ["wrong_state"] * 2
    assert "permanently deleted" in answer.json["results"][0]["message"]
    assert answer.json["batch"]["undone_at"] is None
    assert mod.get(f"batches/{batch}?fields=can_be_undone").json["can_be_undone"] is False


def test_action_that_sets_a_read_only_field_is_undone(as_, comment):
    mod, ids = as_("mod"), [comment("bob", status="pending") for _ in range(2)]
    batch = bulk(mod, "comments", *({"op": "approve", "id": id} for id in ids))
    assert undo(mod, batch).json["succeeded"] == 2
    assert {mod.get(f"comments/{id}").json["status"] for id in ids} == {"pending"}


def test_undo_restores_no_rights(as_, app, people):
    """Former administrators do not regain their role by undoing their own demotion."""
    root = as_("root")
    with app.app_context():
        second = {"username": "second", "email": "s@example.org", "role": "admin"}
        write.create(USERS, SYSTEM, {**second, "password": "correct horse 8"})
    me = people["root"].id
    batch = bulk(root, "users", {"op": "update", "id": me, "data": {"role": "member"}})
    answer = undo(as_("root"), batch)
    assert [row["status"] for row in answer.json["results"]] == [422]
    assert as_("root").get("users/me").json["role"] == "member"


def test_undo_restores_no_password(as_, people):
    root = as_("root")
    change = {"op": "update", "id": people["bob"].id, "data": {"password": "another horse 9"}}
    batch = bulk(root, "users", change)
    answer = undo(root, batch)
    assert [row["status"] for row in answer.json["results"]] == [409]


def test_undo_continues_where_it_stopped(ann, monkeypatch):
    posts = ({"op": "create", "data": {"title": f"T{n}", "body": "x"}} for n in range(3))
    batch = bulk(ann, "posts", *posts)
    monkeypatch.setattr(batch_undo, "UNDO_SECONDS", -1.0)
    left = []
    for _ in range(3):
        answer = undo(ann, batch)
        left.append(answer.json["remaining"])
        assert answer.json["succeeded"] == 1
    assert left == [2, 1, 0]
    assert undo(ann, batch).status_code == 409


def test_changes_that_cannot_be_undone_block_no_others(ann, monkeypatch):
    posts = ({"op": "create", "data": {"title": f"T{n}", "body": "x"}} for n in range(2))
    batch = bulk(ann, "posts", *posts)
    last = max(one["id"] for one in ann.get("posts?author.username=ann").json["posts"])
    ann.patch(f"posts/{last}", json={"title": "Edited"})
    monkeypatch.setattr(batch_undo, "UNDO_SECONDS", -1.0)
    assert undo(ann, batch).json["failed"] == 1
    assert undo(ann, batch).json["succeeded"] == 1


def test_batches_are_deleted_after_a_week(ann, app):
    bulk(ann, "posts", {"op": "create", "data": {"title": "x", "body": "x"}})
    with app.app_context():
        assert undoable_batches.prune() == 0
        with transaction() as connection:
            old = {"created_at": undoable_batches.now() - timedelta(days=7, minutes=1)}
            connection.execute(update(BATCHES.table).values(old))
        assert undoable_batches.prune() == 1
    assert ann.get("batches").json["total"] == 0


def test_missing_revisions_are_reported(ann, app, content):
    batch = bulk(ann, "posts", {"op": "update", "id": content.draft, "data": {"title": "Other"}})
    with app.app_context(), transaction() as connection:
        connection.exec_driver_sql("DELETE FROM revisions WHERE version = 1")
    answer = undo(ann, batch)
    assert "no longer available" in answer.json["results"][0]["message"]


def test_key_needs_both_scopes(ann, app):
    def keyed(*scopes):
        made = ann.post("api_keys", json={"name": "k", "scopes": list(scopes)})
        client = app.test_client()
        client.environ_base["HTTP_X_API_KEY"] = made.json["key"]
        return client

    batch = bulk(ann, "posts", {"op": "create", "data": {"title": "x", "body": "x"}})
    assert keyed("posts:write").get("batches").status_code == 403
    assert undo(keyed("batches:read"), batch).status_code == 403
    answer = undo(keyed("batches:read", "batches:write"), batch)
    assert [row["status"] for row in answer.json["results"]] == [403]
    answer = undo(keyed("batches:write", "batches:read", "posts:write"), batch)
    assert answer.json["succeeded"] == 1


def test_comment_count_is_restored_with_comments(as_, comment, content):
    mod = as_("mod")
    ids = [comment("bob") for _ in range(3)]
    batch = bulk(mod, "comments", *({"op": "delete", "id": id} for id in ids))
    assert mod.get(f"posts/{content.live}").json["comment_count"] == 0
    assert undo(mod, batch).json["succeeded"] == 3
    assert mod.get(f"posts/{content.live}").json["comment_count"] == 3
    events = as_("root").get(f"audit_events?type=comments&record_id={ids[0]}&sort=-id").json
    assert events["audit_events"][0]["action"] == "restore"
