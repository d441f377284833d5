"""The query in a body: like the list at an address, and filters that an address cannot express."""

import json

import pytest

from quire.declare.query_body import MAX_COMPARISONS
from tests.api.test_access_order import code
from tests.users import give_session

DEEP = 1000


def titles(client, where, **more):
    answer = client.post("posts/query", json={"where": where, "sort": ["title"], **more})
    assert answer.status_code == 200, answer.text
    return [row["title"] for row in answer.json["posts"]]


def test_documented_example_works(as_, content):
    where = {
        "all": [
            {"status": "published"},
            {"any": [{"title__icontains": "a"}, {"tags.name__in": ["sea", "none"]}]},
            {"not": {"author.username": "abe"}},
        ]
    }
    assert titles(as_(None), where) == ["Live"]
    assert titles(as_(None), {"all": where["all"][:2]}) == ["Abes", "Live"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"published": True}, ["Abes", "Live"]),
        ({"published": False}, ["Archived", "Draft", "Later"]),
        ({"title__in": ["Live", "Draft"], "published": True}, ["Live"]),
        ({"not": {"title__in": ["Live", "Draft"], "published": True}}, ["Abes", "Archived", "Draft", "Later"]),
        ({"not": {"any": [{"tags.name": "sea"}, {"status": "draft"}]}}, ["Abes", "Archived", "Later"]),
        ({"any": [{"all": [{"tags.name": "sea"}, {"tags.name": "sky"}]}, {"title": "Draft"}]}, ["Draft", "Live"]),
        ({"not": {"not": {"title": "Live"}}}, ["Live"]),
        ({"category__isnull": False}, []),
        ({"published_at__gte": "2026-01-02", "published_at__lt": "2026-01-03"}, ["Live"]),
        ({"title": "a,b"}, []),
        ({"title__in": ["Live,Draft"]}, []),
    ],
)  # fmt: skip
def test_groups_of_conditions(as_, content, where, found):
    assert titles(as_("root"), where) == found


def test_not_matches_everything_else_including_null(as_, content):
    """In SQL, comparing with null is unknown; "not" has to match these rows too."""
    later = {"published_at__gt": "2026-01-01T12:00:00Z"}
    every = titles(as_("root"), {"title__ne": ""})
    assert sorted(titles(as_("root"), later) + titles(as_("root"), {"not": later})) == every
    assert "Draft" in titles(as_("root"), {"not": later})


def test_query_responds_like_the_list(as_, content):
    body = {"sort": "-title", "per_page": 2, "page": 1, "fields": ["title", "author.username"]}
    found = as_("root").post("posts/query", json={"where": {"status__ne": "draft"}, **body})
    listed = as_("root").get(
        "posts?status__ne=draft&sort=-title&per_page=2&page=1&fields=title,author.username"
    )
    cursors = {"next_cursor": 0, "prev_cursor": 0}  # which depend on the request
    assert found.json | cursors == listed.json | cursors
    assert found.headers["X-Total-Count"] == listed.headers["X-Total-Count"]
    assert "Link" in listed.headers and "Link" not in found.headers


def test_query_supports_search_includes_and_trash(as_, content):
    root = as_("root")
    assert root.post("posts/query", json={}).json == root.get("posts").json
    for body, address in [
        ({"search": "live"}, "search=live"),
        ({"include": ["author"], "count": "none"}, "include=author&count=none"),
        ({"trashed": True}, "trashed=true"),
    ]:
        assert root.post("posts/query", json=body).json == root.get(f"posts?{address}").json


def test_cursor_is_bound_to_its_conditions(as_, content):
    body = {"where": {"title__ne": "x"}, "cursor": "", "per_page": 2, "sort": "title"}
    first = as_("root").post("posts/query", json=body).json
    second = as_("root").post("posts/query", json={**body, "cursor": first["next_cursor"]}).json
    seen = [row["title"] for row in first["posts"] + second["posts"]]
    assert seen == ["Abes", "Archived", "Draft", "Later"]
    other = {**body, "where": {"title__ne": "y"}, "cursor": first["next_cursor"]}
    assert code(as_("root").post("posts/query", json=other)) == (400, "invalid_cursor")


