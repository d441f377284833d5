"""The log: one line per request and event, with the id of the request through to its jobs, and no secret."""

import json
import logging
import subprocess
import sys

import pytest
from sqlalchemy import text

from quire.config.validation import StartupError
from quire.jobs.worker import run_due_jobs
from quire.monitoring import logs
from quire.monitoring.log_file import ProcessLogFile
from quire.monitoring.request_id import following
from quire.store.connections import statement_timer
from quire.store.db import read_connection
from quire.store.events.outbox import enqueue
from tests.monitoring.log_setup import DEFAULTS, logging_to, restored_log
from tests.users import PASSWORD

logger = logging.getLogger("quire.test")
ID = "an-id-of-a-proxy-1"


def entries(read, event=None):
    found = [json.loads(line) for line in read().splitlines()]
    return [one for one in found if event in (None, one["event"])]


def fail():
    try:
        raise ValueError("first line\nsecond line")
    except ValueError:
        logger.exception("It failed\nbadly")


def test_request_is_one_json_object(app, people, as_, tmp_path):
    with logging_to(tmp_path) as read:
        client = as_("ann")
        client.get("posts?page=1&q=x", headers={"X-Request-Id": ID})
        client.get("/nothing/at/all")
    request, missing = entries(read, "request")[-2:]
    assert request.pop("ms") > 0 and request.pop("time").endswith("Z")
    assert request.pop("bytes") > 10
    assert request == {
        "level": "info", "event": "request", "request_id": ID, "method": "GET",
        "route": "/api/v1/posts", "path": "/api/v1/posts?page=1&q=***", "status": 200,
        "user_id": people["ann"].id, "client": "127.0.0.1",
    }  # fmt: skip
    assert (missing["route"], missing["status"]) == ("none", 404)
    assert missing["request_id"] != ID


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, "with space", "new\nline", "ümlaut-id"])
def test_invalid_request_id_is_replaced(client, tmp_path, sent):
    with logging_to(tmp_path) as read:
        headers = {} if "\n" in sent else {"X-Request-Id": sent}
        answered = client.get("/healthz", headers=headers).headers["X-Request-Id"]
    assert answered != sent and entries(read)[-1]["request_id"] == answered


def test_text_format_omits_requests_and_escapes_control_characters(client, tmp_path):
    with logging_to(tmp_path, LOG_FORMAT="text") as read:
        client.get("/healthz")
        with following(ID):
            logger.warning("Something\r\n\x1b[31mhappened\u2028")
    line = read().removesuffix("\n")
    assert line.endswith(
        rf" WARNING quire.test: Something\r\n\x1b[31mhappened\u2028 (request {ID})"
    )


def test_text_format_can_include_requests(client, tmp_path):
    with logging_to(tmp_path, LOG_FORMAT="text", LOG_ACTIVITY="always") as read:
        client.get("/healthz")
    assert "INFO quire.activity: GET /healthz 200, " in read()


def test_activity_log_can_be_turned_off(client, tmp_path):
    with logging_to(tmp_path, LOG_ACTIVITY="never") as read:
        client.get("/healthz")
    assert read() == ""


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 3), ("INFO", 2), ("WARNING", 1)])
def test_log_level_filters_messages(tmp_path, level, count):
    with logging_to(tmp_path, LOG_LEVEL=level) as read:
        logger.debug("one")
        logger.info("two")
        logger.warning("three")
        logging.getLogger("a.package").info("of its own affairs")
    assert len([one for one in entries(read) if one["event"] == "test"]) == count
    assert any(one["event"] == "a.package" for one in entries(read)) == (level == "DEBUG")


def test_traceback_is_one_json_field(tmp_path):
    with logging_to(tmp_path) as read:
        fail()
    (entry,) = entries(read)
    assert entry["message"] == "It failed\nbadly"
    assert entry["exception"].startswith("Traceback (most recent call last):\n")
    assert entry["exception"].endswith("ValueError: first line\nsecond line")
    assert read().isascii() and read().count("\n") == 1


