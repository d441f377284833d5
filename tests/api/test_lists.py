"""Lists: envelope, pages, cursors, totals, links."""

import re

import pytest

from quire.records import POSTS
from tests.api.test_access_order import code
from tests.clocks import PAST

KEYS = ["total", "page", "per_page", "pages", "has_next", "has_prev", "next_cursor", "prev_cursor"]


@pytest.fixture
def seven(make, people):
    """Seven posts, two of them with the same time; their ids in list order."""
    days = [7, 6, 5, 5, 3, 2, 1]
    raw = {"body": "x", "author": people["ann"].id}
    ids = [
        make(POSTS, title=f"t{i}", published_at=f"2026-01-0{d}T00:00:00Z", **raw)
        for i, d in enumerate(days)
    ]
    ids[2:4] = ids[3:1:-1]  # newest first; with the same time, the higher id first
    return ids


def ids(answer):
    return [row["id"] for row in answer.json["posts"]]


def links(answer):
    return dict(re.findall(r'<[^>]*\?([^>]*)>; rel="(\w+)"', answer.headers["Link"]))


def test_envelope(client, seven):
    answer = client.get("posts?per_page=3")
    assert list(answer.json) == ["posts", *KEYS]
    found = [answer.json[key] for key in KEYS[:6]]
    assert found == [7, 1, 3, 3, True, False]
    assert isinstance(answer.json["next_cursor"], str)
    assert answer.json["prev_cursor"] is None
    assert answer.headers["X-Total-Count"] == "7"
    assert set(links(answer).values()) == {"first", "next", "last"}
    last = client.get("posts?per_page=3&page=3")
    assert [last.json[key] for key in KEYS[:6]] == [7, 3, 3, 3, False, True]
    assert last.json["next_cursor"] is None
    assert set(links(last).values()) == {"first", "prev", "last"}


def test_long_query_is_repeated_once_at_most(client, seven):
    for length in (100, 800, 1900, 3000, 60_000):
        query = f"per_page=1&page=2&title__icontains={'t' * length}"
        answer = client.get(f"posts?{query}")
        assert len(answer.headers.get("Link", "")) <= 2048
        assert len(str(answer.headers)) < 4096
    both = client.get(f"posts?per_page=1&page=2&sort={',-id' * 150}".replace("=,", "="))
    assert set(links(both).values()) == {"prev", "next"}


def test_page_numbers(client, seven):
    assert ids(client.get("posts")) == seven
    pages = [ids(client.get(f"posts?per_page=3&page={n}")) for n in (1, 2, 3, 4, 99)]
    assert pages == [seven[:3], seven[3:6], seven[6:], [], []]
    beyond = client.get("posts?per_page=3&page=99").json
    assert (beyond["total"], beyond["pages"], beyond["has_next"], beyond["has_prev"]) == (
        7,
        3,
        False,
        True,
    )
    assert (beyond["next_cursor"], beyond["prev_cursor"]) == (None, None)


def test_total_can_be_omitted(client, seven):
    answer = client.get("posts?count=none&per_page=3&page=2")
    assert [answer.json[key] for key in KEYS[:6]] == [None, 2, 3, None, True, True]
    assert "X-Total-Count" not in answer.headers
    assert client.get("posts?count=exact&per_page=3").json["total"] == 7


@pytest.mark.parametrize(
    "sort", ["", "sort=id&", "sort=-title&", "sort=published,-published_at&", "sort=views,id&"]
)
def test_cursors_lead_through_the_list_and_back(client, seven, sort):
    whole = ids(client.get(f"posts?{sort}"))
    answer = client.get(f"posts?{sort}cursor=&per_page=2")
    assert [answer.json[key] for key in KEYS[:6]] == [None, None, 2, None, True, False]
    seen = ids(answer)
    while answer.json["next_cursor"]:
        answer = client.get(f"posts?{sort}per_page=2&cursor={answer.json['next_cursor']}")
        seen += ids(answer)
    assert seen == whole
    assert answer.json["has_next"] is False
    back = ids(answer)
    while answer.json["prev_cursor"]:
        answer = client.get(f"posts?{sort}per_page=2&cursor={answer.json['prev_cursor']}")
        back = ids(answer) + back
    assert back == whole
    assert answer.json["has_prev"] is False


