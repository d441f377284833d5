"""Two users change one record: each keeps what the other did not touch, and is asked about the rest."""

import re
from html import unescape

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.records import CATEGORIES, COMMENTS, PAGES, POSTS, PROFILES, SETTINGS, TAGS, USERS
from quire.store import read, write
from tests.users import signed_in

JSON = {"Accept": "application/json"}


def form_of(answer):
    """Return the form in a page as a browser without scripts would send it."""
    page = BeautifulSoup(answer.text, "html.parser")
    form = page.find(id="record-form")
    sent = {}
    for one in form.find_all(["input", "textarea", "select"]):
        name, kind = one.get("name"), one.get("type")
        if one.name == "select":
            chosen = one.find("option", selected=True) or one.find("option")
            sent[name] = chosen["value"]
        elif one.name == "textarea":
            sent[name] = one.get_text().removeprefix("\r\n").removeprefix("\n")
        elif kind != "checkbox" or one.has_attr("checked"):
            sent[name] = one.get("value", "on")
    sent.pop("csrf_token", None)
    return sent


class Tab:
    """A form that a user has open."""

    def __init__(self, browser, path, id):
        self.browser, self.path = browser, f"{path}/edit/?id={id}"
        self.answer = browser.get(self.path)
        self.fields = form_of(self.answer)

    def save(self, *buttons, headers=None, **typed):
        """Press a button; return the page, whose form, if it has one, is then open."""
        sent = {**self.fields, **typed, **dict.fromkeys(buttons, "1")}
        self.answer = self.browser.post(self.path, sent, headers=headers)
        if self.answer.status_code in (409, 422) and headers is None:
            self.fields = form_of(self.answer)
        return self.answer

    @property
    def rows(self):
        """The field, before, yours and theirs of each conflict shown."""
        page = BeautifulSoup(self.answer.text, "html.parser")
        return [
            (row.th.get_text(strip=True), *(one.get_text() for one in row.find_all("pre")))
            for row in page.select("tr.changed")
        ]

    @property
    def said(self):
        """The messages of the next page."""
        page = BeautifulSoup(self.browser.get("").text, "html.parser")
        return " ".join(page.select_one(".messages").get_text(" ", strip=True).split())


@pytest.fixture
def tabs(browser):
    """`tabs("posts", 7)` are two open forms of that post: the administrator's and a moderator's."""
    return lambda path, number: [Tab(browser(name), path, number) for name in ("root", "mod")]


def test_conflicting_choices_and_times_are_shown_in_words(tabs, ids):
    first, second = tabs("posts", ids.live)
    second.save(published_at="2026-01-02T10:00", comments_open=None)
    asked = first.save(published_at="2026-01-03T10:00")
    assert asked.status_code == 409
    [(label, _, mine, theirs)] = first.rows
    assert (label, mine, theirs) == ("Published at", "3 Jan 2026, 10:00", "2 Jan 2026, 10:00")


def test_fields_changed_only_by_others_are_kept(tabs, ids, state):
    first, second = tabs("posts", ids.live)
    assert second.save(title="Their title", tags="boats, knots").status_code == 302
    assert first.save(body="My text").status_code == 302
    found = state(POSTS, ids.live)
    assert (found["title"], found["body"], found["version"]) == ("Their title", "My text", 3)
    assert [tag["name"] for tag in found["tags"]] == ["boats", "knots"]
    assert "Also updated with someone else’s changes: Title, Tags." in first.said


def test_only_fields_changed_by_both_are_conflicts(tabs, ids, state):
    first, second = tabs("posts", ids.live)
    second.save(title="Tide charts", excerpt="Theirs")
    asked = first.save(title="Tide lists", body="My text")
    assert asked.status_code == 409
    assert first.rows == [("Title", "Tide tables", "Tide tableslists", "Tide tablescharts")]
    assert "mod saved version 2" in asked.text
    assert "<del>tables</del><ins>lists</ins>" in asked.text
    assert (first.fields["title"], first.fields["body"]) == ("Tide lists", "My text")
    assert first.fields["excerpt"] == "Theirs"
    assert state(POSTS, ids.live)["title"] == "Tide charts"
    assert first.save().status_code == 302
    found = state(POSTS, ids.live)
    assert (found["title"], found["excerpt"], found["body"]) == ("Tide lists", "Theirs", "My text")


