"""Shapes: their keys, the effect of `fields` and `include`, and their cost."""

import pytest

from quire.actor import SYSTEM
from quire.records import COMMENTS, POSTS
from quire.store.write import create_many
from tests.api.test_access_order import code
from tests.clocks import PAST

POST = (
    "id title slug body body_html excerpt status published published_at unpublish_at author category "
    "tags cover comments_open comment_count views created_at updated_at version"
).split()
SHAPES = {
    "pages": "id title slug body body_html position status published published_at created_at updated_at version",
    "tags": "id name slug description created_at updated_at version",
    "categories": "id name slug description created_at updated_at version",
    "redirects": "id path target permanent created_at updated_at version",
    "audit_events": "id action type record_id actor fields door proof ip request_id created_at",
}
BODIES = {
    "pages": {"title": "x", "body": "y"}, "tags": {"name": "x"}, "categories": {"name": "x"},
    "redirects": {"path": "/a", "target": "/b"},
}  # fmt: skip


@pytest.mark.parametrize("path", SHAPES)
def test_shapes_of_all_types(as_, path):
    root = as_("root")
    if path in BODIES:
        made = root.post(path, json=BODIES[path])
        assert list(made.json) == SHAPES[path].split()
        assert root.get(f"{path}/{made.json['id']}").json == made.json
    else:
        root.post("tags", json={"name": "x"})
        assert list(root.get(path).json[path][0]) == SHAPES[path].split()


def test_shape_of_a_post(as_, content, make, people):
    shelf = as_("mod").post("categories", json={"name": "Shelf"}).json
    given = {
        "title": "All",
        "body": "# Hi",
        "category": shelf,
        "tags": ["b", "a"],
        "excerpt": "short",
    }
    made = as_("ann").post("posts", json=given)
    assert list(made.json) == POST
    assert made.json["author"] == {"id": people["ann"].id, "username": "ann"}
    assert made.json["category"] == {"id": shelf["id"], "name": "Shelf", "slug": "shelf"}
    assert [(tag["name"], tag["slug"]) for tag in made.json["tags"]] == [("a", "a"), ("b", "b")]
    assert made.json["body_html"] == '<h1 id="hi">Hi</h1>\n'
    assert made.json["cover"] is None
    assert list(as_("ann").get(f"posts/{content.trashed}").json) == [*POST, "deleted_at"]


@pytest.mark.parametrize("form", ["id", "name", "object"])
def test_references_can_be_written_in_three_ways(as_, content, form):
    ann, mod = as_("ann"), as_("mod")
    shelf = mod.post("categories", json={"name": "Shelf"}).json
    tag = mod.get("tags?name=sea").json["tags"][0]
    sent = {
        "id": {"category": shelf["id"], "tags": [tag["id"]]},
        "name": {"category": "shelf", "tags": ["sea"]},
        "object": {"category": shelf, "tags": [{"id": tag["id"]}]},
    }[form]
    changed = ann.patch(f"posts/{content.draft}", json=sent).json
    assert changed["category"]["name"] == "Shelf"
    assert [one["name"] for one in changed["tags"]] == ["sea"]
    given = mod.patch(f"posts/{content.draft}", json={"author": {"id": "abe"}["id"]}).json
    assert given["author"]["username"] == "abe"
    cleared = mod.patch(f"posts/{content.draft}", json={"category": None, "tags": []}).json
    assert (cleared["category"], cleared["tags"]) == (None, [])


def test_unknown_tags_are_created_by_those_who_may_create_tags(as_, content):
    made = as_("ann").post(
        "posts", json={"title": "x", "body": "y", "tags": ["new", " new ", "sea"]}
    )
    assert [tag["name"] for tag in made.json["tags"]] == ["new", "sea"]
    assert as_(None).get("tags?name=new").json["total"] == 1


def test_record_can_be_put_back_as_read(as_, content, comment):
    first = comment("bob")
    root = as_("root")
    root.post("redirects", json={"path": "/a", "target": "/b"})
    for name in ("ann", "mod", "root"):
        one = as_(name)
        for path in (
            f"posts/{content.live}",
            f"posts/{content.draft}",
            "users/me",
            f"comments/{first}",
            "settings",
        ):
            read = one.get(path).json
            if name == "ann" and path in (f"comments/{first}", "settings"):
                continue
            if name == "mod" and path == "settings":
                continue
            for method in (one.patch, one.put):
                answer = method(path, json=read)
                if answer.status_code != 405:
                    assert answer.status_code == 200, (path, answer.text)
                    assert answer.json == read
    for path in ("tags", "categories", "pages", "redirects", "profiles", "users"):
        for row in root.get(path).json[path]:
            answer = root.put(f"{path}/{row['id']}", json=row)
            assert answer.status_code == 200, (path, answer.text)
            assert answer.json == row


