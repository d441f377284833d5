"""Drafts, preview links, versions and slugs in the panel, by plain forms."""

import re

from quire.actor import SYSTEM
from quire.records import POSTS, TAGS
from quire.store import write
from tests.users import signed_in

TAG = '<span class="tag" dir="auto">{}</span>'

EDIT = "posts/edit/?id={}"


def fields(page):
    """Return the hidden fields of the form that saves."""
    form = page[page.index("data-unsaved-guard") :]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def save(browser, ids, **typed):
    page = browser.get(EDIT.format(ids.live)).text
    kept = {name: value for name, value in fields(page).items() if "version" in name}
    return browser.post(EDIT.format(ids.live), {**kept, **typed})


def test_draft_is_saved_beside_the_live_version(browser, ids, state):
    ann = browser("ann")
    assert "Save draft" in ann.get(EDIT.format(ids.live)).text
    done = save(ann, ids, title="", body="Half a", _save_draft="1")
    assert (done.status_code, done.location) == (302, f"/admin/posts/edit/?id={ids.live}")
    page = ann.get(EDIT.format(ids.live)).text
    assert "This is a draft" in page
    assert "Half a</textarea>" in page
    assert state(POSTS, ids.live)["title"] == "Tide tables"
    refused = save(ann, ids, title="")
    assert refused.status_code == 422
    assert "Title is required" in refused.text
    assert save(ann, ids, title="Whole", body="Half a").status_code == 302
    after = state(POSTS, ids.live)
    assert (after["title"], after["body"], after["version"]) == ("Whole", "Half a", 2)
    assert "This is a draft" not in ann.get(EDIT.format(ids.live)).text


def test_draft_can_be_discarded(browser, ids, state):
    ann = browser("ann")
    save(ann, ids, title="Never", _save_draft="1")
    assert ann.post("posts/discard/", {"id": ids.live, "draft_version": "1"}).status_code == 302
    assert "Never" not in ann.get(EDIT.format(ids.live)).text
    assert ann.post("posts/discard/", {"id": ids.live}).status_code == 404
    assert ann.post("tags/discard/", {"id": 1}).status_code == 404


def test_saving_over_a_concurrent_change_shows_both(app, browser, ids, people):
    ann, moderator = browser("ann"), signed_in(app, people["mod"])
    save(ann, ids, title="Mine", _save_draft="1")
    moderator.patch(f"posts/{ids.live}", json={"title": "Theirs"})
    page = ann.get(EDIT.format(ids.live)).text
    assert "has changed since this draft was started" in page
    both = save(ann, ids, title="Mine")
    assert both.status_code == 409
    assert "Theirs" in both.text
    assert fields(both.text)["version"] == "2"
    moderator.patch(f"posts/{ids.live}/draft", json={"title": "Their draft"})
    both = ann.post(EDIT.format(ids.live), {"draft_version": "1", "title": "M", "_save_draft": "1"})
    assert both.status_code == 409
    assert "Their draft" in both.text
    assert "mod saved" in both.text


def test_saving_over_an_unseen_draft_shows_both(app, browser, ids, people, state):
    ann, moderator = browser("ann"), signed_in(app, people["mod"])
    page = ann.get(EDIT.format(ids.live)).text
    moderator.patch(f"posts/{ids.live}/draft", json={"title": "Their draft"})
    refused = ann.post(EDIT.format(ids.live), {**fields(page), "slug": "No slug!"})
    assert refused.status_code == 422
    both = ann.post(EDIT.format(ids.live), {**fields(refused.text), "title": "Mine"})
    assert both.status_code == 409
    assert "Their draft" in both.text and "mod saved" in both.text and "Mine" in both.text
    assert state(POSTS, ids.live)["title"] == "Tide tables"
    done = ann.post(EDIT.format(ids.live), {**fields(both.text), "title": "Mine"})
    assert (done.status_code, state(POSTS, ids.live)["title"]) == (302, "Mine")
    assert "This is a draft" not in ann.get(EDIT.format(ids.live)).text


def test_unseen_draft_is_not_published(app, browser, ids, people, state):
    ann, moderator = browser("ann"), signed_in(app, people["mod"])
    sent = {"action": "publish", "rowid": ids.draft, "url": "/admin/posts/"}

    def seen():
        page = ann.get(EDIT.format(ids.draft)).text
        button = page[page.index('value="publish"') :]
        return {"draft_version": re.search(r'name="draft_version" value="(\d+)"', button)[1]}

    for version in "01":
        before = seen()
        assert before == {"draft_version": version}
        moderator.patch(f"posts/{ids.draft}/draft", json={"title": f"After {version}"})
        ann.post("posts/action/", {**sent, **before})
        assert "This draft has changed since you read it" in ann.get("posts/").text
        assert state(POSTS, ids.draft)["status"] == "draft"
    ann.post("posts/action/", {**sent, **seen()})
    assert state(POSTS, ids.draft)["title"] == "After 1"


