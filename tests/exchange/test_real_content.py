"""Real third-party content, imported twice: a blog of 102 posts and WordPress' torture file."""

from pathlib import Path

from flask import Flask

from quire.exchange.markdown import reader
from quire.exchange.wordpress import load
from tests.exchange.conftest import Rows, imported_users


def test_real_blog(site: Flask, real: Path, rows: Rows) -> None:
    report = reader.load(real / "jekyll-posts")
    assert report.summary() == "102 created"
    *created, others = report.lines
    assert not any(line.words for line in created)
    assert str(others) == "noted 1 file that is not a page: 1 no suffix"
    slugs = {row["slug"]: row for row in rows("SELECT * FROM posts")}
    assert set(slugs) == {file.stem[11:] for file in (real / "jekyll-posts").glob("2*")}
    assert slugs["jekyll-1-0-0-released"]["published_at"] == "2013-05-06T00:12:52Z"
    assert slugs["jekyll-3-9-3-released"]["published_at"] == "2023-01-30T02:30:22Z"
    assert "```ruby\n> sanitized_path" in slugs["jekyll-1-5-1-released"]["body"]
    assert "{% raw %}\n" not in "".join(row["body"] for row in slugs.values())
    assert rows("SELECT path FROM redirects") == [
        {"path": "/news/2019/07/20/jekyll-4-0-0-pre-beta1-released/"}
    ]
    assert len(imported_users(rows)) == 9
    assert reader.load(real / "jekyll-posts").summary() == "102 unchanged"


def test_theme_unit_test(site: Flask, real: Path, rows: Rows) -> None:
    file = real / "wordpress" / "themeunittestdata.xml"
    report = load.load_wordpress(file)
    assert report.summary() == "79 created, 116 skipped"
    posts = {row["slug"]: row for row in rows("SELECT * FROM posts")}
    assert len(posts) == 58
    assert len(rows("SELECT * FROM pages")) == 21
    assert posts["markup-title-with-markup"]["title"] == "Markup: Title With Markup"
    assert posts["edge-case-no-title"]["title"].startswith("This post has no title")
    assert posts["scheduled"]["published_at"] == "2030-01-01T19:00:18Z"
    drafts = {slug for slug, row in posts.items() if row["published_at"] is None}
    assert drafts == {"draft", "template-password-protected"}
    assert posts["draft"]["created_at"] == "2013-04-09T18:20:39Z"
    found = rows("SELECT * FROM comments")
    assert (len(found), len([row for row in found if row["status"] == "pending"])) == (24, 1)
    assert _depth(found) == 10
    assert load.load_wordpress(file).summary() == "79 unchanged, 116 skipped"
    assert imported_users(rows) == ["themereviewteam", "themedemos"]


def _depth(comments: list[dict[str, int]]) -> int:
    parents = {row["id"]: row["parent_id"] for row in comments}

    def depth(id: int | None) -> int:
        return 0 if id is None else 1 + depth(parents[id])

    return max(map(depth, parents))
