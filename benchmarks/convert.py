"""Converts the common data set to a Quire database with the same ids, texts, dates, tags and comments."""

import os
import sqlite3
import sys
from pathlib import Path

from quire.app import create_app
from quire.declare.collation import sort_key
from quire.declare.unicode_text import case_fold
from quire.security.passwords import hash_password
from quire.store.migrations import upgrade
from quire.store.search.documents import document

COPY = """
INSERT INTO users (id, username, username_sort, email, email_sort, password, role, is_active, bio,
  created_at, updated_at, version)
SELECT id, username, sort_key(username), email, sort_key(email), password_hash, 'author', 1, '',
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at), strftime('%Y-%m-%dT%H:%M:%SZ', created_at), 1
FROM old.users;
INSERT INTO profiles (user_id, display_name, location, links, created_at, updated_at, version)
SELECT id, '', '', '[]', created_at, updated_at, 1 FROM users;
INSERT INTO tags (id, name, name_folded, name_sort, slug, slug_sort, description,
  created_at, updated_at, version)
SELECT id, name, case_fold(name), sort_key(name), name, sort_key(name), '', '2015-01-01T00:00:00Z', '2015-01-01T00:00:00Z', 1 FROM old.tags;
INSERT INTO posts (id, title, title_sort, slug, slug_sort, body, body_html, excerpt, author_id, published_at,
  comments_open, views, comment_count, sorted_at, created_at, updated_at, version)
SELECT id, title, sort_key(title), slug, sort_key(slug), body, '', '', author_id,
  CASE WHEN published THEN strftime('%Y-%m-%dT%H:%M:%SZ', created_at) END, 1, views, (SELECT count(*) FROM old.comments c WHERE c.post_id = p.id),
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at),
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at), strftime('%Y-%m-%dT%H:%M:%SZ', created_at), 1
FROM old.posts p;
INSERT INTO posts_tags (source_id, target_id, sorted_at, published_at, author_id)
SELECT l.post_id, l.tag_id, p.sorted_at, p.published_at, p.author_id
FROM old.post_tags l JOIN main.posts p ON p.id = l.post_id;
INSERT INTO comments (id, post_id, author_id, author_name, body, body_html, status,
  created_at, updated_at, version)
SELECT id, post_id, author_id, '', body, body, 'approved',
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at), strftime('%Y-%m-%dT%H:%M:%SZ', created_at), 1
FROM old.comments;
"""


def convert(source: str, target: Path) -> None:
    """Create the Quire database `target` from the common one."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    url = f"sqlite:///{target}"
    settings = {"DATABASE_URL": url, "QUIRE_INSTANCE": target.parent}
    app = create_app("production", settings)
    with app.app_context():
        upgrade()
        password = hash_password("password")
    with sqlite3.connect(target) as db:
        db.create_function("sort_key", 1, sort_key)
        db.create_function("case_fold", 1, case_fold)
        db.execute("ATTACH ? AS old", (source,))
        db.executescript(f"PRAGMA synchronous=OFF; BEGIN; {COPY} COMMIT;")
        db.execute("UPDATE users SET password = ? WHERE id = 3", (password,))
        posts = db.execute("SELECT id, title, body FROM posts").fetchall()
        documents = (document("posts", *post, "sqlite") for post in posts)
        db.executemany(
            "INSERT INTO search_documents (id, type, record_id, title, body) "
            "VALUES (:id, :type, :record_id, :title, :body)",
            documents,
        )
        db.execute("ANALYZE")  # last: statistics of an empty index would make each write to it slow
    db.close()


if __name__ == "__main__":
    os.environ.setdefault("QUIRE_INSTANCE", str(Path(sys.argv[2]).parent))
    convert(sys.argv[1], Path(sys.argv[2]).resolve())
