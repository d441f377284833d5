"""The migration that normalises names keeps rows that looked alike, under different names."""

import sqlite3
from contextlib import closing

BEFORE = "c3d81b7e4f06"
STAMPS = "'2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 1"
INTO_TAGS = "INSERT INTO tags (id, name, slug, description, created_at, updated_at, version)"
INTO_REDIRECTS = (
    "INSERT INTO redirects (id, path, target, permanent, created_at, updated_at, version)"
)
REDIRECTS = [(1, "/caf\u00e9"), (2, "/cafe\u0301")]
TAGS = [
    (1, "C", "c"), (2, "c", "c-2"), (3, "caf\u00e9", "caf\u00e9"), (4, "cafe\u0301", "cafe\u0301"),
    (5, "c (2)", "c-3"), (6, "a\u200bb", "ab"), (7, "ab", "ab-2"),
]  # fmt: skip


def test_identical_normalised_names_get_a_suffix(console, instance):
    assert console("db", "downgrade", BEFORE)[0] == 0
    with closing(sqlite3.connect(instance / "quire.db")) as connection, connection:
        connection.executemany(f"{INTO_TAGS} VALUES (?, ?, ?, '', {STAMPS})", TAGS)
        connection.executemany(f"{INTO_REDIRECTS} VALUES (?, ?, '/', 1, {STAMPS})", REDIRECTS)
    assert console("db", "upgrade")[0] == 0
    assert console.rows("SELECT id, name, slug FROM tags ORDER BY id") == [
        (1, "C", "c"), (2, "c (3)", "c-2"), (3, "caf\u00e9", "caf\u00e9"),
        (4, "caf\u00e9 (2)", "caf\u00e9-2"), (5, "c (2)", "c-3"), (6, "ab (2)", "ab"),
        (7, "ab", "ab-2"),
    ]  # fmt: skip
    assert console.rows("SELECT id, path FROM redirects") == [(1, "/caf\u00e9")]
    assert console("db", "downgrade", BEFORE)[0] == console("db", "upgrade")[0] == 0