def test_theirs_can_be_taken_field_by_field(tabs, ids, state):
    first, second = tabs("posts", ids.live)
    second.save(title='Their "title" & co', excerpt="Theirs", comments_open="")
    first.save(title="Mine", excerpt="Mine")
    assert [row[0] for row in first.rows] == ["Title", "Excerpt"]
    box = BeautifulSoup(first.answer.text, "html.parser").find(attrs={"name": "_theirs-title"})
    assert box["form"] == "record-form"
    assert first.save(**{"_theirs-title": box["value"]}).status_code == 302
    found = state(POSTS, ids.live)
    assert (found["title"], found["excerpt"]) == ('Their "title" & co', "Mine")
    assert found["comments_open"] is False


def test_third_save_in_between_causes_another_conflict(tabs, ids, state):
    first, second = tabs("posts", ids.live)
    second.save(title="Second")
    first.save(title="First")
    third, _ = tabs("posts", ids.live)
    third.save(title="Third")
    assert first.save().status_code == 409
    assert [row[0] for row in first.rows] == ["Title"]
    assert first.rows[0][1] == "Second"
    first.save()
    assert state(POSTS, ids.live)["title"] == "First"


def test_error_beside_a_conflict_loses_nothing(tabs, ids, state):
    first, second = tabs("posts", ids.live)
    second.save(title="Second", excerpt="Theirs")
    refused = first.save(body="My text", slug="No slug!")
    assert refused.status_code == 422
    assert first.fields["body"] == "My text"
    assert first.save(slug="tides").status_code == 302
    found = state(POSTS, ids.live)
    assert (found["title"], found["excerpt"], found["slug"]) == ("Second", "Theirs", "tides")


@pytest.mark.parametrize(
    ("mine", "theirs", "result"),
    [
        ("boats, knots", "boats, sails", ["boats", "knots", "sails"]),
        ("", "boats, sails", ["sails"]),
        ("knots", "", ["knots"]),
        ("boats, sails", "sails, boats", ["boats", "sails"]),
    ],
)
def test_tags_are_merged_as_a_set(tabs, ids, state, mine, theirs, result):
    first, second = tabs("posts", ids.live)
    second.save(tags=theirs)
    assert first.save(tags=mine).status_code == 302
    assert sorted(tag["name"] for tag in state(POSTS, ids.live)["tags"]) == result


def test_tag_renamed_meanwhile_is_still_the_same(app, tabs, ids, state):
    first, _ = tabs("posts", ids.live)
    boats = state(POSTS, ids.live)["tags"][0]["id"]
    with app.app_context():
        write.update(TAGS, SYSTEM, boats, {"name": "ships"})
    first.save(tags="boats, knots")
    assert sorted(tag["name"] for tag in state(POSTS, ids.live)["tags"]) == ["knots", "ships"]


@pytest.mark.parametrize(
    ("record", "mine", "theirs"),
    [
        (PAGES, {"title": "Mine"}, {"position": "7"}),
        (CATEGORIES, {"name": "Mine"}, {"description": "Theirs"}),
        (TAGS, {"name": "Mine"}, {"description": "Theirs"}),
        (SETTINGS, {"site_name": "Mine"}, {"tagline": "Theirs", "posts_per_page": "7"}),
        (USERS, {"username": "mine"}, {"bio": "Theirs", "role": "member"}),
        (PROFILES, {"location": "Mine"}, {"display_name": "Theirs"}),
    ],
    ids=lambda value: getattr(value, "path", ""),
)
def test_every_editable_type_is_merged(app, browser, ids, state, record, mine, theirs):
    id = ids.abe if record is USERS else 1
    if record is PROFILES:
        with app.app_context():
            id = read.find_id(PROFILES, SYSTEM, user_id=ids.ann)
    first, second = (Tab(browser("root"), record.path, id) for _ in range(2))
    assert second.save(**theirs).status_code == 302
    assert first.save(**mine).status_code == 302, first.rows
    found = state(record, id)
    for name, text in (mine | theirs).items():
        assert str(found[name]) == text


def test_comment_approved_while_it_was_edited(tabs, ids, state):
    first, second = tabs("comments", ids.comment)
    second.browser.post("comments/action/", {"action": "approve", "rowid": ids.comment})
    assert first.save(body="Mended words").status_code == 302
    found = state(COMMENTS, ids.comment)
    assert (found["body"], found["status"]) == ("Mended words", "approved")