def test_put_replaces_and_patch_does_not(as_, content):
    ann = as_("ann")
    ann.patch(f"posts/{content.live}", json={"excerpt": "short", "comments_open": False})
    put = ann.put(f"posts/{content.live}", json={"title": "New", "body": "New"}).json
    assert (put["excerpt"], put["comments_open"], put["tags"], put["published_at"]) == (
        "",
        True,
        [],
        None,
    )
    assert (put["slug"], put["author"]["username"]) == ("live", "ann")
    answer = ann.put(f"posts/{content.live}", json={"title": "New"})
    assert [(d["field"], d["code"]) for d in answer.json["details"]] == [("body", "required")]


def test_sparse_fields(as_, content):
    ann = as_("ann")
    for address in (f"posts/{content.live}", "posts/by-slug/live"):
        read = ann.get(f"{address}?fields=title,author.username,tags.name").json
        assert read == {
            "id": content.live, "title": "Live", "author": {"username": "ann"},
            "tags": [{"name": "sea"}, {"name": "sky"}],
        }  # fmt: skip
    rows = ann.get("posts?fields=title&status=draft").json["posts"]
    assert rows == [{"id": content.draft, "title": "Draft"}]
    assert ann.get(f"posts/{content.live}?fields=").json == {"id": content.live}
    whole = ann.get(f"posts/{content.live}?fields=author.username,author").json
    assert whole["author"]["id"]
    brought = ann.get(f"posts/{content.live}?fields=author.bio,category.name").json
    assert brought == {"id": content.live, "author": {"bio": ""}, "category": None}
    assert code(ann.get("posts?fields=title.x")) == (400, "unknown_parameter")
    assert code(ann.get("posts?fields=author.username.x")) == (400, "unknown_parameter")


SEO = {"seo_title": "Knots", "seo_description": "How to tie them."}


def test_fields_shown_on_request_can_be_written(as_, comment):
    ann = as_("ann")
    made = ann.post("posts", json={"title": "Knots for sailors", "body": "x", **SEO})
    post = made.headers["Location"].removeprefix("/api/v1/")
    asked = f"{post}?fields=seo_title,seo_description"
    assert list(made.json) == list(ann.get(post).json) == POST
    assert list(ann.get("posts").json["posts"][0]) == POST
    assert ann.get(asked).json == {"id": made.json["id"], **SEO}
    rows = ann.get("posts?fields=seo_title&title=Knots for sailors").json["posts"]
    assert rows == [{"id": made.json["id"], "seo_title": "Knots"}]
    back = ann.put(post, json={**made.json, "excerpt": "Short"})
    assert (back.status_code, list(back.json)) == (200, POST)
    assert ann.get(asked).json == {"id": made.json["id"], **SEO}
    changed = ann.patch(post, json={"seo_title": " Ropes ", "version": back.json["version"]})
    assert changed.json["version"] == back.json["version"] + 1
    assert ann.get(asked).json["seo_title"] == "Ropes"
    assert ann.put(post, json={"title": "x", "body": "y", "seo_title": ""}).status_code == 200
    assert ann.get(asked).json["seo_title"] == ""
    long = ann.patch(post, json={"seo_title": "x" * 201, "seo_description": "x" * 301}).json
    assert [(one["field"], one["code"]) for one in long["details"]] == [
        ("seo_title", "too_long"), ("seo_description", "too_long"),
    ]  # fmt: skip
    assert code(ann.get("posts?seo_title=x")) == (400, "unknown_parameter")
    assert code(ann.get("posts?sort=seo_title")) == (400, "unknown_parameter")


def test_fields_shown_on_request_can_be_included(as_, content, comment):
    said, ann = comment("abe"), as_("ann")
    ann.patch(f"posts/{content.live}", json=SEO)
    plain = ann.get(f"comments/{said}?include=post").json["post"]
    assert list(plain) == POST
    cut = ann.get(f"comments/{said}?fields=post.seo_title,post.title").json
    assert cut["post"] == {"seo_title": "Knots", "title": "Live"}


