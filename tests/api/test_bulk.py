"""Many operations in one request: order, versions, upserts, failures, dry runs, permissions."""

import pytest
from sqlalchemy import func, select

from quire.errors import Unavailable
from quire.records import API_KEYS, POSTS, TAGS
from quire.store import bulk as store_bulk
from quire.store.db import read_connection
from quire.store.history.undoable_batches import Batch
from tests.users import give_session, signed_in

PAST = "2026-01-02T10:00:00Z"


@pytest.fixture
def rows(app):
    """`rows(TAGS.table)`: how many rows a table has."""

    def count(table):
        with app.app_context(), read_connection() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar()

    return count


def bulk(client, path, *operations, **more):
    """Return the response to a bulk request."""
    return client.post(f"{path}/bulk", json={"operations": list(operations), **more})


def new(title, **more):
    """Return the operation that creates a post."""
    return {"op": "create", "data": {"title": title, "body": f"About *{title}*.", **more}}


def statuses(answer):
    return [row["status"] for row in answer.json["results"]]


def test_operations_run_in_order(as_, content):
    ann = as_("ann")
    answer = bulk(
        ann,
        "posts",
        new("One", tags=["sea", "new"]),
        new("Two"),
        {"op": "update", "id": content.draft, "version": 1, "data": {"title": "Other"}},
        {"op": "publish", "id": content.draft},
        {"op": "publish", "id": content.live, "data": {"at": "2099-01-01T00:00:00Z"}},
        {"op": "duplicate", "id": content.live},
        {"op": "delete", "id": content.later, "version": 1},
    )
    assert answer.status_code == 200, answer.text
    assert statuses(answer) == [201, 201, 200, 200, 200, 201, 204]
    results = answer.json["results"]
    assert [row["index"] for row in results] == list(range(7))
    assert results[0]["record"] == ann.get(f"posts/{results[0]['id']}").json
    assert [tag["name"] for tag in results[0]["record"]["tags"]] == ["new", "sea"]
    assert (results[3]["record"]["status"], results[3]["record"]["version"]) == ("published", 3)
    assert results[4]["record"]["published_at"] == "2099-01-01T00:00:00Z"
    assert results[5]["id"] not in (content.live, None)
    assert results[6] == {"index": 6, "status": 204, "id": content.later, "record": None}
    assert (answer.json["succeeded"], answer.json["failed"]) == (7, 0)
    assert isinstance(answer.json["batch"], str)


def test_upsert_sees_earlier_operations(as_, content):
    ann = as_("ann")
    by_slug = {"op": "upsert", "match_on": "slug"}
    answer = bulk(
        ann,
        "posts",
        new("One"),
        {**by_slug, "data": {"slug": "one", "title": "First", "body": "x"}},
        {**by_slug, "data": {"slug": "two", "title": "Two", "body": "x"}},
        {**by_slug, "data": {"slug": "two", "excerpt": "short"}},
        {"op": "upsert", "match_on": "id", "data": {"id": content.live, "title": "Alive"}},
        {"op": "upsert", "match_on": "id", "data": {"id": None, "title": "Three", "body": "x"}},
    )
    assert statuses(answer) == [201, 200, 201, 200, 200, 201], answer.text
    results = answer.json["results"]
    assert (results[1]["id"], results[1]["record"]["title"]) == (results[0]["id"], "First")
    before, after = (one["record"] for one in results[2:4])
    changed = {"excerpt": "short", "version": 2, "updated_at": after["updated_at"]}
    assert after == {**before, **changed}


def test_upserts_by_a_case_insensitive_name(as_, make):
    id = make(TAGS, name="Sea")
    one = {"op": "upsert", "match_on": "name", "data": {"name": "SEA"}}
    answer = bulk(as_("mod"), "tags", one)
    assert (answer.json["results"][0]["id"], statuses(answer)) == (id, [200])