class TestCells:
    def change(self, browser, id, field="title", **sent):
        data = {"id": id, "field": field, **sent}
        return browser.post("posts/ajax/update/", data, headers=JSON)

    def test_concurrent_change_of_another_cell_is_kept(self, admin, tabs, ids, state):
        tabs("posts", ids.live)[0].save(excerpt="Theirs")
        done = self.change(admin, ids.live, value="Mine", version="1", base="Tide tables")
        assert (done.status_code, done.json["version"]) == (200, 3)
        found = state(POSTS, ids.live)
        assert (found["title"], found["excerpt"]) == ("Mine", "Theirs")

    @pytest.mark.parametrize("seen", [{"version": "1"}, {"version": "2", "base": "Tide tables"}])
    def test_concurrent_change_of_the_same_cell_is_a_conflict(self, admin, tabs, ids, state, seen):
        tabs("posts", ids.live)[0].save(title="Theirs")
        refused = self.change(admin, ids.live, value="Mine", **seen)
        assert (refused.status_code, refused.json["current_version"]) == (412, 2)
        assert refused.json["changed_fields"] == ["title"]
        assert "“Theirs”" in refused.json["message"]
        again = self.change(admin, ids.live, value="Mine", base=refused.json["raw"], version="2")
        assert (again.status_code, state(POSTS, ids.live)["title"]) == (200, "Mine")

    def test_unchanged_fields_are_not_written(self, admin, tabs, ids, state):
        tabs("posts", ids.live)[0].save(title="Theirs")
        shown = self.change(admin, ids.live, value="Tide tables", base="Tide tables", version="1")
        assert (shown.json["raw"], shown.json["version"]) == ("Theirs", 2)


class TestDrafts:
    def test_two_drafts_of_a_post_are_merged(self, tabs, ids, state, browser):
        first, second = tabs("posts", ids.live)
        second.save("_save_draft", title="Their title")
        assert first.save("_save_draft", body="My text").status_code == 302
        draft = Tab(browser("root"), "posts", ids.live).fields
        assert (draft["title"], draft["body"]) == ("Their title", "My text")

    def test_conflicting_field_of_a_draft(self, tabs, ids, browser):
        first, second = tabs("posts", ids.live)
        second.save("_save_draft", title="Tide charts")
        assert first.save("_save_draft", title="Tide lists", body="My text").status_code == 409
        assert first.rows == [("Title", "Tide tables", "Tide tableslists", "Tide tablescharts")]
        assert "mod saved draft version 1" in first.answer.text
        assert first.save("_save_draft").status_code == 302
        assert Tab(browser("mod"), "posts", ids.live).fields["title"] == "Tide lists"

    def test_unseen_changes_are_not_published(self, tabs, ids, state, browser):
        first, second = tabs("posts", ids.live)
        second.save("_save_draft", body="Half a sen")
        assert first.save(title="My title").status_code == 302
        found = state(POSTS, ids.live)
        assert (found["title"], found["body"]) == ("My title", "The *tide* comes and goes.")
        assert Tab(browser("mod"), "posts", ids.live).fields["body"] == "Half a sen"

    def test_draft_is_published_as_it_was_seen(self, tabs, ids, state, browser):
        tabs("posts", ids.live)[0].save("_save_draft", title="Draft title", body="Draft text")
        first, second = tabs("posts", ids.live)
        second.save("_save_draft", body="Half a sen")
        assert first.save().status_code == 302
        found = state(POSTS, ids.live)
        assert (found["title"], found["body"]) == ("Draft title", "Draft text")
        assert Tab(browser("mod"), "posts", ids.live).fields["body"] == "Half a sen"

    def test_changes_published_meanwhile_are_kept(self, app, tabs, ids, state):
        tabs("posts", ids.live)[0].save("_save_draft", title="Draft title")
        first, _ = tabs("posts", ids.live)
        with app.app_context():
            write.update(POSTS, SYSTEM, ids.live, {"excerpt": "Live"})
        assert first.save(body="My text").status_code == 302
        found = state(POSTS, ids.live)
        assert (found["title"], found["excerpt"], found["body"]) == (
            "Draft title",
            "Live",
            "My text",
        )

    def test_draft_of_a_record_changed_meanwhile(self, app, tabs, ids, state):
        tabs("posts", ids.live)[0].save("_save_draft", title="Draft title")
        with app.app_context():
            write.update(POSTS, SYSTEM, ids.live, {"title": "Live title", "excerpt": "Live"})
        first, _ = tabs("posts", ids.live)  # its page shows the draft instead of the live version
        assert first.save().status_code == 409
        assert first.rows == [
            ("Title", "Tide tables", "TideDraft tablestitle", "TideLive tablestitle")
        ]
        assert first.save(**{"_theirs-title": "Live title"}).status_code == 302
        found = state(POSTS, ids.live)
        assert (found["title"], found["excerpt"]) == ("Live title", "Live")

    @pytest.mark.parametrize(
        ("meanwhile", "published"),
        [
            ({"excerpt": "Theirs"}, True),
            ({"title": "Draft title"}, True),
            ({"title": "Theirs"}, False),
        ],
    )
    def test_publishing_by_button(self, app, tabs, ids, state, meanwhile, published):
        first, _ = tabs("posts", ids.draft)
        with app.app_context():
            write.update(POSTS, SYSTEM, ids.draft, {"excerpt": "Early"})
        first.browser.post(
            first.path, {"title": "Draft title", "version": "2", "_save_draft": "1"}, headers=JSON
        )
        with app.app_context():
            write.update(POSTS, SYSTEM, ids.draft, meanwhile)
        sent = {"action": "publish", "rowid": ids.draft, "draft_version": "1"}
        answer = first.browser.post("posts/action/", sent)
        found = state(POSTS, ids.draft)
        assert (found["status"] == "published") is published
        assert found["title"] == ("Draft title" if published else "Theirs")
        assert answer.status_code == (302 if published else 409)
        first.answer = answer
        assert [row[0] for row in first.rows] == ([] if published else ["Title"])


