"""Inline edits, bulk actions, deletion, and the token that every change carries."""

import re
from html import unescape

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.admin.results import undo_message
from quire.errors import NotFound
from quire.records import BATCHES, CATEGORIES, COMMENTS, POSTS, TAGS, USERS, batches
from quire.store import write
from quire.store.history.undoable_batches import RowChange
from quire.web.language import in_language
from tests.users import signed_in

JSON = {"Accept": "application/json"}


def inline(browser, path, id, field, value, version="1"):
    data = {"id": id, "field": field, "value": value, "version": version}
    return browser.post(f"{path}/ajax/update/", data, headers=JSON)


def test_inline_edit(admin, ids, state):
    answer = inline(admin, "users", ids.abe, "role", "moderator")
    assert answer.status_code == 200
    assert answer.json == {
        "batch": answer.json["batch"],
        "html": '<a class="narrow" href="/admin/users/?role=moderator">'
        '<span class="badge info">Moderator</span></a>',
        "raw": "moderator",
        "version": 2,
    }
    assert state(USERS, ids.abe)["role"] == "moderator"


def test_inline_edit_of_flags_and_moments(admin, ids, state):
    assert inline(admin, "users", ids.abe, "is_active", "false").json["raw"] == "false"
    assert (
        inline(admin, "posts", ids.draft, "published_at", "2026-05-06T07:08").json["raw"]
        == "2026-05-06T07:08:00"
    )
    assert inline(admin, "posts", ids.draft, "published_at", "", "2").json["html"] == "–"
    assert state(USERS, ids.abe)["is_active"] is False


def test_inline_edit_does_not_overwrite(admin, ids, state):
    inline(admin, "posts", ids.live, "published_at", "2026-05-06T07:08")
    answer = inline(admin, "posts", ids.live, "published_at", "2026-09-09T09:09", "1")
    assert answer.status_code == 412 and answer.json["current_version"] == 2
    assert state(POSTS, ids.live)["published_at"] == "2026-05-06T07:08:00Z"


def test_conflict_of_an_inline_edit_shows_values_as_lists_do(admin, ids):
    inline(admin, "posts", ids.live, "published_at", "2026-05-06T07:08")
    inline(admin, "users", ids.abe, "role", "moderator")
    admin.client.set_cookie("time_zone", "Europe/Berlin")
    answers = (
        inline(admin, "posts", ids.live, "published_at", "2026-09-09T09:09", "1"),
        inline(admin, "users", ids.abe, "role", "member", "1"),
    )
    told = [one.json["message"].partition(". ")[0] for one in answers]
    assert told == [
        "Someone else has changed this to “6 May 2026, 09:08”",
        "Someone else has changed this to “Moderator”",
    ]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [("published_at", "soon", 422), ("views", "3", 403), ("nothing", "3", 403), ("", "", 403)],
)
def test_inline_edit_explains_refusals(admin, ids, field, value, status):
    answer = inline(admin, "posts", ids.live, field, value)
    assert answer.status_code == status and answer.json["message"]


def test_inline_edit_of_others_records_is_refused(browser, ids):
    assert inline(browser("ann"), "posts", ids.abes, "published_at", "").status_code == 404
    assert inline(browser("mod"), "users", ids.abe, "role", "admin").status_code == 403


def test_lists_offer_inline_edit_only_where_it_is_allowed(browser, admin):
    assert "data-inline=" in admin.get("users/").text
    assert "data-inline=" not in browser("ann").get("tags/").text


def act(browser, path, name, *ids, **more):
    return browser.post(f"{path}/action/", {"action": name, "rowid": [str(i) for i in ids], **more})


def test_bulk_publish(admin, ids, state):
    answer = act(admin, "posts", "publish", ids.draft, ids.later)
    assert (answer.status_code, answer.location) == (302, "/admin/posts/")
    assert "2 posts published." in admin.get("posts/").text
    assert state(POSTS, ids.draft)["status"] == state(POSTS, ids.later)["status"] == "published"


