"""Media in the panel: upload with and without a script, the focal point, uses, deletion, pickers."""

import io
import re

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.jobs.worker import run_due_jobs
from quire.records import MEDIA, POSTS
from quire.records.media import upload
from quire.store.files.receive import receive
from quire.store.write import update
from tests.sample_images import files, form, picture, whole

JSON = {"Accept": "application/json"}


@pytest.fixture
def ann(browser):
    return browser("ann")


@pytest.fixture
def put(ann):
    """`put(content)`: the id of ann's upload through the form."""

    def kept(content, name="lake.png", **more):
        answer = ann.post("media/new/", form(content, name, **more))
        assert answer.status_code == 302, answer.text
        return int(re.search(r"id=(\d+)", answer.location)[1])

    return kept


def test_upload_form_accepts_a_file_and_leads_to_its_form(ann, put, state):
    page = ann.get("media/new/").text
    assert 'type="file"' in page and 'name="alt"' in page and "At most 16 MB" in page
    id = put(picture(300, 200), alt="A lake")
    shown = ann.get(f"media/edit/?id={id}").text
    assert "lake.png" in shown and "A lake" in shown and "Not used yet." in shown
    assert "data-focal" in shown
    assert state(MEDIA, id)["alt"] == "A lake"


def test_script_is_told_the_next_url_or_the_error(ann):
    done = ann.post("media/new/", form(picture()), headers=JSON)
    assert done.json["url"].startswith("/admin/media/edit/?id=")
    wrong = ann.post("media/new/", form(b"<svg>"), headers=JSON)
    assert (wrong.status_code, wrong.json["details"][0]["field"]) == (422, "file")


def test_refused_file_explains_why_and_keeps_the_text(app, ann):
    before = files(app)
    answer = ann.post("media/new/", form(b"%no", alt="Typed text"))
    assert answer.status_code == 422
    assert "Typed text" in answer.text and "not of an accepted type" in answer.text
    assert ann.post("media/new/", {"alt": "x"}).status_code == 422
    assert files(app) == before


def test_same_file_again_leads_to_the_existing_record(put):
    content = picture()
    assert put(content) == put(content)


def test_focal_point_is_entered_in_percent(ann, put, state):
    id = put(picture(300, 200))
    page = ann.get(f"media/edit/?id={id}").text
    assert page.count('name="focal_point"') == 2
    values = {"focal_point": ["25", "66.6"], "alt": "", "version": "1"}
    assert ann.post(f"media/edit/?id={id}", values).status_code == 302
    assert state(MEDIA, id)["focal_point"] == {"x": 0.25, "y": 0.666}
    assert 'value="66.6"' in ann.get(f"media/edit/?id={id}").text
    again = ann.post(f"media/edit/?id={id}", {"focal_point": ["300", "1"], "version": "2"})
    assert again.status_code == 422 and "x and y from 0 to 1" in again.text
    cleared = ann.post(f"media/edit/?id={id}", {"focal_point": ["", ""], "version": "2"})
    assert (cleared.status_code, state(MEDIA, id)["focal_point"]) == (302, None)


def test_list_shows_thumbnails_and_authors_their_own_files(ann, put, browser):
    put(picture(300, 200), "lake.png")
    put(b"%PDF-1.7\n", "paper.pdf")
    text = ann.get("media/").text
    assert text.count('class="thumb"') == 1 and "-160.webp" in text and "paper.pdf" in text
    assert "lake.png" not in browser("abe").get("media/").text
    assert "lake.png" in browser("mod").get("media/").text


def test_form_shows_a_cover_uploaded_by_someone_else(ann, browser, put, ids, app):
    id = put(picture(300, 200))
    with app.app_context():
        update(POSTS, SYSTEM, ids.abes, {"cover": id})
    page = BeautifulSoup(browser("abe").get(f"posts/edit/?id={ids.abes}").text, "html.parser")
    assert page.select("img.thumb"), "not only its number"


def test_file_in_use_is_deleted_only_after_showing_its_uses(ann, put, ids, state):
    id = put(picture())
    assert ann.post(f"posts/edit/?id={ids.live}", {"cover": str(id), "version": "1"}).location
    assert state(POSTS, ids.live)["cover"]["id"] == id
    assert "Tide tables" in ann.get(f"media/edit/?id={id}").text
    refused = ann.post("media/delete/", {"id": id})
    assert refused.status_code == 409
    assert "used in 1 place" in refused.text and "Post: Tide tables" in refused.text
    assert 'name="force"' in ann.get(f"media/delete/?id={id}").text
    assert ann.post("media/delete/", {"id": id, "force": "1"}).status_code == 302
    assert state(POSTS, ids.live)["cover"] is None


def test_unused_file_is_deleted_immediately(ann, put):
    id = put(picture())
    assert "It is not used anywhere." in ann.get(f"media/delete/?id={id}").text
    assert ann.post("media/delete/", {"id": id}).status_code == 302
    assert ann.get(f"media/edit/?id={id}").status_code == 404


def test_cover_picker_shows_images_newest_first(ann, put, ids):
    old, new = put(picture(), "lake.png"), put(picture(), "sea.png")
    put(b"%PDF-1.7\n", "paper.pdf")
    found = ann.get("posts/lookup?field=cover&q=").json["results"]
    assert [one["value"] for one in found] == [str(new), str(old)]
    assert found[0]["label"] == "sea.png" and found[0]["image"].endswith("-160.webp?current")
    named = ann.get("posts/lookup?field=cover&q=lak").json["results"]
    assert [one["label"] for one in named] == ["lake.png"]
    ann.post(f"posts/edit/?id={ids.live}", {"cover": str(new), "version": "1"})
    assert found[0]["image"] in ann.get(f"posts/edit/?id={ids.live}").text


