"""Exporting everything to one file and importing it loses nothing; a second import changes nothing."""

import json
import zipfile

import pytest

from quire.actor import SYSTEM
from quire.auth import session_store
from quire.declare.query import Query
from quire.exchange.archive import export, merge
from quire.jobs.images.process import process_media
from quire.records import COMMENTS, MEDIA, POSTS, PROFILES, TAGS, USERS
from quire.security.tokens import new_secret
from quire.store import audit, read, write
from quire.store.files import checked_zip
from tests.exchange.archive import archives
from tests.sample_images import files
from tests.users import PASSWORD


@pytest.fixture
def full(site, people):
    """An application with content of every kind."""
    site.first = archives.fill(people)
    return site


@pytest.fixture
def file(full, tmp_path):
    path = tmp_path / "all.zip"
    path.write_bytes(archives.packed(passwords=True))
    return path


def test_round_trip_loses_nothing(file, elsewhere):
    sent = file.read_bytes()
    report = merge.load(file)
    assert report.skipped == 0, str(report)
    back = archives.packed(passwords=True)
    before, after = archives.contents(sent), archives.contents(back)
    assert before == after
    empty = {name for name, lines in before.items() if not lines}
    assert empty == {"drafts/pages.ndjson"}, "every type has something to lose"
    assert archives.manifest(sent)["place"] != archives.manifest(back)["place"]


def test_second_import_changes_nothing(file, elsewhere):
    merge.load(file)
    before = archives.contents(archives.packed(passwords=True))
    report = merge.load(file)
    assert set(report.counts) == {"unchanged"}, str(report)
    assert archives.contents(archives.packed(passwords=True)) == before


def test_import_into_the_source(full, file):
    write.update(COMMENTS, SYSTEM, 1, {"body": "Edited since"})
    before = archives.contents(archives.packed())
    report = merge.load(file)
    assert report.counts["created"] == report.counts["updated"] == 0, str(report)
    assert report.counts["kept"] == 1
    assert archives.contents(archives.packed()) == before


def test_import_into_another_database_engine(file, elsewhere):
    """The trash, a thread and a redirect look the same to readers."""
    merge.load(file)
    post = read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="ebb-and-flood"))
    assert (post["views"], post["comment_count"], post["version"]) == (41, 2, 4)
    assert [tag["name"] for tag in post["tags"]] == ["boats"]
    assert elsewhere.test_client().get("/posts/tides").status_code in (301, 302, 308)
    assert elsewhere.test_client().get("/posts/gone").status_code == 404


def test_files_keep_their_urls(full, file, elsewhere):
    sent = archives.contents(file.read_bytes())["records/media.ndjson"]
    merge.load(file)
    assert [name for name in files(elsewhere) if not name.endswith(".part")] == sorted(
        f"original-{one['url'].removeprefix('/uploads/')}" for one in sent
    )
    for one in sent:
        process_media(read.find_id(MEDIA, SYSTEM, url=one["url"]))
    cover = read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="ebb-and-flood"))[
        "cover"
    ]
    assert cover["alt"] == "The sea"
    assert elsewhere.test_client().get(cover["url"]).status_code == 200
    again = merge.load(file)
    assert set(again.counts) == {"unchanged"}


def test_missing_files_are_reported(full, file, tmp_path, elsewhere):
    archives.forged(tmp_path / "bare.zip", archives.contents(file.read_bytes()))
    report = merge.load(tmp_path / "bare.zip")
    assert str(report).count("its file is missing from the archive") == 2
    assert "its cover is not here" in str(report)
    assert "its avatar is not here" in str(report)
    assert files(elsewhere) == []


def test_passwords_are_exported_only_on_request(full, file, elsewhere):
    assert "password" not in json.dumps(
        archives.contents(archives.packed())["records/users.ndjson"]
    )
    merge.load(file)
    client = elsewhere.test_client()
    sent = {"email": "ann@example.org", "password": PASSWORD}
    assert client.post("/api/v1/auth/token", json=sent).status_code == 200


def test_without_passwords_nobody_can_sign_in(full, tmp_path, elsewhere):
    with full.app_context():
        (tmp_path / "bare.zip").write_bytes(archives.packed())
    merge.load(tmp_path / "bare.zip")
    sent = {"email": "ann@example.org", "password": PASSWORD}
    assert elsewhere.test_client().post("/api/v1/auth/token", json=sent).status_code == 401


def test_credentials_are_not_exported(full, people, as_):
    key = as_("root").post("api_keys", json={"name": "k", "scopes": ["tags:read"]}).json["key"]
    session_store.create_session(people["root"], "browser", secret := new_secret(), 3600)
    audit.record_event(SYSTEM, "sign_in", "users", people["root"].id)
    data = archives.packed(passwords=True)
    everything = json.dumps(archives.contents(data))
    assert set(archives.contents(data)) == {
        f"{kind}/{path}.ndjson"
        for path in ("users", "tags", "posts", "pages", "comments", "categories", "media", "profiles",
                     "redirects", "settings", "appearance")
        for kind in ("records", "revisions")
    } | {"drafts/posts.ndjson", "drafts/pages.ndjson"}  # fmt: skip
    for word in (key, secret, "api_key", "hash", "sign_in"):
        assert word not in everything