def test_bulk_moderation(browser, ids, state):
    assert act(browser("ann"), "comments", "approve", ids.comment).status_code == 302
    assert state(COMMENTS, ids.comment)["status"] == "approved"


def test_bulk_refusals_are_shown_and_do_not_stop_the_rest(browser, ids, state):
    ann = browser("ann")
    act(ann, "posts", "unpublish", ids.live, ids.abes)
    text = ann.get("posts/").text
    assert "1 post unpublished." in text and 'class="note error"' in text
    assert state(POSTS, ids.abes)["status"] == "published"


def test_bulk_refusals_name_the_records(admin, app, ids):
    with app.app_context():
        used, free = (
            write.create(CATEGORIES, SYSTEM, {"name": name}).id for name in ("Used one", "Free one")
        )
        for post in (ids.live, ids.draft):
            write.update(POSTS, SYSTEM, post, {"category": used})
    act(admin, "categories", "delete", used, free, 4711, confirmed="1")
    said = admin.get("categories/").text
    assert "1 category deleted." in said or "“Used one”" not in said
    act(admin, "posts", "restore", ids.live, ids.draft, 4711)
    said = unescape(admin.get("posts/").text)
    assert "“Tide tables”, “Half a thought”: " in said
    assert "#4711: There is no such post." in said


def test_approved_comment_can_be_returned_to_pending(app, browser, ids, people, state):
    ann = browser("ann")
    for name, status in (
        ("approve", "approved"),
        ("pending", "pending"),
        ("spam", "spam"),
        ("pending", "pending"),
    ):
        act(ann, "comments", name, ids.comment)
        assert state(COMMENTS, ids.comment)["status"] == status
    assert "1 comment marked as pending." in ann.get("comments/").text
    act(ann, "comments", "approve", ids.comment)
    page = ann.get(f"comments/details/?id={ids.comment}").text
    assert "Mark as pending" in page
    done = signed_in(app, people["ann"]).post(f"comments/{ids.comment}/pending")
    assert (done.status_code, done.json["status"]) == (200, "pending")
    events = signed_in(app, people["root"]).get("audit_events?type=comments&sort=-id").json
    assert events["audit_events"][0]["action"] == "pending"
    assert signed_in(app, people["bob"]).post(f"comments/{ids.comment}/pending").status_code == 403
    assert state(POSTS, ids.live)["comment_count"] == 0


def test_bulk_delete_asks_first(admin, ids, state):
    answer = act(admin, "posts", "delete", ids.draft, ids.live, url="/admin/posts/?sort=title")
    assert answer.status_code == 200
    assert "Half a thought" in answer.text and "Tide tables" in answer.text
    assert 'name="confirmed" value="1"' in answer.text
    assert "deleted_at" not in state(POSTS, ids.draft) or not state(POSTS, ids.draft)["deleted_at"]
    answer = act(
        admin, "posts", "delete", ids.draft, ids.live, confirmed="1", url="/admin/posts/?sort=title"
    )
    assert answer.location == "/admin/posts/?sort=title"
    assert "2 posts moved to the trash." in admin.get("posts/").text
    assert state(POSTS, ids.draft)["deleted_at"]


def test_restore_and_delete_for_good(admin, ids, state):
    act(admin, "posts", "delete", ids.draft, ids.live, confirmed="1")
    act(admin, "posts", "restore", ids.live)
    assert state(POSTS, ids.live)["deleted_at"] is None
    answer = act(admin, "posts", "destroy", ids.draft)
    assert answer.status_code == 200 and "Delete permanently" in answer.text
    act(admin, "posts", "destroy", ids.draft, confirmed="1")
    with pytest.raises(NotFound):
        state(POSTS, ids.draft)


def test_duplicate_leads_to_the_new_draft(admin, ids, state):
    answer = act(admin, "posts", "duplicate", ids.live)
    made = int(answer.location.partition("id=")[2])
    assert made not in vars(ids).values() and state(POSTS, made)["status"] == "draft"


@pytest.mark.parametrize(("name", "status"), [("", 400), ("fly", 400), ("__class__", 400)])
def test_unknown_actions_are_refused(admin, ids, name, status):
    assert act(admin, "posts", name, ids.live).status_code == status