def test_copy_has_the_fields_shown_on_request(as_, content):
    mod = as_("mod")
    mod.patch(f"posts/{content.live}", json=SEO)
    copy = mod.post(f"posts/{content.live}/duplicate").json["id"]
    assert mod.get(f"posts/{copy}?fields=seo_title,seo_description").json == {"id": copy, **SEO}


def test_includes(as_, content, comment):
    first = comment("abe")
    ann = as_("ann")
    read = ann.get(f"posts/{content.live}?include=author,tags,category,comments.author").json
    assert set(read["author"]) >= {"email", "bio", "role"}
    assert set(read["tags"][0]) >= {"description", "version"}
    assert read["category"] is None
    assert [one["id"] for one in read["comments"]] == [first]
    assert set(read["comments"][0]["author"]) == {"id", "username", "bio", "avatar", "created_at"}
    deep = ann.get(f"comments/{first}?include=post.author").json
    assert deep["post"]["author"]["bio"] == ""
    assert code(ann.get("posts?include=comments.parent.author.profile")) == (
        400,
        "invalid_parameter",
    )
    assert code(ann.get("posts?include=nothing")) == (400, "unknown_parameter")
    assert code(ann.get("posts?include=author.nothing")) == (400, "unknown_parameter")
    assert code(ann.get("posts?include=title")) == (400, "unknown_parameter")
    assert ann.get("users?include=").status_code == 200


def test_included_records_follow_the_same_visibility(as_, content, comment, make, people):
    comment("bob", status="pending", body="waiting")
    comment("bob", deleted_at=PAST, body="thrown away")
    shown = make(COMMENTS, post=content.live, author=people["bob"].id, body="Hi", status="approved")
    read = as_(None).get(f"posts/{content.live}?include=comments.author").json
    assert [one["id"] for one in read["comments"]] == [shown]
    assert read["comments"][0]["author"] == {
        "id": people["bob"].id,
        "username": "bob",
    }  # hidden, so as it was
    cut = as_(None).get(f"comments/{shown}?include=author&fields=author.bio,body").json
    assert cut == {"id": shown, "author": {}, "body": "Hi"}
    assert len(as_("ann").get(f"posts/{content.live}?include=comments").json["comments"]) == 2


def test_include_returns_the_first_fifty(as_, app, content, people):
    raw = {"post": content.live, "author": people["bob"].id, "body": "x", "status": "approved"}
    with app.app_context():
        ids = [saved.id for saved in create_many(COMMENTS, SYSTEM, [raw] * 53)]
    read = as_(None).get(f"posts?include=comments.author&id={content.live}").json["posts"][0]
    assert [one["id"] for one in read["comments"]] == ids[:50]
    assert read["comment_count"] == 53


def test_cost_of_reading_is_bounded(as_, content, statements, make, people):
    raw = {"body": "x", "author": people["ann"].id, "published_at": PAST}
    for i in range(40):
        make(POSTS, title=f"t{i}", tags=[f"tag{i % 7}"], **raw)
    nobody, ann = as_(None), as_("ann")

    def cost(client, query):
        client.get(query)
        # PostgreSQL forgets totals when anything is committed in any of its databases
        tries = [statements(client.get, query) for _ in range(3)]
        assert {answer.status_code for answer, _ in tries} == {200}
        return min(len(sent) for _, sent in tries)

    for query in ("posts?per_page=1", "posts?per_page=100", "posts?tags.name=tag1&status=published&sort=title",
                  "posts?page=3", "posts?cursor=", "posts?search=t1", "tags", f"posts/{content.live}/comments"):  # fmt: skip
        assert cost(nobody, query) <= 4, query
        assert cost(ann, query) <= 5, query
    for query in (
        f"posts/{content.live}",
        "posts/by-slug/live",
        f"posts/{content.live}?fields=title",
    ):
        assert cost(nobody, query) <= 2, query
        assert cost(ann, query) <= 3, query
    plain = cost(nobody, "posts?per_page=100")
    assert cost(nobody, "posts?per_page=100&include=author,tags,category") <= plain + 3
    assert cost(nobody, "posts?per_page=100&include=comments.author") <= plain + 2