def test_upserts_without_a_match_create(as_, content):
    operations = [
        {"match_on": "slug", "data": {"title": "x", "body": "x"}},
        {"match_on": "slug", "data": {"slug": 5, "title": "x", "body": "x"}},
        {"match_on": "slug", "version": 2, "data": {"slug": "nowhere", "title": "x", "body": "x"}},
        {"match_on": "slug", "data": {"slug": "abes", "title": "x", "body": "x"}},
        {"match_on": "id", "data": {"id": 4711, "title": "x"}},
        {"match_on": "id", "data": {"id": "7", "title": "x"}},
        {"match_on": "slug", "version": 9, "data": {"slug": "live", "title": "x"}},
    ]
    answer = bulk(as_("ann"), "posts", *({"op": "upsert", **one} for one in operations))
    assert statuses(answer) == [422, 422, 404, 403, 404, 422, 412]
    details = [row["details"][:1] for row in answer.json["results"]]
    assert details[0][0]["code"] == "required" and details[0][0]["field"] == "slug"
    assert answer.json["results"][6]["current_version"] == 1


def test_one_failure_undoes_all_operations(as_, content, rows):
    before = rows(POSTS.table), rows(TAGS.table), rows(Batch.__table__)
    answer = bulk(
        as_("ann"),
        "posts",
        new("One", tags=["fresh"]),
        {"op": "update", "id": content.live, "version": 7, "data": {"title": "x"}},
        new(""),
        new("Two", category="nowhere"),
        {"op": "delete", "id": content.abes},
        {"op": "restore", "id": content.live},
    )
    assert (answer.status_code, answer.json["code"]) == (422, "batch_failed")
    assert statuses(answer) == [424, 412, 422, 422, 403, 409]
    assert answer.json["results"][0]["id"] is None
    assert answer.json["results"][1]["changed_fields"] == []
    assert answer.json["results"][3]["details"][0]["field"] == "category"
    assert (answer.json["succeeded"], answer.json["failed"], answer.json["batch"]) == (0, 5, None)
    assert (rows(POSTS.table), rows(TAGS.table), rows(Batch.__table__)) == before


def test_failure_can_be_reported_in_the_form_of_rfc_9457(as_):
    answer = as_("ann").post(
        "posts/bulk",
        json={"operations": [new("")]},
        headers={"Accept": "application/problem+json"},
    )
    assert (answer.status_code, answer.json["detail"]) == (
        422,
        "1 of 1 operation failed, so nothing was changed.",
    )


def test_without_atomic_operations_are_independent(as_, content, rows, monkeypatch):
    monkeypatch.setattr(store_bulk, "ROWS_OF_GROUP", 2)
    before = rows(POSTS.table)
    operations = [new("One"), new("Two", category="nowhere"), new(""), new("Three")]
    operations += [{"op": "publish", "id": 4711}, {"op": "publish", "id": content.draft}]
    answer = bulk(as_("ann"), "posts", *operations, atomic=False)
    assert (answer.status_code, statuses(answer)) == (200, [201, 422, 422, 201, 404, 200])
    assert (answer.json["succeeded"], answer.json["failed"]) == (3, 3)
    assert rows(POSTS.table) == before + 2
    batch = as_("ann").get(f"batches/{answer.json['batch']}").json
    assert (batch["kind"], batch["rows"]) == ("bulk", 3)


@pytest.mark.parametrize("atomic", [True, False])
def test_dry_run_writes_nothing(as_, content, rows, atomic):
    tables = (POSTS.table, TAGS.table, Batch.__table__)
    before = [rows(one) for one in tables]
    upsert = {"op": "upsert", "match_on": "slug", "data": {"slug": "one", "excerpt": "x"}}
    answer = bulk(as_("ann"), "posts", new("One", tags=["q"]), upsert, dry_run=True, atomic=atomic)
    assert (answer.status_code, statuses(answer)) == (200, [201, 200])
    assert answer.json["results"][1]["record"]["excerpt"] == "x"
    assert answer.json["batch"] is None
    assert [rows(one) for one in tables] == before


def test_dry_run_fails_like_the_real_one(as_):
    operations = [new("One"), new("")]
    answer = bulk(as_("ann"), "posts", *operations, dry_run=True)
    assert (answer.status_code, statuses(answer)) == (422, [424, 422])
    answer = bulk(as_("ann"), "posts", *operations, dry_run=True, atomic=False)
    assert (answer.status_code, statuses(answer)) == (200, [201, 422])


def test_request_that_changes_nothing_makes_no_batch(as_, content, rows):
    same = {"op": "update", "id": content.live, "data": {"title": "Live"}}
    answer = bulk(as_("ann"), "posts", same)
    assert (statuses(answer), answer.json["batch"]) == ([200], None)
    assert rows(Batch.__table__) == 0


