"""The query language: every filter and sort of the contract, and nothing else."""

import pytest

from quire.actor import ANONYMOUS, Actor
from quire.declare.query_fields import filter_paths, sort_names
from quire.records import PAGES, POSTS
from tests.api.test_access_order import code
from tests.clocks import EARLIER, PAST

FILTERS = {
    "posts": "id title slug status published published_at created_at updated_at views author author.id "
    "author.username category category.id category.slug category.name tags tags.id tags.name tags.slug",
    "pages": "id title slug published_at created_at updated_at",
    "comments": "id post author parent status created_at updated_at",
    "users": "id username created_at",
    "tags": "id name slug created_at updated_at",
    "categories": "id name slug created_at updated_at",
    "redirects": "id path created_at",
    "audit_events": "id actor action type record_id created_at",
    "profiles": "id created_at",
    "revisions": "id created_at",
}
SORTS = {
    "posts": "id title slug status published published_at created_at updated_at views",
    "comments": "id status created_at",
    "users": "id username created_at",
    "audit_events": "id action type record_id created_at",
}
VALUES = {
    "id": 1, "title": "x", "slug": "x", "status": None, "published": "true", "published_at": PAST,
    "created_at": "2026-01-01", "updated_at": PAST, "views": 0, "author": 1, "category": 1, "tags": 1,
    "username": "x", "name": "x", "path": "/x", "action": "x", "type": "posts", "record_id": 1,
    "actor": 1, "post": 1, "parent": 1, "email": "x", "role": "admin", "is_active": "true",
}  # fmt: skip
STATUS = {"posts": "draft", "comments": "pending"}


def value_of(path, name):
    value = VALUES[name.rpartition(".")[2]]
    return STATUS[path] if value is None else value


@pytest.mark.parametrize("path", FILTERS)
def test_every_filter_of_the_contract_works(as_, content, path):
    root = as_("root")
    for name in FILTERS[path].split():
        value = value_of(path, name)
        for operator in ("", "__ne", "__in", "__nin"):
            answer = root.get(f"{path}?{name}{operator}={value}")
            assert answer.status_code == 200, (name, operator, answer.text)
        assert root.get(f"{path}?{name}__isnull=true").status_code == 200


@pytest.mark.parametrize("path", SORTS)
def test_every_sort_of_the_contract_works(as_, content, path):
    root = as_("root")
    for name in SORTS[path].split():
        up, down = (root.get(f"{path}?sort={d}{name}&per_page=100").json[path] for d in ("", "-"))
        assert len(up) == len(down)
    assert root.get(f"{path}?sort={','.join(SORTS[path].split())}").status_code == 200


def test_other_names_are_not_filters(as_, content):
    for name in ("body", "excerpt", "body_html", "unpublish_at", "version", "deleted_at", "sorted_at",
                 "author.email", "author.bio", "author.password", "tags.description", "title.x",
                 "comments_open", "comment_count", "ID", "id__", "id__like", "id__eq__eq", "__class__",
                 "author__username", "posts.id", "", "author.", ".id", "tags.id.x"):  # fmt: skip
        answer = as_("root").get("posts", query_string={name: "1"})
        assert code(answer) == (400, "unknown_parameter"), name
        assert answer.json["details"][0]["field"] == name
    for name in (
        "body",
        "author",
        "author.username",
        "tags",
        "comment_count",
        "",
        "-",
        "--id",
        "x",
    ):
        if name:
            assert code(as_("root").get("posts", query_string={"sort": name})) == (
                400,
                "unknown_parameter",
            )


def test_administrators_have_more_filters_on_users(as_, people):
    root = as_("root")
    for query in ("email=bob@example.org", "role=member", "email__startswith=bob"):
        assert [u["username"] for u in root.get(f"users?{query}").json["users"]] == ["bob"]
    assert root.get("users?is_active=false").json["total"] == 0
    assert next(u["username"] for u in root.get("users?sort=-email").json["users"]) == "root"


@pytest.mark.parametrize("name", [None, "bob", "ann", "mod"])
@pytest.mark.parametrize(
    "hidden", ["email", "role", "is_active", "version", "updated_at", "password"]
)
def test_hidden_names_are_unknown(as_, name, hidden):
    one = as_(name)
    queries = [
        "{}=x",
        "{}__startswith=a",
        "{}__isnull=true",
        "sort={}",
        "sort=-{}",
        "fields={}",
        "include={}",
    ]
    for query in queries:
        there, nowhere = (one.get(f"users?{query.format(word)}") for word in (hidden, "zzz"))
        assert code(there) == code(nowhere) == (400, "unknown_parameter")
        same = there.text.replace(hidden, "zzz").replace(there.json["request_id"], "")
        assert same == nowhere.text.replace(nowhere.json["request_id"], "")
    for place in ("posts", "comments"):
        there, nowhere = (
            one.get(f"{place}?fields=author.{word}&include=author") for word in (hidden, "zzz")
        )
        same = there.text.replace(hidden, "zzz").replace(there.json["request_id"], "")
        assert same == nowhere.text.replace(nowhere.json["request_id"], "")


