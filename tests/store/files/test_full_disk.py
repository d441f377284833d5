"""A full disk: every way to upload files reports it and leaves nothing behind."""

import contextlib
import errno
import os
import re

import pytest

from quire.errors import Unavailable
from quire.monitoring import outage_log
from quire.store.db import db
from quire.store.files import local
from tests.sample_images import encoded_form, files, form
from tests.users import browser_of

resource = pytest.importorskip("resource", reason="limits of file sizes are those of Unix")

IN_MEMORY, ON_DISK = 300_000, 900_000
"""Bytes of files sent in forms; Werkzeug writes larger ones to disk before any view runs."""
WORDS = "The server cannot store files at the moment. Try again later."
ABOUT = {"username": "ann", "display_name": "", "bio": "Typed text", "location": "", "website": "", "links": ""}  # fmt: skip


@contextlib.contextmanager
def no_room():
    """Limit file sizes to what a database needs, so that the system refuses writes as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noise(size):
    """Return a unique PDF of about that many bytes."""
    return b"%PDF-1.7\n" + os.urandom(size)


@pytest.fixture
def ann(app, people):
    """An author's browser."""
    return browser_of(app, people["ann"])


def rows(app):
    """Return the number of media records."""
    with app.app_context(), db.engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM media").scalar()


# Werkzeug leaves a file that it could not write to the garbage collector
unclosed = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@unclosed
@pytest.mark.parametrize("size", [IN_MEMORY, ON_DISK])
def test_full_disk_refuses_uploads_to_the_api(app, as_, size):
    before, client = files(app), as_("ann")
    content = encoded_form(noise(size))
    with no_room():
        in_form = client.post("media", **content)
        as_it_is = client.post("media", data=noise(size), content_type="application/pdf")
    for answer in (in_form, as_it_is):
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert (answer.json["message"], answer.headers["Retry-After"]) == (WORDS, "60")
    assert (files(app), rows(app)) == (before, 0)


def token_of(client, path):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(path).text)[1]


@unclosed
def test_full_disk_refuses_uploads_in_the_panel(app, ann):
    before = files(app)
    typed = {"alt": "What I typed", "csrf_token": token_of(ann, "/admin/media/new/")}
    small, large = encoded_form(noise(IN_MEMORY), **typed), encoded_form(noise(ON_DISK), **typed)
    with no_room():
        page = ann.post("/admin/media/new/", **small)
        json = ann.post("/admin/media/new/", **small, headers={"Accept": "application/json"})
        large = ann.post("/admin/media/new/", **large)
    assert [one.status_code for one in (page, json, large)] == [503] * 3
    assert WORDS in page.text and "What I typed" in page.text
    assert json.json["message"] == WORDS
    assert WORDS in large.text
    assert (files(app), rows(app)) == (before, 0)


def test_full_disk_refuses_tables_to_import(app, ann):
    table = b"title,body\n" + b"a,b\n" * (IN_MEMORY // 4)
    sent = {"type": "posts", "csrf_token": token_of(ann, "/admin/imports/")}
    folder = ann.application.config["QUIRE_INSTANCE"] / "imports"
    before = sorted(folder.glob("*"))
    with no_room():
        answer = ann.post("/admin/imports/upload", data={**sent, **form(table, "x.csv")})
    assert answer.status_code == 503
    assert WORDS in answer.text and '<option value="posts" selected>' in answer.text
    assert sorted(folder.glob("*")) == before


def test_full_disk_refuses_an_avatar(app, ann):
    before = files(app)
    sent = {**ABOUT, "csrf_token": token_of(ann, "/profile")}
    with no_room():
        answer = ann.post("/profile", data={**sent, "picture": form(noise(IN_MEMORY))["file"]})
    assert answer.status_code == 503
    assert WORDS in answer.text and "Typed text" in answer.text
    assert (files(app), rows(app)) == (before, 0)


def test_log_explains_each_disk_problem_once_a_minute(app, monkeypatch, caplog):
    monkeypatch.setattr(outage_log, "_logged_at", {})
    codes = (errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EPERM)
    for code in codes:
        with pytest.raises(Unavailable), local.writing_files():
            raise OSError(code, os.strerror(code))
    assert [record.getMessage() for record in caplog.records] == [
        "The disk for files is full. Free some space on it. (No space left on device)",
        "The disk for files is read-only. Check how it is mounted. (Read-only file system)",
        "The folder for files cannot be written. Check who owns uploads/ in the instance folder. (Permission denied)",
    ]
