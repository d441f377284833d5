"""Queries with several mistakes: one response names all of them."""

import pytest

from quire.declare.query_mistakes import MAX_PARTS


def mistakes(answer):
    assert answer.status_code == 400, answer.text
    assert answer.json["message"] == answer.json["details"][0]["message"]
    return [(one["field"], one["code"]) for one in answer.json["details"]]


LIST = "posts?per_page=500&status=nope&id__gte=a&sort=titel,id,-date&fields=id,boddy&colour=1&include=authors"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (
            LIST,
            {
                ("per_page", "bad_format"), ("status", "bad_format"), ("id__gte", "bad_format"), ("titel", "unknown"),
                ("date", "unknown"), ("boddy", "unknown"), ("colour", "unknown"), ("authors", "unknown"),
            },
        ),
        ("posts?cursor=x&page=1&count=some", {("cursor", "bad_format"), ("count", "bad_format")}),
        (
            "changes?types=nothing&limit=501&wait=26&since=start&sinse=1&form=1",
            {
                ("types", "bad_format"), ("limit", "bad_format"), ("wait", "bad_format"), ("sinse", "unknown"),
                ("form", "unknown"),
            },
        ),
        ("changes?since=start&since=start&limit=501", {("since", "bad_format"), ("limit", "bad_format")}),
        ("search?types=nothing&page=0&kind=1", {("types", "bad_format"), ("page", "bad_format"), ("kind", "unknown")}),
        ("search?types=nothing", {("types", "bad_format"), ("q", "bad_format")}),
        ("posts/counts?by=colour&status=nope", {("colour", "unknown"), ("status", "bad_format")}),
        ("posts/counts?status=nope", {("by", "bad_format"), ("status", "bad_format")}),
        (
            "posts/export?format=xml&page=1&sort=colour",
            {("format", "bad_format"), ("page", "unknown"), ("colour", "unknown")},
        ),
    ],
)  # fmt: skip
def test_all_errors_in_a_url_are_named(as_, path, found):
    named = mistakes(as_("root").get(path))
    assert set(named) == found
    assert len(named) == len(found)


def test_all_errors_in_a_body_are_named(as_):
    where = {
        "all": [{"titel": "x"}, {"any": [{"id": "7"}, {"status": "nope"}]}],
        "not": {"title__like": "a"},
        "tags.name__in": [],
    }
    body = {"where": where, "sort": ["colour", "date"], "per_page": "20", "wher": 1}
    assert set(mistakes(as_("root").post("posts/query", json=body))) == {
        ("wher", "unknown"),
        ("titel", "unknown"),
        ("id", "bad_format"),
        ("status", "bad_format"),
        ("title__like", "unknown"),
        ("tags.name__in", "bad_format"),
        ("colour", "unknown"),
        ("date", "unknown"),
        ("per_page", "bad_format"),
    }


def test_object_instead_of_a_value_is_one_error(as_):
    body = {"where": {"author": {"titel": "x"}}}
    assert mistakes(as_("root").post("posts/query", json=body)) == [("author", "bad_format")]


def test_first_error_comes_first(as_):
    assert mistakes(as_(None).get("posts?colour=1&status=nope"))[0] == ("colour", "unknown")


def test_number_of_checked_parameters_is_limited(as_):
    names = [f"a{number}=1" for number in range(MAX_PARTS + 50)]
    assert len(mistakes(as_(None).get(f"posts?{'&'.join(names)}"))) == MAX_PARTS
