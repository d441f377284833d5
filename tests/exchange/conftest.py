"""Functions to write files for imports, and to inspect the results."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from quire.actor import SYSTEM
from quire.declare.clock import rfc3339
from quire.exchange.markdown import reader
from quire.exchange.model import ImportReport
from quire.exchange.wordpress.load import load_wordpress
from quire.records import USERS
from quire.store import write
from quire.store.db import db, read_connection
from tests.fixtures import application

Rows = Callable[..., list[dict[str, Any]]]

ONE = """SELECT p.*, u.username, c.name AS category,
  (SELECT display_name FROM profiles WHERE user_id = u.id) AS display_name
  FROM posts p JOIN users u ON u.id = author_id LEFT JOIN categories c ON c.id = category_id"""
Load = Callable[..., ImportReport]

AUTHOR = """<wp:author><wp:author_id>5</wp:author_id><wp:author_login>jane</wp:author_login>
<wp:author_email>jane@x.example</wp:author_email>
<wp:author_display_name><![CDATA[Jane &amp; Doe]]></wp:author_display_name></wp:author>"""

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/{v}/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/{v}/">
<channel><title>A blog</title><link>https://blog.example</link>
<wp:wxr_version>{v}</wp:wxr_version><wp:base_blog_url>https://blog.example</wp:base_blog_url>
"""


@pytest.fixture(name="site")
def _site(app: Flask) -> Iterator[Flask]:
    """Run the test in the context of an application whose first administrator is root."""
    with app.app_context():
        yield app


def imported_users(rows: Rows) -> list[str]:
    """Return the usernames of imported users."""
    found = rows("SELECT username FROM users WHERE password IS NULL ORDER BY id")
    return [row["username"] for row in found]


def tags(rows: Rows) -> list[str]:
    found = rows("SELECT name FROM tags JOIN posts_tags ON target_id = tags.id ORDER BY name")
    return [row["name"] for row in found]


def add_user(username: str, **values: Any) -> int:
    """Create a user as the program; return the id."""
    return write.create(USERS, SYSTEM, {"username": username, **values}).id


def _shown(value: Any) -> Any:
    """Convert times of PostgreSQL to the text that SQLite returns."""
    return rfc3339(value) if isinstance(value, datetime) else value


@pytest.fixture(name="rows")
def _rows(site: Flask) -> Rows:
    """A function that runs a SELECT and returns its rows as dicts."""

    def rows(statement: str, **values: Any) -> list[dict[str, Any]]:
        with read_connection() as connection:
            found = connection.execute(text(statement), values).mappings()
            return [{name: _shown(value) for name, value in row.items()} for row in found]

    return rows


class Folder:
    """A folder of Markdown files that can be written to and imported."""

    def __init__(self, path: Path):
        self.path = path

    def add(self, name: str, content: str | bytes) -> Path:
        """Write a file below the folder."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def load(self, **more: Any) -> ImportReport:
        """Import all of it."""
        return reader.load(self.path, **more)


@pytest.fixture(name="folder")
def _folder(site: Flask, tmp_path: Path) -> Folder:
    path = tmp_path / "blog"
    path.mkdir()
    return Folder(path)


@pytest.fixture(name="wxr")
def _wxr(site: Flask, tmp_path: Path) -> Callable[..., ImportReport]:
    """A function that writes an export with the given channel content and imports it."""

    def wxr(content: str, *, version: str = "1.2", **more: Any) -> ImportReport:
        file = tmp_path / "export.xml"
        whole = HEAD.replace("{v}", version) + content + "</channel></rss>"
        file.write_text(whole, encoding="utf-8")
        return load_wordpress(file, **more)

    return wxr


def item(
    id: int, title: str = "A post", content: str = "Text", extra: str = "", **values: str
) -> str:
    """Return an `<item>` of an export; `values` replace the usual ones, `extra` is added unchanged."""
    usual = {
        "post_id": str(id),
        "post_date_gmt": "2012-03-04 05:06:07",
        "post_name": f"post-{id}",
        "status": "publish",
        "post_type": "post",
        "comment_status": "open",
    }
    fields = "".join(f"<wp:{k}>{v}</wp:{k}>" for k, v in (usual | values).items())
    return (
        f"<item><title><![CDATA[{title}]]></title><dc:creator>jane</dc:creator>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded>{fields}{extra}</item>"
    )


def comment(id: int, content: str = "Words", **values: str) -> str:
    usual = {
        "comment_id": str(id),
        "comment_author": "A guest",
        "comment_author_email": "guest@x.example",
        "comment_date_gmt": f"2012-04-0{id % 9 + 1} 10:00:00",
        "comment_content": f"<![CDATA[{content}]]>",
        "comment_approved": "1",
        "comment_type": "",
        "comment_parent": "0",
        "comment_user_id": "0",
    }
    fields = "".join(f"<wp:{k}>{v}</wp:{k}>" for k, v in (usual | values).items())
    return f"<wp:comment>{fields}</wp:comment>"


def category(name: str, domain: str = "category", slug: str = "") -> str:
    return f'<category domain="{domain}" nicename="{slug}"><![CDATA[{name}]]></category>'


@pytest.fixture(scope="session", name="real")
def _real() -> Path:
    """The folder with `jekyll-posts/` and `wordpress/`, named by QUIRE_TEST_DATA."""
    path = Path(os.environ.get("QUIRE_TEST_DATA", "missing"))
    if not path.is_dir():
        pytest.skip("QUIRE_TEST_DATA does not point to a folder with real content")
    return path


@pytest.fixture
def elsewhere(tmp_path):
    """Another, empty installation on SQLite."""
    app = application(
        {
            "DATABASE_URL": f"sqlite:///{(tmp_path / 'other.db').as_posix()}",
            "SECRET_KEY": "another-installation" * 3,
            "QUIRE_INSTANCE": tmp_path / "other",
        }
    )
    with app.app_context():
        db.create_all()
        yield app
        db.engine.dispose()
