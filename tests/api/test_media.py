"""Media through the API: uploads, their shape, permissions, refusals, and no files left behind."""

import hashlib
import io
import struct

import pytest

from quire.records import POSTS
from tests.sample_images import files, form, opened, photo, picture, png
from tests.users import signed_in

SHAPE = (
    "id url original_name media_type bytes width height alt focal_point sha256 variants version "
    "created_at"
).split()
MP3 = b"\xff\xfb\x90\x64" + bytes(400)
FILES = {"application/pdf": b"%PDF-1.7\n", "audio/mpeg": MP3, "audio/ogg": b"OggS\0" + bytes(40)}


@pytest.fixture
def send(as_):
    """`send("ann", content)`: her upload."""

    def sent(who, content, name="picture.png", **more):
        return as_(who).post("media", data=form(content, name, **more))

    return sent


def details(answer):
    return {(one["field"], one["code"]) for one in answer.json["details"]}


def test_upload_responds_with_the_record(send):
    content = picture(300, 200)
    answer = send("ann", content, "photos/My cat.png", alt="A cat")
    assert (answer.status_code, list(answer.json)) == (201, SHAPE)
    made = answer.json
    assert made["original_name"] == "My cat.png"
    assert (made["media_type"], made["width"], made["height"]) == ("image/png", 300, 200)
    assert (made["bytes"], made["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert (made["alt"], made["focal_point"], made["variants"]) == ("A cat", None, {})
    assert answer.headers["Location"] == f"/api/v1/media/{made['id']}"


def test_variants_are_added_without_a_new_version(send, run_jobs, as_, client):
    made = send("ann", picture(1400, 700)).json
    run_jobs()
    answer = as_("abe").get(f"media/{made['id']}")
    variants = answer.json["variants"]
    assert list(variants) == ["160", "640", "1280"]
    assert answer.json["version"] == made["version"]
    for width, one in variants.items():
        for address, format in ((one["url"], "PNG"), (one["webp"], "WEBP")):
            image = opened(client.get(address).data)
            assert (image.format, image.size) == (format, (one["width"], one["height"]))
        assert one["width"] == int(width) == one["height"] * 2


def test_file_can_be_the_body(as_):
    content = picture(format="GIF")
    headers = {"Content-Disposition": 'attachment; filename="moving.gif"'}
    answer = as_("ann").post(
        "media?alt=Moving", data=content, content_type="image/gif", headers=headers
    )
    assert (answer.status_code, answer.json["original_name"]) == (201, "moving.gif")
    assert (answer.json["media_type"], answer.json["alt"]) == ("image/gif", "Moving")
    named = as_("ann").post("media?name=b.gif", data=picture(), content_type="image/png")
    assert named.json["original_name"] == "b.gif"


@pytest.mark.parametrize("mime", list(FILES))
def test_documents_are_stored_as_sent_and_only_downloaded(send, client, mime):
    made = send("ann", FILES[mime], "paper.bin").json
    assert (made["media_type"], made["width"], made["variants"]) == (mime, None, {})
    answer = client.get(made["url"])
    assert (answer.status_code, answer.data, answer.mimetype) == (200, FILES[mime], mime)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("mime", list(FILES))
@pytest.mark.parametrize(
    "name", ["x.html", "x.svg", "x.htm\u202efdp.", 'x"\r\nContent-Type: text/html']
)
def test_page_inside_another_file_is_not_served_as_a_page(send, client, mime, name):
    page = b"<!DOCTYPE html><script>alert(1)</script>%PDF-1.7"
    answer = client.get(send("ann", FILES[mime] + page, name).json["url"])
    assert answer.mimetype == mime and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_same_bytes_again_return_the_same_record(send):
    content = picture()
    first, again, others = (send(who, content) for who in ("ann", "ann", "abe"))
    assert (first.status_code, again.status_code, others.status_code) == (201, 200, 201)
    assert again.json == first.json
    assert others.json["id"] != first.json["id"]


def test_members_and_anonymous_clients_may_not_upload(send):
    assert [send(who, picture()).status_code for who in (None, "bob")] == [401, 403]


def test_authors_read_and_only_owners_and_moderators_change(send, as_):
    place = f"media/{send('ann', picture()).json['id']}"
    assert [as_(who).get(place).status_code for who in (None, "bob", "abe")] == [404, 404, 200]
    point = {"focal_point": {"x": 0.25, "y": 1}, "alt": "A lake"}
    changed = as_("ann").patch(place, json=point)
    assert {name: changed.json[name] for name in point} == {
        "focal_point": {"x": 0.25, "y": 1.0},
        "alt": "A lake",
    }
    assert as_("abe").patch(place, json={"alt": "x"}).status_code == 403
    assert as_("mod").patch(place, json={"alt": "x"}).json["owner"]["username"] == "ann"
    assert as_("ann").patch(place, json={"width": 1}).status_code == 422
    assert [as_(who).delete(place).status_code for who in ("abe", "ann")] == [403, 204]


@pytest.mark.parametrize(
    "point", [{"x": 2, "y": 0}, {"x": 0}, {"x": "0", "y": 0}, {"x": True, "y": 0}, [0, 0], "x"]
)
def test_points_outside_the_image_are_refused(send, as_, point):
    id = send("ann", picture()).json["id"]
    answer = as_("ann").patch(f"media/{id}", json={"focal_point": point})
    assert answer.status_code == 422
    assert details(answer) <= {("focal_point", "wrong_type"), ("focal_point", "bad_format")}


BOMB = png(struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0), b"", pixels=bytes(1000))


REFUSED = {
    "empty": (b"", "too_short"),
    "bomb": (BOMB, "too_large"),
    "html": (b"<!DOCTYPE html><script>alert(1)</script>", "not_allowed"),
    "html after spaces": (b" \n <script>alert(1)</script>", "not_allowed"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "not_allowed"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?><svg/>', "not_allowed"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n", "not_allowed"),
    "program for Windows": (b"MZ" + bytes(100), "not_allowed"),
    "program for Linux": (b"\x7fELF" + bytes(100), "not_allowed"),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), "not_allowed"),
    "shell script": (b"#!/bin/sh\nid\n", "not_allowed"),
    "ImageMagick": (b"push graphic-context\nimage over 0,0 0,0 'msl:/x'", "not_allowed"),
    "GIF that is a script": (b"GIF89a/*" + bytes(20) + b"*/=alert(1)//;", "not_allowed"),
    "BMP that is a script": (b"BM/*" + bytes(50) + b"*/=alert(1)//", "not_allowed"),
    "zip": (b"PK\x03\x04" + bytes(100), "not_allowed"),
    "text": (b"GIF", "not_allowed"),
    "cut off PNG": (picture(300, 300)[:-20], "bad_format"),
    "cut off JPEG": (photo(400, 300)[:-200], "bad_format"),
    "cut off GIF": (picture(format="GIF")[:-3], "bad_format"),
    "cut off WebP": (picture(format="WEBP")[:-9], "not_allowed"),
    "head of a JPEG": (b"\xff\xd8\xff\xe0" + bytes(20), "not_allowed"),
    "damaged PNG": (picture(300, 300).replace(b"IDAT", b"IDAT\x01", 1), "bad_format"),
    "TIFF": (picture(format="TIFF"), "not_allowed"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_unsupported_files_are_refused_whatever_their_names(app, send, name):
    content, code = REFUSED[name]
    before = files(app)
    answer = send("ann", content, "picture.jpg")
    assert answer.status_code == 422, answer.text
    assert {field for field, _ in details(answer)} == {"file"}
    assert {code for _, code in details(answer)} <= {code, "bad_format"}
    assert files(app) == before


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_data_after_the_end_of_an_image_is_dropped(send, run_jobs, client, format):
    film = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 300
    made = send("ann", picture(170, 40, format) + film).json
    run_jobs()
    answer = client.get(made["url"])
    assert opened(answer.data).size == (170, 40)
    assert b"ftypmp42" not in answer.data


def test_all_errors_are_reported_together(send):
    answer = send("ann", b"", alt="x" * 2000, nothing="1")
    assert details(answer) == {("file", "too_short"), ("alt", "too_long"), ("nothing", "unknown")}


def test_type_follows_the_content_not_the_file_extension(send, client):
    made = send("ann", picture(format="JPEG"), "evil.html").json
    assert (made["media_type"], made["url"].endswith(".jpg")) == ("image/jpeg", True)
    assert client.get(made["url"]).mimetype == "image/jpeg"


def test_large_files_are_refused_before_and_during_the_upload(make_app, people):
    app = make_app(MAX_UPLOAD_BYTES=64 * 1024)
    before, ann = files(app), signed_in(app, people["ann"])
    within = ann.post("media", data=form(picture() + bytes(64 * 1024)))
    assert (within.status_code, within.json["code"]) == (413, "too_large")
    beyond = ann.post(
        "media", data=bytes(2_000_000), content_type="multipart/form-data; boundary=x"
    )
    assert (beyond.status_code, beyond.json["code"]) == (413, "too_large")
    raw = ann.post("media", data=bytes(70_000), content_type="image/png")
    assert (raw.status_code, raw.json["code"]) == (413, "too_large")
    assert files(app) == before


def test_uploads_of_a_user_have_a_quota(make_app, people):
    app = make_app(UPLOAD_QUOTA_BYTES=300)
    before, ann = files(app), signed_in(app, people["ann"])
    assert ann.post("media", data=form(picture())).status_code == 201
    answer = ann.post("media", data=form(picture(200, 200)))
    assert (answer.status_code, details(answer)) == (422, {("file", "too_large")})
    assert len(files(app)) == len(before) + 1


def test_bodies_that_are_not_files_are_refused(as_):
    ann = as_("ann")
    assert ann.post("media", json={"alt": "x"}).status_code == 415
    assert ann.post("media", data="a=b").status_code == 415
    assert details(ann.post("media", data={"alt": "x"}, content_type="multipart/form-data")) == {
        ("file", "required")
    }
    nothing = ann.post("media", data=b"", content_type="multipart/form-data; boundary=x")
    assert details(nothing) == {("file", "required")}
    two = {"file": [(io.BytesIO(picture()), "a.png"), (io.BytesIO(picture()), "b.png")]}
    assert details(ann.post("media", data=two)) == {("file", "unknown")}


@pytest.mark.parametrize("name", ["CON", "NUL.txt ", "a/CON", "CON::$DATA", "..\\..\\x", "x\0y", "\u202egnp.exe", "a" * 300, ""])  # fmt: skip
def test_names_from_clients_are_only_displayed(app, send, name):
    made = send("ann", picture(), name or " ").json
    assert made["url"].startswith("/uploads/")
    assert not set("\\/\0\u202e") & set(made["original_name"])
    assert 0 < len(made["original_name"]) <= 255
    assert all(len(one) < 70 and "CON" not in one for one in files(app))


def test_uses_are_listed_and_prevent_deletion(send, as_, make, people):
    made = send("ann", picture()).json
    place = f"media/{made['id']}"
    cover = as_("ann").post("posts", json={"title": "Lake", "body": "x", "cover": made["id"]}).json
    assert cover["cover"] == {"id": made["id"], "url": made["url"], "alt": ""}
    make(POSTS, title="Secret", body=f"![]({made['url']})", author=people["abe"].id)
    found = as_("ann").get(f"{place}/uses").json
    assert (found["total"], [one["title"] for one in found["uses"]]) == (2, ["Lake"])
    assert (found["uses"][0]["type"], found["uses"][0]["field"]) == ("posts", "cover")
    refused = as_("ann").delete(place)
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_state")
    assert details(refused) == {("posts.cover", "not_allowed")}
    assert as_("abe").get(f"{place}/uses").status_code == 403
    twice = as_("ann").delete(f"{place}?force=true&force=false")
    assert (twice.status_code, details(twice)) == (400, {("force", "bad_format")})
    assert as_("ann").delete(f"{place}?force=true").status_code == 204
    assert as_("ann").get(f"posts/{cover['id']}").json["cover"] is None


def test_drafts_use_files_too(send, as_, content):
    cover, inside = (send("ann", picture()).json for _ in range(2))
    place = f"posts/{content.live}/draft"
    text = {"cover": cover["id"], "body": f"![]({inside['url']})"}
    assert as_("ann").patch(place, json=text).status_code in (200, 201)
    for one in (cover, inside):
        found = as_("ann").get(f"media/{one['id']}/uses").json
        assert [(use["id"], use["field"]) for use in found["uses"]] == [(content.live, "draft")]
        assert as_("ann").delete(f"media/{one['id']}").status_code == 409


def test_deletion_leaves_no_file(app, send, run_jobs, as_, client):
    before = files(app)
    waiting, done = send("ann", picture()).json, send("ann", picture(200, 200)).json
    assert client.get(done["url"]).status_code == 200
    for one in (waiting, done):
        assert as_("ann").delete(f"media/{one['id']}").status_code == 204
    run_jobs()
    assert files(app) == before
    assert client.get(done["url"]).status_code == 404


def test_covers_are_images_and_avatars_belong_to_the_user(send, as_):
    paper = send("ann", FILES["application/pdf"]).json["id"]
    hers, his = (send(who, picture()).json["id"] for who in ("ann", "abe"))
    refused = as_("ann").post("posts", json={"title": "x", "body": "x", "cover": paper})
    assert details(refused) == {("cover", "not_allowed")}
    answers = [as_("ann").patch("users/me", json={"avatar": id}) for id in (his, hers)]
    assert [one.status_code for one in answers] == [422, 200]
    assert answers[1].json["avatar"]["id"] == hers


@pytest.mark.slow
def test_large_photo_is_accepted_before_it_is_processed(app, run_jobs, as_):
    answer = as_("ann").post("media", data=photo(), content_type="image/jpeg")
    assert (answer.status_code, answer.json["variants"]) == (201, {})
    run_jobs()
    assert list(as_("ann").get(f"media/{answer.json['id']}").json["variants"]) == [
        "160", "640", "1280", "1920",
    ]  # fmt: skip


def test_state_of_an_image_is_shown_on_request(send, run_jobs, as_):
    place = send("ann", picture()).headers["Location"].removeprefix("/api/v1/")
    assert as_("abe").get(f"{place}?fields=state,fault").json["state"] == "pending"
    run_jobs()
    names = "state,fault,is_avatar"
    told = as_("ann").get(f"{place}?fields={names}").json
    assert (told["state"], told["fault"], told["is_avatar"]) == ("ready", None, False)
    assert as_("bob").get(f"{place}?fields={names}").status_code == 400
    assert list(as_("ann").get(place).json) == SHAPE
