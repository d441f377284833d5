"""Texts that look the same are the same: Unicode forms, case of names, invisible characters."""

import pytest

from quire.records import CATEGORIES, POSTS, TAGS
from quire.store.db import db
from tests.query_plans import query_plans

COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"
TAG = {"title": "T", "body": "b"}


@pytest.mark.parametrize("path", ["tags", "categories"])
@pytest.mark.parametrize(
    ("first", "second"),
    [(COMPOSED, DECOMPOSED), ("c", "C"), ("ab", "a\u200bb"), ("\u00c9t\u00e9", "e\u0301t\u00e9"), ("ab", "ab\u202e ")],
    ids=ascii,
)  # fmt: skip
def test_names_that_look_alike_are_the_same(as_, path, first, second):
    root = as_("root")
    assert root.post(path, json={"name": first}).status_code == 201
    refused = root.post(path, json={"name": second})
    assert (refused.status_code, refused.json["code"]) == (409, "duplicate")
    assert refused.json["details"][0]["field"] == "name"


def test_case_of_a_name_can_be_changed(as_, make):
    id = make(TAGS, name="flask")
    assert as_("root").patch(f"tags/{id}", json={"name": "Flask"}).json["name"] == "Flask"


def test_tags_of_a_post_are_found_in_any_spelling(as_, make):
    make(TAGS, name=COMPOSED)
    ann = as_("ann")
    for name in (DECOMPOSED, "CAF\u00c9", " caf\u00e9\u200b"):
        made = ann.post("posts", json={**TAG, "tags": [name]})
        assert [one["name"] for one in made.json["tags"]] == [COMPOSED]
    made = ann.post("posts", json={**TAG, "tags": ["New", "NEW", "ne\u200bw", "Newer"]})
    assert sorted(one["name"] for one in made.json["tags"]) == ["New", "Newer"]


def test_authors_are_found_in_any_case(as_, people):
    made = as_("root").post("posts", json={**TAG, "author": "ANN"})
    assert made.json["author"]["username"] == "ann"


@pytest.mark.parametrize(
    "query",
    [
        f"tags.name={DECOMPOSED}", "tags.name=CAF\u00c9", "tags.name__in=x,caf\u00e9", "title=Cr\u00e8me",
        "title=Cre\u0300me", "title__icontains=CRE\u0300", "title__startswith=Cre\u0300", "author.username=ANN",
        "author.username__in=ANN", "category.name=NEWS", "slug=cre\u0300me", "q=cre\u0300me",
    ],
    ids=ascii,
)  # fmt: skip
def test_filters_and_searches_find_any_form(as_, make, people, query):
    make(TAGS, name=COMPOSED)
    make(CATEGORIES, name="News")
    make(
        POSTS, title="Cre\u0300me", slug="cr\u00e8me", body="x", author=people["ann"].id,
        tags=[COMPOSED], category="news", published=True,
    )  # fmt: skip
    name, _, value = query.partition("=")
    assert as_(None).get("posts", query_string={name: value}).json["total"] == 1


def test_exclusion_ignores_case_too(as_, make, people):
    make(TAGS, name="C")
    make(POSTS, title="T", body="x", author=people["ann"].id, tags=["c"], published=True)
    for query in ("tags.name__ne=c", "tags.name__nin=c,d", "author.username__ne=ANN"):
        assert as_(None).get(f"posts?{query}").json["total"] == 0


def test_every_text_is_stored_in_nfc(as_, make):
    root = as_("root")
    body = {
        "title": "Cre\u0300me",
        "body": "Cre\u0300me",
        "excerpt": "e\u0301",
        "seo_title": "e\u0301",
    }
    made = root.post("posts", json=body).json
    assert (made["title"], made["body"], made["excerpt"]) == ("Cr\u00e8me", "Cr\u00e8me", "\u00e9")
    changed = root.patch(f"posts/{made['id']}", json={"slug": "cre\u0300me", "body": "e\u0301"})
    assert (changed.json["slug"], changed.json["body_html"]) == ("cr\u00e8me", "<p>\u00e9</p>\n")
    assert root.get("posts/by-slug/cre\u0300me").json["id"] == made["id"]
    draft = root.put(f"posts/{made['id']}/draft", json={"title": "A\u0308"})
    assert draft.json["title"] == "\u00c4"


def test_pages_and_old_urls_are_found_in_any_form(as_, client, make, people):
    post = make(
        POSTS, title="T", slug="cr\u00e8me", body="x", author=people["ann"].id, published=True
    )
    led = client.get("/posts/cre\u0300me")
    assert (led.status_code, led.location) == (301, "/posts/cr%C3%A8me")
    assert client.get(led.location).status_code == 200
    as_("root").patch(f"posts/{post}", json={"slug": "new"})
    assert client.get("/posts/cre\u0300me").headers["Location"] == "/posts/new"
    assert as_(None).get("posts/by-slug/cre\u0300me").status_code == 301


@pytest.mark.parametrize("blank", ["\u200b", "\u2060\u00a0", " \u200e\n\ufeff"])
def test_text_of_invisible_characters_is_blank(as_, content, blank):
    for who, path, more in (
        ("bob", "comments", {"post": content.live}),
        ("ann", "posts", {"title": "x"}),
    ):
        refused = as_(who).post(path, json={**more, "body": blank})
        assert refused.status_code == 422
        assert [(one["field"], one["code"]) for one in refused.json["details"]] == [
            ("body", "too_short")
        ]


def test_invisible_characters_stay_in_texts(as_):
    body = {"title": "a\u200bb", "body": "a\u200bb", "excerpt": "a\u200bb"}
    made = as_("ann").post("posts", json=body).json
    assert (made["title"], made["body"], made["excerpt"]) == ("ab", "a\u200bb", "a\u200bb")
    refused = as_("ann").post("posts", json={"title": "\u200b", "body": "x"})
    assert refused.json["details"][0]["message"] == "Title is required."


@pytest.mark.parametrize(
    ("query", "index"),
    [("tags?name=NEWS", "tags_name_folded"), ("users?username=ANN", "users"),
     ("posts?tags.name=NEWS", "tags_name_folded"), ("posts?author.username=ANN", "users")],
)  # fmt: skip
def test_names_are_looked_up_in_an_index(app, as_, query, index):
    root = as_("root")
    with app.app_context():
        engine = db.engine
    plan = query_plans(engine, lambda: root.get(f"{query}&count=none"), containing="_folded")[0]
    assert f"uq_{index}" in plan or f"sqlite_autoindex_{index}" in plan
