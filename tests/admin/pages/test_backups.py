"""The page of backups: what is stored, one more by a button, for administrators alone."""

from quire.jobs.worker import run_due_jobs


def test_backups_are_for_administrators(browser):
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("backups/").status_code == 403
        assert browser(name).post("backups/make").status_code == 403


def test_a_backup_is_made_by_a_job_and_then_listed(app, admin, backups):
    assert "There are none yet." in admin.get("backups/").text
    answer = admin.client.post("/admin/backups/make", follow_redirects=True)
    assert "A backup is being made." in answer.text
    with app.app_context():
        run_due_jobs()
    [made] = backups.iterdir()
    text = admin.get("backups/").text
    assert made.name in text and "There is no backup yet" not in text
    assert "asked for a backup" in admin.get().text


def test_the_page_says_what_can_be_set(admin):
    text = admin.get("backups/").text
    assert "BACKUP_EVERY" in text and "manage.py restore" in text
