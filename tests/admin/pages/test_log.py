"""The page of the log: newest first, from files or from this process, searchable, for administrators only."""

import logging

import pytest
from bs4 import BeautifulSoup

from quire.monitoring.logs import configure
from quire.monitoring.recent_log import recent_entries

TEXT = """2026-11-29T10:00:00.000Z INFO quire: Began.
2026-11-29T10:00:02.000Z ERROR quire: Broke <b>here</b>. (request abc)
Traceback (most recent call last):
  2026-99-99T10:00:00Z ERROR no time
ZeroDivisionError
"""
JSON = (
    'ound": 1}\n'
    '{"time": "2026-11-29T10:00:01.000Z", "level": "warning", "event": "mail", "request_id": null,'
    ' "message": "Slow.", "ms": 12}\n'
    '{"time": 7, "level": "info"}\n["x"]\n'
)


@pytest.fixture
def files(app, tmp_path, monkeypatch):
    """The log files of two processes, one as text and one as JSON."""
    (tmp_path / "quire.log").write_text(TEXT, encoding="utf-8")
    (tmp_path / "quire.2.log").write_text(JSON, encoding="utf-8")
    for name, value in {"LOG_FILE": "quire.log", "QUIRE_INSTANCE": str(tmp_path)}.items():
        monkeypatch.setitem(app.config, name, value)


@pytest.fixture
def own_log(app):
    """Set up the log of this process as a server does, and restore it."""
    root, quire = logging.getLogger(), logging.getLogger("quire")
    handlers, levels = list(root.handlers), (root.level, quire.level)
    configure(app.config)
    yield
    for one in [one for one in root.handlers if one not in handlers]:
        root.removeHandler(one)
    for one in [one for one in handlers if one not in root.handlers]:
        root.addHandler(one)
    root.setLevel(levels[0])
    quire.setLevel(levels[1])


def entries(admin, path="log/"):
    page = BeautifulSoup(admin.get(path).text, "html.parser")
    return [(one.select_one(".badge").text, one.pre.text) for one in page.select(".log li")]


def test_page_is_for_administrators(browser):
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("log/").status_code == 403
    assert browser().get("log/").status_code == 302


def test_entries_of_all_files_are_listed_newest_first(admin, files):
    [broken, slow, began] = entries(admin)
    assert broken[0] == "Error" and "Broke <b>here</b>." in broken[1]
    assert broken[1].endswith("ZeroDivisionError")
    assert slow == ("Warning", "Slow.\nevent: mail, ms: 12")
    assert began == ("Info", "quire: Began.")
    assert "<b>here" not in admin.get("log/").text


def test_entries_are_filtered_by_problems_and_words(admin, files):
    assert len(entries(admin, "log/?show=problems")) == 2
    assert [one[0] for one in entries(admin, "log/?q=ABC")] == ["Error"]
    assert "No entries contain these words." in admin.get("log/?q=nothing+of+it").text


def test_without_a_file_the_log_of_this_process_is_shown(app, admin, own_log):
    logging.getLogger("quire.mail").warning("The key is %s", app.config["SECRET_KEY"])
    [(level, text)] = entries(admin, "log/?q=the+key+is")
    assert level == "Warning" and app.config["SECRET_KEY"] not in text
    assert "LOG_FILE" in admin.get("log/").text


def test_long_file_is_read_from_its_end(app, files, tmp_path):
    line = "2026-11-29T10:00:00.000Z INFO quire: " + "x" * 1000 + "\n"
    with (tmp_path / "quire.log").open("w", encoding="utf-8") as file:
        file.writelines(line for _ in range(2000))
    assert 200 < len(recent_entries(app.config)) <= 500