def test_empty_selection_is_reported(admin):
    act(admin, "posts", "publish")
    assert "Select at least one record first." in admin.get("posts/").text


def test_deleted_rows_in_the_selection_are_reported(admin, ids):
    act(admin, "posts", "publish", 4711, ids.draft)
    text = admin.get("posts/").text
    assert "There is no such post." in text and "1 post published." in text
    assert act(admin, "posts", "publish", "abc").status_code == 404


def test_delete_asks_then_moves_to_the_trash(admin, ids, state):
    text = admin.get(f"posts/delete/?id={ids.live}&url=/admin/posts/?sort=title").text
    assert "will be moved to the trash" in text and state(POSTS, ids.live)["deleted_at"] is None
    answer = admin.post("posts/delete/", {"id": ids.live, "url": "/admin/posts/?sort=title"})
    assert answer.location == "/admin/posts/?sort=title" and state(POSTS, ids.live)["deleted_at"]
    page = BeautifulSoup(admin.get("posts/").text, "html.parser")
    assert "Post moved to the trash." in page.text
    form = page.select_one(".messages form")
    data = {one["name"]: one["value"] for one in form.select("input")}
    assert admin.client.post(form["action"], data=data).status_code == 302
    assert state(POSTS, ids.live)["deleted_at"] is None


def test_delete_from_the_trash_is_permanent(admin, app, ids, state):
    with app.app_context():
        write.delete(POSTS, SYSTEM, ids.draft)
    assert "permanently deleted" in admin.get(f"posts/delete/?id={ids.draft}").text
    admin.post("posts/delete/", {"id": ids.draft})
    with pytest.raises(NotFound):
        state(POSTS, ids.draft)


def test_delete_without_a_trash_is_permanent(admin, app):
    assert "cannot be undone" in admin.get("tags/delete/?id=1").text
    admin.post("tags/delete/", {"id": "1"})
    assert admin.get("tags/details/?id=1").status_code == 404


def test_delete_refused_by_a_rule_of_the_type(admin, ids):
    answer = admin.post("users/delete/", {"id": ids.root})
    assert answer.status_code == 403 and "You cannot delete your own account here." in answer.text


def test_authors_cannot_delete_permanently(browser, ids, state):
    ann = browser("ann")
    ann.post("posts/delete/", {"id": ids.draft})
    assert "Delete permanently" not in ann.get("posts/?trashed=true").text
    assert ann.post("posts/delete/", {"id": ids.draft}).status_code == 403
    assert state(POSTS, ids.draft)["deleted_at"]


class TestToken:
    """CSRF checks enabled, as in production."""

    @pytest.fixture
    def app(self, guarded):
        return guarded

    @pytest.mark.parametrize(
        ("path", "data"),
        [
            ("posts/delete/", {"id": 1}),
            ("posts/action/", {"action": "publish", "rowid": 2}),
            ("posts/ajax/update/", {"id": 1, "field": "published_at", "value": "", "version": "1"}),
            ("tags/new/", {"name": "forged"}),
            ("posts/edit/?id=1", {"title": "forged"}),
        ],
    )
    def test_changes_without_a_csrf_token_are_refused(self, admin, state, ids, path, data):
        assert admin.post(path, data).status_code == 403
        assert admin.post(path, {**data, "csrf_token": "wrong"}).status_code == 403
        assert state(POSTS, ids.live)["version"] == 1 and state(POSTS, ids.draft)["version"] == 1

    def test_changes_with_a_csrf_token_are_accepted(self, admin, state, ids):
        token = re.search(r'name="csrf-token" content="([^"]+)"', admin.get().text)[1]
        assert admin.post("tags/new/", {"name": "mine", "csrf_token": token}).status_code == 302
        data = {"id": ids.live, "field": "published_at", "value": "", "version": "1"}
        answer = admin.post("posts/ajax/update/", data, headers={"X-CSRFToken": token})
        assert answer.status_code == 200

    def test_form_with_an_expired_token_keeps_what_was_typed(self, admin):
        answer = admin.post("posts/edit/?id=1", {"title": "Typed", "csrf_token": "old"})
        assert answer.status_code == 403
        assert 'value="Typed"' in answer.text and "Save again" in answer.text
        answer = admin.post("posts/new/", {"body": "Typed for long"})
        assert "Typed for long" in answer.text
        assert admin.post("posts/edit/?id=99", {"title": "Typed"}).status_code == 404

    def test_inline_refusal_is_json(self, admin):
        answer = admin.post("posts/ajax/update/", {"id": 1}, headers=JSON)
        assert answer.status_code == 403 and answer.json["code"] == "forbidden"


