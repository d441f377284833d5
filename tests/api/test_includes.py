"""Includes and fields: permitted paths, hidden records, and limits of the response size."""

import tracemalloc

import pytest

from quire.actor import SYSTEM
from quire.api.openapi.parameters import include_paths
from quire.declare.record import REGISTRY
from quire.declare.rules import NOBODY
from quire.records import COMMENTS, POSTS
from quire.store.write import create_many
from tests.api.test_access_order import code
from tests.clocks import PAST
from tests.users import signed_in

BACK = (
    ("posts", "comments.post"),
    ("posts", "comments.post.comments"),
    ("posts", "comments.parent.post"),
    ("posts", "author.avatar.owner"),
    ("posts", "author.profile.user"),
    ("comments", "post.comments"),
    ("comments", "post.comments.author"),
    ("users", "profile.user"),
    ("users", "avatar.owner"),
    ("profiles", "user.profile"),
    ("media", "owner.avatar"),
)
BIG = "word " * 20_000
MEGABYTE = 2**20


@pytest.mark.parametrize(("place", "path"), BACK)
def test_includes_never_return_to_an_earlier_type(as_, place, path):
    root = as_("root")
    for query in (f"include={path}", f"fields={path}.id", f"fields=id&include=id,{path}"):
        answer = root.get(f"{place}?{query}")
        assert answer.status_code == 400, query
    assert code(root.get(f"{place}?include={path}")) == (400, "invalid_parameter")
    assert "leads back" in root.get(f"{place}?include={path}").json["message"]


@pytest.mark.parametrize("place", [p for p, record in REGISTRY.items() if not record.singleton])
def test_every_documented_path_works_and_none_returns(as_, content, comment, place):
    comment("abe")
    for path in include_paths(REGISTRY[place]):
        assert as_("root").get(f"{place}?include={path}").status_code == 200, path
        names = [part for part in path.split(".") if part != "parent"]
        assert len(names) == len(set(names)), path


CHANGEABLE = [
    path
    for path, record in REGISTRY.items()
    if record.access.update is not NOBODY and not record.singleton
]


@pytest.mark.parametrize("place", CHANGEABLE)
def test_included_records_can_be_put_back(as_, content, comment, place):
    comment("abe")
    root = as_("root")
    for path in include_paths(REGISTRY[place]):
        for row in root.get(f"{place}?include={path}").json[place][:3]:
            answer = root.put(f"{place}/{row['id']}", json=row)
            assert answer.status_code == 200, (path, answer.json)


@pytest.mark.parametrize(
    "more", [{"comments": [{"body": "New"}]}, {"comments": 5}, {"comments_total": "5"}]
)
def test_fields_that_are_never_included_are_unknown(as_, content, more):
    answer = as_("ann").patch(f"posts/{content.live}", json=more)
    assert [(d["field"], d["code"]) for d in answer.json["details"]] == [(*more, "unknown")]


def test_new_post_has_no_comments(as_, content):
    raw = {"title": "T", "body": "b", "comments": []}
    assert as_("ann").post("posts", json=raw).status_code == 422


def test_comments_include_their_parents(as_, content, comment):
    first = comment("abe")
    second = comment("bob", parent=first)
    third = comment("abe", parent=second)
    read = as_(None).get(f"comments/{third}?include=parent.parent.author").json
    assert read["parent"]["parent"]["id"] == first
    assert read["parent"]["parent"]["author"]["username"] == "abe"


def test_user_includes_the_profile(as_, content, people, statements):
    ann = as_("ann")
    ann.patch("profiles/2", json={})
    read = as_(None).get(f"posts/{content.live}?include=author.profile").json["author"]
    assert read["profile"]["display_name"] == ""
    assert read["profile"]["user"] == {"id": people["ann"].id, "username": "ann"}
    assert "digest" not in read["profile"]
    part = as_(None).get(f"posts/{content.live}?fields=author.profile.website").json
    assert part == {"id": content.live, "author": {"profile": {"website": None}}}
    plain, many = (
        statements(as_(None).get, f"posts{q}")[1] for q in ("", "?include=author.profile")
    )
    assert len(many) <= len(plain) + 2
    hidden = as_(None).get(f"users/{people['ann'].id}?include=profile").json
    assert hidden["profile"]["id"]


def test_fields_do_not_drop_included_records(as_, content, comment):
    comment("abe")
    nobody, place = as_(None), f"posts/{content.live}"
    whole = nobody.get(f"{place}?include=author").json["author"]
    kept = nobody.get(f"{place}?fields=title&include=author").json
    assert kept == {"id": content.live, "title": "Live", "author": whole}
    named = nobody.get(f"{place}?fields=title,author.bio&include=author").json
    assert named["author"] == {"bio": ""}
    deep = nobody.get(f"{place}?fields=author.bio&include=author.avatar,tags").json
    assert deep["author"] == {"bio": "", "avatar": None}
    assert sorted(deep["tags"][0]) == sorted(nobody.get("tags").json["tags"][0])
    below = nobody.get(f"{place}?fields=title&include=comments.author").json
    assert below["comments_total"] == 1
    assert below["comments"][0]["author"]["bio"] == ""


