"""Filters of the Ghost Content API: a subset of NQL, and clear refusals of everything else."""

import pytest

from quire.records import POSTS
from tests.clocks import EARLIER, PAST


@pytest.fixture
def posts(make, people):
    """Three posts: a and b by Ann, c by Abe."""
    for title, author, tags, at in (
        ("a", "ann", ["news"], PAST),
        ("b", "ann", ["news", "sea"], EARLIER),
        ("c o'clock", "abe", [], "2025-05-05T10:00:00Z"),
    ):
        raw = {"title": title, "slug": title[0], "body": "x", "tags": tags, "published_at": at}
        make(POSTS, author=people[author].id, **raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tag:news", "ab"),
        ("tags:sea", "b"),
        ("tag:-sea", "ac"),
        ("tag:[news,sea]", "ab"),
        ("tag:-[sea,boats]", "ac"),
        ("tag:null", "c"),
        ("tag:-null", "ab"),
        ("author:ann", "ab"),
        ("primary_author:abe", "c"),
        ("authors.slug:-ann", "c"),
        ("featured:false", "abc"),
        ("featured:true", ""),
        ("featured:-true", "abc"),
        ("visibility:public", "abc"),
        ("visibility:[members,paid]", ""),
        ("slug:[a,c]", "ac"),
        ("slug:-a", "bc"),
        ("id:1", "a"),
        ("id:-1", "bc"),
        ("title:'c o\\'clock'", "c"),
        ('title:"c o\'clock"', "c"),
        ("title:~'CLOCK'", "c"),
        ("title:-~'clock'", "ab"),
        ("title:~^'c '", "c"),
        ("title:~$clock", "c"),
        ("published_at:>'2026-01-01 12:00:00'", "a"),
        ("published_at:>=2026-01-01T10:00:00Z", "ab"),
        ("published_at:<'2026-01-01'", "c"),
        ("published_at:<=2026-01-01T10:00:00.000Z", "bc"),
        ("tag:news+tag:sea", "b"),
        ("slug:a,slug:b+author:abe", "a"),
        ("(slug:a,slug:b)+author:ann+tag:-sea", "a"),
        ("((slug:a),(slug:c))", "ac"),
    ],
)
def test_matching_posts_are_returned(ghost, posts, text, expected):
    answer = ghost("posts/", filter=text, order="slug")
    assert answer.status_code == 200, answer.text
    assert "".join(one["slug"] for one in answer.json["posts"]) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("boats:1", "does not know boats"),
        ("body:x", "does not know body"),
        ("tag", "at 'tag'"),
        ("tag:", "at its end"),
        ("tag:a+", "at its end"),
        ("tag:a tag:b", "at ' tag:b'"),
        ("(tag:a", "at its end"),
        ("tag:a)", "at ')'"),
        ("slug:[a", "at its end"),
        ("slug:[]", "at ']'"),
        ("slug:>[a,b]", "cannot compare slug by >["),
        ("featured:>true", "cannot compare featured by >"),
        ("id:x", "filter: id must be a whole number"),
        ("id:~1", "is not a valid filter"),
        ("published_at:>yesterday", "published_at must be a date and time such as"),
        ("slug:a\x00", "at most 2000 characters"),
        ("slug:" + "a" * 2000, "at most 2000 characters"),
        ("(" * 6 + "slug:a" + ")" * 6, "at most 5 levels"),
        (",".join(["id:1"] * 51), "at most 50 conditions"),
        ("id:[" + ",".join(["1"] * 101) + "]", "at most 100 values"),
    ],
)
def test_invalid_filters_are_refused(ghost, text, words):
    answer = ghost("posts/", filter=text)
    assert answer.status_code == 400, answer.text
    [error] = answer.json["errors"]
    assert error["type"] == "BadRequestError" and error["property"] == "filter"
    assert words in error["message"]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("tags", "slug:sea", ["sea"]),
        ("tags", "visibility:public+name:-sea", ["news"]),
        ("authors", "slug:[ann,abe]", ["abe", "ann"]),
        ("pages", "featured:false", []),
    ],
)
def test_other_types(ghost, posts, kind, text, expected):
    answer = ghost(f"{kind}/", filter=text)
    assert [one["slug"] for one in answer.json[kind]] == expected