def test_failed_request_logs_its_traceback_and_its_request(make_app, tmp_path):
    app = make_app()
    app.add_url_rule("/broken", view_func=lambda: {}["x"], endpoint="broken")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with logging_to(tmp_path) as read:
        app.test_client().get("/broken", headers={"X-Request-Id": ID})
    error, request = entries(read)
    assert "KeyError: 'x'" in error["exception"] and request["status"] == 500
    assert error["request_id"] == request["request_id"] == ID


def test_jobs_have_the_id_of_their_request(app, as_, tmp_path):
    with logging_to(tmp_path) as read:
        as_("mod").post("tags", json={"name": "x"}, headers={"X-Request-Id": ID})
        with app.app_context():
            with following(ID):
                enqueue("mail.nobody-handles-this")
            enqueue("mail.nobody-handles-this")
            run_due_jobs()
    jobs = entries(read, "job")
    assert [(one["request_id"], one["result"]) for one in jobs] == [
        (ID, "failed"),
        (None, "failed"),
    ]
    errors = [one for one in entries(read, "jobs") if one["level"] == "error"]
    assert [one["request_id"] for one in errors] == [ID, None]
    assert jobs[0]["name"] == "mail.nobody-handles-this" and jobs[0]["attempt"] == 1


def test_events_of_a_change_have_the_request_id(app, as_):
    as_("mod").post("tags", json={"name": "x"}, headers={"X-Request-Id": ID})
    with app.app_context(), read_connection() as connection:
        ids = (
            connection.execute(text("SELECT DISTINCT request_id FROM outbox WHERE type = 'tags'"))
            .scalars()
            .all()
        )
    assert ids == [ID]


def test_slow_statements_are_logged_without_values(make_app, tmp_path):
    app = make_app(SLOW_SQL_MS=1)
    numbers = (
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :limit)"
        " SELECT count(*) FROM numbers WHERE CAST(n AS TEXT) <> 'secret text'"
    )
    with logging_to(tmp_path) as read, app.app_context(), read_connection() as connection:
        connection.execute(text(numbers), {"limit": 98765}).scalar()
    slow = [one for one in entries(read, "slow_statement") if "RECURSIVE" in one["message"]]
    assert len(slow) == 1 and slow[0]["ms"] >= 1
    assert "98765" not in read() and "secret text" not in read()


def test_slow_statement_log_can_be_turned_off(make_app, tmp_path):
    app = make_app(SLOW_SQL_MS=0)
    with logging_to(tmp_path) as read, app.app_context(), read_connection() as connection:
        connection.execute(text("SELECT 1")).scalar()
    assert read() == ""


def test_database_errors_are_logged_without_values(app, tmp_path):
    with logging_to(tmp_path) as read, app.app_context():
        try:
            with read_connection() as connection:
                connection.execute(
                    text("SELECT nothing FROM tags WHERE name = :n"), {"n": "s3cr3t"}
                )
        except Exception:
            logger.exception("It failed")
    assert "nothing" in read() and "s3cr3t" not in read()


