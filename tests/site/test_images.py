"""Images on pages: covers in several sizes, and the portrait that a member uploads."""

import io

import pytest

from quire.actor import SYSTEM
from quire.jobs import worker
from quire.records import MEDIA, POSTS, SETTINGS, USERS
from quire.records.media import upload
from quire.store.files.receive import receive
from quire.store.read import get_record
from quire.store.write import create, update
from tests.sample_images import files, form, picture
from tests.users import PASSWORD, browser_of

ABOUT = {"username": "bob", "display_name": "", "bio": "", "location": "", "website": "", "links": ""}  # fmt: skip


@pytest.fixture
def bob(app, people):
    """A client signed in as a member."""
    return browser_of(app, people["bob"])


@pytest.fixture
def state(app, people):
    """`state()`: bob's stored account."""

    def read():
        with app.app_context():
            return get_record(USERS, SYSTEM, people["bob"].id)

    return read


def test_covers_are_served_in_suitable_sizes(app, people, client):
    with app.app_context():
        with receive(io.BytesIO(picture(700, 400)), "x.png") as file:
            made = upload(SYSTEM, file, {"alt": "A lake", "focal_point": {"x": 0.3, "y": 1}})
        raw = {"title": "Tides", "body": "x", "author": people["ann"].id, "cover": made.id}
        create(POSTS, SYSTEM, raw | {"published_at": "2026-01-01T00:00:00Z"})
        worker.run_due_jobs()
    stem = made.state["url"].rpartition(".")[0]
    for path in ("/", "/posts/tides"):
        page = client.get(path).text
        assert f'{stem}-160.webp 160w, {stem}-640.webp 640w"' in page
        assert f'{stem}-160.png 160w, {stem}-640.png 640w"' in page
        assert 'width="700" height="400"' in page and "x25 y100" in page
    assert 'alt="A lake"' in client.get("/posts/tides").text
    assert "style=" not in client.get("/posts/tides").text


def test_first_cover_of_the_home_page_is_large_and_loaded_eagerly(app, people, client):
    with app.app_context():
        with receive(io.BytesIO(picture(700, 400)), "x.png") as file:
            made = upload(SYSTEM, file, {"alt": "A lake"})
        raw = {"title": "Tides", "body": "x", "author": people["ann"].id, "cover": made.id}
        for day in (1, 2, 3):
            create(POSTS, SYSTEM, raw | {"published_at": f"2026-01-0{day}T00:00:00Z"})
        update(SETTINGS, SYSTEM, 1, {"posts_per_page": 2})
    first, second = client.get("/").text.split("<article")[1:]
    assert "lead-entry" in first and 'loading="lazy"' not in first
    assert "lead-entry" not in second and 'loading="lazy"' in second
    for path in ("/?page=2", "/authors/ann"):
        assert "lead-entry" not in client.get(path).text


def test_member_sets_replaces_and_removes_an_avatar(app, bob, state):
    before = files(app)
    assert 'enctype="multipart/form-data"' in bob.get("/profile").text
    assert bob.post("/profile", data={**ABOUT, **_file()}).status_code == 302
    first = state()["avatar"]
    assert 'alt="Your picture"' in bob.get("/profile").text
    assert bob.post("/profile", data={**ABOUT, **_file()}).status_code == 302
    second = state()["avatar"]
    assert second["id"] != first["id"]
    with app.app_context():
        assert get_record(MEDIA, SYSTEM, second["id"])["owner"]["username"] == "bob"
    assert len(files(app)) == len(before) + 1
    assert bob.post("/profile", data={**ABOUT, "no_picture": "y"}).status_code == 302
    assert state()["avatar"] is None
    assert files(app) == before


def _file(content=None):
    return {"picture": form(picture() if content is None else content)["file"]}


@pytest.mark.parametrize("content", [b"<svg>", b"", picture()[:-20], b"%PDF-1.7\n"])
def test_invalid_image_changes_nothing_and_explains_why(app, bob, state, content):
    before, was = files(app), state()
    answer = bob.post("/profile", data={**ABOUT, "bio": "Typed text", **_file(content)})
    assert answer.status_code == 422
    assert "Typed text" in answer.text and 'id="picture-error"' in answer.text
    assert (files(app), state()) == (before, was)


def test_no_file_is_left_if_another_field_is_invalid(app, bob, state):
    before = files(app)
    answer = bob.post("/profile", data={**ABOUT, "website": "no such", **_file()})
    assert (answer.status_code, files(app), state()["avatar"]) == (422, before, None)


def test_avatars_are_in_no_library_and_deleted_with_their_owner(app, bob, as_, people, state):
    before = files(app)
    bob.post("/profile", data={**ABOUT, **_file()})
    id = state()["avatar"]["id"]
    assert as_(None).get("media").json["total"] == 0
    assert [as_(who).get(f"media/{id}").status_code for who in (None, "ann", "mod")] == [404, 404, 200]  # fmt: skip
    assert as_("root").delete(f"users/{people['bob'].id}").status_code == 204
    assert as_("mod").get(f"media/{id}").status_code == 404
    assert files(app) == before


def test_deleted_account_takes_its_uploads_along(app, bob, people, state):
    before = files(app)
    bob.post("/profile", data={**ABOUT, **_file()})
    taken_along = bob.get("/profile/export").json["media"]
    assert [one["url"] for one in taken_along] == [state()["avatar"]["url"]]
    gone = bob.post("/profile/delete", data={"current_password": PASSWORD})
    assert (gone.status_code, files(app)) == (302, before)


def test_avatar_of_an_author_is_on_their_page(app, people, client):
    with app.app_context():
        with receive(io.BytesIO(picture(200, 200)), "x.png") as file:
            id = upload(SYSTEM, file, {"owner": people["ann"].id}).id
        update(USERS, SYSTEM, people["ann"].id, {"avatar": id})
    assert 'class="portrait x50 y50"' in client.get("/authors/ann").text
