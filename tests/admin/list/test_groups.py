"""Filters in the address of a list: all or any must hold, and groups of them."""

import re

import pytest

from quire.actor import SYSTEM
from quire.admin.list.groups import parse_list_query
from quire.declare.query_body import parse_body
from quire.declare.record import REGISTRY
from quire.records import POSTS
from quire.store import read

ALL = {"Tide tables", "Half a thought", "Not yet", "Abe's nets", "=HYPERLINK(1)"}


def titles(text):
    found = re.findall(r'class="title.*?<a [^>]*>(.*?)</a>', text)
    return {one.replace("&#39;", "'") for one in found}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("status=draft&1.author.username=ann&1.author.username=abe", {"Half a thought", "=HYPERLINK(1)"}),
        ("1.author.username=ann&1.status=scheduled", {"Tide tables", "Half a thought", "Not yet"}),
        ("1.author.username=ann&1.status=scheduled&2.title__icontains=t", {"Tide tables", "Half a thought", "Not yet"}),
        ("match=any&title__icontains=tide&author.username=abe", ALL - {"Half a thought"}),
        ("match=any&1.author.username=ann&1.status=draft&2.status=scheduled", {"Half a thought", "Not yet"}),
        ("match=any&status=draft&title__icontains=tide&title__icontains=half", {"Half a thought"}),
        ("match=any&1.created_at__within=last_7_days&1.author.username=ann", {"Tide tables", "Half a thought"}),
        ("match=any", ALL),
    ],
)  # fmt: skip
def test_rows_match_groups(admin, address, found):
    assert titles(admin.get(f"posts/?{address}").text) == found


def test_groups_equal_those_of_the_api(app):
    pairs = [("status", "draft"), ("1.author.username", "ann"), ("1.title__icontains", "t")]
    where = {"status": "draft", "any": [{"author.username": "ann"}, {"title__icontains": "t"}]}
    with app.app_context():
        conditions = parse_list_query(POSTS, SYSTEM, pairs).conditions
        assert conditions == parse_body(POSTS, SYSTEM, {"where": where}).conditions
        read.list_records(POSTS, SYSTEM, parse_list_query(POSTS, SYSTEM, pairs))


def chips(text):
    part = text.split('class="chips"', 1)[1].split('<form method="post"')[0]
    words = re.findall(r"<bdi>(.*?)</bdi>|>((?:all|any) of:|and|or)<", part)
    return [a or b for a, b in words], re.findall(r'href="([^"]*)"', part)


def test_chips_show_conditions_and_can_be_removed(admin):
    words, links = chips(admin.get("posts/?views__gte=0&1.author.username=ann&1.status=draft").text)
    assert words == ["Views at least 0", "and", "any of:", "Author is ann", "Status is draft"]
    assert links[1] == "/admin/posts/?views__gte=0&amp;1.status=draft"
    words, links = chips(admin.get("posts/?match=any&1.status=draft&1.views__gte=0").text)
    assert words == ["all of:", "Status is draft", "Views at least 0"]
    words, links = chips(admin.get("posts/?match=any&title__icontains=t").text)
    assert links == ["/admin/posts/"]


def test_panel_shows_the_groups_and_an_empty_one(admin):
    text = admin.get("posts/?1.status=draft&1.status=scheduled&match=any&views__gt=3").text
    assert '<option value="any" selected>any filter</option>' in text
    assert text.count('name="1.status"') == 2, "all of these"
    text = admin.get("posts/?1.status=draft&1.status=scheduled&views__gt=3&3.views__lt=9").text
    assert text.count('name="1.status"') == 3, "any of these, and one more"
    assert 'name="2.status"' in text and 'name="4.status"' not in text
    assert '<input type="hidden" name="views__gt" value="3">' in text
    assert '<input type="hidden" name="3.views__lt" value="9">' in text


def test_links_of_cells_only_narrow_the_list(admin):
    text = admin.get("posts/?match=any&title__icontains=tide&author.username=abe").text
    assert 'href="/admin/posts/?author.username=ann"' in text
    assert '<a href="/admin/posts/?author.username=root">Mine</a>' in text


@pytest.mark.parametrize(
    "address",
    ["match=some", "1.nothing=1", "1.sort=title", "1.views=x", "1.page=2", "10.status=draft"],
)
def test_invalid_groups_are_refused(admin, address):
    answer = admin.get(f"posts/?{address}")
    assert answer.status_code == 400 and 'class="note error"' in answer.text


def test_number_of_groups_is_limited(admin):
    many = "&".join(f"{1 + n % 9}.views__gte={n}" for n in range(51))
    answer = admin.get(f"posts/?{many}")
    assert answer.status_code == 400 and "at most 50 filters" in answer.text
    assert admin.get(f"posts/?{many.rpartition('&')[0]}").status_code == 200


def test_view_keeps_groups_and_names_missing_parts(admin, app):
    url = "/admin/posts/?1.author.username=ann&1.status=scheduled&match=any"
    admin.post("posts/views/", {"do": "save", "name": "G", "url": url})
    answer = admin.get("posts/?view=g")
    assert titles(answer.text) == set() and "all of:" in answer.text
    form = {"do": "save", "name": "H", "url": "/admin/posts/?1.author.username=ann"}
    admin.post("posts/views/", form)
    assert titles(admin.get("posts/?view=h").text) == {"Tide tables", "Half a thought"}


def test_matching_rows_respect_groups(admin):
    url = "/admin/posts/?1.author.username=ann&1.status=scheduled"
    form = {"action": "delete", "matching": "1", "url": url}
    assert "all 3 posts that match" in admin.post("posts/action/", form).text


@pytest.mark.parametrize("path", [p for p, r in REGISTRY.items() if not r.singleton])
def test_every_list_accepts_groups(admin, path):
    answer = admin.get(f"{path}/?match=any&1.created_at__within=today&1.id__gt=0&2.id=1")
    assert answer.status_code == 200


def test_default_filters_apply_among_alternatives(admin):
    text = admin.get("media/?match=any&width__gte=1&height__gte=1").text
    assert "any of:" in text and 'name="is_avatar"' in text
