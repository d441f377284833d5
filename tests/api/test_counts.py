"""Counts by field and period: correct numbers, and none for records that the user may not see."""

import re

import pytest

from quire.records import CATEGORIES, POSTS, TAGS
from quire.store import group_counts
from quire.store.db import db
from tests.api.test_access_order import code
from tests.query_plans import query_plans


def groups(client, place):
    answer = client.get(place)
    assert answer.status_code == 200, answer.text
    return [(one["key"], one["label"], one["count"]) for one in answer.json["counts"]]


def total(client, place):
    return client.get(place).json["total"]


def test_counts_by_author_and_by_name(as_, people, content):
    ann, abe = people["ann"].id, people["abe"].id
    assert groups(as_(None), "posts/counts?by=author") == [(abe, "abe", 1), (ann, "ann", 1)]
    assert groups(as_("root"), "posts/counts?by=author") == [(ann, "ann", 4), (abe, "abe", 1)]
    by_name = [("ann", "ann", 4), ("abe", "abe", 1)]
    assert groups(as_("root"), "posts/counts?by=author.username") == by_name
    assert groups(as_("ann"), "posts/counts?by=author.id") == [
        (ann, str(ann), 4),
        (abe, str(abe), 1),
    ]


def test_counts_by_status_and_flag(as_, content):
    assert groups(as_("root"), "posts/counts?by=status") == [
        ("published", "Published", 2), ("archived", "Archived", 1),
        ("draft", "Draft", 1), ("scheduled", "Scheduled", 1),
    ]  # fmt: skip
    assert groups(as_("root"), "posts/counts?by=published") == [(False, "No", 3), (True, "Yes", 2)]
    assert groups(as_(None), "posts/counts?by=status") == [("published", "Published", 2)]


def test_periods_are_listed_latest_first(as_, content):
    root = as_("root")
    assert groups(root, "posts/counts?by=published_at:month") == [
        ("2099-01", "January 2099", 1), ("2026-01", "January 2026", 3), (None, "None", 1),
    ]  # fmt: skip
    assert groups(root, "posts/counts?by=published_at:year&published=true") == [("2026", "2026", 2)]
    assert groups(as_(None), "posts/counts?by=published_at:day") == [
        ("2026-01-02", "2 January 2026", 1), ("2026-01-01", "1 January 2026", 1),
    ]  # fmt: skip
    by_moment = groups(as_(None), "posts/counts?by=published_at")
    assert ("2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z", 1) in by_moment


def test_post_with_two_tags_is_in_two_groups_and_counted_once(app, as_, content):
    found = groups(as_(None), "posts/counts?by=tags")
    assert [one[1:] for one in found] == [("sea", 1), ("sky", 1), ("None", 1)]
    assert total(as_(None), "posts/counts?by=tags") == 2
    assert ("sea", "sea", 1) in groups(as_(None), "posts/counts?by=tags.name")


def test_filters_narrow_the_counts_and_the_total(as_, content):
    assert groups(as_("root"), "posts/counts?by=status&author.username=abe") == [
        ("published", "Published", 1)
    ]
    assert total(as_("root"), "posts/counts?by=status&author.username=abe") == 1
    assert total(as_("root"), "posts/counts?by=author&trashed=true") == 1


def test_only_the_largest_groups_are_returned(as_, make, people, monkeypatch):
    for number, title in enumerate(("b", "a", "b")):
        make(POSTS, title=title, slug=f"s{number}", body="x", author=people["ann"].id)
    monkeypatch.setattr(group_counts, "MAX_GROUPS", 1)
    group_counts._statement.cache_clear()
    assert groups(as_("ann"), "posts/counts?by=title") == [("b", "b", 2)]
    assert total(as_("ann"), "posts/counts?by=title") == 3
    group_counts._statement.cache_clear()


@pytest.mark.parametrize("name", [None, "bob", "ann"])
def test_only_listed_records_are_counted(as_, comment, content, name):
    """Waiting comments and drafts of others are neither in a group nor in the total."""
    comment("bob", status="pending")
    comment("abe")
    client = as_(name)
    for path, by in (
        ("posts", "author"),
        ("posts", "status"),
        ("comments", "post"),
        ("comments", "status"),
    ):
        counts = client.get(f"{path}/counts?by={by}").json
        listed = client.get(f"{path}?per_page=100").json
        assert counts["total"] == listed["total"] == sum(one["count"] for one in counts["counts"])


