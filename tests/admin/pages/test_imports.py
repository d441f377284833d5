"""Imports of tables through the panel: upload, columns, dry run, import, undo; lists as workbooks."""

import io
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from openpyxl import Workbook, load_workbook
from sqlalchemy import update

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.exchange.tables import import_jobs
from quire.exchange.tables.import_jobs import ImportJob
from quire.jobs import worker
from quire.records import POSTS, TAGS, USERS
from quire.store import read, write
from quire.store.db import transaction
from tests.sample_images import files

TABLE = "Name;Note;Slug\nIce;cold;ice\nFire;hot;\nboats;floats;\n" + "n" * 101 + ";;\n"


@pytest.fixture
def upload(browser):
    """`upload("ann", "tags", text)`: the client, and the address of the upload."""

    def send(name, path, text, file="x.csv"):
        client = browser(name)
        data = text if isinstance(text, bytes) else text.encode()
        got = client.post("imports/upload", {"type": path, "file": (io.BytesIO(data), file)})
        assert got.status_code == 302, BeautifulSoup(got.text, "html.parser").find(id="problem")
        return client, got.location.removeprefix("/admin/")

    return send


@pytest.fixture
def work(app):
    """`work(client, place + "run")`: starts a job, lets a worker run it, and returns the page after that."""

    def ask(client, path, data=None):
        got = client.post(path, data)
        assert got.status_code == 302, got.text
        place = got.location.removeprefix("/admin/")
        waiting = client.get(place)
        assert "Waiting to start" in waiting.text and 'http-equiv="refresh"' in waiting.text
        with app.app_context():
            worker.run_due_jobs()
        return words(client.get(place))

    return ask


def words(answer):
    assert answer.status_code == 200, answer.text
    return " ".join(BeautifulSoup(answer.text, "html.parser").main.get_text(" ").split())


def names(app):
    with app.app_context():
        return sorted(one["name"] for one in read.list_records(TAGS, SYSTEM, read.Query()).rows)


def test_access_to_imports(browser):
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


def test_table_is_uploaded_imported_and_undone(app, upload, admin, work):
    client, place = upload("root", "tags", TABLE)
    page = BeautifulSoup(client.get(place).text, "html.parser")
    options = [one.find("option", selected=True) for one in page.main.find_all("select")]
    chosen = [one["value"] if one else "" for one in options]
    assert chosen == ["name", "", "slug"]
    assert "cold" in page.main.text and "4 rows to import into tags." in page.main.text
    before = names(app)
    columns = {"column-0": "name", "column-1": "description", "column-2": "slug"}
    seen = work(client, place + "check", columns)
    assert "2 created, 1 updated, 1 skipped (dry run)" in seen
    assert "Result of the check" in seen and "Name is longer than 100 characters" in seen
    assert names(app) == before
    seen = work(client, place + "run")
    assert "2 created, 1 updated, 1 skipped" in seen
    assert names(app) == sorted([*before, "Ice", "Fire"])
    with app.app_context():
        boats = read.get_record(TAGS, SYSTEM, read.find_id(TAGS, SYSTEM, name="boats"))
        assert boats["description"] == "floats"
        fire = read.find_id(TAGS, SYSTEM, name="Fire")
        write.update(TAGS, SYSTEM, fire, {"description": "edited since"})
    assert client.post(place + "run").status_code == 400
    seen = work(client, place + "undo")
    assert "2 updated, 1 kept" in seen and "has been changed since" in seen
    assert names(app) == sorted([*before, "Fire"])
    with app.app_context():
        assert read.get_record(TAGS, SYSTEM, boats["id"])["description"] == ""
    assert client.post(place + "undo").status_code == 400
    events = admin.get("audit_events/?action=import").text
    assert "import" in events


def test_undone_rows_can_be_imported_again(app, upload, work):
    text = "title,body\nOne,x\n"
    client, place = upload("ann", "posts", text)
    assert "1 created" in work(client, place + "run")
    assert "1 updated" in work(client, place + "undo")
    client, place = upload("ann", "posts", text)
    assert "1 created" in work(client, place + "run")
    with app.app_context():
        author = read.get_record(POSTS, SYSTEM, read.find_id(POSTS, SYSTEM, slug="one-2"))["author"]
    assert author["username"] == "ann"


def test_workbook_is_imported(app, upload, work):
    book, out = Workbook(), io.BytesIO()
    for line in (["Name", "Description"], ["Snow", 5]):
        book.active.append(line)
    book.save(out)
    client, place = upload("root", "tags", out.getvalue(), "Sheet.XLSX")
    assert "1 created" in work(client, place + "run")
    assert "Snow" in names(app)


@pytest.mark.parametrize(
    ("data", "file", "said"),
    [
        (b"", "x.csv", "is empty"), (b"PK", "x.xlsx", "is not a valid XLSX file"), (b",,\n1", "x.csv", "is empty"),
        (b"a," * 300, "x.csv", "more than 200 columns"),
    ],
)  # fmt: skip
def test_unreadable_files_are_refused(admin, app, data, file, said):
    before = files(app)
    got = admin.post("imports/upload", {"type": "tags", "file": (io.BytesIO(data), file)})
    assert got.status_code == 422 and said in got.text
    assert files(app) == before


def test_missing_file_is_reported(admin):
    got = admin.post("imports/upload", {"type": "tags"})
    assert got.status_code == 422 and "Choose what to import into, and a file." in got.text


