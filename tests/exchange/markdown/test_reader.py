"""Importing folders of Markdown: the result for each file, and of a second run."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from quire.actor import SYSTEM
from quire.records import CATEGORIES
from quire.store import write
from tests.exchange.conftest import ONE, Folder, Rows, tags


@pytest.fixture(name="post")
def _post(folder: Folder, rows: Rows) -> Callable[..., dict[str, Any]]:
    """Import one file and return its post, with the messages of the report as `words`."""

    def post(content: str | bytes, name: str = "a.md") -> dict[str, Any]:
        folder.add(name, content)
        report = folder.load()
        assert [line.outcome for line in report.lines] == ["created"], str(report)
        return rows(ONE)[0] | {"words": report.lines[0].words, "tags": tags(rows)}

    return post


def test_jekyll_post(post: Any) -> None:
    found = post(
        '---\ntitle: "First steps"\ndate: 2013-05-06 02:12:52 +0200\nauthor: parkr\n'
        "categories: [release, news]\ntags: big data\n---\n\n**Hello**\n",
        "2013-05-07-first-steps.markdown",
    )
    assert (found["title"], found["slug"], found["body"]) == (
        "First steps",
        "first-steps",
        "**Hello**",
    )
    assert found["published_at"] == found["created_at"] == "2013-05-06T00:12:52Z"
    assert (found["username"], found["category"]) == ("parkr", "release")
    assert found["tags"] == ["big", "data", "news"]
    assert found["words"] == ""


def test_seo_fields(post: Any) -> None:
    found = post(
        "---\ntitle: T\nexcerpt: Short\nseo_title: Steps, first\n"
        f"params:\n  meta_description: {'word ' * 100}\n---\nx"
    )
    assert (found["seo_title"], found["excerpt"]) == ("Steps, first", "Short")
    assert len(found["seo_description"]) <= 300 and found["seo_description"].endswith("word…")


def test_zola_page(post: Any, rows: Rows) -> None:
    found = post(
        '+++\ntitle = "Étape"\ndate = 2013-05-06\npath = "blog/2012/01/02/etape-1"\n'
        'aliases = ["old/etape", "/older/"]\n[taxonomies]\ntags = ["big data", "ai"]\n'
        '[extra]\nauthor = "Jane Doe"\n+++\nText',
        "blog/etape/index.md",
    )
    assert (found["slug"], found["published_at"]) == ("etape-1", "2013-05-06T00:00:00Z")
    assert (found["username"], found["display_name"]) == ("jane-doe", "Jane Doe")
    assert found["tags"] == ["ai", "big data"]
    assert {row["path"]: row["target"] for row in rows("SELECT * FROM redirects")} == dict.fromkeys(
        ("/old/etape", "/older/", "/blog/2012/01/02/etape-1"), "/posts/etape-1"
    )


def test_hugo_post_with_several_authors(post: Any) -> None:
    found = post(
        "---\nTitle: T\npublishDate: 2014-01-01\nauthors:\n- name: Jane Doe\n  email: JANE@x.example\n"
        "- John\nparams:\n  tags: [a]\n---\nText"
    )
    assert (found["username"], found["published_at"]) == ("jane-doe", "2014-01-01T00:00:00Z")
    assert found["words"] == "1 more author not imported"


def test_file_without_front_matter_is_titled_by_heading_or_name(post: Any) -> None:
    found = post("# My *first* [day](x) #\n\nText\n", "notes.md")
    assert (found["title"], found["slug"], found["body"]) == ("My first day", "notes", "Text")
    assert found["username"] == "root"
    assert found["words"] == "has no date, so it is published now"


@pytest.mark.parametrize(
    ("content", "name", "title"),
    [
        ("Text\n\nSub\n---\n\nMore", "a.md", "Sub"),
        ("Text", "2013-05-06-my-first_day.md", "My first day"),
        ("Text", "my-bundle/index.md", "My bundle"),
        ("---\ntitle: 2013\n---\nText", "a.md", "2013"),
        ("---\ntitle:\n---\n# Heading", "a.md", "Heading"),
    ],
)
def test_titles(post: Any, content: str, name: str, title: str) -> None:
    assert post(content, name)["title"] == title


def test_too_long_title_is_truncated_and_reported(post: Any) -> None:
    found = post(f"---\ntitle: {'word ' * 80}\ndate: 2013-01-01\n---\nText")
    assert len(found["title"]) <= 200
    assert found["title"].endswith("word…")
    assert found["words"] == "title shortened to 200 characters"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("draft: true", "a.md"), ("draft: 'yes'", "a.md"), ("published: false", "a.md"),
        ("private: true", "a.md"), ("status: private", "a.md"), ("password: x", "a.md"),
        ("x: y", "_drafts/a.md"), ("build:\n  render: never", "a.md"),
    ],
)  # fmt: skip
def test_unpublished_page_becomes_a_draft(post: Any, site: Flask, head: str, name: str) -> None:
    found = post(f"---\ndate: 2013-05-06\naliases: [/secret]\n{head}\n---\nText", name)
    assert found["published_at"] is None
    assert found["created_at"] == "2013-05-06T00:00:00Z"
    assert site.test_client().get("/secret").status_code == 404


def test_old_url_redirects(post: Any, site: Flask) -> None:
    post("---\naliases: [/old/place/]\n---\nText")
    for path in ("/old/place/", "/old/place"):
        answer = site.test_client().get(path)
        assert (answer.status_code, answer.location) == (301, "/posts/a")


def test_future_dates_and_expiry_dates_are_kept(post: Any) -> None:
    found = post(
        "---\ndate: 2013-05-06\npublishDate: 2999-01-01\nexpiryDate: 2999-02-01\n---\nText"
    )
    assert found["published_at"] == "2999-01-01T00:00:00Z"
    assert found["unpublish_at"] == "2999-02-01T00:00:00Z"
    assert found["created_at"] < "2999"


def test_expired_page_is_a_draft(post: Any) -> None:
    found = post("---\nexpiryDate: 2013-05-06\n---\nText")
    assert (found["published_at"], found["unpublish_at"]) == (None, None)
    assert "expires before it is published" in found["words"]


def test_unreadable_date_is_reported_and_replaced(post: Any) -> None:
    found = post("---\ndate: soon\n---\nText", "2013-05-06-a.md")
    assert found["published_at"] == "2013-05-06T00:00:00Z"
    assert found["words"] == "its date “soon” cannot be read"


def test_other_encodings_and_line_breaks(post: Any) -> None:
    found = post("---\r\ntitle: Café “x”\r\ndate: 2013-05-06\r\n---\r\na\r\nb €".encode("cp1252"))
    assert (found["title"], found["body"]) == ("Café “x”", "a\nb €")
    assert found["words"] == "is not valid UTF-8, read as Windows-1252"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_ignored(post: Any, encoding: str) -> None:
    assert post("---\ntitle: Ä\ndate: 2013-05-06\n---\nText".encode(encoding))["title"] == "Ä"


def test_front_matter_without_text_is_a_post_without_text(post: Any) -> None:
    assert post("---\ntitle: Only a title\ndate: 2013-05-06\n---\n")["body"].strip() == ""


def test_unusable_files_are_reported_and_stop_nothing(folder: Folder) -> None:
    folder.add("_index.md", "+++\ntitle = 'Blog'\n+++\n")
    folder.add("bad.md", "---\ntitle: a: b\n---\nText")
    folder.add("binary.md", b"\x89PNG\r\n\x1a\n\x00\x00\x00")
    folder.add("binary2.md", bytes(range(1, 32)) * 9 + b"\xff\x81")
    folder.add("empty.md", " \n")
    folder.add("good.md", "---\ndate: 2013-05-06\n---\nText")
    folder.add("large.md", "x" * (6 * 2**20))
    folder.add("long.md", "x" * (256 * 1024 + 1))
    folder.add("nul.md", "a\x00b")
    folder.add(".git/hidden.md", "Text")
    folder.add("picture.jpg", "x")
    report = folder.load()
    assert [str(line) for line in report.lines] == [
        "skipped _index.md: describes its folder, not a post",
        "skipped bad.md: front matter is not valid YAML (line 2)",
        "skipped binary.md: is not a text file",
        "skipped binary2.md: is not a text file",
        "skipped empty.md: is empty",
        "created posts/good  (good.md)",
        "skipped large.md: is larger than 5 MB",
        "skipped long.md: its text is larger than 256 KB",
        "skipped nul.md: is not a text file",
        "noted 1 file that is not a page: 1 jpg",
    ]
    assert report.has_content
    assert report.summary() == "1 created, 8 skipped"


def test_nothing_usable_is_reported(folder: Folder) -> None:
    assert not folder.load().has_content
    folder.add("empty.md", "")
    assert not folder.load().has_content


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_symbolic_links_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("Secret", encoding="utf-8")
    os.symlink(outside / "secret.md", folder.path / "link.md")
    os.symlink(outside, folder.path / "folder")
    assert [str(line) for line in folder.load().lines] == ["skipped link.md: is a link"]


def test_progress_is_reported(folder: Folder) -> None:
    for name in "abc":
        folder.add(f"{name}.md", "Text")
    calls: list[tuple[int, int]] = []
    folder.load(progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (3, 3)


def test_existing_categories_and_tags_are_used(folder: Folder, rows: Rows) -> None:
    id = write.create(CATEGORIES, SYSTEM, {"name": "Release Notes"}).id
    folder.add("a.md", "---\ncategory: release notes\ntags: [C, C++, 'C#', c]\n---\nText")
    folder.load()
    assert rows("SELECT category_id FROM posts") == [{"category_id": id}]
    assert sorted(tags(rows)) == ["C", "C#", "C++"]


def test_too_many_tags_are_truncated_and_reported(post: Any) -> None:
    names = [f"tag {number:02}" for number in range(60)]
    found = post(f"---\ntags: {[*names[:10], *names]}\n---\nText\n", "many.md")
    assert found["tags"] == names[:50]
    assert "has 60 tags; only the first 50 were imported" in found["words"]


def test_jekyll_folders_are_categories_and_pages_are_pages(folder: Folder, rows: Rows) -> None:
    folder.add("news/_posts/2013-05-06-a.md", "Text")
    folder.add("about.md", "---\nlayout: page\ntitle: About\npermalink: /about-us/\n---\nText")
    report = folder.load()
    assert [line.target for line in report.lines] == ["pages/about-us", "posts/a"]
    assert rows(ONE)[0]["category"] == "news"


def test_taken_old_url_is_reported(folder: Folder) -> None:
    folder.add("a.md", "---\naliases: /old\ndate: 2013-05-06\n---\nText")
    folder.add("b.md", "---\naliases: /old\ndate: 2013-05-06\n---\nText")
    assert folder.load().lines[1].words == "/old already redirects to /posts/a"


def test_refused_values_are_reported(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "---\ntags: [new]\nslug: ok\n---\nText")
    folder.add(
        "b.md",
        "---\ntags: [new, newer]\ndate: 2013-05-06\n---\n\ud800".encode("utf-8", "surrogatepass"),
    )
    folder.add("c.md", "---\ntags: [newer]\n---\nText")
    outcomes = [line.outcome for line in folder.load().lines]
    assert outcomes[0] == outcomes[2] == "created"
    assert len(rows("SELECT * FROM tags")) == 2


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("01/02/2024", "its date 01/02/2024 is ambiguous, read as 2 January 2024"),
        ("13/02/2024", ""),
    ],
)
def test_ambiguous_date_is_reported(post: Any, date: str, words: str) -> None:
    assert post(f"---\ntitle: T\ndate: {date}\n---\nText")["words"] == words