WRONG = [
    ({"where": []}, "where"), ({"where": {}}, "where"), ({"where": {"all": {}}}, "where"),
    ({"where": {"any": []}}, "where"), ({"where": {"not": []}}, "where"), ({"where": {"all": [1]}}, "where"),
    ({"where": {"all": [{}]}}, "where"), ({"where": None}, "where"),
    ({"where": {"id": "1"}}, "id"), ({"where": {"id": True}}, "id"), ({"where": {"id": 1.5}}, "id"),
    ({"where": {"published": "true"}}, "published"), ({"where": {"published": 1}}, "published"),
    ({"where": {"title": 1}}, "title"), ({"where": {"title": ["a"]}}, "title"),
    ({"where": {"title__in": "a"}}, "title__in"), ({"where": {"title__in": []}}, "title__in"),
    ({"where": {"id__in": list(range(101))}}, "id__in"),
    ({"where": {"category": None}}, "category"), ({"where": {"category__isnull": "true"}}, "category__isnull"),
    ({"where": {"published_at": "soon"}}, "published_at"), ({"where": {"status": "lost"}}, "status"),
    ({"page": "1"}, "page"), ({"page": True}, "page"), ({"page": 0}, "page"), ({"per_page": 101}, "per_page"),
    ({"sort": [1]}, "sort"), ({"fields": {}}, "fields"), ({"trashed": "true"}, "trashed"),
    ({"count": True}, "count"), ({"cursor": None}, "cursor"), ({"cursor": "", "page": 1}, "cursor"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "name"), WRONG, ids=[json.dumps(b)[:50] for b, _ in WRONG])
def test_errors_are_named(as_, body, name):
    answer = as_(None).post("posts/query", json=body)
    assert code(answer) == (400, "invalid_parameter"), answer.text
    assert answer.json["details"][0]["field"] == name


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"colour": 1}, "colour"),
        ({"q": "x"}, "q"),
        ({"where": {"colour": 1}}, "colour"),
        ({"where": {"title__like": "x"}}, "title__like"),
        ({"where": {"author.email": "x"}}, "author.email"),
        ({"where": {"not": {"any": [{"author.password__startswith": "a"}]}}}, "author.password__startswith"),
        ({"sort": ["colour"]}, "colour"),
        ({"fields": ["author.email"]}, "author.email"),
    ],
)  # fmt: skip
def test_unknown_names_are_refused(as_, body, name):
    answer = as_(None).post("posts/query", json=body)
    assert code(answer) == (400, "unknown_parameter"), answer.text
    assert answer.json["details"][0]["field"] == name


def nested(depth):
    return '{"where":' + '{"not":' * (depth - 1) + '{"id":1}' + "}" * depth


def test_depth_and_number_of_conditions_are_limited(as_, app):
    def status(text):
        answer = as_(None).post("posts/query", data=text, content_type="application/json")
        return answer.status_code, answer.json.get("message", "")

    assert status(nested(5))[0] == 200
    assert status(nested(6)) == (400, "where can be at most 5 objects deep.")
    for deep in (DEEP, 50 * DEEP):
        assert status(nested(deep)) == (400, "The body is nested deeper than 32 levels.")
    wide = [{"id": n} for n in range(MAX_COMPARISONS + 1)]
    assert status(json.dumps({"where": {"any": wide[1:]}}))[0] == 200
    assert status(json.dumps({"where": {"any": wide}})) == (
        400,
        "where can have at most 50 conditions.",
    )


def test_query_needs_only_read_access(guarded, people, content):
    """A browser's session without a token and a read-only key suffice; other sites are refused."""
    client = guarded.test_client()
    give_session(guarded, client, people["ann"])
    body = {"where": {"status": "draft"}}
    assert client.post("posts/query", json=body).json["total"] == 1
    assert code(client.post("posts", json={})) == (403, "forbidden")
    foreign = {"Origin": "https://evil.example"}
    assert code(client.post("posts/query", json=body, headers=foreign)) == (403, "forbidden")


def test_key_needs_the_read_scope(as_, app, content):
    def status(*scopes):
        made = as_("root").post("api_keys", json={"name": "k", "scopes": scopes}).json
        headers = {"X-API-Key": made["key"]}
        return as_(None).post("posts/query", json={}, headers=headers).status_code

    assert status("posts:read") == 200
    assert status("tags:read") == 403


def test_query_costs_as_much_as_the_list(as_, content, statements):
    where = {"any": [{"tags.name": "sea"}, {"author.username": "ann"}]}
    root = as_("root")
    root.get("posts?sort=title")
    _, listed = statements(root.get, "posts?title__ne=x&sort=title")
    body = {"where": where, "sort": "title"}
    _, queried = statements(lambda: root.post("posts/query", json=body))
    assert len(queried) == len(listed) == 3
