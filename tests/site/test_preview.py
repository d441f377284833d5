"""Preview links show content that is not public, for a limited time, to anyone who has the link."""

import pytest
from sqlalchemy import select

from quire.actor import SYSTEM
from quire.records import PAGES, POSTS
from quire.site import preview
from quire.store.db import read_connection
from quire.store.preview_links import PreviewMark
from quire.store.write import create


@pytest.fixture
def post(app, people):
    with app.app_context():
        raw = {"title": "Not yet", "body": "*Soon*", "author": people["ann"].id}
        return f"posts/{create(POSTS, SYSTEM, raw).id}"


def path_of(answer):
    assert answer.status_code == 201, answer.text
    assert answer.json["url"].startswith("http://localhost/preview/")
    return answer.json["url"].removeprefix("http://localhost")


def test_link_shows_a_draft_to_anyone_but_not_to_search_engines(app, as_, client, post):
    ann = as_("ann")
    path = path_of(ann.post(f"{post}/previews"))
    page = client.get(path)
    assert page.status_code == 200
    assert "<em>Soon</em>" in page.text
    assert "Preview." in page.text
    assert '<meta name="robots" content="noindex">' in page.text
    assert "Comments are closed" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers.getlist("Referrer-Policy") == ["no-referrer"]
    assert client.get("/posts/not-yet").status_code == 404


def test_draft_beside_a_live_version_is_shown(as_, client, post):
    ann = as_("ann")
    ann.post(f"{post}/publish")
    path = path_of(ann.post(f"{post}/previews"))
    assert "Not yet" in client.get(path).text
    ann.patch(f"{post}/draft", json={"title": "Better <b>words</b>", "body": "x"})
    page = client.get(path).text
    assert "Better &lt;b&gt;words&lt;/b&gt;" in page
    assert "Better" not in client.get("/posts/not-yet").text
    ann.delete(f"{post}/draft")
    assert "Better" not in client.get(path).text


def test_unfinished_draft_can_be_previewed(as_, client, post):
    ann = as_("ann")
    path = path_of(ann.post(f"{post}/previews"))
    ann.patch(f"{post}/draft", json={"title": "", "tags": ["brand new"], "category": "none"})
    assert client.get(path).status_code == 200


def test_pages_can_be_previewed(app, as_, client):
    with app.app_context():
        id = create(PAGES, SYSTEM, {"title": "About us", "body": "We"}).id
    assert "About us" in client.get(path_of(as_("mod").post(f"pages/{id}/previews"))).text


def is_over(client, path):
    page = client.get(path)
    assert page.headers.getlist("Referrer-Policy") == ["no-referrer"]
    return page.status_code == 404 and "preview link has expired" in page.text


def test_preview_links_can_be_revoked(app, as_, client, post):
    ann = as_("ann")
    paths = [path_of(ann.post(f"{post}/previews")) for _ in range(2)]
    assert ann.delete(f"{post}/previews").status_code == 204
    assert all(is_over(client, path) for path in paths)
    assert ann.delete(f"{post}/previews").status_code == 204
    path = path_of(ann.post(f"{post}/previews"))
    assert not is_over(client, path)
    ann.delete(post)
    assert is_over(client, path)
    assert ann.post(f"{post}/previews").status_code == 409
    ann.post(f"{post}/restore")
    as_("mod").delete(f"{post}?permanent=true")
    assert is_over(client, path)
    with app.app_context(), read_connection() as connection:
        assert connection.execute(select(PreviewMark.__table__)).all() == []


@pytest.mark.parametrize("token", ["x", "a.b.c", "WyJwb3N0cyIsMSwieCJd.aaaaaa.bbbb"])
def test_unsigned_links_are_refused(client, token):
    assert is_over(client, f"/preview/{token}")


def test_stored_marks_and_other_keys_create_no_valid_link(app, as_, client, post):
    path = path_of(as_("ann").post(f"{post}/previews"))
    with app.app_context(), read_connection() as connection:
        mark = connection.execute(select(PreviewMark.__table__.c.mark)).scalar()
    assert mark not in path
    assert is_over(client, f"/preview/{mark}")
    app.config["SECRET_KEY"], kept = "another-" * 5, app.config["SECRET_KEY"]
    try:
        assert is_over(client, path)
    finally:
        app.config["SECRET_KEY"] = kept


def test_links_expire(app, as_, client, post, monkeypatch):
    path = path_of(as_("ann").post(f"{post}/previews"))
    monkeypatch.setitem(app.config, "PREVIEW_LINK_SECONDS", -1)
    assert is_over(client, path)


def test_access_to_creating_and_revoking_links(as_, post):
    for method in ("post", "delete"):
        for name, status in ((None, 401), ("bob", 403), ("abe", 404)):
            assert getattr(as_(name), method)(f"{post}/previews").status_code == status
    refused = as_("ann").post(f"{post}/previews", json={"hours": 5})
    assert (refused.status_code, refused.json["details"][0]["code"]) == (422, "unknown")


def test_types_without_a_template_are_shown_generically(as_, client, post, monkeypatch):
    path = path_of(as_("ann").post(f"{post}/previews"))
    monkeypatch.setattr(preview, "TEMPLATES", {})
    page = client.get(path)
    assert page.status_code == 200
    assert "<em>Soon</em>" in page.text
    assert '<meta name="robots" content="noindex">' in page.text