@pytest.mark.parametrize("name", [None, "bob", "ann"])
@pytest.mark.parametrize(
    "place",
    ["users/counts?by={}", "posts/counts?by=author.{}", "media/counts?by=owner.{}", "comments/counts?by=author.{}"],
)  # fmt: skip
def test_hidden_fields_are_unknown(as_, name, place):
    for hidden in ("email", "password", "password_hash", "role", "is_active", "version", "zzz"):
        answer = as_(name).get(place.format(hidden))
        assert code(answer)[0] in (400, 401, 403), (hidden, answer.text)
        if answer.status_code == 400:
            assert code(answer) == (400, "unknown_parameter")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "invalid_parameter"),
        ("by=status&by=author", "invalid_parameter"),
        ("by=", "unknown_parameter"),
        ("by=body", "unknown_parameter"),
        ("by=title:month", "invalid_parameter"),
        ("by=published_at:hour", "invalid_parameter"),
        ("by=published_at:", "invalid_parameter"),
        ("by=status&page=1", "unknown_parameter"),
        ("by=status&sort=title", "unknown_parameter"),
        ("by=status&search=x", "unknown_parameter"),
        ("by=status&colour=red", "unknown_parameter"),
        ("by=status&status=lost", "invalid_parameter"),
    ],
)
def test_invalid_groupings_are_refused(as_, query, expected):
    assert code(as_("root").get(f"posts/counts?{query}")) == (400, expected)


def test_counts_take_two_statements_and_are_cached(as_, content, statements):
    client = as_(None)
    client.get("posts")
    first, sent = statements(client.get, "posts/counts?by=author")
    assert len(sent) == 1, "the total is the one that the list has counted"
    headers = {"If-None-Match": first.headers["ETag"]}
    assert client.get("posts/counts?by=author", headers=headers).status_code == 304


def test_tags_and_categories_have_a_post_count(as_, make, people, content):
    category = make(CATEGORIES, name="Coast")
    for title, at in (
        ("One", "2026-01-01T00:00:00Z"),
        ("Two", "2099-01-01T00:00:00Z"),
        ("Three", None),
    ):
        make(
            POSTS,
            title=title,
            body="x",
            author=people["ann"].id,
            category=category,
            published_at=at,
        )
    for name in (None, "ann", "root"):
        client = as_(name)
        tags = client.get("tags?fields=name,post_count&sort=name").json["tags"]
        assert [(one["name"], one["post_count"]) for one in tags] == [("sea", 1), ("sky", 1)]
        assert client.get(f"categories/{category}?fields=post_count").json["post_count"] == 1
        assert "post_count" not in client.get(f"categories/{category}").json
    named = (
        as_(None).get("posts?title=Live&fields=tags.name,tags.post_count").json["posts"][0]["tags"]
    )
    assert [one["post_count"] for one in named] == [1, 1]


def test_expired_and_trashed_posts_do_not_count(as_, make, people):
    tag, author = make(TAGS, name="sea"), people["ann"].id
    started = {"body": "x", "author": author, "tags": [tag], "published_at": "2026-01-01T00:00:00Z"}
    make(POSTS, title="Live", **started)
    make(POSTS, title="Ended", unpublish_at="2026-01-02T00:00:00Z", **started)
    trashed = make(POSTS, title="Trashed", **started)
    assert as_("root").delete(f"posts/{trashed}").status_code == 204
    assert as_(None).get(f"tags/{tag}?fields=post_count").json["post_count"] == 1


@pytest.mark.parametrize("path", ["tags", "categories"])
def test_post_counts_use_indexes_only(app, as_, make, path):
    make(CATEGORIES if path == "categories" else TAGS, name="sea")
    client = as_(None)
    with app.app_context():
        engine = db.engine
    plan = "\n".join(query_plans(engine, lambda: client.get(f"{path}?fields=post_count"), "posts"))
    if engine.dialect.name == "sqlite":
        searched = [line for line in plan.splitlines() if re.search(r"(SCAN|SEARCH) posts", line)]
        assert len(searched) > 1
        assert all(" COVERING INDEX " in line or "PRIMARY KEY (source" in line for line in searched)
        assert "SEARCH posts USING INTEGER PRIMARY KEY" not in plan
    else:
        assert ("ix_posts_tags_target_id" if path == "tags" else "hashed SubPlan") in plan


def test_post_count_in_a_body_is_ignored(as_, make):
    tag = make(TAGS, name="sea")
    shown = as_("root").get(f"tags/{tag}?fields=name,slug,description,version,post_count").json
    answer = as_("root").put(f"tags/{tag}", json={**shown, "post_count": 7})
    assert answer.status_code == 200, answer.text
    assert as_("root").get(f"tags/{tag}?fields=post_count").json["post_count"] == 0


def test_comments_can_be_counted_by_their_parent(as_, comment, content):
    first = comment("bob")
    comment("abe", parent=first)
    assert groups(as_(None), "comments/counts?by=parent") == [
        (first, str(first), 1),
        (None, "None", 1),
    ]


def test_counting_by_a_field_that_decides_visibility(as_):
    counts = as_("ann").get("profiles/counts?by=user.username").json["counts"]
    assert {"key": "ann", "label": "ann", "count": 1} in counts
