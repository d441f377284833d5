"""The API of json-server: its parameters and forms, with the rules and refusals of our API."""

import pytest

from quire.declare.record import REGISTRY
from quire.records import POSTS, TAGS
from tests.api.compat.conftest import PREFIX
from tests.users import give_session

TITLES = ["Abes", "Archived", "Draft", "Later", "Live"]


@pytest.fixture
def listed(as_, content):
    """`listed("_sort=title")`: the titles that a moderator gets, and their total."""

    def get(query, name="mod"):
        answer = as_(name).get(f"{PREFIX}/posts?{query}")
        assert answer.status_code == 200, answer.text
        return [one["title"] for one in answer.json], int(answer.headers["X-Total-Count"])

    return get


@pytest.mark.parametrize(
    ("query", "titles", "total"),
    [
        ("_sort=title", TITLES, 5),
        ("_sort=title&_order=DESC", TITLES[::-1], 5),
        ("_sort=published_at,title&_order=desc,asc&published_at__isnull=false",
         ["Later", "Live", "Abes", "Archived"], 4),
        ("_sort=title&_start=2&_end=4", TITLES[2:4], 5),
        ("_sort=title&_start=1&_end=4", TITLES[1:4], 5),
        ("_sort=title&_start=3&_end=13", TITLES[3:], 5),
        ("_sort=title&_start=50&_end=60", [], 5),
        ("_sort=title&status=draft&status=published", ["Abes", "Draft", "Live"], 3),
        ("_sort=title&status=draft&author.username=abe", [], 0),
        ("_sort=title&title__icontains=a&title__icontains=r", ["Archived", "Draft", "Later"], 3),
        ("q=archived", ["Archived"], 1),
        ("trashed=true", ["Trashed"], 1),
    ],
)  # fmt: skip
def test_lists(listed, query, titles, total):
    assert listed(query) == (titles, total)


def test_several_ids_are_alternatives(listed, content):
    assert listed(f"_sort=title&id={content.live}&id={content.abes}") == (["Abes", "Live"], 2)


def test_everyone_gets_the_rows_that_the_api_shows_them(as_, content):
    for name in (None, "bob", "ann"):
        bare = as_(name).get(f"{PREFIX}/posts").json
        assert bare == as_(name).get("posts").json["posts"]