def test_secrets_in_any_part_of_a_request_are_never_logged(make_app, people, tmp_path):
    """Each kind of secret, in each place of a request, to routes of each kind."""
    marks = {
        "MAIL_PASSWORD": "of-the-mail-server",
        "METRICS_TOKEN": "of-the-metrics-0123456789",
        "S3_SECRET_KEY": "of-the-bucket-1",
    }
    app = make_app(**marks, SLOW_SQL_MS=1)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    secret = "S0m3th1ngS3cr3t"

    def broken(**values):
        raise RuntimeError(
            f"password='{secret}' Authorization: Bearer {secret} {' '.join(marks.values())}"
        )

    app.add_url_rule("/preview/<token>/broken", view_func=broken, endpoint="broken")
    client = app.test_client()
    client.checked = False
    paths = [
        "/", "/api/v1/posts", "/admin/", "/metrics", "/readyz", f"/auth/reset/{secret}",
        f"/auth/verify/{secret}", f"/auth/setup/{secret}", f"/auth/unsubscribe/{secret}",
        f"/preview/{secret}", f"/preview/{secret}/broken", f"/auth/reset/{secret}/typo",
        f"/admin/imports/{secret}/", "/ghost/api/content/posts/", "/auth/login", "/nowhere",
    ]  # fmt: skip
    headers = [
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"Basic {secret}"},
        {"X-API-Key": f"qk_{secret}"},
        {"Cookie": f"quire={secret}; remember_token={secret}"},
        {"X-CSRFToken": secret},
    ]
    with logging_to(tmp_path, LOG_LEVEL="DEBUG", LOG_FORMAT="json", **marks) as read:
        for path in paths:
            client.get(f"{path}?token={secret}&key={secret}&{secret}")
            for one in headers:
                client.get(path, headers=one)
                client.post(path, headers=one, json={"password": secret, "email": "a@b.org"})
                client.post(path, headers=one, data={"password": secret, "email": "a@b.org"})
        client.post("auth/token", json={"email": "ann@example.org", "password": PASSWORD})
        with app.app_context():
            enqueue("mail.reset", email=f"{secret}@example.org")
            run_due_jobs()
    written = read()
    assert len(written.splitlines()) > 200 and "Traceback" in written
    leaks = [one for one in (secret, PASSWORD, *marks.values()) if one in written]
    lines = [line[:400] for line in written.splitlines() if secret in line]
    assert not leaks, lines[:3]


def test_each_process_has_its_own_log_file(tmp_path):
    first = ProcessLogFile(tmp_path / "logs" / "quire.log", 0, 1)
    code = (
        "import sys; from pathlib import Path;"
        "from quire.monitoring.log_file import ProcessLogFile;"
        "print(ProcessLogFile(Path(sys.argv[1]), 0, 1).baseFilename)"
    )
    path = str(tmp_path / "logs" / "quire.log")
    other = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert other.stdout.strip().endswith("quire.2.log")
    first.close()
    first._lock_of_file.release()
    again = ProcessLogFile(tmp_path / "logs" / "quire.log", 0, 1)
    assert again.baseFilename.endswith("quire.log")
    again.close()


def test_log_files_are_rotated_and_the_oldest_deleted(tmp_path):
    with logging_to(tmp_path, LOG_FILE_BYTES=300, LOG_FILE_KEEP=2):
        for number in range(20):
            logger.warning("line %d", number)
    names = sorted(path.name for path in tmp_path.glob("quire*"))
    assert names == ["quire.log", "quire.log.1", "quire.log.2"]
    last = (tmp_path / "quire.log").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["message"] == "line 19"


def test_failed_rotation_loses_no_line(tmp_path, monkeypatch):
    def refuse(source, dest):
        raise PermissionError("another program reads it")

    with logging_to(tmp_path, LOG_FILE_BYTES=300) as read:
        monkeypatch.setattr("os.rename", refuse)
        for number in range(20):
            logger.warning("line %d", number)
    assert len(read().splitlines()) == 20


def test_a_log_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    config = DEFAULTS | {"QUIRE_INSTANCE": tmp_path, "LOG_FILE": "file/quire.log"}
    with restored_log(), pytest.raises(StartupError, match="LOG_FILE: cannot write to"):
        logs.configure(config)


def test_the_log_of_somebody_else_stays(tmp_path):
    with logging_to(tmp_path) as read:
        logs.configure_once({"LOG_FORMAT": "text"})
        logger.warning("x")
    assert entries(read)[0]["message"] == "x"


def test_texts_in_statements_are_left_out():
    assert (
        statement_timer._TEXTS.sub("'...'", "a = 'it''s' AND b = 'x'") == "a = '...' AND b = '...'"
    )
