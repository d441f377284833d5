"""Replacing the file of a media record in the panel, with and without a script; the list as a grid."""

import pytest

from quire.records import MEDIA
from tests.sample_images import encoded_form, form, opened, picture

JSON = {"Accept": "application/json"}


@pytest.fixture
def ann(browser):
    return browser("ann")


@pytest.fixture
def put(ann, state):
    def kept(content, name="lake.png"):
        answer = ann.post("media/new/", form(content, name))
        return int(answer.location.rpartition("=")[2])

    return kept


def test_file_is_replaced_and_can_be_seen(ann, put, state, client):
    id = put(picture(300, 200))
    url = state(MEDIA, id)["url"]
    assert client.get(url).status_code == 200
    page = ann.get(f"media/edit/?id={id}").text
    assert "Replace file" in page and "image/png · 300 × 200" in page
    answer = ann.post("media/replace/", form(picture(200, 100), "sea.png", id=str(id)))
    assert answer.status_code == 302 and answer.location.endswith(f"/media/edit/?id={id}")
    after = state(MEDIA, id)
    assert (after["url"], after["original_name"]) == (url, "sea.png") and after["variants"]
    assert opened(client.get(url).data).size == (200, 100)
    assert "File replaced." in ann.get(f"media/edit/?id={id}").text


def test_new_file_has_the_usual_size_limit(ann, put, state):
    id = put(b"%PDF-1.7\n", "paper.pdf")
    large = encoded_form(b"%PDF-1.7\n" + b"x" * 2_000_000, id=str(id))
    assert ann.post("media/replace/", **large, headers=JSON).status_code == 200
    assert state(MEDIA, id)["bytes"] == 2_000_009


def test_refusals_are_explained(ann, put, state, browser):
    id = put(picture())
    other = form(b"%PDF-1.7\n", "paper.pdf", id=str(id))
    assert ann.post("media/replace/", other).status_code == 302
    assert "must be of the same type" in ann.get(f"media/edit/?id={id}").text
    again = ann.post("media/replace/", form(b"<svg>", id=str(id)), headers=JSON)
    assert (again.status_code, again.json["details"][0]["field"]) == (422, "file")
    assert ann.post("media/replace/", {"id": str(id)}, headers=JSON).status_code == 422
    assert browser("abe").post("media/replace/", form(picture(), id=str(id))).status_code == 302
    assert state(MEDIA, id)["version"] == 1


def test_grid_layout_is_a_personal_preference(ann, put, browser):
    put(picture())
    assert 'class="records"' in ann.get("media/").text
    sent = {"url": "/admin/media/", "layout": "grid", "density": "comfortable", "standard": "1"}
    assert ann.post("media/display/", sent).status_code == 302
    assert 'class="records grid"' in ann.get("media/").text
    assert 'class="records"' in browser("mod").get("media/").text
    assert 'name="layout"' not in ann.get("posts/").text