def test_impossible_columns_are_refused(upload):
    client, place = upload("root", "tags", TABLE)
    for chosen in ({"column-0": "slug"}, {"column-0": "hash"}, {"column-0": "", "column-2": ""}):
        assert client.post(place + "check", chosen).status_code == 400


def test_import_belongs_to_its_owner(upload, browser):
    _, place = upload("root", "tags", TABLE)
    for verb in ("check", "run", "undo", "stop", "discard"):
        assert browser("mod").post(place + verb).status_code == 404
    assert browser("mod").get(place).status_code == 404
    assert browser("root").get("imports/..%2f..%2fx/").status_code == 404


def test_link_back_to_an_import_is_shown(upload, browser, work):
    client, place = upload("root", "tags", TABLE, file="tides & knots.csv")
    work(client, place + "run", {"column-0": "name", "column-1": "", "column-2": ""})
    upload("root", "categories", "Name\nSea\n", file="sea.csv")
    page = BeautifulSoup(client.get("imports/").text, "html.parser")
    rows = [" ".join(row.get_text(" ").split()) for row in page.select("table tbody tr")]
    assert rows[0] == "sea.csv 1 (categories) Not imported yet Open"
    assert rows[1].startswith("tides & knots.csv 4 (tags) Imported") and rows[1].endswith("Undo …")
    link = page.select("tbody tr")[1].select_one("a.button")["href"]
    assert "Undo this import" in client.get(link.removeprefix("/admin/")).text
    assert "sea.csv" not in browser("mod").get("imports/").text
    german = BeautifulSoup(
        client.get("imports/", headers={"Accept-Language": "de"}).text, "html.parser"
    )
    for link in german.select("tbody a.button"):  # users of speech input say the visible text
        assert link["aria-label"].startswith(link.text)


def test_import_can_be_discarded_and_expires(app, upload, browser):
    before = files(app)
    client, place = upload("root", "tags", TABLE)
    assert client.post(place + "discard").status_code == 302
    assert client.get(place).status_code == 404
    assert files(app) == before
    client, place = upload("root", "tags", TABLE)
    with app.app_context():
        with transaction() as connection:
            connection.execute(update(ImportJob).values(changed_at=now() - timedelta(days=1)))
        assert client.get(place).status_code == 404
        assert import_jobs.prune_imports() == 1
    assert files(app) == before


def test_one_import_runs_at_a_time(app, upload, work):
    client, place = upload("root", "tags", TABLE)
    client.post(place + "check")
    for verb in ("check", "run", "undo", "discard"):
        assert client.post(place + verb).status_code == 409
    with app.app_context():
        worker.run_due_jobs()
    assert "2 created" in work(client, place + "run")


def test_import_can_be_stopped_and_continued(app, upload, work):
    client, place = upload("root", "tags", TABLE)
    assert client.post(place + "stop").status_code == 409
    client.post(place + "run")
    assert client.post(place + "stop").status_code == 302
    with app.app_context():
        worker.run_due_jobs()
    seen = words(client.get(place))
    assert "Stopped by you." in seen and "Continue importing" in seen
    assert "Undo this import" not in seen and "Ice" not in names(app)
    assert "2 created" in work(client, place + "run", {"column-0": "hash"})
    assert "Ice" in names(app)


def test_stopped_check_shows_the_columns_again(app, upload):
    client, place = upload("root", "tags", TABLE)
    client.post(place + "check")
    client.post(place + "stop")
    seen = words(client.get(place))
    assert "Check without importing" in seen and "Result of the check" not in seen


def test_import_ends_when_the_role_changes(app, upload, people, browser):
    client, place = upload("mod", "tags", TABLE)
    client.post(place + "run")
    with app.app_context():
        write.update(USERS, SYSTEM, people["mod"].id, {"role": "author"})
        worker.run_due_jobs()
        found = import_jobs.with_id(1)
    assert found.status == "stopped" and "your role or your account has changed" in found.error
    assert "Ice" not in names(app)


def test_import_ends_when_the_account_is_deactivated(app, upload, people):
    client, place = upload("mod", "tags", TABLE)
    client.post(place + "run")
    with app.app_context():
        write.update(USERS, SYSTEM, people["mod"].id, {"is_active": False})
        worker.run_due_jobs()
        assert import_jobs.with_id(1).status == "stopped"
    assert "Ice" not in names(app)


def test_changes_are_attributed_to_the_owner(upload, work, admin):
    client, place = upload("mod", "tags", TABLE)
    work(client, place + "run")
    row = BeautifulSoup(admin.get("audit_events/?action=create&type=tags").text, "html.parser")
    assert "mod" in row.find("table").get_text(" ")


def test_number_of_tables_is_limited(upload, monkeypatch, browser):
    monkeypatch.setattr(import_jobs, "MAX_FILES", 1)
    client, _ = upload("root", "tags", TABLE)
    got = client.post("imports/upload", {"type": "tags", "file": (io.BytesIO(b"name\nx"), "x.csv")})
    assert got.status_code == 409 and "Discard some of them first" in got.text


def test_list_is_exported_as_a_workbook(admin, ids):
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


def test_exported_list_can_be_imported(admin, upload, ids, work):
    text = admin.get("tags/export/csv/").text
    client, place = upload("root", "tags", text)
    seen = work(client, place + "run")
    assert "created" not in seen and "updated" not in seen