def test_fields_have_up_to_three_levels(as_, content, comment, app, people):
    comment("abe", body="Fine")
    nobody, place = as_(None), f"posts/{content.live}"
    assert nobody.get(f"{place}?fields=comments.author.username,comments.body").json == {
        "id": content.live,
        "comments": [{"author": {"username": "abe"}, "body": "Fine"}],
        "comments_total": 1,
    }
    assert nobody.get(f"{place}?fields=author.avatar.url").json == {
        "id": content.live, "author": {"avatar": None},
    }  # fmt: skip
    assert code(nobody.get(f"{place}?fields=comments.author.avatar.url")) == (
        400,
        "invalid_parameter",
    )
    for wanted, known in (
        ("fields=author.email", "author.username"), ("fields=titel", "title"),
        ("include=author.email", "author.avatar"), ("include=comments.autor", "comments.author"),
    ):  # fmt: skip
        refused, path = nobody.get(f"{place}?{wanted}"), wanted.partition("=")[2]
        assert refused.json["message"].startswith(f"{path} is not a valid ")
        assert known in refused.json["message"].partition("Known: ")[2].rstrip(".").split(", ")
        assert refused.json["details"][0]["field"] == path
    assert code(nobody.get(f"{place}?fields=author.avatar.nothing")) == (400, "unknown_parameter")
    assert code(nobody.get(f"{place}?fields=author.email")) == (400, "unknown_parameter")
    assert code(nobody.get(f"{place}?fields=comments.author.email")) == (400, "unknown_parameter")
    assert code(nobody.get(f"{place}?fields=title.x")) == (400, "unknown_parameter")


def test_repeated_lists_are_merged(as_, content):
    mod = as_("mod")

    def found(query):
        answer = mod.get(f"posts?{query}")
        assert answer.status_code == 200, answer.text
        return sorted(row["id"] for row in answer.json["posts"])

    one, two, three = content.live, content.draft, content.later
    assert found(f"id__in={one}&id__in={two}") == [one, two]
    assert found(f"id__in={one},{two}&id__in={three}") == sorted([one, two, three])
    assert found("tags.name__in=sea&tags.name__in=sky") == [one]
    assert not {one, two} & set(found(f"id__nin={one}&id__nin={two}"))
    assert found(f"id={one}&id={two}") == []
    assert found("tags.name=sea&tags.name=sky") == [one]
    row = mod.get("posts?fields=title&fields=slug,status&include=author&include=tags").json[
        "posts"
    ][0]
    assert list(row) == ["id", "title", "slug", "status", "author", "tags"]
    both = mod.get("posts?sort=status&sort=-title").json
    assert both["posts"] == mod.get("posts?sort=status,-title").json["posts"]
    assert code(mod.get("posts?page=1&page=2")) == (400, "invalid_parameter")
    many = "&".join(f"id__in={n}" for n in range(1, 102))
    assert code(mod.get(f"posts?{many}")) == (400, "invalid_parameter")


@pytest.fixture
def large(make_app, people):
    """An application with a response limit of a megabyte, and 12 posts of 100 KB each."""
    app = make_app(RESPONSE_BYTES=MEGABYTE)
    raw = {"body": BIG, "author": people["ann"].id, "published_at": PAST, "tags": ["big"]}
    with app.app_context():
        posts = create_many(POSTS, SYSTEM, [{"title": f"Big {n}", **raw} for n in range(12)])
        said = {"post": posts[0].id, "author": people["bob"].id, "status": "approved"}
        first = create_many(COMMENTS, SYSTEM, [{**said, "body": "x " * 25_000}])[0].id
        create_many(COMMENTS, SYSTEM, [{**said, "body": "y", "parent": first}] * 60)
    return app, posts[0].id


TOO_LARGE = (
    "posts?per_page=100",
    "posts?per_page=100&cursor=",
    "posts?per_page=6&page=2",
    "posts?search=word&per_page=12",
    "posts?per_page=100&fields=body,body_html",
    "comments?per_page=61&include=post&fields=id",
    "comments?per_page=61&include=parent",
    "posts/{id}/comments?per_page=61&include=parent",
    "posts/{id}?include=comments.parent",
    "posts/by-slug/big-0?include=comments.parent",
    "revisions?per_page=100",
)


def test_oversized_response_is_refused_while_it_is_built(large, people):
    app, id = large
    client = signed_in(app, people["root"])
    client.get("posts?per_page=1")
    for query in TOO_LARGE:
        tracemalloc.start()
        answer = client.get(query.format(id=id))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert code(answer) == (400, "too_costly"), (query, len(answer.data))
        assert {one["field"] for one in answer.json["details"]} == {"per_page", "include"}
        assert peak < 8 * MEGABYTE, query


def test_response_below_the_limit_is_complete(large, people):
    app, id = large
    client = signed_in(app, people["root"])
    assert len(client.get("posts?per_page=4").json["posts"]) == 4
    assert len(client.get("posts?per_page=100&fields=title").json["posts"]) == 12
    read = client.get(f"posts/{id}?fields=comments.author_name").json
    assert (len(read["comments"]), read["comments_total"]) == (50, 61)
    assert client.get("search?q=Big&per_page=100").json["total"] >= 12
    changed = client.patch(f"posts/{id}", json={"body": "\t" + BIG * 2})
    assert changed.status_code == 200


def test_nested_list_has_a_total(as_, app, content, people, make):
    raw = {"post": content.live, "author": people["bob"].id, "body": "x", "status": "approved"}
    with app.app_context():
        create_many(COMMENTS, SYSTEM, [raw] * 53 + [{**raw, "status": "pending"}] * 4)
    rows = as_(None).get("posts?include=comments").json["posts"]
    assert {row["id"]: row["comments_total"] for row in rows} == {content.live: 53, content.abes: 0}
    assert [len(row["comments"]) for row in rows if row["id"] == content.live] == [50]
    one = as_("mod").get(f"posts/{content.live}?fields=comments.id").json
    assert (len(one["comments"]), one["comments_total"]) == (50, 57)
    assert "comments_total" not in as_(None).get("posts").json["posts"][0]
