"""Tables brought in through the panel: upload, columns, rehearsal, import, undoing; lists as workbooks."""

import io
import os
import re

import pytest
from bs4 import BeautifulSoup
from openpyxl import Workbook, load_workbook

from quire.actor import SYSTEM
from quire.exchange import desk
from quire.records import POSTS, TAGS
from quire.store import read, write

TABLE = "Name;Note;Slug\nIce;cold;ice\nFire;hot;\nboats;floats;\n" + "n" * 101 + ";;\n"


@pytest.fixture
def upload(browser):
    """`upload("ann", "tags", text)`: the client, and the address of what was uploaded."""

    def send(name, path, text, file="x.csv"):
        client = browser(name)
        data = text if isinstance(text, bytes) else text.encode()
        got = client.post("imports/upload", {"type": path, "file": (io.BytesIO(data), file)})
        assert got.status_code == 302, BeautifulSoup(got.text, "html.parser").find(id="problem")
        return client, got.location.removeprefix("/admin/")

    return send


def words(answer):
    assert answer.status_code == 200, answer.text
    return " ".join(BeautifulSoup(answer.text, "html.parser").main.get_text(" ").split())


def names(app):
    with app.app_context():
        return sorted(one["name"] for one in read.page(TAGS, SYSTEM, read.Query()).rows)


def test_who_may(browser):
    assert browser().get("imports/").status_code == 302
    assert browser("bob").get("imports/").status_code == 403
    options = BeautifulSoup(browser("ann").get("imports/?type=tags").text, "html.parser").find_all(
        "option"
    )
    assert [one["value"] for one in options if one.has_attr("selected")] == ["tags"]
    assert {one["value"] for one in options} == {"comments", "posts", "tags"}
    options = BeautifulSoup(browser("root").get("imports/").text, "html.parser").find_all("option")
    assert {"users", "pages", "redirects"} < {one["value"] for one in options}
    assert "media" not in {one["value"] for one in options}
    got = browser("ann").post(
        "imports/upload", {"type": "users", "file": (io.BytesIO(b"a"), "x.csv")}
    )
    assert got.status_code == 422


def test_from_upload_to_undoing(app, upload, admin):
    client, place = upload("root", "tags", TABLE)
    page = BeautifulSoup(client.get(place).text, "html.parser")
    options = [one.find("option", selected=True) for one in page.main.find_all("select")]
    chosen = [one["value"] if one else "" for one in options]
    assert chosen == ["name", "", "slug"]
    assert "cold" in page.main.text and "4 rows for tags." in page.main.text
    before = names(app)
    columns = {"column-0": "name", "column-1": "description", "column-2": "slug"}
    seen = words(client.post(place + "check", columns))
    assert "2 created, 1 updated, 1 skipped (dry run)" in seen
    assert "4 of 4 rows" in seen and "Name is longer than 100 characters" in seen
    assert names(app) == before
    assert "If you import it now" in words(client.get(place))
    seen = words(client.post(place + "run"))
    assert "2 created, 1 updated, 1 skipped" in seen
    assert names(app) == sorted([*before, "Ice", "Fire"])
    with app.app_context():
        boats = read.one(TAGS, SYSTEM, read.find_id(TAGS, SYSTEM, name="boats"))
        assert boats["description"] == "floats"
        fire = read.find_id(TAGS, SYSTEM, name="Fire")
        write.update(TAGS, SYSTEM, fire, {"description": "edited since"})
    assert client.post(place + "run").status_code == 400
    seen = words(client.post(place + "undo"))
    assert "2 updated, 1 kept" in seen and "has changed since you read it" in seen
    assert names(app) == sorted([*before, "Fire"])
    with app.app_context():
        assert read.one(TAGS, SYSTEM, boats["id"])["description"] == ""
    assert client.post(place + "undo").status_code == 400
    events = admin.get("audit_events/?action=import").text
    assert "import" in events