def test_cursor_keeps_its_position_when_rows_are_added_or_removed(client, as_, seven, make, people):
    first = client.get("posts?cursor=&per_page=3").json
    make(POSTS, title="new", body="x", author=people["ann"].id, published_at="2026-02-01T00:00:00Z")
    as_("mod").delete(f"posts/{seven[2]}")
    rest = client.get(f"posts?per_page=10&cursor={first['next_cursor']}&count=exact")
    assert ids(rest) == seven[3:]
    assert rest.json["total"] == 7
    assert rest.headers["X-Total-Count"] == "7"


def test_cursors_include_drafts(as_, content):
    mod = as_("mod")
    for sort in (
        "published_at",
        "-published_at",
        "status,published_at",
        "-updated_at,-published_at",
    ):
        answer = mod.get(f"posts?sort={sort}&cursor=&per_page=1")
        seen = ids(answer)
        while answer.json["next_cursor"]:
            answer = mod.get(f"posts?sort={sort}&per_page=1&cursor={answer.json['next_cursor']}")
            seen += ids(answer)
        assert seen == ids(mod.get(f"posts?sort={sort}")), sort
        assert len(seen) == 5


def test_cursor_of_another_list_is_refused(client, as_, seven):
    cursor = client.get("posts?per_page=2&sort=id&status=published").json["next_cursor"]
    same = f"sort=id&status=published&cursor={cursor}"
    assert client.get(f"posts?{same}&per_page=5&fields=id").status_code == 200
    for other in (
        f"posts?sort=-id&status=published&cursor={cursor}",
        f"posts?sort=id&cursor={cursor}",
        f"posts?{same}&title=x",
        f"comments?sort=id&cursor={cursor}",
        f"posts?sort=id&status=published&cursor={cursor}x",
        f"posts?sort=id&status=published&cursor={cursor[1:]}",
        "posts?cursor=x",
        "posts?cursor=..",
        "posts?cursor=W10.x",
        "posts?cursor=%00",
        "posts?cursor=%F0%9F%8C%8A",
    ):
        answer = client.get(other)
        assert answer.status_code == 400, other
        assert answer.json["code"] in ("invalid_cursor", "invalid_parameter"), other
    assert code(client.get(f"posts?{same}x")) == (400, "invalid_cursor")
    assert code(client.get(f"posts?{same}&page=1")) == (400, "invalid_parameter")


def test_links_can_be_followed(client, seven):
    first = client.get("posts?per_page=3&title__startswith=t&fields=id")
    for query, name in links(first).items():
        page = client.get(f"posts?{query}")
        assert page.status_code == 200, name
        assert "title__startswith=t" in query
    cursor = client.get("posts?per_page=3&cursor=")
    assert ids(client.get(f"posts?{next(iter(links(cursor)))}")) == seven[3:6]


def test_list_of_pages_has_both_pages_keys(as_, content):
    answer = as_(None).get("pages")
    assert [page["id"] for page in answer.json["pages"]] == [content.page]
    assert answer.json["total"] == 1


def test_full_text_search_in_a_list(as_, make, people, content):
    for title, body in (
        ("Zebra", "stripes"),
        ("Horse", "no zebra but stripes"),
        ("Zebras", "many"),
    ):
        make(POSTS, title=title, body=body, author=people["ann"].id, published_at=PAST)

    def found(query):
        return [post["title"] for post in as_(None).get(f"posts?{query}").json["posts"]]

    assert set(found("search=zebra")[:2]) == {"Zebra", "Zebras"}
    assert set(found("q=zebra")) == {"Zebra", "Horse", "Zebras"}
    assert found("q=zebra&sort=title") == ["Horse", "Zebra", "Zebras"]
    assert found("q=stripes&title=Horse") == ["Horse"]
    assert found("q=%22%20OR%20*%20NEAR(") == [] == found("q=---")
    assert len(found("q=")) == 5
    paged = as_(None).get("posts?q=zebra&per_page=1").json
    rest = as_(None).get(f"posts?q=zebra&per_page=5&cursor={paged['next_cursor']}")
    assert len(rest.json["posts"]) == 2
