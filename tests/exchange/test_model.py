"""The values that importers pass on, and the report of an import."""

from quire.exchange import model
from quire.exchange.model import ImportReport


def test_report_lists_the_first_items_of_each_outcome_and_counts_all(monkeypatch):
    monkeypatch.setattr(model, "MAX_LINES", 2)
    report = ImportReport()
    for number in range(5):
        report.add("created", f"post {number}", f"posts/{number}")
    report.add("skipped", "3 members", words="not imported", count=3)
    assert (report.created, report.skipped) == (5, 3)
    assert str(report).splitlines() == [
        "created posts/0  (post 0)",
        "created posts/1  (post 1)",
        "skipped 3 members: not imported",
        "(and 3 more)",
        "5 created, 3 skipped",
    ]


def test_cleared_report_starts_over(monkeypatch):
    monkeypatch.setattr(model, "MAX_LINES", 1)
    report = ImportReport()
    for _ in range(2):
        report.add("created", "post", "posts/1")
        report.clear()
    report.add("updated", "post", "posts/1")
    assert (str(report).splitlines(), report.created) == (
        ["updated posts/1  (post)", "1 updated"],
        0,
    )
