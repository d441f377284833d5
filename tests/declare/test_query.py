"""The query language without a database: parsing and limits."""

import pytest

from quire.actor import ANONYMOUS, Actor
from quire.declare.query import MAX_CONDITIONS, build_query, parse_query
from quire.errors import BadRequest
from quire.records import POSTS, USERS

ADMIN = Actor("admin", 1)


def asked(text, actor=ANONYMOUS, record=POSTS):
    return parse_query(record, actor, [tuple(pair.split("=", 1)) for pair in text.split("&")])


def test_defaults():
    query = parse_query(POSTS, ANONYMOUS, [])
    assert (query.page, query.per_page, query.count, query.sort, query.fields) == (
        1,
        20,
        True,
        (),
        None,
    )
    assert query == build_query(POSTS, ANONYMOUS, (), {}, ())
    assert asked("cursor=").count is False
    assert asked("cursor=&count=exact").count is True


def test_filters_are_parsed_into_conditions():
    found = asked("tags.name__in=a,b&views__gte=5&category__isnull=true").conditions
    assert [(c.path, c.operator, c.values) for c in found] == [
        ("tags.name", "in", ("a", "b")), ("views", "gte", (5,)), ("category", "isnull", (True,)),
    ]  # fmt: skip


def test_repeated_sort_fields_are_ignored():
    assert asked("sort=-title,title,id,-id").sort == ("-title", "id")


def test_fields_of_relations_are_included():
    query = asked("fields=author.bio,title,comments.body&include=tags")
    assert query.fields == ("id", "author.bio", "title", "comments.body", "tags")
    assert query.include == ("tags", "author", "comments")


def test_nested_includes_contain_every_level():
    assert asked("include=comments.parent.author").include == (
        "comments",
        "comments.parent",
        "comments.parent.author",
    )
    assert asked("include=" + ",".join(["author"] * 9)).include == ("author",)
    paths = "author,author.avatar,category,tags,cover,comments,comments.author,comments.parent"
    assert len(asked(f"include={paths}").include) == 8
    with pytest.raises(BadRequest):
        asked(f"include={paths},comments.parent.parent")


def test_number_of_filters_is_limited():
    assert len(asked("&".join(["id__ne=1"] * MAX_CONDITIONS)).conditions) == MAX_CONDITIONS
    with pytest.raises(BadRequest):
        asked("&".join(["id__ne=1"] * (MAX_CONDITIONS + 1)))


def test_known_filters_depend_on_the_actor():
    assert asked("email=x", ADMIN, USERS).conditions
    with pytest.raises(BadRequest) as refused:
        asked("email=x", ANONYMOUS, USERS)
    assert refused.value.code == "unknown_parameter"
    assert "email" not in refused.value.message.replace("email is not", "")
