"""The versions that a statement reads and raises are derived from its text."""

import pytest

from quire.store.version_names import ANY_ROW, UNKNOWN, access_of


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        ("SELECT posts.id FROM posts WHERE posts.id = ?", {"posts"}, set()),
        ("SELECT posts.views FROM posts", {"posts", "use of posts.views"}, set()),
        ("SELECT p.comment_count FROM posts AS p", {"posts", "posts.comment_count"}, set()),
        ("SELECT settings.comments AS comments FROM settings", {"settings"}, set()),
        ("SELECT 'tags' FROM posts, users AS media JOIN pages ON 1", {"posts", "users", "pages"}, set()),
        ("SELECT rowid FROM search_index WHERE search_index MATCH ?", {"search_documents"}, set()),
        ("SELECT outbox.id FROM outbox", {UNKNOWN}, set()),
        ("UPDATE posts SET title=?, version=? WHERE posts.id = ?", {"posts"}, {"posts"}),
        ("UPDATE posts SET views=(posts.views + ?) WHERE posts.id = ?", None, set()),
        ("UPDATE posts SET comment_count=(posts.comment_count + ?)", None, {"posts.comment_count"}),
        ("UPDATE profiles SET list_columns=? WHERE profiles.id = ?", None, {"profiles.list_columns"}),
        ("SELECT profiles.list_columns FROM profiles", {"profiles", "profiles.list_columns"}, set()),
        ("UPDATE users SET last_login_at=? WHERE users.id = ?", None, set()),
        ("UPDATE comments SET told_at=? WHERE comments.id = ?", None, set()),
        ("INSERT INTO posts_tags (source_id, target_id) VALUES (?, ?)", None, {"posts_tags"}),
        ("INSERT INTO outbox (event) VALUES (?)", None, set()),
        ("DELETE FROM tags WHERE tags.id = ?", None, {"tags", "posts_tags"}),
        ("DELETE FROM categories WHERE categories.id = ?", None, {"categories", "posts"}),
        ("SELECT sessions.id FROM sessions", {UNKNOWN}, set()),
        ("UPDATE sessions SET last_seen_at=?", None, set()),
    ],
)  # fmt: skip
def test_statement_text_names_versions_read_and_raised(app, statement, reads, writes):
    access = access_of(statement)
    assert {name for name in access.writes if not name.endswith(ANY_ROW)} == writes
    assert reads is None or access.reads == reads


def test_deletion_raises_versions_of_cascaded_tables(app):
    assert {"posts", "comments", "posts_tags"} <= access_of("DELETE FROM posts WHERE 1").writes
    assert {"users", "comments", "profiles"} <= access_of("DELETE FROM users WHERE 1").writes