def test_tags_stay_if_a_bulk_action_fails_on_a_missing_one(admin, state, ids):
    act(admin, "tags", "delete", 1, confirmed="1")
    with pytest.raises(NotFound):
        state(TAGS, 1)


def undo_form(text):
    """Return the hidden fields of the button that undoes the last action."""
    form = re.search(
        r'<form method="post" action="/admin/batches/action/".*?</form>', text, re.DOTALL
    )
    assert form, text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0]))


def test_bulk_action_can_be_undone(admin, state, ids):
    act(admin, "posts", "unpublish", ids.live, ids.abes)
    fields = undo_form(admin.get("posts/?status=draft").text)
    assert fields["url"] == "/admin/posts/?status=draft"
    answer = admin.post("batches/action/", fields)
    assert answer.location == "/admin/posts/?status=draft"
    assert "Undone: 2 posts unpublished." in admin.get("posts/").text
    assert {state(POSTS, one)["status"] for one in (ids.live, ids.abes)} == {"published"}


def test_inline_edit_can_be_undone(admin, state, ids):
    answer = inline(admin, "users", ids.abe, "role", "moderator")
    undo = {"action": "undo", "rowid": answer.json["batch"], "url": "/admin/users/"}
    admin.post("batches/action/", undo)
    assert state(USERS, ids.abe)["role"] != "moderator"
    assert "Undone: 1 user changed." in admin.get("users/").text
    version = str(state(USERS, ids.abe)["version"])
    same = inline(admin, "users", ids.abe, "role", state(USERS, ids.abe)["role"], version)
    assert same.json["batch"] is None  # nothing has changed


def test_records_that_were_not_undone_are_named(admin, ids, app):
    act(admin, "posts", "delete", ids.live, ids.abes, confirmed="1")
    fields = undo_form(admin.get("posts/").text)
    with app.app_context():
        write.act(POSTS, SYSTEM, ids.live, "restore")
        write.delete(POSTS, SYSTEM, ids.abes, permanent=True)
    admin.post("batches/action/", fields)
    notes = BeautifulSoup(admin.get("posts/").text, "html.parser").select_one(".messages").text
    assert "“Tide tables”: This post has been changed since. You can restore" in notes
    assert "“Abe's nets”: This post no longer exists" in notes


def test_irreversible_actions_offer_no_undo(admin, ids, app, make):
    tags = [make(TAGS, name=name) for name in ("one", "two")]
    act(admin, "tags", "delete", *tags, confirmed="1")
    act(admin, "posts", "delete", ids.live, ids.abes, confirmed="1")
    offered = BeautifulSoup(admin.get("batches/").text, "html.parser").select("[value^='undo ']")
    assert len(offered) == 1
    with app.app_context():
        write.delete(POSTS, SYSTEM, ids.live, permanent=True)
    assert "undo " in admin.get("batches/").text  # one of the two can still be restored
    with app.app_context():
        write.delete(POSTS, SYSTEM, ids.abes, permanent=True)
    assert 'value="undo ' not in admin.get("batches/").text