def test_the_same_title_many_times(as_):
    answer = bulk(as_("ann"), "posts", *(new("Same") for _ in range(60)))
    slugs = [row["record"]["slug"] for row in answer.json["results"]]
    assert slugs[:3] == ["same", "same-2", "same-3"]
    assert len(set(slugs)) == 60 and slugs[-1] == "same-60"


def test_all_malformed_operations_are_reported_together(as_):
    operations = [
        {"op": "explode", "id": 1},
        {"op": "create"},
        "create",
        {"op": "update", "id": "7", "data": {}, "colour": "red"},
        {"id": 3},
        {"op": "upsert", "match_on": "title", "data": {}},
        {"op": "delete", "id": 0},
        {"op": "create", "data": []},
    ]
    answer = bulk(as_("ann"), "posts", *operations, atomic="yes", more=1)
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert [(one["field"], one["code"]) for one in answer.json["details"]] == [
        ("operations[0].op", "not_allowed"),
        ("operations[1].data", "required"),
        ("operations[2]", "wrong_type"),
        ("operations[3].id", "wrong_type"),
        ("operations[3].colour", "unknown"),
        ("operations[4].op", "required"),
        ("operations[5].match_on", "not_allowed"),
        ("operations[6].id", "too_small"),
        ("operations[7].data", "wrong_type"),
        ("atomic", "wrong_type"),
        ("more", "unknown"),
    ]
    assert "create, update, upsert, delete, publish" in answer.json["details"][0]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "required"), ({"operations": 1}, "wrong_type"), ({"operations": []}, "too_short")],
)
def test_operations_must_be_a_list(as_, body, code):
    answer = as_("ann").post("posts/bulk", json=body)
    assert answer.json["details"][0] | {"message": ""} == {
        "field": "operations",
        "code": code,
        "message": "",
    }


def test_at_most_500_operations_are_accepted(as_):
    answer = bulk(as_("ann"), "posts", *[{"op": "delete", "id": 4711}] * 501)
    assert (answer.status_code, answer.json["details"][0]["field"]) == (400, "operations")
    answer = bulk(as_("ann"), "posts", *[{"op": "delete", "id": 4711}] * 500, atomic=False)
    assert (answer.status_code, answer.json["failed"]) == (200, 500)


def test_type_with_a_single_operation(as_, people):
    answer = bulk(as_("bob"), "sessions", {"op": "create", "id": 1})
    assert answer.json["details"][0]["field"] == "operations[0].op"
    answer = bulk(as_("bob"), "sessions", {"op": "delete", "id": 4711})
    assert statuses(answer) == [404]


def test_query_parameters_are_refused(as_):
    answer = as_("ann").post("posts/bulk?dry_run=true", json={"operations": [new("x")]})
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_parameter")


def test_large_bodies_are_refused(as_):
    answer = bulk(as_("ann"), "posts", *(new("x" * 100, excerpt="y" * 490) for _ in range(500)))
    assert answer.status_code == 200
    answer = bulk(as_("ann"), "posts", *(new("x", body="y" * 5000) for _ in range(300)))
    assert answer.status_code == 413


def test_large_responses_omit_records(make_app, people):
    app = make_app()
    app.config["RESPONSE_BYTES"] = 20_000
    client = signed_in(app, people["ann"])
    answer = bulk(client, "posts", *(new(f"T{n}", body="y" * 3000) for n in range(6)))
    shown = [row["record"] is not None for row in answer.json["results"]]
    assert shown == [True, True, True, False, False, False]
    assert all(row["id"] for row in answer.json["results"])


@pytest.fixture
def demanding(make_app, people):
    """`demanding("ann")`: a client of an installation that requires a version with every change."""
    app = make_app(REQUIRE_IF_MATCH=True)

    return lambda name: signed_in(app, people[name])


