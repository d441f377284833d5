"""Records that a picker does not find can be created in the form, by name or in a dialog, if the policy permits."""

import json

import pytest
from bs4 import BeautifulSoup


def test_fields_show_the_names_of_referenced_records(admin, ids):
    address = f"posts/edit/?id={ids.live}"
    page = BeautifulSoup(admin.get(address).text, "html.parser")
    shown = page.select_one("#in-category")
    assert (shown["value"], shown["data-name"]) == ("sea-and-shore", "Sea and shore")
    assert "data-name" not in page.select_one("#in-cover").attrs
    refused = admin.post(address, {"category": "typed", "title": ""})
    shown = BeautifulSoup(refused.text, "html.parser").select_one("#in-category")
    assert (shown["value"], shown.get("data-name")) == ("typed", None)


@pytest.mark.parametrize(("name", "field", "address"), [
    ("root", "category", "/api/v1/categories"),
    ("mod", "category", "/api/v1/categories"),
    ("ann", "category", None),
    ("root", "author", "/api/v1/users"),
    ("mod", "author", None),
    ("root", "cover", None),
])  # fmt: skip
def test_records_that_need_only_a_name_are_created_if_allowed(browser, name, field, address):
    page = BeautifulSoup(browser(name).get("posts/new/").text, "html.parser")
    found = page.select_one(f"#in-{field}")
    assert found.get("data-create") == address


def test_dialog_has_the_required_fields(browser):
    page = BeautifulSoup(browser("root").get("posts/new/").text, "html.parser")
    fields = json.loads(page.select_one("#in-author")["data-create-fields"])
    assert [(one["name"], one["type"]) for one in fields] == [
        ("username", "text"), ("email", "email"), ("password", "password"),
    ]  # fmt: skip
    assert "data-create-fields" not in page.select_one("#in-category").attrs
    comment = BeautifulSoup(browser("root").get("comments/new/").text, "html.parser")
    assert "data-create" not in comment.select_one("#in-parent").attrs  # it needs a post