class TestScripts:
    """The requests of the editor's script: the changed fields, and their previous values."""

    def keep(self, tab, base, **typed):
        sent = {name: tab.fields.get(name) for name in ("version", "live_version", "draft_version")}
        sent = {name: value for name, value in sent.items() if value} | typed
        sent |= {"_base": base, "_save_draft": "1"}
        return tab.browser.post(tab.path, sent, headers=JSON)

    def test_script_is_told_what_others_have_changed(self, tabs, ids):
        first, second = tabs("posts", ids.live)
        self.keep(second, '{"title": "Tide tables"}', title="Theirs")
        told = self.keep(first, '{"body": "The *tide* comes and goes."}', body="Mine").json
        assert (told["draft_version"], told["texts"]["title"]) == (2, "Theirs")
        assert told["texts"]["body"] == "Mine"
        assert "conflict" not in told

    def test_conflict_shows_both_changes(self, tabs, ids):
        first, second = tabs("posts", ids.live)
        self.keep(second, '{"title": "Tide tables"}', title="Theirs")
        refused = self.keep(first, '{"title": "Tide tables"}', title="Mine")
        assert (refused.status_code, refused.json["changed_fields"]) == (412, ["title"])
        row = refused.json["conflict"]["rows"][0]
        told = {name: row[name] for name in ("name", "base", "yours", "theirs", "value")}
        assert told == {
            "name": "title", "base": "Tide tables", "yours": "Mine", "theirs": "Theirs", "value": "Theirs",
        }  # fmt: skip
        assert self.keep(first, '{"title": "Theirs"}', title="Mine").status_code == 200

    @pytest.mark.parametrize("base", ["", "x", "[]", "7", '{"title": 7, "nothing": "x"}', "\0"])
    def test_invalid_base_values(self, tabs, ids, base):
        assert self.keep(tabs("posts", ids.live)[0], base, title="Mine").status_code == 200


def test_api_names_changes_and_overwrites_nothing(app, people, ids):
    ann, mod = signed_in(app, people["ann"]), signed_in(app, people["mod"])
    assert mod.patch(f"posts/{ids.live}", json={"title": "Theirs"}).status_code == 200
    stale = ann.patch(f"posts/{ids.live}", json={"body": "Mine", "version": 1})
    assert (stale.status_code, stale.json["current_version"]) == (412, 2)
    assert stale.json["changed_fields"] == ["title"]


def test_base_values_are_escaped(tabs, ids):
    first, second = tabs("posts", ids.live)
    second.save(title="<script>alert(1)</script>", excerpt='"><b>')
    asked = first.save(title="Mine", excerpt="Mine")
    assert "<script>alert(1)" not in asked.text and '"><b>' not in asked.text
    assert re.search(r'name="_base" value="([^"]*)"', asked.text)
    assert "<script>" in unescape(re.search(r'name="_base" value="([^"]*)"', asked.text)[1])
