"""`manage.py worker`: it does the jobs that wait, and stops in good order."""

import os
import signal
import threading
import time

import pytest

from quire.actor import SYSTEM
from quire.cli import main
from quire.cli.worker import READY
from quire.records import USERS
from quire.store.db import db
from quire.store.events.mail import enqueue_mail
from quire.store.write import create
from tests.monitoring.log_setup import restored_log

posix = pytest.mark.skipif(os.name == "nt", reason="Windows cannot send itself SIGTERM")


@pytest.fixture
def own_process():
    """Signals that come too late end no test; their handlers and the log are as they were, afterwards."""
    handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, lambda *_: None)
    with restored_log():
        yield
    for one, handler in handlers.items():
        signal.signal(one, handler)


@posix
def test_it_does_what_waits_until_it_is_told_to_stop(console, instance, own_process):
    with main.application().app_context():
        id = create(USERS, SYSTEM, {"username": "ann", "email": "ann@example.org"}).id
        enqueue_mail("two_factor_on", id)
        db.engine.dispose()

    def stop_when_done():
        end = time.monotonic() + 60
        while not list((instance / "outbox").glob("*.eml")) and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    waiting = threading.Thread(target=stop_when_done)
    waiting.start()
    status, said, _ = console("worker", "--concurrency", "1")
    waiting.join()
    assert (status, said) == (0, f"{READY}\n")
    [letter] = (instance / "outbox").glob("*.eml")
    assert "To: ann@example.org" in letter.read_text(encoding="utf-8")
    assert console.rows("SELECT event FROM outbox WHERE event LIKE 'mail.%'") == []
