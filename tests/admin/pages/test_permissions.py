"""The page of permissions: every type, verb and field of the declarations, for every role."""

import pytest
from bs4 import BeautifulSoup

from quire.admin import permission_matrix
from quire.declare.record import REGISTRY
from quire.declare.rules import NOBODY


@pytest.fixture
def page(admin):
    answer = admin.get("access/")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def lines(table):
    """Return the words by role, by the name of the line."""
    roles = [one.text for one in table.thead.find_all("th")][1:]
    return {
        row.th.text: dict(
            zip(roles, [one.select_one(".value").text for one in row.find_all("td")], strict=True)
        )
        for row in table.tbody.find_all("tr")
    }


def test_page_is_for_administrators(browser):
    assert browser().get("access/").status_code == 302
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("access/").status_code == 403
        if name != "bob":
            assert "/admin/access/" not in browser(name).get().text
    assert "/admin/access/" in browser("root").get().text


def test_every_declaration_is_shown(page):
    for path, record in REGISTRY.items():
        verbs, fields = map(lines, page.find(id=path).find_all("table"))
        assert {one.label for one in record.actions} <= verbs.keys()
        assert "Read" in verbs and ("Create" in verbs) == (record.access.create is not NOBODY)
        assert set(fields) == {one.label for one in record.fields if one.read_rule is not NOBODY}
        assert all(
            set(line) == set(permission_matrix.PEOPLE)
            for line in (*verbs.values(), *fields.values())
        )


def test_cells_agree_with_the_rules(page):
    verbs, fields = map(lines, page.find(id="posts").find_all("table"))
    assert verbs["Edit"] == {
        "Visitor": "No", "Member": "No", "Author": "Only if they own it", "Moderator": "Yes",
        "Admin": "Yes",
    }  # fmt: skip
    assert verbs["Read"]["Visitor"] == "Only if it is published"
    assert verbs["Delete permanently"]["Author"] == "No"
    assert fields["Title"] == {
        "Visitor": "Can see", "Member": "Can see", "Author": "Can see, can edit", "Moderator": "Can see, can edit",
        "Admin": "Can see, can edit",
    }  # fmt: skip
    assert (
        fields["Author"]["Author"] == "Can see"
        and fields["Author"]["Moderator"] == "Can see, can edit"
    )
    users = lines(page.find(id="users").find_all("table")[1])
    assert users["Email"]["Member"] == "Can see if they own it, can edit"
    assert users["Email"]["Visitor"] == "Can set on creation"
    assert users["Password"]["Admin"] == "Can edit"
    assert "posts:write" in page.find(id="posts").text
    assert "API keys cannot be used" in page.find(id="sessions").text
