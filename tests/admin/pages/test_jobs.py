"""The pages of jobs and of stored mail: who may see, retry and delete them; what an email may do there."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy import update as sql_update

from quire.declare.clock import now
from quire.declare.job_registry import HANDLERS
from quire.jobs.worker import run_due_jobs
from quire.store.db import db, read_connection, transaction
from quire.store.events import queue_admin
from quire.store.events.mail import enqueue_mail
from quire.store.events.outbox import OutboxEvent, enqueue
from tests.admin.conftest import Browser
from tests.mail_servers import sent
from tests.query_plans import query_plans

TABLE = OutboxEvent.__table__


@pytest.fixture
def failed_job(app, ids):
    """The id of a job that has failed."""
    with app.app_context():
        with transaction() as connection:
            connection.execute(sql_delete(TABLE))
        enqueue("letters.fold", 7, colour="<b>red</b>")
        run_due_jobs()
    return rows(app)[0].id


def rows(app):
    with app.app_context(), read_connection() as connection:
        return connection.execute(select(TABLE).where(TABLE.c.type == "letters")).all()


def test_page_is_for_administrators(browser):
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("jobs/").status_code == 403
        assert browser(name).post("jobs/retry").status_code == 403
    assert browser().get("jobs/").status_code == 302


def test_failure_is_shown_with_its_error(admin, failed_job):
    page = BeautifulSoup(admin.get("jobs/").text, "html.parser")
    [one] = page.select(".entry-list li")
    assert "letters.fold, 7" in one.text and "Nobody handles this." in one.text
    assert "1 attempt, failed" in one.text and "colour: <b>red</b>" in one.text
    assert [v.text for v in page.select(".figure .value")] == ["0", "1"]


def test_every_job_has_a_title(app):
    untitled = [event for event, some in HANDLERS.items() if not all(one.title for one in some)]
    assert not untitled and len(HANDLERS) > 8


def test_jobs_are_described_in_words(app, admin, ids):
    with app.app_context():
        enqueue_mail("two_factor_on", ids.ann)
        enqueue("backups.make")
    text = admin.get("jobs/").text
    assert "Email about two-factor authentication turned on" in text and "Make a backup" in text


def test_failure_links_to_its_record(app, admin, ids):
    with app.app_context():
        enqueue("posts.shredded", ids.live)
        with transaction() as connection:
            values = {"failed_at": now(), "due_at": None, "error": "Out of paper."}
            mine = TABLE.c.event == "posts.shredded"
            connection.execute(sql_update(TABLE).where(mine).values(values))
    page = BeautifulSoup(admin.get("jobs/").text, "html.parser")
    link = page.select_one(".entry-list li a")
    assert link.text == "post" and admin.client.get(link["href"]).status_code == 200


def test_backlog_is_summed_up_to_a_limit(app, admin, failed_job, monkeypatch):
    with app.app_context():
        for _ in range(4):
            enqueue_mail("reset", email="ann@example.org")
        monkeypatch.setattr(queue_admin, "MAX_SUMMED", 3)
        kinds = {one.event: (one.waiting, one.failed) for one in queue_admin.summary_by_event()}
        assert kinds == {"letters.fold": (0, 1), "mail.reset": (3, 0)}
        plans = query_plans(db.engine, queue_admin.summary_by_event)
        plans += query_plans(db.engine, queue_admin.failures)
    assert len(plans) == 3
    assert not any(
        line.endswith(("SCAN outbox", "on outbox")) for line in "\n".join(plans).split("\n")
    )
    page = BeautifulSoup(admin.get("jobs/").text, "html.parser")
    assert [v.text for v in page.select(".figure .value")] == ["3+", "1"]


def test_retry(admin, app, failed_job):
    answer = admin.post("jobs/retry", {"rowid": failed_job}, follow_redirects=True)
    assert "1 job will be retried now." in answer.text
    [row] = rows(app)
    assert row.due_at and row.failed_at is None and row.attempts == 0
    assert [v.text for v in BeautifulSoup(answer.text, "html.parser").select(".figure .value")] == [
        "1", "0",
    ]  # fmt: skip


def test_drop(admin, app, failed_job):
    with app.app_context():
        enqueue("letters.burn")
    waiting = rows(app)[1].id
    answer = admin.post("jobs/drop", {"rowid": [failed_job, waiting]}, follow_redirects=True)
    assert "1 job deleted." in answer.text
    assert [row.event for row in rows(app)] == ["letters.burn"]


def test_changes_need_a_csrf_token(guarded, people):
    admin = Browser(guarded, people["root"])
    assert admin.post("jobs/drop", {"rowid": 1}).status_code == 403


def test_invalid_ids_are_ignored(admin):
    assert admin.post("jobs/retry", {"rowid": "x"}).status_code == 404


def test_stored_mail_can_be_read(make_app, people, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    with app.app_context():
        enqueue_mail("two_factor_on", people["ann"].id)
    sent(app)
    admin = Browser(app, people["root"])
    page = BeautifulSoup(admin.get("mail/").text, "html.parser")
    [link] = page.select(".entry-list a")
    assert link.text == "[Quire] Two-factor authentication is on"
    address = link["href"].removeprefix("/admin/")
    assert "Hello ann," in admin.get(address).text
    shown = admin.get(f"{address}/html")
    policy = shown.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "script-src" not in policy and "default-src 'none'" in policy
    assert shown.headers["Cache-Control"] == "no-store"
    assert admin.get("mail/..%2Fsecret_key").status_code == 404
    assert Browser(app, people["mod"]).get("mail/").status_code == 403


@pytest.mark.parametrize("more", [{"MAIL_SERVER": "mail.example.org"}, {"QUIRE_ENV": "production"}])
def test_mail_of_production_sites_cannot_be_read(app, admin, monkeypatch, more):
    for name, value in more.items():
        monkeypatch.setitem(app.config, name, value)
    assert admin.get("mail/").status_code == 403


def test_administrators_are_told_where_emails_are(app, admin, browser):
    app.config["QUIRE_ENV"] = "production"
    refused = admin.get("mail/")
    assert refused.status_code == 403 and "in the folder outbox on the server" in refused.text
    app.config["MAIL_SERVER"] = "smtp.example.org"
    text = admin.get("mail/", headers={"Accept-Language": "de"}).text
    assert "smtp.example.org verschickt" in text
    assert "smtp.example.org" not in browser("mod").get("mail/").text
