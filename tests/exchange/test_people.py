"""People named in imports: matched, created, distinguished."""

import pytest
from sqlalchemy import text

from quire.errors import NotFound
from quire.store.db import transaction
from tests.exchange.conftest import ONE, Folder, Load, Rows, add_user, imported_users, item


def test_people_are_matched_or_created(folder: Folder, rows: Rows) -> None:
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


def test_same_name_with_two_addresses_is_two_people(folder: Folder, rows: Rows) -> None:
    for host in ("a", "b"):
        folder.add(f"{host}.md", f"---\nauthor: Jane Doe <jane@{host}.example>\n---\nText")
    folder.load()
    assert [row["username"] for row in rows(ONE + " ORDER BY p.slug")] == ["jane-doe", "jane-doe-2"]
    folder.add("b.md", "---\nauthor: Jane Doe <jane@b.example>\n---\nChanged")
    assert folder.load().summary() == "1 updated, 1 unchanged"
    assert len(rows("SELECT * FROM users WHERE username LIKE 'jane%'")) == 2


def test_default_author_is_used_without_a_name(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "Text")
    folder.load(author="ANN")
    assert rows(ONE)[0]["username"] == "ann"
    with pytest.raises(NotFound, match="no user called nobody"):
        folder.load(author="nobody")


def test_missing_author_is_reported_for_each_file(folder: Folder) -> None:
    with transaction() as connection:
        connection.execute(text("UPDATE users SET role = 'member'"))
    folder.add("a.md", "Text")
    report = folder.load()
    assert not report.has_content
    assert report.lines[0].words.startswith("has no author, and there is no administrator")


LONG = "Alexander von Humboldt-"


def test_full_name_decides_if_usernames_are_truncated(folder: Folder, rows: Rows) -> None:
    for number, name in enumerate([f"{LONG}Smith", f"{LONG}Jones", f"{LONG}smith"]):
        folder.add(f"{number}.md", f"---\ntitle: T\ndate: 2020-01-01\nauthor: {name}\n---\nx")
    folder.load()
    people = rows(
        "SELECT u.username, p.display_name FROM users u JOIN profiles p ON p.user_id = u.id "
        "WHERE u.password IS NULL ORDER BY u.id"
    )
    assert people == [
        {"username": "alexander-von-humbol", "display_name": f"{LONG}Smith"},
        {"username": "alexander-von-humb-2", "display_name": f"{LONG}Jones"},
    ]
    authors = rows("SELECT author_id FROM posts ORDER BY id")
    assert authors[0] == authors[2] != authors[1]


def test_later_imports_find_people_by_full_name(folder: Folder, wxr: Load, rows: Rows) -> None:
    folder.add("a.md", f"---\ntitle: T\ndate: 2020-01-01\nauthor: {LONG}Smith\n---\nx")
    folder.add("b.md", f"---\ntitle: T\ndate: 2020-01-01\nauthor: {LONG}Jones\n---\nx")
    folder.load()
    before = imported_users(rows)
    wxr(item(1).replace(">jane<", f">{LONG}Jones<"))
    assert imported_users(rows) == before
    wxr(item(2).replace(">jane<", f">{LONG}Brown<"))
    assert imported_users(rows) == [*before, "alexander-von-humb-3"]


LOGIN = "a.login.of.many.letters."


def test_wordpress_logins_with_the_same_start_are_two_people(wxr: Load, rows: Rows) -> None:
    authors = "".join(
        f"<wp:author><wp:author_id>{n}</wp:author_id><wp:author_login>{LOGIN}{n}</wp:author_login>"
        f"<wp:author_display_name>Person {n}</wp:author_display_name></wp:author>"
        for n in (1, 2)
    )
    wxr(authors + "".join(item(n).replace(">jane<", f">{LOGIN}{n}<") for n in (1, 2)))
    names = rows("SELECT display_name FROM profiles p JOIN users u ON u.id = user_id "
                 "WHERE password IS NULL ORDER BY u.id")  # fmt: skip
    assert [row["display_name"] for row in names] == ["Person 1", "Person 2"]