def test_manifest_counts_records(full):
    data = archives.packed()
    found = {o["name"]: o for o in archives.manifest(data)["files"] if "count" in o}
    lines = archives.contents(data)
    assert found.keys() == lines.keys()
    assert {name: one["count"] for name, one in found.items()} == {
        name: len(some) for name, some in lines.items()
    }
    assert archives.manifest(data)["format_version"] == 1


def test_export_is_a_snapshot(full, people):
    pieces = export.stream()
    begun = next(pieces)
    write.create(TAGS, SYSTEM, {"name": "written meanwhile"})
    data = begun + b"".join(pieces)
    assert "written meanwhile" not in json.dumps(archives.contents(data))
    assert "written meanwhile" in json.dumps(archives.contents(archives.packed()))


def test_changes_at_the_source_are_imported(full, file, tmp_path, elsewhere):
    merge.load(file)
    again = tmp_path / "again.zip"
    with full.app_context():
        write.update(POSTS, SYSTEM, full.first, {"title": "Tides, revised"})
        write.update(TAGS, SYSTEM, 1, {"description": "Renewed there"})
        write.create(TAGS, SYSTEM, {"name": "new"})
        again.write_bytes(archives.packed())
    write.update(TAGS, SYSTEM, 1, {"description": "Edited here"})
    report = merge.load(again)
    assert report.counts["updated"] == report.counts["created"] == report.counts["kept"] == 1
    assert "also edited here" in str(report)
    id = read.find_id(POSTS, SYSTEM, slug="ebb-and-flood")
    assert read.get_record(POSTS, SYSTEM, id)["title"] == "Tides, revised"
    assert read.get_record(TAGS, SYSTEM, 1)["description"] == "Edited here"


def test_records_deleted_here_stay_deleted(file, elsewhere):
    merge.load(file)
    id = read.find_id(POSTS, SYSTEM, slug="ebb-and-flood")
    write.delete(POSTS, SYSTEM, id, permanent=True)
    report = merge.load(file)
    assert "has been deleted here" in str(report)
    assert read.find_id(POSTS, SYSTEM, slug="ebb-and-flood") is None


def test_dry_run_saves_nothing(file, elsewhere):
    before = archives.contents(archives.packed())
    assert merge.load(file, dry_run=True).created > 10
    assert archives.contents(archives.packed()) == before


class TestMeeting:
    """Records whose name exists already."""

    def test_users_are_matched_by_address_then_by_name(self, file, elsewhere):
        raw = {"username": "other", "email": "ann@example.org", "role": "member"}
        ann = write.create(USERS, SYSTEM, raw).id
        write.create(USERS, SYSTEM, {"username": "BOB", "email": "another@example.org"})
        report = merge.load(file)
        assert read.get_record(USERS, SYSTEM, ann)["role"] == "member"
        assert "already exists here with other values, so it was not changed" in str(report)
        assert "bob is already taken here, so it was changed to bob-2" in str(report)
        post = read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="ebb-and-flood"))
        assert post["author"]["id"] == ann
        profile = read.get_record(PROFILES, SYSTEM, read.find_id(PROFILES, SYSTEM, user_id=ann))
        assert profile["display_name"] == "Ann Ash"

    def test_tags_are_matched_by_name_and_posts_by_slug_and_time(self, file, elsewhere):
        tag = write.create(TAGS, SYSTEM, {"name": "boats", "slug": "ships"}).id
        author = write.create(USERS, SYSTEM, {"username": "someone"}).id
        other = {"title": "Mine", "slug": "ebb-and-flood", "body": "x", "author": author}
        write.create(POSTS, SYSTEM, {**other, "created_at": "2001-01-01T00:00:00Z"})
        report = merge.load(file)
        assert "ebb-and-flood is already taken here, so it was changed to ebb-and-flood-2" in str(
            report
        )
        post = read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="ebb-and-flood-2"))
        assert [one["id"] for one in post["tags"]] == [tag]
        again = merge.load(file)
        assert again.counts["created"] == again.counts["updated"] == 0

    def test_administrators_are_reported(self, file, elsewhere):
        assert "(root): is an administrator" in str(merge.load(file))


@pytest.fixture
def dense_file(site, people, tmp_path):
    """The export of a site whose posts repeat a word: its size is a hundredth of what it unpacks to."""
    for number in range(6):
        body = "![ *a _b " * 10_000
        write.create(POSTS, SYSTEM, {"title": f"Post {number}", "body": body, "author": "ann"})
    path = tmp_path / "dense.zip"
    path.write_bytes(archives.packed())
    return path


def test_repetitive_texts_are_not_a_zip_bomb(dense_file, elsewhere):
    with zipfile.ZipFile(dense_file) as zip:
        info = zip.getinfo("records/posts.ndjson")
    assert info.file_size > checked_zip.MAX_TIMES_SMALLER * info.compress_size
    report = merge.load(dense_file)
    assert report.skipped == 0, str(report)
    assert read.list_records(POSTS, SYSTEM, Query(page=1)).total == 6
