"""The common data set as a Quire database: same ids, texts, dates, tags and comments."""

import os
import sqlite3
import sys
from pathlib import Path

from quire.app import create_app
from quire.schema import migrate
from quire.store.secrets import hash_password

COPY = """
INSERT INTO users (id, username, email, password, role, is_active, bio,
  created_at, updated_at, version)
SELECT id, username, email, password_hash, 'author', 1, '',
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at), strftime('%Y-%m-%dT%H:%M:%SZ', created_at), 1
FROM old.users;
INSERT INTO tags (id, name, slug, description, created_at, updated_at, version)
SELECT id, name, name, '', '2015-01-01T00:00:00Z', '2015-01-01T00:00:00Z', 1 FROM old.tags;
INSERT INTO posts (id, title, slug, body, body_html, excerpt, author_id, published_at,
  comments_open, views, comment_count, sorted_at, created_at, updated_at, version)
SELECT id, title, slug, body, '', '', author_id,
  CASE WHEN published THEN strftime('%Y-%m-%dT%H:%M:%SZ', created_at) END, 1, views, (SELECT count(*) FROM old.comments c WHERE c.post_id = p.id),
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at),
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at), strftime('%Y-%m-%dT%H:%M:%SZ', created_at), 1
FROM old.posts p;
INSERT INTO posts_tags (source_id, target_id) SELECT post_id, tag_id FROM old.post_tags;
INSERT INTO comments (id, post_id, author_id, author_name, body, body_html, status,
  created_at, updated_at, version)
SELECT id, post_id, author_id, '', body, body, 'approved',
  strftime('%Y-%m-%dT%H:%M:%SZ', created_at), strftime('%Y-%m-%dT%H:%M:%SZ', created_at), 1
FROM old.comments;
INSERT INTO search_documents (type, record_id, title, body)
SELECT 'posts', id, title, body FROM posts;
"""


def convert(source: str, target: Path) -> None:
    """Make the Quire database `target` of the common one."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    url = f"sqlite:///{target}"
    settings = {"DATABASE_URL": url, "QUIRE_INSTANCE": target.parent}
    app = create_app("production", settings)
    with app.app_context():
        migrate()
        password = hash_password("password")
    with sqlite3.connect(target) as db:
        db.execute("ATTACH ? AS old", (source,))
        db.executescript(f"PRAGMA synchronous=OFF; BEGIN; {COPY} COMMIT; ANALYZE;")
        db.execute("UPDATE users SET password = ? WHERE id = 3", (password,))
    db.close()


if __name__ == "__main__":
    os.environ.setdefault("QUIRE_INSTANCE", str(Path(sys.argv[2]).parent))
    convert(sys.argv[1], Path(sys.argv[2]).resolve())
