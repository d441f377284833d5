"""How many statements a page of the panel sends: each thing is read once and handed on."""

import re

import pytest

from quire.actor import Actor
from quire.records import PAGES, POSTS
from quire.store.drafts import service as draft_service

LISTS = ("posts", "pages", "comments", "categories", "tags", "media", "redirects")
FROM = re.compile(r"FROM (\w+)")


def tables(sent):
    """The table that each statement reads, that of a session for the one that finds the account."""
    sent = [one.split(" AS found JOIN ")[-1] for one in sent]
    return sorted("sessions" if "JOIN sessions" in one else _table(one) for one in sent)


def _table(statement):
    # columns may hold subqueries; the table itself stands outside of brackets
    while statement != (outer := re.sub(r"\([^()]*\)", "", statement)):
        statement = outer
    found = FROM.search(statement)
    return found[1] if found else statement.split(".")[0].split()[-1]


@pytest.fixture
def drafted(app, ids):
    """The post and the page have drafts."""
    root = Actor("admin", ids.root, "root")
    with app.app_context():
        for record, id in ((POSTS, ids.live), (PAGES, ids.page)):
            draft_service.save_draft(record, root, id, {"title": "Ebb and flow"})
    return ids


@pytest.fixture
def read(browser, statements):
    """`read("ann", path)`: the tables that the page reads; it is looked at twice, caches are warm."""

    def page(name, path):
        visitor = browser(name)
        visitor.get(path)
        answer, sent = statements(visitor.get, path)
        assert answer.status_code == 200
        return tables(sent)

    return page


@pytest.mark.parametrize("path", ["posts/edit/?id={0.live}", "pages/edit/?id={0.page}"])
def test_a_form_reads_record_draft_and_settings_once(drafted, read, path):
    record = path.partition("/")[0]
    expected = sorted(["drafts", record, "sessions", "settings"])
    assert read("root", path.format(drafted)) == expected


def test_an_author_needs_one_statement_more_for_what_is_allowed(drafted, read):
    found = read("ann", f"posts/edit/?id={drafted.live}")
    assert found == ["drafts", "posts", "posts", "sessions", "settings"]


@pytest.mark.parametrize(
    "path",
    [
        "comments/edit/?id={0.comment}", "tags/edit/?id=1", "categories/edit/?id=1",
        "users/edit/?id=1", "profiles/edit/?id=1", "appearance/edit/?id=1",
    ],
)  # fmt: skip
def test_forms_of_other_types_read_three_things(ids, read, path):
    record = path.partition("/")[0]
    assert read("root", path.format(ids)) == sorted([record, "sessions", "settings"])


def test_the_form_of_the_settings_reads_them_for_itself_and_for_its_frame(ids, read):
    assert read("root", "settings/edit/?id=1") == ["sessions", "settings", "settings"]


@pytest.mark.parametrize("record", ["posts", "redirects"])
def test_an_empty_form_reads_the_settings_once(ids, read, record):
    assert read("root", f"{record}/new/") == ["sessions", "settings"]


@pytest.mark.parametrize("record", LISTS)
def test_a_list_reads_five_things(ids, read, record):
    # itself, who is asking and for which site, their choices and the views that they may open
    expected = [record, "profiles", "saved_views", "sessions", "settings"]
    assert read("root", f"{record}/") == sorted(expected)


def test_a_list_asks_once_what_an_author_may_do_with_its_rows(ids, read):
    assert read("ann", "posts/") == [
        "posts", "posts", "profiles", "saved_views", "sessions", "settings",
    ]  # fmt: skip


def test_a_details_page_reads_each_thing_once(drafted, read):
    expected = ["audit_events", "drafts", "posts", "revisions", "sessions", "settings"]
    assert read("root", f"posts/details/?id={drafted.live}") == expected
    found = read("ann", f"posts/details/?id={drafted.live}")
    assert found == ["drafts", "posts", "posts", "revisions", "sessions", "settings"]


def test_what_is_in_the_trash_is_found_in_one_statement(ids, admin, read):
    admin.post("posts/delete/", {"id": ids.abes})
    expected = ["audit_events", "drafts", "posts", "revisions", "sessions", "settings"]
    assert read("root", f"posts/details/?id={ids.abes}") == expected
