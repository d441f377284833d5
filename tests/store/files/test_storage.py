"""Both file storages behave the same; an unreachable one reports it and stores nothing partially."""

import io
import logging
import zipfile

import pytest

from quire.actor import SYSTEM
from quire.checks.files import check_storage
from quire.errors import Unavailable
from quire.exchange.archive import export
from quire.jobs.worker import run_due_jobs
from quire.records import orphaned_files
from quire.records.media import upload
from quire.store.db import read_connection
from quire.store.files.local import ORIGINAL, LocalStorage, incoming_dir
from quire.store.files.receive import receive
from quire.store.files.s3 import S3Storage
from quire.store.files.storage import file_storage
from tests.s3_server import Store
from tests.sample_images import files, form, opened, picture, whole
from tests.users import signed_in

pytestmark = pytest.mark.slow  # the server of the bucket takes two seconds to load
NAME = "0" * 32 + "-12345678.pdf"
CLOSED = "http://127.0.0.1:9"
TOMORROW = 32_503_680_000.0


@pytest.fixture(scope="module")
def store():
    """A bucket."""
    made = Store()
    yield made
    made.stop()


@pytest.fixture(params=["folder", "bucket"])
def kept(request, make_app, tmp_path):
    """An application whose files are in a folder, then one with a bucket."""
    settings = {"QUIRE_INSTANCE": tmp_path}
    if request.param == "bucket":
        store = request.getfixturevalue("store")
        store.clear()
        settings |= store.settings()
    app = make_app(**settings)
    with app.app_context():
        yield app


@pytest.fixture
def lost(make_app, store, tmp_path):
    """An application whose bucket does not answer."""
    app = make_app(QUIRE_INSTANCE=tmp_path, **store.settings(S3_ENDPOINT=CLOSED))
    with app.app_context():
        yield app


def source(content=b"0123456789"):
    path = incoming_dir() / "x.part"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", [NAME, ORIGINAL + NAME])
def test_files_are_stored_found_and_deleted(kept, name):
    path = source()
    assert file_storage().find(name) is None
    file_storage().put(name, path)
    found = file_storage().find(name)
    with found.open() as file:
        assert (found.size, file.read(), path.exists()) == (10, b"0123456789", False)
        assert (file.seek(-3, io.SEEK_END), file.read(2), file.seek(1), file.read(2)) == (7, b"78", 1, b"12")  # fmt: skip
    assert (file_storage().older_than(0), file_storage().older_than(TOMORROW)) == ([], [name])
    file_storage().delete(name, "1" + NAME[1:])
    assert (
        file_storage().find(name),
        file_storage().older_than(TOMORROW),
        file_storage().fault(),
    ) == (None, [], None)


def test_large_files_are_stored_completely(kept):
    content = bytes(range(256)) * 24_000
    file_storage().put(NAME, source(content))
    with file_storage().find(NAME).open() as file:
        assert file.read() == content


def test_uploaded_image_is_served_and_deleted(kept, people):
    ann = signed_in(kept, people["ann"])
    made = ann.post("media", data=form(picture(300, 200))).json
    whole = ann.get(made["url"])
    etag = whole.headers["ETag"]
    assert (whole.status_code, opened(whole.data).size) == (200, (300, 200))
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.content_length == len(whole.data)
    part = ann.get(made["url"], headers={"Range": "bytes=2-9", "If-Range": etag})
    assert (part.status_code, part.data) == (206, whole.data[2:10])
    assert ann.get(made["url"], headers={"If-None-Match": etag}).status_code == 304
    assert ann.get(made["url"], headers={"Range": "bytes=99999-"}).status_code == 416
    assert ann.get(f"media/{made['id']}").json["variants"].keys() == {"160"}
    assert orphaned_files.delete_orphans() == 0
    assert ann.delete(f"media/{made['id']}").status_code == 204
    assert file_storage().older_than(TOMORROW) == []


