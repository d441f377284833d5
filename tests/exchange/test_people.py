"""People whom an import names: matched, made, told apart."""

import pytest
from sqlalchemy import text

from quire.errors import Missing
from quire.store.db import transaction
from tests.exchange.conftest import ONE, Folder, Rows, add_user


def test_people_are_matched_or_made(folder: Folder, rows: Rows) -> None:
    jane = add_user("jane", role="author", email="jane@x.example", password="correct horse 7")
    for number, author in enumerate(
        [
            "JANE",
            "{name: Somebody, email: Jane@X.example}",
            "Théo Müller",
            "theo MULLER",
            "'Theo Müller <theo@x.example>'",
        ]
    ):
        folder.add(f"{number}.md", f"---\nauthor: {author}\ndate: 2013-05-06\n---\nText")
    folder.load()
    found = rows(ONE + " ORDER BY p.slug")
    assert [row["author_id"] for row in found[:2]] == [jane, jane]
    assert {row["username"] for row in found[2:]} == {"theo-muller"}
    made = rows("SELECT * FROM users WHERE username = 'theo-muller'")[0]
    assert (made["role"], bool(made["is_active"]), made["password"]) == ("author", False, None)
    assert found[2]["display_name"] == "Théo Müller"


def test_two_people_of_one_name_with_two_addresses_are_two(folder: Folder, rows: Rows) -> None:
    for host in ("a", "b"):
        folder.add(f"{host}.md", f"---\nauthor: Jane Doe <jane@{host}.example>\n---\nText")
    folder.load()
    assert [row["username"] for row in rows(ONE + " ORDER BY p.slug")] == ["jane-doe", "jane-doe-2"]
    folder.add("b.md", "---\nauthor: Jane Doe <jane@b.example>\n---\nChanged")
    assert folder.load().summary() == "1 updated, 1 unchanged"
    assert len(rows("SELECT * FROM users WHERE username LIKE 'jane%'")) == 2


def test_the_author_of_what_names_nobody(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "Text")
    folder.load(author="ANN")
    assert rows(ONE)[0]["username"] == "ann"
    with pytest.raises(Missing, match="no user called nobody"):
        folder.load(author="nobody")


def test_without_anybody_each_file_says_so(folder: Folder) -> None:
    with transaction() as connection:
        connection.execute(text("UPDATE users SET role = 'member'"))
    folder.add("a.md", "Text")
    report = folder.load()
    assert not report.usable
    assert report.lines[0].words.startswith("names no author, and there is no administrator")
