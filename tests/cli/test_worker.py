"""`manage.py worker`: it does the jobs that wait, and stops in good order."""

import os

import pytest

from quire.actor import SYSTEM
from quire.cli import main
from quire.cli.worker import READY
from quire.records import USERS
from quire.store.db import db
from quire.store.events.mail import enqueue_mail
from quire.store.write import create
from tests.monitoring.log_setup import restored_log
from tests.own_signals import restored_handlers, terminated_after
from tests.waiting import wait_until

posix = pytest.mark.skipif(os.name == "nt", reason="Windows cannot send itself SIGTERM")


@pytest.fixture
def own_process():
    """Signals that come too late end no test; their handlers and the log are as they were, afterwards."""
    with restored_handlers(), restored_log():
        yield


@posix
def test_it_does_what_waits_until_it_is_told_to_stop(console, instance, own_process):
    with main.application().app_context():
        id = create(USERS, SYSTEM, {"username": "ann", "email": "ann@example.org"}).id
        enqueue_mail("two_factor_on", id)
        db.engine.dispose()

    letters = (instance / "outbox").glob
    with terminated_after(lambda: wait_until(lambda: list(letters("*.eml")), 120)):
        status, said, _ = console("worker", "--concurrency", "1")
    assert (status, said) == (0, f"{READY}\n")
    [letter] = letters("*.eml")
    assert "To: ann@example.org" in letter.read_text(encoding="utf-8")
    assert console.rows("SELECT event FROM outbox WHERE event LIKE 'mail.%'") == []