def test_list_has_a_hundred_rows_by_default_and_at_most_a_thousand(as_, make, app):
    for number in range(101):
        make(TAGS, name=f"t{number}")
    answer = as_(None).get(f"{PREFIX}/tags")
    assert (len(answer.json), answer.headers["X-Total-Count"]) == (100, "101")
    assert len(as_(None).get(f"{PREFIX}/tags?_start=0&_end=1000").json) == 101


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("boats=1", "unknown_parameter", "boats"),
        ("page=1", "unknown_parameter", "page"),
        ("fields=id", "unknown_parameter", "fields"),
        ("_sort=boats", "unknown_parameter", "boats"),
        ("_sort=title&_order=up", "invalid_parameter", "_order"),
        ("_start=-1", "invalid_parameter", "_start"),
        ("_start=2&_end=2", "invalid_parameter", "_end"),
        ("_start=0&_end=1001", "invalid_parameter", "_end"),
        ("_embed=boats", "unknown_parameter", "boats"),
        ("id=x", "invalid_parameter", "id"),
        ("&".join(f"id={n}" for n in range(1, 102)), "invalid_parameter", "id"),
    ],
)
def test_parameters_that_are_refused(as_, query, code, field):
    answer = as_("mod").get(f"{PREFIX}/posts?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert answer.json["details"][0]["field"] == field


@pytest.mark.parametrize("query", ["email=ann@example.org", "_sort=email", "role=admin"])
def test_hidden_fields_are_unknown_names(as_, query):
    answer = as_("ann").get(f"{PREFIX}/users?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_parameter")
    assert all("email" not in one for one in as_("ann").get(f"{PREFIX}/users?id=1").json)


def test_one_record_and_its_nested_records(as_, content, people):
    own = as_("ann")
    plain = own.get(f"{PREFIX}/posts/{content.live}")
    assert plain.json == own.get(f"posts/{content.live}").json
    embedded = own.get(f"{PREFIX}/posts/{content.live}?_embed=author").json
    assert embedded["author"] == own.get(f"users/{people['ann'].id}").json
    etag = {"If-None-Match": plain.headers["ETag"]}
    assert own.get(f"{PREFIX}/posts/{content.live}", headers=etag).status_code == 304
    assert own.get(f"{PREFIX}/posts/{content.live}?fields=id").json["code"] == "unknown_parameter"


def test_create_responds_with_the_object_and_its_url(as_):
    answer = as_("ann").post(f"{PREFIX}/posts", json={"title": "New", "body": "Text."})
    assert (answer.status_code, answer.json["title"]) == (201, "New")
    assert answer.headers["Location"] == f"{PREFIX}/posts/{answer.json['id']}"


def test_put_changes_named_fields_and_accepts_what_was_read(as_, content):
    own, address = as_("ann"), f"{PREFIX}/posts/{content.live}"
    whole = own.get(address).json
    assert own.put(address, json={**whole, "title": "Changed"}).json["title"] == "Changed"
    after = own.put(address, json={"excerpt": "Short"}).json
    assert (after["title"], after["excerpt"], after["version"]) == ("Changed", "Short", 3)
    assert [tag["name"] for tag in after["tags"]] == ["sea", "sky"]
    late = own.put(address, json={**whole, "title": "Late"})
    assert (late.status_code, late.json["code"]) == (412, "version_conflict")
    assert late.json["current_version"] == 3


def test_delete_responds_with_the_deleted_record(as_, content):
    address = f"{PREFIX}/posts/{content.live}"
    answer = as_("ann").delete(address)
    assert (answer.status_code, answer.json) == (200, {"id": content.live})
    assert as_(None).get(address).status_code == 404


def test_version_is_required_where_the_api_requires_one(make_app, people, make):
    client = make_app(REQUIRE_IF_MATCH=True).test_client()
    give_session(client.application, client, people["mod"])
    id = client.post(f"{PREFIX}/tags", json={"name": "sea"}).json["id"]
    assert client.put(f"{PREFIX}/tags/{id}", json={"name": "sky"}).status_code == 428
    sent = {"name": "sky", "version": 1}
    assert client.put(f"{PREFIX}/tags/{id}", json=sent).status_code == 200


def test_singleton_is_an_object(as_):
    assert as_(None).get(f"{PREFIX}/settings").json == as_(None).get("settings").json
    changed = as_("root").put(f"{PREFIX}/settings", json={"site_name": "Sea"})
    assert (changed.status_code, changed.json["site_name"]) == (200, "Sea")
    assert changed.json["posts_per_page"] == 10


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        (None, "POST", "posts", 401),
        ("bob", "POST", "posts", 403),
        ("abe", "PUT", "posts/1", 403),
        ("abe", "DELETE", "posts/1", 403),
        (None, "GET", "audit_events", 401),
        ("mod", "GET", "audit_events", 403),
        ("root", "GET", "boats", 404),
        ("root", "GET", "posts/4711", 404),
        ("root", "POST", "media", 405),
        ("root", "DELETE", "sessions", 405),
        ("root", "POST", "audit_events", 405),
    ],
)
def test_refusals(as_, content, name, method, path, status):
    sent = {"json": {"title": "x", "body": "x"}} if method in ("POST", "PUT") else {}
    answer = as_(name).open(f"{PREFIX}/{path}", method=method, **sent)
    assert answer.status_code == status
    assert answer.json["error"] and answer.json["code"] and answer.json["request_id"]


def test_invalid_fields_are_named_as_in_the_api(as_):
    sent = {"title": "", "boats": 1}
    here, there = (as_("ann").post(path, json=sent) for path in (f"{PREFIX}/posts", "posts"))
    assert here.status_code == there.status_code == 422
    assert here.json["details"] == there.json["details"]


def test_keys_are_limited_to_their_scopes(as_, content):
    sent = {"name": "k", "scopes": ["posts:read"]}
    key = as_("ann").post("api_keys", json=sent).json["key"]
    client = as_(None)
    client.environ_base["HTTP_X_API_KEY"] = key
    assert client.get(f"{PREFIX}/posts/{content.draft}").status_code == 200
    assert client.delete(f"{PREFIX}/posts/{content.draft}").status_code == 403
    client.environ_base["HTTP_X_API_KEY"] = "qk_wrong"
    assert client.get(f"{PREFIX}/posts").status_code == 401