def test_errors_about_unknown_names_list_known_ones(client):
    answer = client.get("posts?colour=red")
    assert "title" in answer.json["message"]
    answer = client.get("posts?title__like=red")
    assert "title__icontains" in answer.json["message"]
    for path in (
        "posts/1?page=2",
        "posts/by-slug/x?title=x",
        "search?sort=id",
        "csrf-token?x=1",
        "openapi.json?x=1",
    ):
        assert code(client.get(path)) == (400, "unknown_parameter")


@pytest.fixture
def titles(as_, make, people):
    for title in ("Flask", "flask apps", "50% off", "a_b", "axb", "50 off", "Ärger", "ÄRGER"):
        make(POSTS, title=title, body="x", author=people["ann"].id, published_at=PAST)

    def found(query):
        answer = as_(None).get(f"posts?sort=id&{query}")
        return [post["title"] for post in answer.json["posts"]]

    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("title__contains=lask", ["Flask", "flask apps"]), ("title__contains=Flask", ["Flask"]),
        ("title__icontains=FLASK", ["Flask", "flask apps"]), ("title__icontains=ärger", ["Ärger", "ÄRGER"]),
        ("title__startswith=flask", ["flask apps"]), ("title__endswith=lask", ["Flask"]),
        ("title__endswith=apps", ["flask apps"]), ("title__contains=%25", ["50% off"]),
        ("title__startswith=50%25", ["50% off"]), ("title__contains=_", ["a_b"]), ("title=a_b", ["a_b"]),
        ("title__in=Flask,axb", ["Flask", "axb"]), ("title__endswith=%25", []), ("title__contains=%5C", []),
        ("title__lt=B&title__gte=5", ["50% off", "50 off"]), ("title=Flask&title=axb", []),
        ("title__nin=Flask,axb,a_b,flask apps,50 off", ["50% off", "Ärger", "ÄRGER"]),
        ("title__contains=", ["Flask", "flask apps", "50% off", "a_b", "axb", "50 off", "Ärger", "ÄRGER"]),
    ],
)  # fmt: skip
def test_text_operators(titles, query, expected):
    assert titles(query) == expected


def test_other_operators(as_, content, make, people):
    ann = as_("ann")

    def found(query):
        return {post["title"] for post in ann.get(f"posts?{query}").json["posts"]}

    assert found("status=draft") == found("published_at__isnull=true") == {"Draft"}
    assert found("status__in=draft,scheduled") == {"Draft", "Later"}
    assert found("status__ne=published") == {"Draft", "Later", "Archived"}
    assert found("published=true") == {"Live", "Abes"}
    assert found(f"published_at__gt={EARLIER}&published_at__lte={PAST}") == {"Live"}
    assert found("published_at__gte=2026-01-02&published_at__lt=2026-01-03") == {"Live"}
    assert found("published_at__gte=2026-01-02T12:00:00%2B02:00&status=published") == {"Live"}
    assert found("published_at__gte=2026-01-02T12:00:00+02:00&status=published") == {"Live"}
    assert found("author.username=abe") == {"Abes"}
    assert found(f"author={people['abe'].id}") == found(f"author.id={people['abe'].id}") == {"Abes"}
    assert found("author.username__ne=ann") == {"Abes"}
    assert found("tags.name__in=sea,land") == found("tags.name=sky") == {"Live"}
    assert found("tags.name=sea&tags.name=sky") == {"Live"}
    assert "Live" not in found("tags.name__ne=sea")
    assert found("tags__isnull=false") == {"Live"}
    assert found("category__isnull=true&id__lte=2") == {"Live", "Draft"}


def test_in_accepts_a_hundred_values(client):
    ids = ",".join(map(str, range(1, 101)))
    assert client.get(f"posts?id__in={ids}").status_code == 200
    assert code(client.get(f"posts?id__in={ids},101")) == (400, "invalid_parameter")
    assert code(client.get(f"posts?id__nin={ids},101")) == (400, "invalid_parameter")


def test_sort_orders(as_, content, make):
    titles = [post["title"] for post in as_("root").get("posts").json["posts"]]
    assert titles == [
        "Later",
        "Draft",
        "Live",
        "Abes",
        "Archived",
    ]  # drafts are sorted by their creation
    for title in "ba":
        make(PAGES, title=title, body="x", published_at=PAST)
    assert [p["title"] for p in as_(None).get("pages").json["pages"]] == ["About", "b", "a"]


def test_every_type_has_the_filters_of_the_contract():
    admin = Actor("admin", 0)
    assert set(filter_paths(POSTS, admin)) == set(FILTERS["posts"].split())
    assert set(sort_names(POSTS, admin)) == set(SORTS["posts"].split())
    assert set(filter_paths(PAGES, ANONYMOUS)) == set(FILTERS["pages"].split())
