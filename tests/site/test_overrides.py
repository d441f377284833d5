"""Templates and files in the instance folder override those of the package."""

import os
import re
from datetime import timedelta

import pytest

from quire.cli.check import check
from quire.declare.clock import now
from tests.site.conftest import soup


@pytest.fixture
def instance(tmp_path):
    """An instance folder with its own template and files."""
    (tmp_path / "templates" / "quire_site").mkdir(parents=True)
    (tmp_path / "static" / "fonts").mkdir(parents=True)
    return tmp_path


def write(path, text):
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def client(make_app, instance):
    """A client of an installation in that folder."""
    return lambda: make_app(QUIRE_INSTANCE=instance).test_client()


def test_template_replaces_ours_and_can_extend_it(client, instance):
    home = (
        '{% extends "original/quire_site/home.html" %}'
        "{% block main %}<p>Mine</p>{{ super() }}{% endblock %}"
    )
    write(instance / "templates" / "quire_site" / "home.html", home)
    page = soup(client().get("/"))
    assert page.main.p.text == "Mine" and page.h1.text == "Welcome to Quire"


def test_broken_frame_template_falls_back_to_a_plain_page(client, instance, caplog):
    write(instance / "templates" / "quire_site" / "base.html", "{% block title %}\n{% oops %}")
    browser = client()
    for path, status in (("/", 500), ("/nowhere", 404)):
        answer = browser.get(path)
        assert (answer.status_code, answer.mimetype) == (status, "text/plain")
        assert "oops" not in answer.text
    assert "is broken" in caplog.text


def test_check_names_the_file_and_the_line(make_app, instance):
    app = make_app(QUIRE_INSTANCE=instance)
    run = app.test_cli_runner().invoke
    assert "ok       custom templates" in run(check).output
    write(instance / "templates" / "quire_site" / "base.html", "\n{% oops %}")
    found = run(check)
    assert found.exit_code == 1
    assert "base.html, line 2: Encountered unknown tag 'oops'" in found.output


def test_feeds_are_templates_too(client, instance):
    write(instance / "templates" / "quire_site" / "feed.atom.xml", "<feed>{{ title }}</feed>")
    assert client().get("/feed.atom").text == "<feed>Quire</feed>"


def test_custom_style_sheet_is_loaded_by_every_page(client, instance):
    write(instance / "static" / "custom.css", ":root { --page: #fff; }")
    browser = client()
    address = soup(browser.get("/")).find_all("link", rel="stylesheet")[-1]["href"]
    assert address.startswith("/custom/custom.css?v=")
    response = browser.get(address)
    assert response.mimetype == "text/css" and "immutable" in response.headers["Cache-Control"]
    assert "Expires" not in response.headers
    response.close()
    write(instance / "static" / "custom.css", ":root { --page: #eee; --text: #111; }")
    assert soup(browser.get("/")).find_all("link", rel="stylesheet")[-1]["href"] != address
    old = browser.get(address)
    assert "immutable" not in old.headers["Cache-Control"]
    old.close()


def test_only_custom_static_files_are_served(client, instance):
    write(instance / "static" / "fonts" / "a.txt", "letters")
    write(instance / "secret_key", "canary")
    browser = client()
    response = browser.get("/custom/fonts/a.txt")
    assert response.text == "letters" and response.headers["X-Content-Type-Options"] == "nosniff"
    response.close()
    for path in (
        "nothing.css",
        "../secret_key",
        "..%2fsecret_key",
        "fonts",
        "fonts/../../secret_key",
    ):
        answer = browser.get(f"/custom/{path}")
        assert answer.status_code == 404 and "canary" not in answer.text


def test_without_custom_files_there_are_no_links_to_them(client):
    assert not soup(client().get("/")).find("link", href=re.compile("custom"))


def test_feed_has_another_etag_with_another_template(client, instance):
    seen = [client().get("/feed.atom").headers["ETag"] for _ in range(2)]
    assert seen[0] == seen[1]
    own = '{% include "original/quire_site/feed.atom.xml" %}<!-- ours -->'
    write(instance / "templates" / "quire_site" / "feed.atom.xml", own)
    assert client().get("/feed.atom").headers["ETag"] not in seen
    changed = client().get("/feed.atom", headers={"If-None-Match": seen[0]})
    assert changed.status_code == 200


def test_feed_is_as_new_as_its_template(client, instance, monkeypatch):
    monkeypatch.setattr("quire.site.feeds.now", lambda: now() + timedelta(hours=1))
    path = instance / "templates" / "quire_site" / "feed.atom.xml"
    write(path, "<feed>{{ title }}</feed>")
    changed = now() + timedelta(minutes=30)
    os.utime(path, (changed.timestamp(), changed.timestamp()))
    moments = {form: client().get(f"/feed.{form}").last_modified for form in ("atom", "json")}
    assert moments["atom"] == changed > moments["json"]


def test_feed_has_another_etag_after_a_change_of_an_included_template(client, instance):
    folder = instance / "templates" / "quire_site"
    write(folder / "feed.atom.xml", '<feed>{% include "quire_site/mine.xml" %}</feed>')
    seen = set()
    for part in ("<id>1</id>", "<id>2</id>"):
        write(folder / "mine.xml", part)
        seen.add(client().get("/feed.atom").headers["ETag"])
    assert len(seen) == 2
