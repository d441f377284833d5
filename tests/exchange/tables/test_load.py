"""Tables, CSV and XLSX: columns are matched, cells are read, rows are imported or reported with their errors."""

from datetime import datetime

import pytest
from openpyxl import Workbook

from quire.actor import SYSTEM, Actor
from quire.errors import NotFound
from quire.exchange.tables import command, sheets
from quire.exchange.tables.columns import importable_fields, match_columns
from quire.exchange.tables.load import TableImport
from quire.records import CATEGORIES, POSTS, TAGS, USERS
from quire.store import read, write
from tests.exchange.conftest import tags


@pytest.fixture
def csv(site, tmp_path):
    """`csv("tags", text)` imports a CSV file and returns the report."""

    def load(path, text, **more):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "x.csv").write_bytes(data)
        return command.load(tmp_path / "x.csv", kind="csv", path=path, **more)

    return load


@pytest.fixture
def xlsx(site, tmp_path):
    def load(path, lines, **more):
        book = Workbook()
        for line in lines:
            book.active.append(line)
        book.save(tmp_path / "x.xlsx")
        return command.load(tmp_path / "x.xlsx", kind="xlsx", path=path, **more)

    return load


def said(report):
    return [f"{line.source}: {line.words}" for line in report.lines if line.words]


POST = """Title;SLUG;Published at;comments open;Tags;category;author;Text
Tides;tides;2024-05-06 07:08;no;"boats, ebb";sea;ann;left out
Nets;;31.12.2023;YES;;;;
"""


def test_posts(csv, rows):
    write.create(CATEGORIES, SYSTEM, {"name": "Sea"})
    report = csv("posts", POST.replace("Text", "Body"))
    assert report.counts == {"created": 1, "skipped": 1}
    assert said(report) == ["row 3: body: Body is required"]
    post = read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="tides"))
    assert (post["published_at"], post["comments_open"]) == ("2024-05-06T07:08:00Z", False)
    assert (post["author"]["username"], post["category"]["slug"]) == ("ann", "sea")
    assert tags(rows) == ["boats", "ebb"]


def test_unknown_columns_are_reported(csv):
    report = csv("posts", POST)
    assert "columns ignored: Text" in str(report)
    assert not report.has_content


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_separators(csv, between, rows):
    csv("tags", f'name{between}description\nIce{between}"a,b;c\td"\n')
    assert rows("SELECT name, description FROM tags") == [
        {"name": "Ice", "description": "a,b;c\td"}
    ]


@pytest.mark.parametrize(
    ("encoding", "warned"), [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)]
)  # fmt: skip
def test_encodings(csv, rows, encoding, warned):
    report = csv("tags", "name\r\nÉtoile\r\n".encode(encoding))
    assert rows("SELECT name FROM tags") == [{"name": "Étoile"}]
    assert ("Windows-1252" in str(report)) is warned


def test_errors_name_row_and_field(csv, rows):
    text = "name,slug,description\nA,a b,x\n,b,\n" + "n" * 101 + ",c,x\n\nGood,good,\n"
    report = csv("tags", text)
    assert said(report) == [
        "row 2: slug: Slug contains characters that are not allowed",
        "row 3: name: Name is required",
        "row 4: name: Name is longer than 100 characters",
    ]
    assert report.created == 1 and report.has_content


def test_dangling_references_are_reported(csv):
    report = csv("posts", "title,body,category,author\nT,B,nowhere,ann\nU,B,,nobody\n")
    assert said(report) == [
        "row 2: category: Category nowhere does not exist",
        "row 3: author: Author nobody does not exist",
    ]


def test_dry_run_reports_everything_and_saves_nothing(csv, rows):
    report = csv("tags", "name\nOne\n\nTwo\n" + "n" * 101 + "\n", dry_run=True)
    assert report.counts == {"created": 2, "skipped": 1}
    assert rows("SELECT id FROM tags") == [] and rows("SELECT id FROM origins") == []


def test_second_run(csv, rows):
    text = "name,slug,description\nOne,one,\nTwo,two,\n"
    assert csv("tags", text).created == 2
    assert csv("tags", text).counts == {"unchanged": 2}
    write.update(TAGS, SYSTEM, 2, {"description": "Edited"})
    report = csv("tags", text.replace(",\n", ",Changed\n"))
    assert report.counts == {"updated": 1, "kept": 1}
    assert [one["description"] for one in rows("SELECT description FROM tags ORDER BY id")] == [
        "Changed", "Edited",
    ]  # fmt: skip


def test_rows_without_a_key_are_recognized(csv, rows):
    text = "title,body\nOne,x\nTwo,y\n"
    csv("posts", text)
    assert csv("posts", text + "Three,z\n").counts == {"unchanged": 2, "created": 1}
    write.delete(POSTS, SYSTEM, 1, permanent=True)
    assert csv("posts", text).counts == {"unchanged": 1, "skipped": 1}


