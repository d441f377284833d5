"""Exports as files: imported again, tried, broken, hostile, large."""

import tracemalloc
from pathlib import Path

import pytest
from flask import Flask

from quire.actor import SYSTEM
from quire.exchange.wordpress import load, parser
from quire.records import COMMENTS
from quire.store import write
from tests.exchange.conftest import AUTHOR, Load, Rows, category, comment, imported_users, item


def test_second_run_imports_only_new_items(wxr: Load, rows: Rows) -> None:
    wxr(AUTHOR + item(1, extra=comment(2)) + item(2))
    assert wxr(AUTHOR + item(1, extra=comment(2)) + item(2)).summary() == "2 unchanged"
    report = wxr(
        AUTHOR + item(1, extra=comment(2) + comment(3, comment_parent="2")) + item(2, content="New")
    )
    assert [str(line) for line in report.lines] == [
        "updated posts/post-1  (post 1): 1 comment", "updated posts/post-2  (post 2)",
    ]  # fmt: skip
    assert (
        rows("SELECT parent_id FROM comments ORDER BY id")[1]["parent_id"]
        == rows("SELECT id FROM comments ORDER BY id")[0]["id"]
    )
    assert imported_users(rows) == ["jane"]


def test_comments_moderated_here_are_unchanged(wxr: Load, rows: Rows) -> None:
    wxr(item(1, extra=comment(2, comment_approved="0")))
    write.act(COMMENTS, SYSTEM, rows("SELECT id FROM comments")[0]["id"], "spam")
    assert wxr(item(1, extra=comment(2, comment_approved="1"))).summary() == "1 unchanged"
    assert rows("SELECT status FROM comments") == [{"status": "spam"}]
    wxr(item(1, extra=comment(2) + comment(3, comment_approved="0")))
    wxr(item(1, extra=comment(2) + comment(3, comment_approved="1")))
    assert [row["status"] for row in rows("SELECT status FROM comments ORDER BY id")] == [
        "spam",
        "approved",
    ]


def test_dry_run_saves_nothing(wxr: Load, rows: Rows) -> None:
    content = AUTHOR + item(1, extra=comment(2) + category("News"))
    tried = wxr(content, dry_run=True)
    for table in ("posts", "comments", "categories", "origins"):
        assert rows(f"SELECT * FROM {table}") == []
    assert list(map(str, tried.lines)) == list(map(str, wxr(content).lines))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]><rss><channel><item><title>&a;</title></item></channel></rss>',
         "declares entities or refers to other files"),
        (b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss><channel/></rss>', "declares entities"),
        (b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd"><rss><channel/></rss>', "declares entities"),
        (b'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><rss>&b;</rss>', "declares entities"),
        (b"<html><body/></html>", "is not a WordPress export"),
        (b"", "is not well-formed XML"),
        (b"PK\x03\x04\x00\x00", "is not well-formed XML"),
        (b'<?xml version="1.0" encoding="klingon"?><rss/>', "is not XML in a supported encoding"),
        (b"<rss><channel>" + b"<a>" * 5000, "is nested too deeply"),
    ],
)  # fmt: skip
def test_files_that_are_not_exports_are_refused(
    site: Flask, tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(content)
    report = load.load_wordpress(file)
    assert [line.words.startswith(reason) for line in report.lines] == [True]
    assert not report.has_content


def test_items_before_an_error_are_imported(site: Flask, tmp_path: Path, wxr: Load) -> None:
    wxr(item(1) + item(2) + item(3))
    whole = (tmp_path / "export.xml").read_bytes()
    broken = tmp_path / "broken.xml"
    broken.write_bytes(
        b"\n\n" + whole[: whole.rindex(b"<item>") + 30].replace(b"Text", b"Caf\xe9\x0b")
    )
    report = load.load_wordpress(broken)
    assert [line.outcome for line in report.lines] == ["updated", "updated", "skipped"]
    assert report.lines[-1].words.startswith("is not well-formed XML (line ")


def test_memory_does_not_grow_with_the_file(site: Flask, tmp_path: Path) -> None:

    file = tmp_path / "large.xml"
    with file.open("w", encoding="utf-8") as parts:
        parts.write(
            '<rss xmlns:wp="http://wordpress.org/export/1.2/" xmlns:dc="d" xmlns:content="c"><channel>'
        )
        for n in range(1000):
            parts.write(item(n, content="word " * 4000, post_type="attachment"))
        parts.write("</channel></rss>")
    tracemalloc.start()
    load.load_wordpress(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file.stat().st_size > 20_000_000
    assert peak < 5_000_000


def test_invalid_bytes_are_replaced_and_reported(
    site: Flask, tmp_path: Path, wxr: Load, rows: Rows
) -> None:
    wxr(item(1))
    file = tmp_path / "export.xml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"Text", b"Caf\xe9 \x93x\x94\x0b"))
    report = load.load_wordpress(file)
    assert [str(line) for line in report.lines] == [
        "updated posts/post-1  (post 1)",
        "noted export.xml: is not entirely valid UTF-8; the rest is read as Windows-1252",
    ]
    assert rows("SELECT body FROM posts") == [{"body": "Café “x”"}]


@pytest.mark.parametrize("element", ["<x/>", "<item/>", "<wp:term/>"])
def test_channel_with_endless_small_elements_is_refused(
    wxr: Load, element: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser, "MAX_UNKNOWN", 500)
    report = wxr(AUTHOR + element * 600 + item(1))
    assert "too many elements that are not posts" in str(report)


def test_channel_may_have_as_many_categories_as_a_blog(wxr: Load) -> None:
    term = "<wp:term><wp:term_id>7</wp:term_id></wp:term>"
    report = wxr(AUTHOR + term * 10_100 + item(1))
    assert report.summary() == "1 created"
