"""The number of statements that a page of the panel sends: each record is read once and passed on."""

import re

import pytest

from quire.actor import Actor
from quire.declare.record import REGISTRY
from quire.records import CATEGORIES, COMMENTS, PAGES, POSTS, REDIRECTS, SAVED_VIEWS
from quire.store import write
from quire.store.drafts import draft_service

pytestmark = pytest.mark.no_cover  # pages that other tests open too

LIMIT = 6
"""Statements of a page, whatever was changed before."""
LISTS = ("posts", "pages", "comments", "categories", "tags", "media", "redirects")
FROM = re.compile(r"FROM (\w+)")


def tables(sent):
    """Return the table that each statement reads, the sessions for the one that finds the account."""
    sent = [one.split(" AS found JOIN ")[-1] for one in sent]
    return sorted("sessions" if "JOIN sessions" in one else _table(one) for one in sent)


def _table(statement):
    # columns may contain subqueries; the table itself is outside of brackets
    while statement != (outer := re.sub(r"\([^()]*\)", "", statement)):
        statement = outer
    found = FROM.search(statement)
    return found[1] if found else statement.split(".")[0].split()[-1]


@pytest.fixture
def drafted(app, ids):
    """Drafts of the post and the page."""
    root = Actor("admin", ids.root, "root")
    with app.app_context():
        for record, id in ((POSTS, ids.live), (PAGES, ids.page)):
            draft_service.save_draft(record, root, id, {"title": "Ebb and flow"})
    return ids


@pytest.fixture
def read(browser, statements):
    """`read("ann", path)`: the tables that the page reads when its caches are warm."""

    def page(name, path):
        visitor = browser(name)
        visitor.get(path)
        answer, sent = statements(visitor.get, path)
        assert answer.status_code == 200
        return tables(sent)

    return page


@pytest.mark.parametrize("path", ["posts/edit/?id={0.live}", "pages/edit/?id={0.page}"])
def test_form_reads_record_and_draft_once(drafted, read, path):
    record = path.partition("/")[0]
    expected = sorted(["drafts", record, "sessions"])
    assert read("root", path.format(drafted)) == expected


def test_author_needs_one_more_statement_for_permissions(drafted, read):
    found = read("ann", f"posts/edit/?id={drafted.live}")
    assert found == ["drafts", "posts", "posts", "sessions"]


@pytest.mark.parametrize(
    "path",
    [
        "comments/edit/?id={0.comment}", "tags/edit/?id=1", "categories/edit/?id=1",
        "users/edit/?id=1", "profiles/edit/?id=1", "appearance/edit/?id=1",
    ],
)  # fmt: skip
def test_forms_of_other_types_take_two_statements(ids, read, path):
    record = path.partition("/")[0]
    assert read("root", path.format(ids)) == sorted([record, "sessions"])


def test_form_of_the_settings_reads_them_once(ids, read):
    assert read("root", "settings/edit/?id=1") == ["sessions", "settings"]


@pytest.mark.parametrize("record", ["posts", "redirects"])
def test_empty_form_only_reads_the_user(ids, read, record):
    assert read("root", f"{record}/new/") == ["sessions"]


@pytest.mark.parametrize("record", LISTS)
def test_list_takes_two_statements(ids, read, record):
    # the site's name and a user's preferences and views are read again when they change
    assert read("root", f"{record}/") == sorted([record, "sessions"])


def test_list_asks_once_what_an_author_may_do_with_its_rows(ids, read):
    assert read("ann", "posts/") == ["posts", "posts", "sessions"]


def test_details_page_reads_each_thing_once(drafted, read):
    expected = ["audit_events", "drafts", "posts", "revisions", "sessions"]
    assert read("root", f"posts/details/?id={drafted.live}") == expected
    found = read("ann", f"posts/details/?id={drafted.live}")
    assert found == ["drafts", "posts", "posts", "revisions", "sessions"]