def test_session_needs_a_csrf_token(make_app, people):
    client = make_app(WTF_CSRF_ENABLED=True).test_client()
    give_session(client.application, client, people["ann"])
    sent = {"json": {"name": "sea"}}
    assert client.post(f"{PREFIX}/tags", **sent).status_code == 403
    token = client.get("csrf-token").json["csrf_token"]
    assert client.post(f"{PREFIX}/tags", headers={"X-CSRFToken": token}, **sent).status_code == 201


def test_registration_works_as_in_the_api(make_app):
    client = make_app(REQUIRE_EMAIL_VERIFICATION=True).test_client()
    for name, email in (("new", "new@example.org"), ("other", "ann@example.org")):
        sent = {"username": name, "email": email, "password": "correct horse 9"}
        assert client.post(f"{PREFIX}/users", json=sent).status_code == 202


def test_repeated_request_has_one_effect(as_):
    client, headers = as_("ann"), {"Idempotency-Key": "once"}
    first, again = (
        client.post(f"{PREFIX}/tags", json={"name": "sea"}, headers=headers) for _ in range(2)
    )
    assert first.json == again.json and again.headers["Idempotency-Replayed"] == "true"


def test_scripts_of_listed_origins_may_read_the_total(make_app):
    client = make_app(CORS_ORIGINS=["https://panel.example.org"]).test_client()
    headers = {"Origin": "https://panel.example.org"}
    answer = client.get(f"{PREFIX}/posts", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://panel.example.org"
    assert "X-Total-Count" in answer.headers["Access-Control-Expose-Headers"]
    headers["Access-Control-Request-Method"] = "PUT"
    asked = client.options(f"{PREFIX}/posts/1", headers=headers)
    assert (asked.status_code, "PUT" in asked.headers["Access-Control-Allow-Methods"]) == (
        204,
        True,
    )


def test_every_type_of_the_api_has_a_list(as_):
    root = as_("root")
    answers = {path: root.get(f"{PREFIX}/{path}").status_code for path in REGISTRY}
    assert set(answers.values()) == {200}, answers


def test_api_is_disabled_by_default(make_app, as_):
    client = make_app(COMPAT_JSON_SERVER=False).test_client()
    assert client.get(f"{PREFIX}/posts").status_code == 404
    assert "compat" not in as_(None).get("openapi.json").text


def test_list_takes_as_few_statements_as_in_the_api(as_, make, people, statements):
    client = as_("ann")

    def sent(path):
        client.get(path)
        return len(statements(client.get, path)[1])

    for number in range(3):
        make(POSTS, title=f"P{number}", body="x", author=people["ann"].id, tags=["a", "b"])
    few = sent(f"{PREFIX}/posts?_sort=title&_start=0&_end=50")
    for number in range(20):
        make(POSTS, title=f"Q{number}", body="x", author=people["ann"].id, tags=["a", "c"])
    assert sent(f"{PREFIX}/posts?_sort=title&_start=0&_end=50") == few
    assert few <= sent("posts?sort=title&per_page=50")


def test_oversized_responses_are_refused(make_app, people):
    client = make_app(RESPONSE_BYTES=1024 * 1024).test_client()
    give_session(client.application, client, people["ann"])
    for number in range(6):
        sent = {"title": f"P{number}", "body": "word " * 40_000}
        assert client.post(f"{PREFIX}/posts", json=sent).status_code == 201
    for query in ("", "?_embed=author"):
        answer = client.get(f"{PREFIX}/posts{query}")
        assert (answer.status_code, answer.json["code"]) == (400, "too_costly")
    assert len(client.get(f"{PREFIX}/posts?_start=0&_end=1&_embed=author").json) == 1


def test_public_responses_are_cacheable_by_shared_caches(client, as_, content):
    answer = client.get(f"{PREFIX}/posts?_sort=id")
    assert answer.headers["Cache-Control"].startswith("public")
    assert f"posts-{content.live}" in answer.headers["Cache-Tag"].split(", ")
    private = as_("ann").get(f"{PREFIX}/posts?_sort=id").headers
    assert private["Cache-Control"] == "private, no-store" and "Cache-Tag" not in private
