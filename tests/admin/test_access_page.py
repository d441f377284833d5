"""The page of rights: every type, verb and field of the declarations, for every role."""

import pytest
from bs4 import BeautifulSoup

from quire.admin import matrix
from quire.declare.record import REGISTRY
from quire.declare.rules import NOBODY


@pytest.fixture
def page(admin):
    answer = admin.get("access/")
    assert answer.status_code == 200
    return BeautifulSoup(answer.text, "html.parser")


def lines(table):
    """Words by role, by the name of the line."""
    roles = [one.text for one in table.thead.find_all("th")][1:]
    return {
        row.th.text: dict(
            zip(roles, [one.select_one(".value").text for one in row.find_all("td")], strict=True)
        )
        for row in table.tbody.find_all("tr")
    }


def test_it_is_for_administrators(browser):
    assert browser().get("access/").status_code == 302
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("access/").status_code == 403
        if name != "bob":
            assert "/admin/access/" not in browser(name).get().text
    assert "/admin/access/" in browser("root").get().text


def test_every_declaration_is_on_it(page):
    for path, record in REGISTRY.items():
        verbs, fields = map(lines, page.find(id=path).find_all("table"))
        assert {one.label for one in record.actions} <= verbs.keys()
        assert "Read" in verbs and ("Create" in verbs) == (record.access.create is not NOBODY)
        assert set(fields) == {one.label for one in record.fields if one.to is not NOBODY}
        assert all(set(line) == set(matrix.PEOPLE) for line in (*verbs.values(), *fields.values()))


def test_it_says_what_the_rules_say(page):
    verbs, fields = map(lines, page.find(id="posts").find_all("table"))
    assert verbs["Change"] == {
        "Visitor": "No", "Member": "No", "Author": "Needs to be the owner", "Moderator": "Yes",
        "Admin": "Yes",
    }  # fmt: skip
    assert verbs["Read"]["Visitor"] == "Needs to be published"
    assert verbs["Delete for good"]["Author"] == "No"
    assert fields["Title"] == {
        "Visitor": "Sees", "Member": "Sees", "Author": "Sees, sets", "Moderator": "Sees, sets",
        "Admin": "Sees, sets",
    }  # fmt: skip
    assert fields["Author"]["Author"] == "Sees" and fields["Author"]["Moderator"] == "Sees, sets"
    users = lines(page.find(id="users").find_all("table")[1])
    assert users["Email"]["Member"] == "Sees (needs to be the owner), changes"
    assert users["Email"]["Visitor"] == "Sets when new"
    assert users["Password"]["Admin"] == "Sets"
    assert "posts:write" in page.find(id="posts").text
    assert "No API key" in page.find(id="sessions").text
