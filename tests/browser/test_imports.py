"""A table from its upload to its undo, as users do it: with a worker, with and without scripts."""

import pytest

from quire.jobs import runner, worker
from quire.store.transactions import long_work

pytestmark = pytest.mark.browser
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
TABLE = "Name;Note\n" + "".join(f"{{0}} {n};a word\n" for n in range(8)) + "n" * 101 + ";x\n"


@pytest.fixture
def table(tmp_path):
    """`table("Net")`: a CSV file of tags with that name."""

    def write(name):
        file = tmp_path / f"{name.lower()}.csv"
        file.write_text(TABLE.format(name), encoding="utf-8")
        return file

    return write


@pytest.fixture
def work(site):
    """Run the pending jobs, as a worker would."""

    def do():
        with site.app.app_context():
            worker.run_due_jobs()

    return do


def upload(page, file):
    page.goto("/admin/imports/?type=tags")
    page.set_input_files("[name=file]", file)
    page.click("text=Upload")


def is_fine(one):
    return one.axe() == [] and one.overflow() <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_table_is_uploaded_imported_and_undone(visit, table, work, viewport, scheme):
    one = visit("ada", viewport=viewport, color_scheme=scheme)
    page, main = one.page, one.page.locator("main")
    upload(page, table(f"Net {viewport['width']} {scheme}"))
    assert is_fine(one) and page.locator("select").first.input_value() == "name"
    page.select_option("#column-1", "description")
    for button, heading, said in (
        ("Check without importing", "Result of the check", "8 created, 1 skipped (dry run)"),
        ("Import", "Imported", "8 created, 1 skipped"),
        ("Undo this import", "Undone", "8 updated"),
    ):
        main.get_by_role("button", name=button, exact=True).click()
        page.wait_for_selector("[data-import-progress]")
        assert "Waiting to start" in main.inner_text() and is_fine(one)
        work()
        page.wait_for_selector("#result-head")
        assert heading in page.locator("#result-head").inner_text()
        assert said in main.inner_text() and is_fine(one)
    one.look_at(["/admin/imports/"])


def test_progress_is_shown_and_stays_after_stopping(visit, site, table, monkeypatch):
    monkeypatch.setattr(long_work, "BATCH_SECONDS", -1.0)
    monkeypatch.setattr("quire.exchange.tables.import_handler.PART_SECONDS", -1.0)
    one = visit("ada")
    page, main = one.page, one.page.locator("main")
    upload(page, table("Rope"))
    main.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_selector("[data-import-progress]")
    with site.app.app_context():
        runner.run_job(worker.queue.claim())
    page.wait_for_selector("text=1 of 9 rows")
    assert is_fine(one)
    main.get_by_role("button", name="Stop").click()
    page.wait_for_selector("text=Stopped by you.")
    assert "Stopped while importing" in main.inner_text() and is_fine(one)
    main.get_by_role("button", name="Continue importing").click()
    with site.app.app_context():
        worker.run_due_jobs()
    page.wait_for_selector("text=8 created, 1 skipped")


def test_import_without_scripts(visit, table, work):
    page = visit("ada", java_script_enabled=False).page
    upload(page, table("Sail"))
    page.locator("main").get_by_role("button", name="Import", exact=True).click()
    page.wait_for_selector("text=Waiting to start")
    work()
    page.wait_for_selector("text=8 created, 1 skipped")