def test_versions_are_required_if_configured(demanding):
    ann = demanding("ann")
    id = ann.post("posts", json={"title": "One", "body": "x"}).json["id"]
    change = {"op": "update", "id": id, "data": {"title": "Two"}}
    operations = [
        change,
        {**change, "id": 4711},
        {"op": "publish", "id": id},
        {"op": "duplicate", "id": id},
        {"op": "delete", "id": id},
        {"op": "upsert", "match_on": "slug", "data": {"slug": "one", "title": "x"}},
    ]
    answer = bulk(ann, "posts", *operations, atomic=False)
    assert statuses(answer) == [428, 404, 428, 201, 428, 428]
    single = ann.patch(f"posts/{id}", json={"title": "Two"})
    assert answer.json["results"][0]["message"] == single.json["message"]
    with_version = [
        {**change, "version": 1},
        {**change, "data": {"title": "Three", "version": 2}},
        {"op": "delete", "id": id, "version": 3},
    ]
    assert statuses(bulk(ann, "posts", *with_version)) == [200, 200, 204]


def test_clients_without_any_right_are_refused(as_, app, people):
    assert bulk(as_(None), "posts", new("x")).status_code == 401
    assert bulk(as_(None), "users", {"op": "delete", "id": 1}).status_code == 401
    assert bulk(as_("bob"), "redirects", {"op": "delete", "id": 1}).status_code == 403
    assert bulk(as_("bob"), "posts", new("x")).status_code in (200, 403, 422)
    for path in ("settings", "audit_events", "batches"):
        assert as_("root").post(f"{path}/bulk", json={}).status_code in (404, 405)


def test_forbidden_rows_are_reported(as_, make):
    id = make(TAGS, name="sea")
    change = {"op": "update", "id": id, "data": {"name": "sky"}}
    answer = bulk(as_("ann"), "tags", {"op": "create", "data": {"name": "new"}}, change)
    assert statuses(answer) == [424, 403]
    single = as_("ann").patch(f"tags/{id}", json={"name": "sky"})
    assert answer.json["results"][1]["message"] == single.json["message"]


def test_key_needs_the_scope(as_, app):
    def keyed(*scopes):
        made = as_("ann").post("api_keys", json={"name": "k", "scopes": list(scopes)})
        client = app.test_client()
        client.environ_base["HTTP_X_API_KEY"] = made.json["key"]
        return client

    answer = bulk(keyed("posts:read"), "posts", new("x"))
    assert answer.status_code == 403 and "posts:write" in answer.json["message"]
    assert statuses(bulk(keyed("posts:read", "posts:write"), "posts", new("x"))) == [201]
    by_slug = {"op": "upsert", "match_on": "slug", "data": {"slug": "x", "title": "y"}}
    answer = bulk(keyed("posts:write"), "posts", by_slug)
    assert statuses(answer) == [200]


