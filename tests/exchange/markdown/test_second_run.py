"""Importing a folder again: unchanged, updated and reported files."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from quire.actor import SYSTEM
from quire.exchange.load_posts import fingerprint_of
from quire.exchange.model import ImportedPost
from quire.records import POSTS
from quire.store import write
from quire.store.db import db
from tests.exchange.conftest import ONE, Folder, Rows, imported_users, tags


def test_taken_slugs_get_a_permanent_suffix(folder: Folder, rows: Rows) -> None:
    for name in ("a", "b", "c"):
        folder.add(f"{name}/hello.md", f"---\ndate: 2013-05-06\naliases: /{name}\n---\n{name}")
    folder.load()
    slugs = [row["slug"] for row in rows("SELECT slug FROM posts ORDER BY id")]
    assert slugs == ["hello", "hello-2", "hello-3"]
    folder.add("b/hello.md", "---\ndate: 2013-05-06\n---\nchanged")
    assert folder.load().summary() == "1 updated, 2 unchanged"
    assert [row["slug"] for row in rows("SELECT slug FROM posts ORDER BY id")] == slugs
    assert {r["path"]: r["target"] for r in rows("SELECT * FROM redirects")}[
        "/c"
    ] == "/posts/hello-3"


def test_second_run_changes_nothing(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "---\nauthor: Jane\ntags: [x]\naliases: /y\n---\nText")
    folder.load()
    tables = (
        "users",
        "posts",
        "tags",
        "redirects",
        "revisions",
        "audit_events",
        "outbox",
        "origins",
    )
    before = {table: rows(f"SELECT * FROM {table}") for table in tables}
    report = folder.load()
    assert (report.created, report.updated, report.skipped, report.has_content) == (0, 0, 0, True)
    assert str(report.lines[0]) == "unchanged posts/a  (a.md)"
    assert {table: rows(f"SELECT * FROM {table}") for table in tables} == before


def test_posts_imported_by_earlier_versions_are_recognized() -> None:
    entry = ImportedPost("first.md", "first.md", "First", "Words")
    then = "6ba60467807af7cd27f2d2ee0a064cca6ad858462cd5ab85bbfcc4bda3ea402b"
    assert fingerprint_of(entry) == then
    entry.seo_title = "First of all"
    assert fingerprint_of(entry) != then


def test_changed_file_is_imported_again(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "---\ndate: 2013-05-06\ntags: [x, y]\ndraft: true\n---\nText")
    folder.load()
    folder.add(
        "a.md",
        "---\ndate: 2014-05-06\ntags: [y, z]\nslug: b\ncategory: c d\nauthor: Jane\n---\nMore",
    )
    assert [line.outcome for line in folder.load().lines] == ["updated"]
    found = rows(ONE)[0]
    assert (found["slug"], found["body"], found["category"], found["username"], found["version"]) == (
        "b", "More", "c d", "Jane", 2,
    )  # fmt: skip
    assert found["published_at"] == "2014-05-06T00:00:00Z"
    assert tags(rows) == ["y", "z"]


def test_edited_posts_are_left_alone_and_reported(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "---\ndate: 2013-05-06\n---\nText")
    folder.load()
    id = rows("SELECT id FROM posts")[0]["id"]
    write.update(POSTS, SYSTEM, id, {"title": "Mine"})
    assert [line.outcome for line in folder.load().lines] == ["unchanged"]
    folder.add("a.md", "---\ndate: 2013-05-06\n---\nTheirs")
    report = folder.load()
    assert str(report.lines[0]) == (
        "kept posts/a  (a.md): changed in the source, but also edited here, so it was not changed"
    )
    assert report.has_content
    assert rows("SELECT title, body FROM posts") == [{"title": "Mine", "body": "Text"}]


def test_deleted_posts_stay_deleted(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "Text")
    folder.load()
    write.delete(POSTS, SYSTEM, rows("SELECT id FROM posts")[0]["id"], permanent=True)
    assert [str(line) for line in folder.load().lines] == ["skipped a.md: has been deleted here"]


def test_dry_run_reports_the_same_and_saves_nothing(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "---\nauthor: Jane\ntags: [x]\naliases: /y\n---\nText")
    folder.add("b.md", "---\nauthor: jane\ntags: [X]\n---\nText")
    folder.add("bad.md", "")
    tried = folder.load(dry_run=True)
    for table in ("posts", "tags", "redirects", "origins"):
        assert rows(f"SELECT * FROM {table}") == []
    assert imported_users(rows) == []
    assert list(map(str, tried.lines)) == list(map(str, folder.load().lines))
    assert tried.summary() == "2 created, 1 skipped (dry run)"


def test_moved_folder_is_recognized(folder: Folder, tmp_path: Path) -> None:
    folder.add("a.md", "Text")
    folder.load()
    folder.path.rename(tmp_path / "moved")
    assert Folder(tmp_path / "moved").load().summary() == "1 unchanged"


def test_another_folder_with_the_same_names_is_another_blog(folder: Folder, tmp_path: Path) -> None:
    folder.add("a.md", "Text")
    folder.load()
    other = Folder(tmp_path / "other")
    other.add("a.md", "Other text")
    assert [str(line).partition(":")[0] for line in other.load().lines] == [
        "created posts/a-2  (a.md)"
    ]


def test_others_can_write_during_a_dry_run(folder: Folder, rows: Rows) -> None:
    for name in "abc":
        folder.add(f"{name}.md", "---\ndate: 2020-01-01\n---\nText")
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has many writers")
    file = db.engine.url.database

    def write_in_another_process(done: int, total: int) -> None:
        with closing(sqlite3.connect(file or "", timeout=0, isolation_level=None)) as connection:
            connection.execute("UPDATE settings SET tagline = 'mine'")

    report = folder.load(dry_run=True, progress=write_in_another_process)
    assert report.summary() == "3 created (dry run)"
    assert rows("SELECT id FROM posts") == [] and rows("SELECT tagline FROM settings") == [
        {"tagline": "mine"}
    ]
    assert not list(Path(file or "").parent.glob("try-*"))