def test_members_and_anonymous_users_cannot_upload(browser):
    assert browser("bob").post("media/new/", form(picture())).status_code == 403
    assert browser().post("media/new/", form(picture())).status_code == 302


@pytest.fixture
def failing(app, put):
    """`failing(state="broken", fault="...")`: the id of an image that could not be processed."""

    def made(**values):
        id = put(picture(300, 200))
        with app.app_context():
            update(MEDIA, SYSTEM, id, values)
        return id

    return made


def test_broken_image_explains_why(ann, failing):
    id = failing(state="broken", fault="The file is <damaged>.")
    page = ann.get(f"media/edit/?id={id}").text
    assert "could not be processed" in page and "The file is &lt;damaged&gt;." in page
    assert "data-focal" not in page and "Regenerate variants" not in page
    assert "The file is &lt;damaged&gt;." in ann.get(f"media/details/?id={id}").text
    shown = ann.get("media/?state=broken").text
    assert 'title="This image could not be processed. The file is &lt;damaged&gt;."' in shown
    assert "-160.webp" not in shown


def test_abandoned_image_is_processed_again_by_a_button(app, ann, failing, as_):
    id = failing(state="given_up", fault="It took long.")
    assert "Regenerate variants" in ann.get(f"media/details/?id={id}").text
    sent = {"action": "regenerate_variants", "rowid": id, "url": f"/admin/media/edit/?id={id}"}
    answer = ann.post("media/action/", sent)
    assert answer.status_code == 302
    with app.app_context():
        run_due_jobs()
        assert whole(id)["state"] == "ready"
    page = ann.get(f"media/edit/?id={id}").text
    assert (
        "data-focal" in page
        and "could not be drawn" not in page
        and "Regenerate variants" not in page
    )
    again = as_("ann").post(f"media/{id}/regenerate_variants")
    assert (again.status_code, again.json["code"]) == (409, "wrong_state")
    assert as_("abe").post(f"media/{id}/regenerate_variants").status_code == 403


def test_avatars_do_not_clutter_the_list(app, browser, people, put):
    put(picture(300, 200), "lake.png")
    with app.app_context(), receive(io.BytesIO(picture()), "face.png") as file:
        upload(SYSTEM, file, {"owner": people["bob"].id, "is_avatar": True})
    mod = browser("mod")
    usual, asked = mod.get("media/").text, mod.get("media/?is_avatar=true").text
    assert "lake.png" in usual and "face.png" not in usual and "1 media" in usual
    assert "lake.png" not in asked and "face.png" in asked
    assert '<option value="false" selected>No</option>' in usual
    sheets = [mod.get(f"media/export/csv/{query}").text for query in ("", "?is_avatar=true")]
    assert ["face.png" in one for one in sheets] == [False, True]
    found = mod.get("posts/lookup?field=cover&q=").json["results"]
    assert [one["label"] for one in found] == ["lake.png"]


def test_deleting_several_files_of_which_some_are_used(app, ann, put, ids, state):
    used, other, free = (put(picture(), name=f"{name}.png") for name in ("quay", "buoy", "free"))
    with app.app_context():
        update(
            POSTS, SYSTEM, ids.live, {"cover": used, "body": f"![]({state(MEDIA, other)['url']})"}
        )
    rows = {"action": "delete", "confirmed": "1", "rowid": [used, other, free]}
    asked = ann.post("media/action/", rows)
    page = BeautifulSoup(asked.text, "html.parser").main
    assert [one.get_text() for one in page.find_all("li", dir="auto")] == [
        "quay.png: post “Tide tables”", "buoy.png: post “Tide tables”",
    ]  # fmt: skip
    assert "Delete anyway" in page.get_text()
    assert "1 media file deleted." in asked.text
    fields = [(one["name"], one["value"]) for one in page.form.find_all("input", value=True)]
    assert ("rowid", str(free)) not in fields
    sent = {name: [value for other, value in fields if other == name] for name, _ in fields}
    assert ann.post("media/action/", sent).status_code == 302
    assert state(POSTS, ids.live)["cover"] is None
    for id in (used, other, free):
        assert ann.get(f"media/edit/?id={id}").status_code == 404


def test_refused_form_keeps_the_image_of_the_cover(ann, put, ids):
    first, second = put(picture()), put(picture())
    ann.post(f"posts/edit/?id={ids.live}", {"cover": f"#{first}", "version": "1"})
    for chosen in (first, second):
        typed = {"title": "", "cover": f"#{chosen}", "version": "2"}
        refused = ann.post(f"posts/edit/?id={ids.live}", typed)
        assert refused.status_code == 422
        shown = BeautifulSoup(refused.text, "html.parser").select_one("#field-cover .selection img")
        kept = ann.get(f"media/edit/?id={chosen}").text
        assert re.search(r"/uploads/[0-9a-f-]+", shown["src"])[0].removesuffix("-160") in kept
    for odd in ("", "#4711", "x", "#99999999999999999999"):
        refused = ann.post(
            f"posts/edit/?id={ids.live}", {"title": "", "cover": odd, "version": "2"}
        )
        assert refused.status_code == 422
        assert not BeautifulSoup(refused.text, "html.parser").select("#field-cover .selection img")