def test_trashed_record_is_found_in_one_statement(ids, admin, read):
    admin.post("posts/delete/", {"id": ids.abes})
    expected = ["audit_events", "drafts", "posts", "revisions", "sessions"]
    assert read("root", f"posts/details/?id={ids.abes}") == expected


@pytest.fixture
def after_a_change(app, browser, statements, ids):
    """`after_a_change("ann", path)`: the statements of the page after a record of each kind was changed."""
    root = Actor("admin", ids.root, "root")

    def change(number):
        title = f"Changed {number}"
        with app.app_context():
            write.update(POSTS, root, ids.live, {"title": title, "tags": [title]})
            write.update(PAGES, root, ids.page, {"title": title})
            write.update(COMMENTS, root, ids.comment, {"body": title})
            write.create(CATEGORIES, root, {"name": title})
            write.create(REDIRECTS, root, {"path": f"/old/{number}", "target": "/"})

    def page(name, path):
        visitor = browser(name)
        change(1)
        visitor.get(path)
        change(2)
        answer, sent = statements(visitor.get, path)
        return answer, tables(sent)

    return page


SEEN_BY = [
    (path, name)
    for path, record in REGISTRY.items()
    for name, role in (("root", "admin"), ("ann", "author"))
    if record.allows(Actor(role, 1, name), "panel") is not False
]


@pytest.mark.parametrize("query", ["", "?search=tide"])
@pytest.mark.parametrize(("record", "name"), SEEN_BY)
def test_list_of_any_type_after_a_change(after_a_change, record, name, query):
    answer, found = after_a_change(name, f"{record}/{query}")
    assert answer.status_code in (200, 302) and len(found) <= LIMIT


@pytest.mark.parametrize("name", ["root", "ann"])
@pytest.mark.parametrize(
    "query",
    [
        "status=published",
        "tags.name=boats",
        "author.username=ann",
        "published_at__within=last_month",
        "sort=-created_at",
        "page=2&per_page=1",
    ],
)
@pytest.mark.parametrize("search", ["", "&search=tide"])
def test_filters_after_a_change(after_a_change, name, query, search):
    answer, found = after_a_change(name, f"posts/?{query}{search}")
    assert answer.status_code == 200 and len(found) <= LIMIT


@pytest.mark.parametrize("page", ["new/", "edit/?id=1", "details/?id=1"])
@pytest.mark.parametrize(("record", "name"), SEEN_BY)
def test_form_of_any_type_after_a_change(after_a_change, record, page, name):
    answer, found = after_a_change(name, f"{record}/{page}")
    assert answer.status_code in (200, 302, 403, 404) and len(found) <= LIMIT


@pytest.mark.parametrize("name", ["root", "mod", "ann"])
@pytest.mark.parametrize("path", ["", "comments/moderation/", "palette/", "palette/?q=tide"])
def test_other_pages_after_a_change(after_a_change, name, path):
    answer, found = after_a_change(name, path)
    assert answer.status_code in (200, 403) and len(found) <= LIMIT


def test_preferences_for_lists_are_read_again_after_a_change(app, browser, statements, ids):
    visitor, path = browser("ann"), "posts/?search=tide"
    visitor.get(path)
    visitor.post("posts/display/", {"column": ["title", "slug"]})
    answer, sent = statements(visitor.get, path)
    assert answer.status_code == 200 and len(sent) <= LIMIT
    assert "profiles" in tables(sent)
    assert "profiles" not in tables(statements(visitor.get, path)[1])


def test_views_of_a_list_are_read_again_after_a_change(app, browser, statements, ids):
    visitor = browser("ann")
    visitor.get("posts/")
    raw = {"name": "Half done", "type": "posts", "parameters": "status=draft"}
    with app.app_context():
        write.create(SAVED_VIEWS, Actor("author", ids.ann, "ann"), raw)
    assert "Half done" in visitor.get("posts/").text
