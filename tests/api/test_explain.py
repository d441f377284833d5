"""`/access/explain`: the verdict of the rules themselves, in their own words."""

import pytest

from quire.declare.record import REGISTRY
from tests.api.test_access_order import code

WRITE = "that you own it and the author role or the moderator role"


def ask(client, **query):
    return client.get("access/explain", query_string=query)


def verdict(client, **query):
    answer = ask(client, **query)
    assert answer.status_code == 200, answer.text
    return answer.json


def no(rule, missing=None):
    return {"allowed": False, "rule": rule, "missing": missing or rule}


def yes(rule):
    return {"allowed": True, "rule": rule, "missing": None}


def test_decision_and_reason_are_returned(as_, content):
    ann, abe = as_("ann"), as_("abe")
    asked = {"action": "update", "type": "posts", "id": content.live}
    assert verdict(ann, **asked) == yes(WRITE)
    assert verdict(abe, **asked) == no(WRITE)
    assert verdict(as_("mod"), **asked) == yes(WRITE)
    assert verdict(as_(None), **asked) == no(WRITE)
    assert verdict(as_("bob"), action="create", type="posts") == no("the author role")
    assert verdict(ann, action="create", type="posts") == yes("the author role")


@pytest.mark.parametrize("name", [None, "bob", "ann", "mod", "root"])
def test_decision_agrees_with_the_request(as_, content, comment, name):
    client, id = as_(name), comment("bob")
    wanted = {
        ("posts", content.live): ("update", "publish", "duplicate", "delete", "permanent"),
        ("comments", id): ("read", "approve", "update", "delete"),
    }
    for (path, number), deeds in wanted.items():
        for deed in deeds:
            allowed = verdict(client, action=deed, type=path, id=number)["allowed"]
            assert tried(client, f"{path}/{number}", deed) == allowed, (path, deed)


def tried(client, address, deed):
    """Return whether a request is permitted; its invalid body leaves the record unchanged."""
    if deed == "read":
        return client.get(address).status_code == 200
    if deed == "update":
        return client.patch(address, json={"nothing": 1}).status_code == 422
    if deed in ("delete", "permanent"):
        path = f"{address}?permanent=true" if deed == "permanent" else address
        return client.delete(path, json={"nothing": 1}).status_code == 422
    return client.post(f"{address}/{deed}", json={"nothing": 1}).status_code == 422


def test_records_hidden_from_the_asker_do_not_exist(as_, content):
    for name, id in (("bob", content.draft), ("abe", content.draft), (None, content.trashed),
                     ("root", 4711)):  # fmt: skip
        for deed in ("read", "update", "publish"):
            assert code(ask(as_(name), action=deed, type="posts", id=id)) == (404, "not_found")


def test_closed_type_is_refused_without_reading_records(as_):
    for id in (1, 4711):
        asked = {"action": "read", "type": "audit_events", "id": id}
        assert verdict(as_("ann"), **asked) == no("the admin role")


def test_lists_and_singletons_need_no_id(as_):
    assert verdict(as_(None), action="read", type="posts")["allowed"]
    assert verdict(as_(None), action="read", type="users")["allowed"]
    assert not verdict(as_("mod"), action="read", type="audit_events")["allowed"]
    assert verdict(as_(None), action="read", type="settings")["allowed"]
    assert verdict(as_("mod"), action="update", type="settings") == no("the admin role")


def test_administrators_can_ask_about_others(as_, content, people):
    root = as_("root")
    asked = {"action": "update", "type": "posts", "id": content.draft}
    assert verdict(root, **asked, user="ann") == yes(WRITE)
    assert verdict(root, **asked, user="ABE") == no(WRITE)
    assert code(ask(root, **asked, user="nobody")) == (404, "not_found")
    assert code(ask(as_("mod"), **asked, user="ann")) == (403, "forbidden")
    assert code(ask(as_(None), **asked, user="ann")) == (401, "unauthorized")
    root.patch(f"users/{people['ann'].id}", json={"is_active": False})
    assert verdict(root, **asked, user="ann")["allowed"] is False


def test_missing_scopes_of_keys_are_reported(app, as_, content):
    def with_key(who, *scopes):
        made = as_(who).post("api_keys", json={"name": "k", "scopes": list(scopes)}).json["key"]
        client = app.test_client()
        client.environ_base["HTTP_X_API_KEY"] = made
        return client

    asked = {"action": "update", "type": "posts", "id": content.live}
    scope = no(WRITE, "the scope posts:write")
    assert verdict(with_key("ann", "posts:read"), **asked) == scope
    assert verdict(with_key("ann", "tags:read"), **asked) == scope
    assert verdict(with_key("ann", "posts:read", "posts:write"), **asked) == yes(WRITE)
    assert verdict(with_key("abe", "posts:read", "posts:write"), **asked) == no(WRITE)
    keys = {"action": "create", "type": "api_keys"}
    assert "API keys" in verdict(with_key("root", "posts:read"), **keys)["missing"]
    answer = ask(with_key("root", "posts:read"), **asked, user="ann")
    assert answer.json["message"] == "This requires the scope users:read."
    assert verdict(with_key("root", "posts:read", "users:read"), **asked, user="ann")["allowed"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"type": "posts", "id": 1}, "invalid_parameter"),
        ({"action": "update", "id": 1}, "invalid_parameter"),
        ({"action": "fly", "type": "posts", "id": 1}, "invalid_parameter"),
        ({"action": "panel", "type": "posts", "id": 1}, "invalid_parameter"),
        ({"action": "approve", "type": "posts", "id": 1}, "invalid_parameter"),
        ({"action": "update", "type": "horses", "id": 1}, "invalid_parameter"),
        ({"action": "update", "type": "posts"}, "invalid_parameter"),
        ({"action": "create", "type": "posts", "id": 1}, "invalid_parameter"),
        ({"action": "update", "type": "posts", "id": "x"}, "invalid_parameter"),
        ({"action": "update", "type": "posts", "id": "0"}, "invalid_parameter"),
        ({"action": "update", "type": "posts", "id": "²"}, "invalid_parameter"),
        ({"action": "update", "type": "posts", "id": "9" * 30}, "invalid_parameter"),
        ({"action": "update", "type": "posts", "id": [1, 2]}, "invalid_parameter"),
        ({"action": "update", "type": "posts", "id": 1, "why": 1}, "unknown_parameter"),
    ],
)  # fmt: skip
def test_unanswerable_questions_are_refused(as_, query, said):
    assert code(ask(as_("root"), **query)) == (400, said)


def test_unknown_usernames_are_404(as_, content):
    asked = {"action": "update", "type": "posts", "id": content.live}
    for name in ("", "\x00", "ann\x00", "x" * 4000, "💩", "'; --"):
        assert code(ask(as_("root"), **asked, user=name)) == (404, "not_found")


@pytest.mark.parametrize("path", REGISTRY)
def test_every_type_and_operation_has_an_answer(as_, path):
    deeds = ["permanent", "update", "delete", *(one.name for one in REGISTRY[path].actions)]
    for deed in deeds:
        assert ask(as_(None), action=deed, type=path, id=1).status_code in (200, 404)
        assert ask(as_("root"), action=deed, type=path, id=1).status_code in (200, 404)
