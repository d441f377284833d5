"""Replacing the file of a media record: id and address stay, and every use shows the new file."""

import io

import pytest

from quire.store.instance_locks import backing_up
from tests.sample_images import encoded_form, files, opened, picture


@pytest.fixture
def send(as_):
    """`send(who, content)` uploads a file, `send(who, content, id)` replaces that of a record."""

    def sent(who, content, id=None, name="picture.png"):
        path = "media" if id is None else f"media/{id}/replace_file"
        return as_(who).post(path, data={"file": (io.BytesIO(content), name)})

    return sent


def test_replacement_keeps_id_and_url_and_nothing_of_the_old_file(app, send, run_jobs, as_, client):
    before = files(app)
    old = send("ann", picture(700, 300)).json
    run_jobs()
    place = f"media/{old['id']}"
    whole, small = (client.get(old["url"].replace(".png", end)) for end in (".png", "-640.webp"))
    content = picture(200, 100)
    new = send("ann", content, old["id"], "lake.png")
    assert (new.status_code, new.json["url"], new.json["version"]) == (200, old["url"], 2)
    assert new.json["original_name"] == "lake.png" and new.json["sha256"] != old["sha256"]
    run_jobs()
    assert list(as_("ann").get(place).json["variants"]) == ["160"]
    again = client.get(old["url"], headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, opened(again.data).size) == (200, (200, 100))
    # a text may name a variant that the new file does not have
    gone = client.get(old["url"].replace(".png", "-640.webp"))
    assert opened(gone.data).size == (200, 100) and gone.data != small.data
    assert opened(client.get(old["url"].replace(".png", "-160.webp")).data).size == (160, 80)
    assert as_("ann").delete(place).status_code == 204
    assert files(app) == before
    assert client.get(old["url"]).status_code == 404


def test_references_show_the_new_file(send, as_, client, make, people):
    old = send("ann", picture(300, 200)).json
    raw = {"title": "x", "body": f"![]({old['url']})", "cover": old["id"], "published": True}
    post = as_("ann").post("posts", json=raw).json
    send("ann", picture(500, 100), old["id"])
    assert opened(client.get(old["url"]).data).size == (500, 100)
    page = client.get(f"/posts/{post['slug']}").text
    assert 'width="500"' in page and old["url"] in page
    uses = as_("ann").get(f"media/{old['id']}/uses").json
    assert {one["field"] for one in uses["uses"]} == {"cover", "body"}
    assert client.get(f"/api/v1/media/{old['id']}").json["url"] == old["url"]


def test_same_content_changes_nothing_and_duplicates_are_refused(app, send, run_jobs):
    content, other = picture(), picture()
    one = send("ann", content).json
    send("ann", other, name="other.png")
    run_jobs()
    before = files(app)
    assert send("ann", content, one["id"]).json["version"] == 1
    refused = send("ann", other, one["id"])
    assert (refused.status_code, refused.json["code"]) == (409, "duplicate")
    assert "other.png" in refused.json["message"]
    assert files(app) == before


def test_other_types_and_other_users_are_refused(app, send, as_):
    paper = b"%PDF-1.7\n"
    one = send("ann", picture()).json
    before = files(app)
    for content in (paper, picture(format="GIF"), b"<svg>"):
        refused = send("ann", content, one["id"])
        assert (refused.status_code, refused.json["details"][0]["field"]) == (422, "file")
    assert as_("ann").post(f"media/{one['id']}/replace_file").status_code in (415, 422)
    assert send("abe", picture(), one["id"]).status_code == 403
    assert send("bob", picture(), one["id"]).status_code == 403
    stale = as_("ann").post(
        f"media/{one['id']}/replace_file",
        data={"file": (io.BytesIO(picture()), "x.png")},
        headers={"If-Match": '"0"'},
    )
    assert stale.status_code == 412
    assert files(app) == before


def test_file_is_required_and_sent_alone(send, as_):
    one = send("ann", picture()).json
    path = f"media/{one['id']}/replace_file"
    more = {"file": (io.BytesIO(picture(9, 9)), "x.png"), "alt": "Sea"}
    for sent, named in ((more, "alt"), ({"file": ""}, "file"), ({}, "file")):
        refused = as_("ann").post(path, data=sent, content_type="multipart/form-data")
        assert refused.status_code == 422
        assert named in {detail["field"] for detail in refused.json["details"]}
    assert as_("ann").get(f"media/{one['id']}").json["version"] == 1


def test_files_cannot_be_replaced_during_a_backup(app, send, client):
    one = send("ann", picture(30, 20)).json
    with app.app_context(), backing_up():
        refused = send("ann", picture(200, 100), one["id"])
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert refused.json["message"] == "A backup is running. Replace the file when it is done."
    assert send("ann", picture(200, 100), one["id"]).status_code == 200


def test_documents_are_available_immediately(send, client):
    one = send("ann", b"%PDF-1.7\nold", name="paper.pdf").json
    assert client.get(one["url"]).data.endswith(b"old")
    send("ann", b"%PDF-1.7\nnew", one["id"], "paper 2.pdf")
    answer = client.get(one["url"])
    assert answer.data.endswith(b"new")
    assert "paper 2.pdf" in answer.headers["Content-Disposition"]


def test_two_replacements_before_processing(send, run_jobs, client, app):
    one = send("ann", picture(100, 100)).json
    send("ann", picture(200, 100), one["id"])
    send("ann", picture(300, 100), one["id"])
    run_jobs()
    assert opened(client.get(one["url"]).data).size == (300, 100)


def test_new_file_has_the_usual_size_limit(send, as_):
    old = send("ann", b"%PDF-1.7\n", name="paper.pdf").json
    large = encoded_form(b"%PDF-1.7\n" + b"x" * 2_000_000)
    assert as_("ann").post(f"media/{old['id']}/replace_file", **large).status_code == 200
