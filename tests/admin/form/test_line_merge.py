"""Two users change one long text: different lines are merged, and a conflict in the same line is asked about."""

import pytest

from quire.actor import SYSTEM
from quire.admin.form.line_merge import MAX_LINES, contains_changes, merge_lines
from quire.records import POSTS
from quire.store import write
from quire.store.drafts import draft_service

BASE = "one\n\ntwo\n\nthree\n\nfour"


@pytest.mark.parametrize(
    ("mine", "theirs", "merged"),
    [
        (BASE.replace("one", "1"), BASE.replace("four", "4"), "1\n\ntwo\n\nthree\n\n4"),
        ("zero\n\n" + BASE, BASE + "\n\nfive", f"zero\n\n{BASE}\n\nfive"),
        (BASE.replace("two\n\n", ""), BASE.replace("four", "4"), "one\n\nthree\n\n4"),
        (BASE.replace("one", "1"), BASE.replace("one", "1"), BASE.replace("one", "1")),
        (BASE.replace("one", "1").replace("\n", "\r\n"), BASE, BASE.replace("one", "1")),
        (BASE.replace("one", "1"), BASE.replace("one", "I"), None),
        (BASE + "\nmine", BASE + "\ntheirs", None),
        (BASE.replace("two", "2"), BASE.replace("\n\nthree", "\nthree"), None),
        ("", BASE.replace("one", "1"), None),
    ],
)  # fmt: skip
def test_separate_lines_are_merged(mine, theirs, merged):
    assert merge_lines(BASE, mine, theirs) == merged
    assert merge_lines(BASE, theirs, mine) == merged


def test_very_long_texts_are_not_merged():
    long = "\n" * MAX_LINES
    assert merge_lines(long, "a" + long, long + "b") is None


def test_merged_text_contains_the_other_changes():
    theirs = BASE.replace("four", "4")
    assert contains_changes(BASE, "1" + theirs.removeprefix("one"), theirs)
    assert not contains_changes(BASE, BASE.replace("one", "1"), theirs)


@pytest.fixture
def form(app, ids):
    """The version fields of a form that was loaded before another user changed the last line."""
    with app.app_context():
        before = write.update(POSTS, SYSTEM, ids.live, {"body": BASE}).version
        write.update(POSTS, SYSTEM, ids.live, {"body": BASE.replace("four", "4")})
    return {"version": before, "live_version": before}


def test_form_is_saved_with_the_lines_of_both(admin, ids, state, form):
    body = BASE.replace("one", "1").replace("\n", "\r\n")
    answer = admin.post(f"posts/edit/?id={ids.live}", {**form, "body": body})
    assert answer.status_code == 302
    assert state(POSTS, ids.live)["body"] == "1\n\ntwo\n\nthree\n\n4"
    assert "Also updated with someone else’s changes: Body." in admin.get("posts/").text


def test_conflicting_line_is_shown_with_all_three_versions(admin, ids, state, form):
    body = BASE.replace("four", "IV")
    answer = admin.post(f"posts/edit/?id={ids.live}", {**form, "body": body})
    assert answer.status_code == 409
    assert state(POSTS, ids.live)["body"].endswith("4")
    for words in ("Before", "Yours", "Theirs"):
        assert f'data-label="{words}"' in answer.text


def test_autosaved_draft_merges_lines_without_a_question(app, admin, ids, form):
    raw = {**form, "body": BASE.replace("one", "1"), "_save_draft": "1"}
    headers = {"Accept": "application/json"}
    answer = admin.post(f"posts/edit/?id={ids.live}", raw, headers=headers)
    assert answer.status_code == 200 and "conflict" not in answer.json
    assert answer.json["texts"]["body"] == "1\n\ntwo\n\nthree\n\n4"
    with app.app_context():
        draft = draft_service.read_draft(POSTS, SYSTEM, ids.live)
    assert draft["body"] == "1\n\ntwo\n\nthree\n\n4"
