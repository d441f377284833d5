"""Display settings of a user's lists: columns and their order, sorting, density."""

import re

import pytest

from quire.declare.record import REGISTRY

LISTED = [path for path, record in REGISTRY.items() if not record.singleton]


def columns(text):
    first = text.split("<tbody", 1)[1].split("</tr>", 1)[0]
    return re.findall(r'data-label="([^"]*)"', first)


def show(browser, *names, url="/admin/posts/", **more):
    return browser.post("posts/display/", {"url": url, "column": list(names), **more})


def test_columns_are_chosen_ordered_and_saved_per_person_and_list(admin, browser):
    answer = show(admin, "views", "author", "slug", url="/admin/posts/?status=draft&page=1")
    assert answer.location == "/admin/posts/?status=draft"
    assert columns(admin.get("posts/").text) == ["Title", "Views", "Author", "Slug"]
    assert columns(browser("root").get("posts/?status=draft").text)[1] == "Views"
    assert "Views" not in columns(browser("mod").get("posts/").text)
    assert "Slug" not in columns(admin.get("pages/").text)


def test_columns_can_be_reset(admin):
    usual = columns(admin.get("posts/").text)
    show(admin, "views")
    assert columns(admin.get("posts/").text) == ["Title", "Views"]
    show(admin, "views", standard="1")
    assert columns(admin.get("posts/").text) == usual


def test_without_javascript_a_button_moves_a_column(admin):
    answer = show(admin, "status", "author", "tags", up="tags")
    assert answer.status_code == 200
    shown = re.findall(r'name="column" value="(\w+)" checked', answer.text)
    assert shown == ["status", "tags", "author"]
    assert re.search(r'<details class="dropdown" open>\s*<summary[^>]*><svg.*?Display', answer.text)
    for step, name in (("up", "status"), ("down", "tags"), ("up", "nothing")):
        answer = show(admin, "status", "author", "tags", **{step: name})
        assert 'value="status" checked' in answer.text


def test_density_applies_to_all_lists_of_the_person(admin, browser):
    assert 'class="records"' in admin.get("posts/").text
    show(admin, density="compact")
    for path in ("posts/", "tags/"):
        assert 'class="records compact"' in admin.get(path).text
    assert 'class="records"' in browser("mod").get("posts/").text
    show(admin, "views", density="huge")
    assert 'class="records compact"' in admin.get("posts/").text


def test_sort_order_can_be_chosen_without_headers(admin):
    assert show(admin, sort="-title").location == "/admin/posts/?sort=-title"
    text = admin.get("posts/?sort=-title,id").text
    assert '<option value="-title,id" selected>' in text
    assert 'value="-published_at">Published at: newest first<' in text


def test_columns_change_the_open_view(admin):
    form = {"do": "save", "name": "V", "url": "/admin/posts/?status=draft"}
    admin.post("posts/views/", form)
    answer = show(admin, "views", url="/admin/posts/?view=v")
    assert answer.location == "/admin/posts/?view=v&status=draft&columns=views"
    text = admin.get("posts/?view=v&status=draft&columns=views").text
    assert columns(text) == ["Title", "Views"] and "View changed" in text
    admin.post("posts/views/", {"do": "update", "url": answer.location})
    assert columns(admin.get("posts/?view=v").text) == ["Title", "Views"]
    assert "Author" in columns(admin.get("posts/").text)


@pytest.mark.parametrize("name", ["body_html", "password", "deleted_at", "nothing"])
def test_only_visible_short_fields_are_columns(admin, name):
    show(admin, name, "views")
    assert columns(admin.get("posts/").text) == ["Title", "Views"]


@pytest.mark.parametrize("path", LISTED)
def test_every_list_can_show_all_its_columns(admin, path):
    text = admin.get(f"{path}/").text
    names = re.findall(r'name="column" value="(\w+)"', text)
    answer = admin.post(f"{path}/display/", {"url": f"/admin/{path}/", "column": names})
    assert answer.status_code == 302
    assert admin.get(f"{path}/").status_code == 200


def test_other_types_lists_are_refused(admin):
    assert show(admin, url="/admin/tags/").status_code == 400


def test_sort_order_of_a_flag_names_the_first_value(admin):
    text = admin.get("posts/").text
    assert "Published: no first" in text and "Published: yes first" in text
    assert "Title: A to Z" in text and "Published: A to Z" not in text