def test_what_was_undone_can_be_imported_again(app, upload):
    text = "title,body\nOne,x\n"
    client, place = upload("ann", "posts", text)
    assert "1 created" in words(client.post(place + "run"))
    assert "1 updated" in words(client.post(place + "undo"))
    client, place = upload("ann", "posts", text)
    assert "1 created" in words(client.post(place + "run"))
    with app.app_context():
        author = read.one(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="one-2"))["author"]
    assert author["username"] == "ann"


def test_a_workbook(app, upload):
    book, out = Workbook(), io.BytesIO()
    for line in (["Name", "Description"], ["Snow", 5]):
        book.active.append(line)
    book.save(out)
    client, place = upload("root", "tags", out.getvalue(), "Sheet.XLSX")
    assert "1 created" in words(client.post(place + "run"))
    assert "Snow" in names(app)


@pytest.mark.parametrize(
    ("data", "file", "said"),
    [
        (b"", "x.csv", "is empty"), (b"PK", "x.xlsx", "is no XLSX"), (b",,\n1", "x.csv", "is empty"),
        (b"a," * 300, "x.csv", "more than 200 columns"),
    ],
)  # fmt: skip
def test_files_that_are_none(admin, app, data, file, said):
    with app.app_context():
        room = desk.room()
    before = set(room.glob("*"))
    got = admin.post("imports/upload", {"type": "tags", "file": (io.BytesIO(data), file)})
    assert got.status_code == 422 and said in got.text
    assert set(room.glob("*")) == before


def test_nothing_chosen(admin):
    got = admin.post("imports/upload", {"type": "tags"})
    assert got.status_code == 422 and "Choose a type and a file." in got.text


def test_columns_that_cannot_be(upload):
    client, place = upload("root", "tags", TABLE)
    for chosen in ({"column-0": "slug"}, {"column-0": "hash"}, {"column-0": "", "column-2": ""}):
        assert client.post(place + "check", chosen).status_code == 400


def test_it_is_its_owners_alone(upload, browser):
    _, place = upload("root", "tags", TABLE)
    for verb in ("check", "run", "undo", "discard"):
        assert browser("mod").post(place + verb).status_code == 404
    assert browser("mod").get(place).status_code == 404
    assert browser("root").get("imports/..%2f..%2fx/").status_code == 404


def test_discarded_and_outdated(app, upload, browser):
    client, place = upload("root", "tags", TABLE)
    assert client.post(place + "discard").status_code == 302
    assert client.get(place).status_code == 404
    client, place = upload("root", "tags", TABLE)
    with app.app_context():
        os.utime(desk.room() / re.split("/", place)[1], (0, 0))
        assert desk.sweep() == 1
    assert client.get(place).status_code == 404


def test_one_at_a_time(app, upload, people):
    client, place = upload("root", "tags", TABLE)
    with app.app_context():
        folder = desk.room() / place.split("/")[1]
    (folder / "running").touch()
    assert client.post(place + "run").status_code == 409
    os.utime(folder / "running", (0, 0))
    assert "2 created" in words(client.post(place + "run"))


def test_a_list_as_a_workbook(admin, ids):
    got = admin.get("posts/export/xlsx/")
    assert (
        got.mimetype.endswith("spreadsheetml.sheet")
        and ".xlsx" in got.headers["Content-Disposition"]
    )
    book = load_workbook(io.BytesIO(got.data), read_only=True)
    lines = [list(line) for line in book.worksheets[0].iter_rows(values_only=True)]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    titles = {row["title"] for row in rows}
    assert "'=HYPERLINK(1)" in titles and "Tide tables" in titles
    assert all(type(row["id"]) is int for row in rows)
    assert admin.get("posts/export/pdf/").status_code == 404


def test_what_a_list_exports_can_be_imported(app, admin, upload, ids):
    text = admin.get("tags/export/csv/").text
    client, place = upload("root", "tags", text)
    seen = words(client.post(place + "run"))
    assert "created" not in seen and "updated" not in seen