def test_draft_is_hidden_from_colleagues(browser, ids):
    save(browser("ann"), ids, title="Mine", _save_draft="1")
    assert browser("abe").post("posts/discard/", {"id": ids.live}).status_code == 404
    assert browser("abe").post("posts/preview/", {"id": ids.live}).status_code == 404


def test_preview_links(browser, ids, client):
    ann = browser("ann")
    page = ann.post("posts/preview/", {"id": ids.draft})
    path = re.search(r"http://localhost(/preview/[^\"]+)", page.text)[1]
    assert "Half a thought" in client.get(path).text
    assert ann.post("posts/preview/", {"id": ids.draft, "end": "1"}).status_code == 302
    assert client.get(path).status_code == 404


def test_versions_are_compared_and_restored(app, browser, ids, state):
    ann = browser("ann")
    save(ann, ids, body="The *tide* comes and <b>stays</b>.")
    page = ann.get(f"posts/history/?id={ids.live}").text
    assert "Revision 2" in page
    assert "Changed by ann" in page
    assert re.search(r"\d+ B<", page)
    compared = ann.get(f"posts/history/?id={ids.live}&from=1&to=2").text
    assert "<ins>&lt;b&gt;stays&lt;/b&gt;</ins>" in compared or "<ins>" in compared
    assert "<b>stays" not in compared
    done = ann.post("posts/restore/", {"id": ids.live, "version": "2", "restore": "1"})
    assert done.status_code == 302
    assert state(POSTS, ids.live)["body"] == "The *tide* comes and goes."
    assert (
        ann.post("posts/restore/", {"id": ids.live, "version": "2", "restore": "1"}).status_code
        == 412
    )
    assert ann.get(f"posts/history/?id={ids.live}&from=1&to=77").status_code == 404
    assert browser("abe").get(f"posts/history/?id={ids.live}").status_code == 404


def test_long_texts_show_changes_with_some_context(browser, ids):
    ann = browser("ann")
    begin, middle, end = ("alpha " * 400, "bravo " * 400, "charlie " * 400)
    save(ann, ids, body=f"{begin}one {middle}two {end}".strip())
    save(ann, ids, body=f"{begin}three {middle}four {end}".strip())
    compared = ann.get(f"posts/history/?id={ids.live}&from=2&to=3").text
    assert "<ins>three</ins>" in compared and "<ins>four</ins>" in compared
    assert 10 < compared.count("alpha") < 100 and 10 < compared.count("charlie") < 100
    assert 20 < compared.count("bravo") < 200 and " … " in compared


def test_other_fields_show_both_values(browser, ids):
    ann = browser("ann")
    save(ann, ids, tags="nets, ebb")
    compared = ann.get(f"posts/history/?id={ids.live}&from=1&to=2").text
    values = compared.partition("<h3>Tags</h3>")[2].partition("</p>")[0]
    assert re.findall(r"<(del|ins)>(.*?)</\1>", values) == [
        ("del", TAG.format("boats")),
        ("ins", f"{TAG.format('ebb')} {TAG.format('nets')}"),
    ]


def test_restoring_missing_references_asks_first(app, browser, ids, state):
    ann = browser("ann")
    boats = state(POSTS, ids.live)["tags"][0]["id"]
    save(ann, ids, tags="")
    browser("root").post("tags/delete/", {"id": boats})
    sent = {"id": ids.live, "version": "2", "restore": "1"}
    asked = ann.post("posts/restore/", sent).text
    assert "the tag “boats” no longer exists" in asked
    assert ann.post("posts/restore/", {**sent, "skip_missing": "1"}).status_code == 302


def test_every_type_with_history_has_the_page(app, admin, ids):
    with app.app_context():
        id = write.create(TAGS, SYSTEM, {"name": "one"}).id
        write.update(TAGS, SYSTEM, id, {"name": "two"})
    assert "Revision 2" in admin.get(f"tags/history/?id={id}&from=1&to=2").text
    assert "Revision 2" in admin.get(f"tags/history/?id={id}&page=1").text
    assert admin.get("audit_events/history/?id=1").status_code == 404


def test_slug_availability_is_reported(browser, ids):
    ann = browser("ann")
    got = ann.get("posts/slug?text=Tide+Tables!").json
    assert got == {"slug": "tide-tables", "free": False, "suggestion": "tide-tables-2"}
    assert ann.get(f"posts/slug?text=tide-tables&id={ids.live}").json["free"]
    assert ann.get("posts/slug?text=").json["slug"] == "post"
    assert ann.get(f"posts/slug?text=x&id={ids.abes}").status_code == 404
    assert ann.get("comments/slug?text=x").status_code == 404