def test_export_contains_the_files(kept, people):
    ann = signed_in(kept, people["ann"])
    made = ann.post("media", data=form(b"%PDF-1.7\n", "x.pdf")).json
    with zipfile.ZipFile(io.BytesIO(b"".join(export.stream()))) as archive:
        assert archive.read(f"files/{made['url'].rpartition('/')[2]}") == b"%PDF-1.7\n"


def test_image_received_on_one_machine_is_processed_on_another(make_app, store, people, tmp_path):
    store.clear()
    here, there = (
        make_app(QUIRE_INSTANCE=tmp_path / name, **store.settings()) for name in ("here", "there")
    )
    ann = signed_in(here, people["ann"])
    made = ann.post("media", data=form(picture(200, 100))).json
    assert ([name[:9] for name in store.names()], files(here)) == ([ORIGINAL], [])
    with there.app_context():
        run_due_jobs()
    assert ann.get(f"media/{made['id']}").json["variants"].keys() == {"160"}
    assert ann.get(made["url"]).status_code == 200
    assert (len(store.names()), files(here), files(there)) == (3, [], [])


def test_foreign_objects_in_a_bucket_are_ignored(make_app, store, tmp_path):
    store.clear()
    store.client.put_object(Bucket=store.name, Key="somebody's", Body=b"")
    with make_app(QUIRE_INSTANCE=tmp_path, **store.settings()).app_context():
        assert file_storage().older_than(TOMORROW) == []


@pytest.mark.parametrize("content", [picture(), b"%PDF-1.7\n"], ids=["picture", "text"])
def test_file_is_stored_before_the_transaction_begins(kept, monkeypatch, content):
    seen = []
    for kind in (LocalStorage, S3Storage):
        monkeypatch.setattr(kind, "put", _noting(kind.put, seen))
    with receive(io.BytesIO(content), "x") as file:
        upload(SYSTEM, file, {})
    assert seen == [False]


def _noting(put, seen):
    """`put`, which notes whether a transaction is open."""

    def noting(store, name, source):
        with read_connection() as connection:
            seen.append(bool(connection.get_execution_options().get("writes")))
        put(store, name, source)

    return noting


def test_file_of_a_refused_record_is_deleted_immediately(kept, people):
    kept.config["UPLOAD_QUOTA_BYTES"] = 5
    ann = signed_in(kept, people["ann"])
    for content in (picture(), b"%PDF-1.7\n"):
        assert ann.post("media", data=form(content)).status_code == 422
    assert (file_storage().older_than(TOMORROW), files(kept)) == ([], [])


def test_unreachable_bucket_is_unavailable_and_stores_nothing(lost, people, caplog):
    ann = signed_in(lost, people["ann"])
    with caplog.at_level(logging.WARNING, "quire.media"):
        answer = ann.post("media", data=form(b"%PDF-1.7\n", "x.pdf"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "bucket quire-files" in caplog.text and "Debug source" not in caplog.text
    assert (files(lost), ann.get("media").json["total"]) == ([], 0)
    assert ann.get(f"/uploads/{NAME}").status_code == 503
    with pytest.raises(Unavailable):
        file_storage().older_than(TOMORROW)
    assert "bucket quire-files cannot be used" in check_storage().reason


def test_pending_images_wait_for_the_bucket(lost, make_app, people, store, tmp_path):
    well = signed_in(make_app(QUIRE_INSTANCE=tmp_path, **store.settings()), people["ann"])
    made = well.post("media", data=form(picture(200, 100))).json
    ann = signed_in(lost, people["ann"])
    assert ann.get(made["url"]).status_code == 503
    assert whole(made["id"])["state"] == "pending"
    assert ann.delete(f"media/{made['id']}").status_code == 204


def test_check_reports_a_missing_bucket(make_app, store, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path, **store.settings(S3_BUCKET="quire-nowhere"))
    with app.app_context():
        assert "NoSuchBucket" in check_storage().reason
