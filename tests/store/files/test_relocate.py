"""Files move between the folder and the bucket while they are served; failures lose none."""

import io

import pytest

from quire.actor import SYSTEM
from quire.errors import Unavailable
from quire.jobs.images.process import process_media
from quire.records.media import upload
from quire.store.files.local import ORIGINAL, LocalStorage, local_storage
from quire.store.files.receive import receive
from quire.store.files.relocate import relocate
from quire.store.files.s3 import S3Storage, s3_storage
from tests.s3_server import Store
from tests.sample_images import files, picture

pytestmark = pytest.mark.slow  # the server of the bucket takes two seconds to load


@pytest.fixture(scope="module")
def store():
    """A bucket."""
    made = Store()
    yield made
    made.stop()


@pytest.fixture
def app(make_app, store, tmp_path):
    """An application with four files in its folder and a newly configured empty bucket."""
    store.clear()
    before = make_app(QUIRE_INSTANCE=tmp_path)
    app = make_app(QUIRE_INSTANCE=tmp_path, **store.settings())
    with before.app_context():
        process_media(keep(picture(200, 100)))
        keep(b"%PDF-1.7\n")
    with app.app_context():
        yield app


def keep(content):
    with receive(io.BytesIO(content), "x") as file:
        return upload(SYSTEM, file, {}).id


def into_bucket():
    return relocate(local_storage(), s3_storage(), lambda done, total: None)


def served(app):
    names = files(app) or s3_storage().older_than(float("inf"))
    answers = {name: app.test_client().get(f"/uploads/{name}") for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {name: answer.data for name, answer in answers.items()}


def test_files_move_to_the_bucket_and_back(app, store):
    before, told = served(app), []
    assert len(before) == 4
    moved = relocate(local_storage(), s3_storage(), lambda *one: told.append(one))
    assert (moved.count, moved.size, moved.existing) == (4, sum(map(len, before.values())), 0)
    assert told == [(done, 4) for done in range(1, 5)]
    assert (files(app), store.names(), served(app)) == ([], sorted(before), before)
    assert into_bucket().count == 0
    moved = relocate(s3_storage(), local_storage(), lambda done, total: None)
    assert (moved.count, files(app), store.names()) == (4, sorted(before), [])
    assert served(app) == before


def test_pending_images_move_and_are_processed_afterwards(app, store):
    id = keep(picture(300, 10))
    [name] = [name for name in store.names() if name.startswith(ORIGINAL)]
    moved = relocate(s3_storage(), local_storage(), lambda done, total: None)
    assert (moved.count, store.names()) == (1, []) and name in files(app)
    process_media(id)
    into_bucket()
    assert name not in store.names() and (len(store.names()), files(app)) == (7, [])


def test_interrupted_move_can_be_continued(app, store, monkeypatch):
    before, put, left = served(app), S3Storage.put, [2]

    def failing(self, name, source):
        left[0] -= 1
        if left[0] < 0:
            raise Unavailable("The file storage is not responding. Try again.")
        put(self, name, source)

    with monkeypatch.context() as patched:
        patched.setattr(S3Storage, "put", failing)
        with pytest.raises(Unavailable):
            into_bucket()
    assert len(store.names()) == 2 and served(app).items() <= before.items()
    assert [name for name in files(app) if name.endswith(".part")] == []
    into_bucket()
    assert (files(app), store.names(), served(app)) == ([], sorted(before), before)


def test_existing_files_are_compared(app, store):
    names = files(app)
    same, other = names[:2]
    store.client.put_object(Bucket=store.name, Key=same, Body=served(app)[same])
    store.client.put_object(Bucket=store.name, Key=other, Body=b"x")
    moved = into_bucket()
    assert (moved.count, moved.existing, moved.differing) == (3, 1, [other])
    assert (files(app), store.names()) == ([other], sorted(names))


def test_files_damaged_on_arrival_are_removed_and_reported(app, store, monkeypatch):
    names, put = files(app), S3Storage.put

    def bending(self, name, source):
        source.write_bytes(source.read_bytes()[:-1])
        put(self, name, source)

    monkeypatch.setattr(S3Storage, "put", bending)
    moved = into_bucket()
    assert (moved.count, sorted(moved.differing), files(app), store.names()) == (
        0,
        names,
        names,
        [],
    )


def test_files_deleted_during_the_move_are_skipped(app, store, monkeypatch):
    gone, find = files(app)[0], LocalStorage.find

    def vanishing(self, name):
        found = find(self, name)
        if found and name == gone:
            self.delete(name)
        return found

    monkeypatch.setattr(LocalStorage, "find", vanishing)
    assert into_bucket().count == 3
    assert (files(app), gone in store.names()) == ([], False)


def test_foreign_files_are_not_moved(app, store):
    (local_storage().root / "00").mkdir(exist_ok=True)
    (local_storage().root / "00" / "Thumbs.db").write_bytes(b"")
    into_bucket()
    assert files(app) == ["Thumbs.db"] and len(store.names()) == 4
