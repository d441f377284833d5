"""Tables as programs write them: nothing is lost without a message, and nothing fills the memory."""

import io
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from quire.exchange import bounded_xml
from quire.exchange.model import Unusable
from quire.exchange.tables import command as tables_command
from quire.exchange.tables import sheets, xlsx_sheet
from quire.exchange.tables.date_order import DateOrder
from tests.exchange.conftest import Rows

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    "{}</sheetData></worksheet>"
)


@pytest.fixture(name="csv")
def _csv(site, tmp_path):
    """`csv("tags", text)` imports a CSV file and returns the report."""

    def load(path, text, **more):
        (tmp_path / "x.csv").write_bytes(text.encode())
        return tables_command.load(tmp_path / "x.csv", kind="csv", path=path, **more)

    return load


def workbook(sheet: str, strings: str = "", *, more: bytes = b"") -> bytes:
    """Return a workbook with this sheet instead of its own."""
    book, source = io.BytesIO(), io.BytesIO()
    Workbook().save(source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
                new.writestr(name, old.read(name))
        new.writestr("xl/worksheets/sheet1.xml", sheet)
        new.writestr("xl/sharedStrings.xml", strings or "<sst/>")
        new.writestr("xl/media/pad.bin", more, zipfile.ZIP_STORED)
    return book.getvalue()


def with_member(book: bytes, name: str, text: str) -> bytes:
    """Return the workbook with a different text in one of its members."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(changed, "w") as new:
        for one in old.namelist():
            new.writestr(one, text if one == name else old.read(one))
        if "pad" not in old.namelist():
            new.writestr("pad", bytes(range(256)) * 1000)
    return changed.getvalue()


def refusal(data: bytes, path: Path, kind: str = "xlsx") -> str:
    file = path / f"x.{kind}"
    file.write_bytes(data)
    try:
        sheets.open_table(file, kind)
    except Unusable as error:  # `pytest.raises` would keep the frames, and with them what was read
        return error.reason
    pytest.fail("It was not refused.")


@pytest.mark.parametrize(
    ("text", "more_lines"),
    [
        ('Title,Body\nA,"one\nB,two\nC,three\n', 0),
        ('Title,Body\nA,"one\nB,"two"\nC,three\n', 0),
        ('Title,Body\nA,"one', 0),
        ('"Title,Body\nA,one\n', 0),
        ('Title,Body\nA,"one\n', 200_000),
    ],
)
def test_unclosed_quote_is_refused(text, more_lines, csv, rows: Rows):
    report = csv("posts", text + "B,two\n" * more_lines)
    assert "that is never closed" in str(report) and not report.has_content
    assert rows("SELECT id FROM posts") == []


def test_balanced_quotes_are_read(csv, rows: Rows):
    csv("posts", 'Title,Body\nA,"one\n\ntwo ""x"" three"\nB,a 5" pipe\nC,"x"y\n')
    bodies = [row["body"] for row in rows("SELECT body FROM posts ORDER BY id")]
    assert bodies == ['one\n\ntwo "x" three', 'a 5" pipe', "xy"]


def test_cells_without_a_column_are_reported(csv):
    assert "row 2: 2 cells more than there are columns, ignored" in str(
        csv("tags", "name\nIce,x,y\n")
    )


def test_slugs_are_case_sensitive(csv, rows: Rows):
    csv("posts", "Title,Body,Slug\nUpper,first,Rust-1.0\n")
    assert csv("posts", "Title,Body,Slug\nLower,second,rust-1.0\n").created == 1
    assert csv("posts", "Title,Body,Slug\nUpper,first,Rust-1.0\n").counts == {"unchanged": 1}
    found = rows("SELECT slug FROM posts ORDER BY id")
    assert [row["slug"] for row in found] == ["Rust-1.0", "rust-1.0"]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_separator_line_is_read(first, csv, rows: Rows):
    report = csv("posts", f"{first}\r\nTitle;Body\r\nA, B and C;b\r\n;c\r\n")
    assert rows("SELECT title, body FROM posts") == [{"title": "A, B and C", "body": "b"}]
    assert "skipped row 4: title: Title is required" in str(report)


@pytest.mark.parametrize(
    ("dates", "read", "said"),
    [
        (["01/02/2024", "13/02/2024"], ["2024-02-01", "2024-02-13"], ""),
        (["01/02/2024", "02/13/2024"], ["2024-01-02", "2024-02-13"], ""),
        (["01.02.2024", "02.13.2024"], ["2024-01-02", "2024-02-13"], ""),
        (["01/02/2024", "2024-03-04"], ["2024-01-02", "2024-03-04"], "do not show whether"),
        (
            ["01/02/2024", "13/02/2024", "02/13/2024"],
            ["2024-01-02"],
            "some dates start with the day",
        ),
        (["2024-01-02", "05/05/2024"], ["2024-01-02", "2024-05-05"], ""),
    ],
)
def test_dates_of_a_column_have_one_order(dates, read, said, csv, rows: Rows):
    lines = "".join(f"{n},b,{date}\n" for n, date in enumerate(dates))
    report = csv("posts", f"Title,Body,Published at\n{lines}")
    found = [row["published_at"][:10] for row in rows("SELECT * FROM posts ORDER BY id")]
    assert found[: len(read)] == read
    assert (said in str(report)) if said else ("noted" not in str(report))


def test_date_order_does_not_depend_on_the_order_of_rows():
    forwards, backwards = DateOrder(), DateOrder()
    seen = ["01/02/2024", "x", "13/02/2024", "02/13/2024"]
    for text, other in zip(seen, reversed(seen), strict=True):
        forwards.see(text)
        backwards.see(other)
    assert forwards.name == backwards.name == "mixed"


def test_empty_rows_are_ignored(csv):
    report = csv("tags", "name\nIce\n" + "\n" * 150_000)
    assert report.created == 1
    assert "has only empty rows after row 2, so reading stopped there" in str(report)


def test_sheet_formatted_to_its_end_is_read(site, tmp_path, monkeypatch):
    book = Workbook()
    for line in (["name"], ["Ice"], [], ["Snow"]):
        book.active.append(line)
    for row in range(5, 400):
        book.active.cell(row, 1).font = Font(bold=True)
    book.active.cell(1_048_576, 2).font = Font(bold=True)
    book.save(tmp_path / "x.xlsx")
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)
    report = tables_command.load(tmp_path / "x.xlsx", kind="xlsx", path="tags")
    assert [line.source for line in report.lines if line.outcome == "created"] == ["row 2", "row 4"]


def test_reading_stops_at_the_limit_of_cells(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(xlsx_sheet, "_number", lambda text, *more: read.append(text) or text)
    row = f'<row r="1">{"<c><v>1</v></c>" * 700_000}</row>'
    assert "more than 200 columns" in refusal(
        workbook(SHEET.format(row), more=bytes(range(256)) * 300), tmp_path
    )
    assert len(read) == 200


@pytest.mark.parametrize(
    ("make_cells", "said"),
    [
        (lambda: '<c r="A1"><v>1</v></c>' * 250_000, "more than 200 columns"),
        (lambda: "<c><v>" + "1" * 1_500_000 + "</v></c>", "more than 1,000,000 characters"),
        (lambda: '<c r="A1" x="' + "y" * 3_000_000 + '"/>', "a tag that is too large"),
    ],
)
def test_workbooks_that_would_fill_memory_are_refused(make_cells, said, tmp_path):
    book = workbook(SHEET.format(f"<row>{make_cells()}</row>"), more=bytes(range(256)) * 400)
    assert said in refusal(book, tmp_path)


@pytest.mark.parametrize("where", ["cell", "workbook"])
def test_nested_elements_are_counted(where, tmp_path):
    book = workbook(SHEET.format("<row><c>" + "<a>" * 101))
    if where == "workbook":
        book = with_member(book, "xl/workbook.xml", "<workbook>" + "<a>" * 101)
    assert "nested too deeply" in refusal(book, tmp_path)


@pytest.mark.parametrize("element", ["<n{0}/>", '<a n{0}=""/>', '<a xmlns:n{0}="u"/>'])
def test_distinct_names_are_counted(element, tmp_path):
    elements = "".join(element.format(number) for number in range(11_000))
    assert "too many different names" in refusal(workbook(SHEET.format(elements)), tmp_path)


def test_long_sheet_names_are_refused(tmp_path):
    sheets = f'<sheet name="{"n" * 2000}"/>' * 6000
    book = with_member(workbook(SHEET.format("")), "xl/workbook.xml", f"<x>{sheets}</x>")
    assert "too many styles or sheets" in refusal(book, tmp_path)


def test_unknown_elements_are_read_for_a_bounded_time(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded_xml, "MAX_SECONDS", 0.0)
    assert "takes too long to read" in refusal(workbook(SHEET.format("<a/>" * 50_000)), tmp_path)


def test_oversized_directory_is_refused(tmp_path):
    book = io.BytesIO(workbook(SHEET.format("<row/>")))
    with zipfile.ZipFile(book, "a") as zip:
        for number in range(9000):
            zip.writestr(f"{number:0100}", b"")
    assert "table of contents" in refusal(book.getvalue(), tmp_path)


def test_empty_cells_are_counted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_sheet, "MAX_CELLS", 1000)
    rows = (
        '<row><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>' + "<row><c/><c/></row>" * 600
    )
    assert "more than 1,000 cells" in refusal(workbook(SHEET.format(rows)), tmp_path)


def test_entities_are_refused(tmp_path):
    sheet = '<!DOCTYPE x [<!ENTITY a "b">]>' + SHEET.format("<row><c><v>&a;</v></c></row>")
    assert "declares entities" in refusal(workbook(sheet), tmp_path)


@pytest.mark.parametrize(
    ("make_text", "said"),
    [
        (lambda: b"name" + b",x" * 30_000, "more than 200 columns"),
        (lambda: b"name\nx" + b",y" * 201, "more than 200 columns (row 2)"),
        (lambda: b"name\n" + b"x" * 1_100_000, "field larger than field limit"),
        (lambda: b"name\n" + b"x," * 2_200_000, "has a line that is too long"),
        (lambda: b'name\n"' + b"x\n" * 600_000, "that is never closed"),
    ],
)
def test_csv_that_would_fill_memory_is_refused(make_text, said, tmp_path):
    assert said in refusal(make_text(), tmp_path, "csv")


def test_every_kind_of_cell_is_read(tmp_path):
    strings = (
        "<sst><si><t>one</t><rPh><t>no</t></rPh></si><si><r><t>tw</t></r><r><t>o</t></r></si></sst>"
    )
    cells = (
        '<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c>'
        '<c t="str"><f>1+1</f><v>2</v></c><c r="H1"><v>3.0</v></c><c><v>2.5</v></c><c t="d"><v>2024-01-02</v></c>'
    )
    file = tmp_path / "x.xlsx"
    file.write_bytes(workbook(SHEET.format(f"<row>{cells}</row>"), strings))
    assert sheets.open_table(file, "xlsx").headers == [
        "one", "two", "true", "#N/A", "2", "", "", "3", "2.5", "2024-01-02",
    ]  # fmt: skip


MEASURE = """
    import resource, sys
    from pathlib import Path
    from quire.exchange.tables import csv_rows, sheets, xlsx, xlsx_sheet
    from quire.exchange.model import Unusable
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        sheets.open_table(Path(sys.argv[1]), sys.argv[2])
    except Unusable as error:
        print(error.reason)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="asks the system by POSIX")
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("xlsx", lambda: workbook(SHEET.format("<row>" + "<c><v>1</v></c>" * 2_000_000 + "</row>"),
                                  more=bytes(range(256)) * 4000)),
        ("xlsx", lambda: workbook(SHEET.format('<row><c t="s"><v>0</v></c></row>'),
                                  "<sst>" + "<si><t>ab</t></si>" * 3_000_000 + "</sst>",
                                  more=bytes(range(256)) * 4000)),
        ("xlsx", lambda: workbook(SHEET.format("<row>" + "<c>" * 2_000_000),
                                  more=bytes(range(256)) * 4000)),
        ("csv", lambda: b"name" + b",x" * 3_000_000),
        ("csv", lambda: b'name\n"' + b"x\n" * 20_000_000),
    ],
)  # fmt: skip
def test_memory_stays_small(kind, data, tmp_path):
    file = tmp_path / f"x.{kind}"
    file.write_bytes(data())
    command = [sys.executable, "-c", textwrap.dedent(MEASURE), str(file), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 100, done.stdout
