"""Search over all types: hits, highlighting and escaping."""

import pytest

from quire.records import CATEGORIES, PAGES, POSTS, TAGS
from tests.api.test_access_order import code
from tests.clocks import FUTURE, PAST


@pytest.fixture
def found(as_, make, people):
    ann = people["ann"].id
    make(
        POSTS,
        title="Boats & <nets>",
        body='A <script>alert("x")</script> boat *sails*',
        author=ann,
        published_at=PAST,
    )
    make(POSTS, title="Hidden boat", body="boat", author=ann)
    make(POSTS, title="Later boat", body="boat", author=ann, published_at=FUTURE)
    make(PAGES, title="About", body="Our boat.", published_at=PAST)
    make(TAGS, name="boat")
    make(CATEGORIES, name="Boat things")

    def search(query, name=None):
        return as_(name).get(f"search?{query}")

    return search


def test_search_covers_all_types(found):
    answer = found("q=boat")
    assert {one["type"] for one in answer.json["results"]} == {
        "posts",
        "pages",
        "tags",
        "categories",
    }
    assert answer.json["total"] == len(answer.json["results"]) == 4
    assert "Hidden" not in answer.text
    post = next(one for one in answer.json["results"] if one["type"] == "posts")
    assert list(post) == ["type", "id", "title", "snippet", "url"]
    assert (post["title"], post["url"]) == ("Boats & <nets>", "/posts/boats-nets")
    assert "<mark>boat</mark>" in post["snippet"]
    assert "<" not in post["snippet"].replace("<mark>", "").replace("</mark>", "")
    assert "Hidden boat" in found("q=boat", "ann").text
    assert "Hidden boat" not in found("q=boat", "abe").text
    assert "Hidden boat" in found("q=boat", "mod").text


def test_pages_of_results(found):
    first, second = found("q=boat&per_page=3"), found("q=boat&per_page=3&page=2")
    assert (len(first.json["results"]), len(second.json["results"])) == (3, 1)
    assert (first.json["has_next"], second.json["has_next"]) == (True, False)
    assert 'rel="next"' in first.headers["Link"]


@pytest.mark.parametrize("query", ["", "q=", "q=%20", "q=a&q=b", "q=" + "x" * 201, "q=%00"])
def test_empty_query_is_refused(found, query):
    assert code(found(query)) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    "words",
    ['"', "a OR", "NEAR(", "*", "()", "a:b", "^", "-x", "'; DROP", "\\", "&|!<->", "%", "𝕏", "é"],
)
def test_whole_words_match(found, words):
    answer = found(f"q={words}".replace("%", "%25").replace("&", "%26"))
    assert answer.status_code == 200


def test_accents_are_ignored_and_prefixes_match(found, make, people):
    make(POSTS, title="Crème brûlée", body="x", author=people["ann"].id, published_at=PAST)
    assert found("q=boa").json["total"] == 4
    assert found("q=crème").json["total"] == 1


def test_search_can_be_limited_to_types(as_, content):
    def types(query):
        answer = as_(None).get(f"search?q=live&{query}")
        assert answer.status_code == 200, answer.text
        return {one["type"] for one in answer.json["results"]}, answer.json["total"]

    assert types("types=posts") == types("types=posts,pages") == ({"posts"}, 1)
    assert types("types=pages&types=posts") == ({"posts"}, 1)
    assert types("types=pages,tags") == (set(), 0)


@pytest.mark.parametrize("value", ["", "redirects", "comments", "posts,", "zzz", "posts,zzz"])
def test_types_without_search_are_refused(as_, value):
    assert code(as_(None).get(f"search?q=x&types={value}")) == (400, "invalid_parameter")


def test_next_page_has_the_same_types(as_, make, people):
    for number in range(3):
        make(
            POSTS,
            title=f"Tide {number}",
            body="x",
            author=people["ann"].id,
            published_at=PAST,
        )
    link = as_(None).get("search?q=tide&types=posts&per_page=2").headers["Link"]
    assert "types=posts" in link