def test_records_edited_since_are_not_undone(admin, state, ids, app):
    act(admin, "posts", "delete", ids.live, ids.abes, confirmed="1")
    fields = undo_form(admin.get("posts/").text)
    with app.app_context():
        write.act(POSTS, SYSTEM, ids.live, "restore")
    admin.post("batches/action/", fields)
    text = admin.get("posts/").text
    assert "1 change was not undone." in text and "Undone: 1 post moved to the trash." in text
    assert state(POSTS, ids.abes)["deleted_at"] is None
    admin.post("batches/action/", fields)
    text = admin.get("posts/").text
    assert "1 change was not undone." in text and "Undone:" not in text
    german = {"Accept-Language": "de"}
    admin.post("batches/action/", fields, headers=german)
    text = admin.get("posts/", headers=german).text
    assert "1 Änderung wurde nicht rückgängig gemacht." in text and "not undone" not in text


def test_undone_batch_names_time_and_person_and_offers_no_undo(admin, browser, state, ids):
    ann = browser("ann")
    ann.post("posts/action/", {"action": "publish", "rowid": [ids.draft]})
    fields = undo_form(ann.get("posts/").text)
    batch = int(fields["rowid"])
    offer = 'value="undo"'
    assert offer in ann.get(f"batches/details/?id={batch}").text
    admin.post("batches/action/", fields)
    assert state(BATCHES, batch)["undone_at"] is not None
    page = ann.get(f"batches/details/?id={batch}").text
    assert offer not in page and "Undone by" in page and "root" in page
    text = admin.get("audit_events/?type=batches").text
    assert "undid the batch" in text and "“Published”" in text
    listed = ann.get("batches/").text
    assert f"undo {batch}" not in listed and "Undone by" in listed


def test_undo_message_uses_the_words_of_the_action(app):
    done = (("update", "posts"), ("create", "comments"), ("spam", "comments"), ("spam", "comments"))
    changes = [RowChange(0, action, type, 1, 2, 1) for action, type in done]
    with app.test_request_context():
        words = undo_message(changes)
        assert words == (
            "Undone: 2 comments marked as spam. Undone: 1 comment created. Undone: 1 post changed."
        )
        with in_language("de"):
            words = undo_message(changes[:1])
    assert words == "Rückgängig gemacht: 1 Beitrag geändert."


def test_permanent_deletion_offers_no_undo(admin, app, ids):
    with app.app_context():
        tag = write.create(TAGS, SYSTEM, {"name": "gone"}).id
    act(admin, "tags", "delete", tag, confirmed="1")
    text = admin.get("tags/").text
    assert "1 tag deleted." in text and 'name="rowid" value' not in text.split("<table")[0]


def test_batches_of_others_are_not_undone(admin, browser, state, ids):
    act(admin, "posts", "unpublish", ids.live)
    fields = undo_form(admin.get("posts/").text)
    browser("ann").post("batches/action/", fields)
    assert state(POSTS, ids.live)["status"] == "draft"


def test_undo_continues_until_everything_is_undone(admin, ids, state, monkeypatch):
    monkeypatch.setattr(batches, "PANEL_SECONDS", -1.0)  # one change in each transaction
    rows = [ids.draft, ids.formula, ids.later]
    admin.post("posts/action/", {"action": "publish", "rowid": rows, "url": "/admin/posts/"})
    fields = undo_form(admin.get("posts/").text)
    batch = fields["rowid"]
    assert admin.get(f"batches/action/progress?undoing={batch}").json == {"left": 3}
    admin.post("batches/action/", fields)
    text = admin.get("batches/").text
    assert "Undone: 3 posts published." in text and "Undo again" not in text
    assert state(POSTS, ids.draft)["status"] == "draft"
    assert admin.get(f"batches/action/progress?undoing={batch}").json == {"left": 0}


def test_undo_progress_of_others_is_hidden(admin, browser, ids):
    admin.post("posts/action/", {"action": "publish", "rowid": [ids.draft]})
    batch = admin.get("posts/action/progress").json["batch"]
    assert (
        batch and browser("mod").get(f"batches/action/progress?undoing={batch}").status_code == 404
    )


def test_deletion_of_selected_rows_shows_progress(admin, ids):
    text = admin.post("posts/action/", {"action": "delete", "rowid": [ids.draft, ids.live]}).text
    assert 'data-progress="/admin/posts/action/progress?after=0" data-total="2"' in text