def test_session_needs_a_csrf_token(app, people, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    client = app.test_client()
    give_session(app, client, people["ann"])
    assert bulk(client, "posts", new("x")).status_code == 403
    token = client.get("csrf-token").json["csrf_token"]
    body = {"operations": [new("x")]}
    answer = client.post("posts/bulk", json=body, headers={"X-CSRFToken": token})
    assert answer.status_code == 200


def test_keys_are_shown_once_and_counted(as_, rows):
    one = {"op": "create", "data": {"name": "k", "scopes": ["posts:read"]}}
    answer = bulk(as_("ann"), "api_keys", one, one)
    keys = [row["record"]["key"] for row in answer.json["results"]]
    assert len(set(keys)) == 2 and all(key.startswith("qk_") for key in keys)
    assert statuses(bulk(as_("ann"), "api_keys", *[one] * 60)).count(409) == 12
    assert rows(API_KEYS.table) == 2


def test_hooks_run_once_for_each_record(as_, content, people):
    """After a refused row, the others of its group are tried again, with fresh hooks."""
    ann = as_("ann")
    comment = {"op": "create", "data": {"post": content.live, "body": "Hello."}}
    bad = {"op": "create", "data": {"post": 4711, "body": "Hello."}}
    answer = bulk(ann, "comments", comment, bad, comment, atomic=False)
    assert statuses(answer) == [201, 422, 201]
    assert ann.get(f"posts/{content.live}").json["comment_count"] == 2


def test_number_of_statements_is_bounded(as_, statements):
    ann = as_("ann")
    bulk(ann, "posts", new("warm", tags=["sea"]))

    def made(count):
        operations = [new(f"P{count} {n}", tags=["sea"]) for n in range(count)]
        answer, sent = statements(bulk, ann, "posts", *operations)
        assert answer.status_code == 200
        return len(sent)

    few, many = made(100), made(500)
    # finding a free slug, the row, its tags; on PostgreSQL a savepoint around each row that may be tried again
    assert many - few <= 400 * 5 + 4 * 20


@pytest.mark.parametrize("atomic", [True, False])
def test_denied_rows_are_audited_once(as_, make_app, people, make, atomic):
    fresh = make_app()  # one without denials so far, since only a few are recorded per minute
    ids = [make(TAGS, name=name) for name in ("sea", "sky")]
    operations = [{"op": "delete", "id": id} for id in ids]
    ann = signed_in(fresh, people["ann"])
    assert statuses(bulk(ann, "tags", *operations, atomic=atomic)) == [403, 403]
    found = as_("root").get("audit_events?action=denied").json["audit_events"]
    assert [one["fields"] for one in found] == [["POST /api/v1/tags/bulk"]]


@pytest.mark.parametrize("more", [{}, {"atomic": False}, {"dry_run": True}])
def test_repeated_request_gets_the_same_response(as_, rows, more):
    ann, body = as_("ann"), {"operations": [new("One", tags=["sea"]), new("Two")], **more}
    answers = [
        ann.post("posts/bulk", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert answers[0].json == answers[1].json
    assert rows(POSTS.table) == (0 if "dry_run" in more else 2)


def test_refused_request_leaves_its_key_unused(as_, rows):
    ann = as_("ann")
    for title in ("", "One"):
        body = {"operations": [new("Two"), new(title)]}
        answer = ann.post("posts/bulk", json=body, headers={"Idempotency-Key": "k2"})
    assert (answer.status_code, rows(POSTS.table)) == (200, 2)


def test_lost_database_is_reported_by_row(as_, content, monkeypatch):
    """Rows committed before the outage are done and can be undone; the rest is 503."""
    monkeypatch.setattr(store_bulk, "ROWS_OF_GROUP", 1)
    delete, calls = store_bulk.write.delete, []

    def failing(*args, **more):
        calls.append(args)
        if len(calls) == 2:
            raise Unavailable("The database is not responding.")
        return delete(*args, **more)

    monkeypatch.setattr(store_bulk.write, "delete", failing)
    ids = (content.live, content.draft, content.later)
    operations = [{"op": "delete", "id": id} for id in ids]
    answer = bulk(as_("ann"), "posts", *operations, atomic=False)
    assert statuses(answer) == [204, 503, 204]
    assert as_("ann").get(f"batches/{answer.json['batch']}").json["rows"] == 2
    calls[:] = [None]
    assert bulk(as_("ann"), "posts", operations[1], atomic=False).status_code == 503


def test_only_invalid_new_records_fail(as_):
    operations = [new(f"Title {n}") for n in range(40)]
    for n in (3, 4, 39):
        operations[n] = new("x", category="nowhere")
    answer = bulk(as_("ann"), "posts", *operations, atomic=False)
    assert (answer.json["succeeded"], answer.json["failed"]) == (37, 3)
    failed = [row["index"] for row in answer.json["results"] if row["status"] != 201]
    assert failed == [3, 4, 39]
    titles = [row["record"]["title"] for row in answer.json["results"] if row["status"] == 201]
    assert titles == [f"Title {n}" for n in range(40) if n not in failed]


def test_new_rows_take_as_many_statements_as_one(as_, statements):
    client = as_("ann")
    bulk(client, "posts", new("first"))
    _, few = statements(bulk, client, "posts", *(new(f"few {n}") for n in range(2)))
    _, many = statements(bulk, client, "posts", *(new(f"many {n}") for n in range(50)))
    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("path", "raw", "limit"),
    [
        ("webhooks", {"url": "https://example.org/h", "events": ["*"]}, "MAX_WEBHOOKS"),
        ("api_keys", {"name": "k", "scopes": ["posts:read"]}, "MAX_KEYS_PER_ACCOUNT"),
    ],
)
def test_limits_on_numbers_of_records_apply_to_bulk_requests(as_, monkeypatch, path, raw, limit):
    monkeypatch.setattr(f"quire.records.{path}.{limit}", 3)
    operations = [{"op": "create", "data": raw} for _ in range(5)]
    answer = bulk(as_("root"), path, *operations, atomic=False)
    assert [row["status"] for row in answer.json["results"]] == [201, 201, 201, 409, 409]