def test_rows_by_id_and_version(csv):
    id = write.create(TAGS, SYSTEM, {"name": "Old"}).id
    assert csv("tags", f"id,name,version\n{id},New,1\n").updated == 1
    assert "has changed since you read it" in str(csv("tags", f"id,name,version\n{id},Newer,1\n"))
    report = csv("tags", "id,name\n99,x\nabc,y\n")
    assert said(report) == ["row 2: ID: there is no tag 99", "row 3: ID: there is no tag 0"]


def test_empty_cells_clear_fields(csv):
    id = write.create(TAGS, SYSTEM, {"name": "A", "description": "x"}).id
    csv("tags", "name,description\nA,\n")
    assert read.get_record(TAGS, SYSTEM, id)["description"] == ""


def test_escaped_formulas_are_restored(csv, rows):
    csv("tags", "name\n'=1+1\n'quoted'\n'-x\n")
    names = [one["name"] for one in rows("SELECT name FROM tags ORDER BY id")]
    assert names == ["=1+1", "'quoted'", "-x"]


def test_workbook(xlsx, rows):
    report = xlsx("posts", [
        ["Title", "Body", "Published at", "Views", "Comments open"],
        ["One", 5.0, datetime(2024, 5, 6, 7, 8), 41.0, True],
        [None, None, None, None, None],
        ["Two", "=1+1", "soon", "many", "perhaps"],
    ])  # fmt: skip
    assert report.created == 1
    found = rows("SELECT title, body, published_at, views FROM posts")
    assert found == [
        {"title": "One", "body": "5", "published_at": "2024-05-06T07:08:00Z", "views": 41}
    ]
    words = said(report)[0]
    assert words.startswith("row 4: ") and words.count("; ") >= 2
    assert "views: Views must be a whole number" in words
    assert "comments_open: Comments open must be true or false" in words


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_invalid_workbooks_are_refused(site, tmp_path, data):
    (tmp_path / "x.xlsx").write_bytes(data)
    report = command.load(tmp_path / "x.xlsx", kind="xlsx", path="tags")
    assert "is not a valid XLSX file" in str(report) and not report.has_content


def test_invalid_tables_are_refused(csv):
    for text in ("", "\n\n", ",,\n1,2,3\n"):
        assert "is empty" in str(csv("tags", text))
    assert "has no column that matches a field of tags" in str(csv("tags", "foo,bar\n1,2\n"))
    assert "more than 200 columns" in str(csv("tags", "name," * 300))


def test_too_many_rows(csv, monkeypatch):
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)
    assert "more than 3 rows" in str(csv("tags", "name\n" + "x\n" * 9))


def test_unknown_types_and_authors_are_refused(csv):
    with pytest.raises(NotFound, match="There is no type sessions"):
        csv("sessions", "a\n")
    with pytest.raises(NotFound, match="nobody"):
        csv("posts", "title,body\na,b\n", author="nobody")


def test_usernames_are_case_insensitive(csv):
    assert csv("users", "username,email\nANN,ann@example.org\n").counts == {"updated": 1}
    assert csv("users", "email,bio\nAnn@Example.org,Hi\n").counts == {"updated": 1}


def test_fields_shown_on_request_can_be_columns(csv, rows):
    table = "title,slug,body,SEO title,seo_description\nA,a,b,{},In short\n"
    assert csv("posts", table.format("Found")).counts == {"created": 1}
    assert csv("posts", table.format("Found")).counts == {"unchanged": 1}
    assert csv("posts", table.format("")).counts == {"updated": 1}
    found = rows("SELECT seo_title, seo_description FROM posts")
    assert found == [{"seo_title": "", "seo_description": "In short"}]


def test_rights_are_those_of_the_actor(site, people, tmp_path):
    (tmp_path / "x.csv").write_text(
        "title,slug,body,author\nMine,x,y,root\nOther,abes,z,\n", "utf-8"
    )
    other = {"title": "T", "slug": "abes", "body": "b", "author": "abe", "published": True}
    write.create(POSTS, SYSTEM, other)
    ann = Actor("author", people["ann"].id, "ann")
    table = sheets.open_table(tmp_path / "x.csv", "csv")
    columns = match_columns(table.headers, importable_fields(POSTS, ann))
    assert columns == ["title", "slug", "body", ""]
    work = TableImport(POSTS, ann, table, columns)
    assert list(work.run())[-1] == 2
    assert work.report.counts == {"created": 1, "skipped": 1}
    assert "This requires" in str(work.report)
    assert (
        read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="x"))["author"]["username"]
        == "ann"
    )


def test_secrets_are_set_and_not_shown(csv, rows):
    report = csv(
        "users",
        "username,email,password\nnew,new@example.org,correct horse 9\nbad,b@example.org,x\n",
    )
    assert report.created == 1 and "correct horse" not in str(report)
    assert read.find_id(USERS, SYSTEM, username="new")
    assert rows("SELECT password FROM users WHERE username = 'new'")[0]["password"].startswith("$2")
