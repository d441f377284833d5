"""The types of cells in a workbook, and missing parts."""

import io
import re
import zipfile

from quire.exchange.tables import sheets
from tests.exchange.tables.test_sheets import SHEET, refusal, with_member, workbook


def headers(book, tmp_path):
    (tmp_path / "x.xlsx").write_bytes(book)
    return sheets.open_table(tmp_path / "x.xlsx", "xlsx").headers


def test_dates_count_from_the_workbooks_epoch(tmp_path):
    book = workbook(SHEET.format('<row><c s="1"><v>1</v></c></row>'))
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    with zipfile.ZipFile(io.BytesIO(book)) as zip:
        settings = zip.read("xl/workbook.xml").decode()
    book = with_member(book, "xl/styles.xml", styles)
    assert headers(book, tmp_path) == ["1900-01-01T00:00:00"]
    mac = re.sub("<workbookPr[^>]*>", '<workbookPr date1904="1"/>', settings)
    assert headers(with_member(book, "xl/workbook.xml", mac), tmp_path) == ["1904-01-02T00:00:00"]


def test_invalid_number_is_text(tmp_path):
    book = workbook(SHEET.format("<row><c><v>1e</v></c><c><v>--</v></c></row>"))
    assert headers(book, tmp_path) == ["1e", "--"]


def test_incomplete_workbook_is_refused_with_a_reason(tmp_path):
    book = workbook(SHEET.format('<row><c t="s"><v>5</v></c></row>'))
    assert refusal(book, tmp_path) == "is not a valid XLSX file (IndexError)"
    empty = with_member(book, "xl/_rels/workbook.xml.rels", "<Relationships/>")
    assert refusal(empty, tmp_path) == "has no worksheet"
