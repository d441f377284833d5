"""A worker that is repeatedly killed in the middle of an import loses no row and imports none twice."""

import io
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from sqlalchemy import text, update

from quire.actor import SYSTEM, Actor
from quire.app import create_app
from quire.declare.clock import now
from quire.exchange.tables import import_jobs
from quire.records import TAGS, USERS
from quire.store.db import db, read_connection, transaction
from quire.store.events.outbox import OutboxEvent
from quire.store.write import create
from tests.faults.kill import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.faults
ROWS = 3000


@pytest.fixture
def place(tmp_path):
    """Settings of an installation with one administrator."""
    url = f"sqlite:///{(tmp_path / 'quire.db').as_posix()}"
    settings = {"SQLALCHEMY_DATABASE_URI": url, "QUIRE_INSTANCE": str(tmp_path)}
    environment = {**os.environ, "QUIRE_INSTANCE": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, str(ROOT / "manage.py"), "db", "upgrade"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    app = create_app("testing", settings)
    with app.app_context():
        yield environment
        db.engine.dispose()


@contextmanager
def worker(environment):
    """Run a worker that is killed at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "worker"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        process.wait()


def let_others_try():
    """Expire the claim of a killed worker immediately instead of after two minutes."""
    events = OutboxEvent.__table__
    with transaction() as connection:
        mine = update(events).where(events.c.event == import_jobs.WORK)
        connection.execute(mine.values(due_at=now()))


def test_no_row_is_lost_or_duplicated(place):
    raw = {"username": "ada", "email": "ada@example.org", "password": "a long enough word", "role": "admin"}  # fmt: skip
    ada = Actor("admin", create(USERS, SYSTEM, raw).id, "ada")
    table = "name\n" + "".join(f"Tag {number}\n" for number in range(ROWS))
    job = import_jobs.receive_table(ada, TAGS, io.BytesIO(table.encode()), "tags.csv")
    import_jobs.start(job, ada, "import")
    for part in (0, 0.3, 0.6):
        with worker(place):
            wait_until(lambda part=part: import_jobs.with_id(job.id).done > part * ROWS, 120)
        let_others_try()
    with worker(place):
        wait_until(lambda: not import_jobs.with_id(job.id).is_active, 120)
    done = import_jobs.with_id(job.id)
    assert (done.status, done.done, done.counts) == ("finished", ROWS, {"created": ROWS})
    with read_connection() as connection:
        found = connection.execute(text("SELECT name FROM tags ORDER BY id")).scalars()
        assert list(found) == [f"Tag {number}" for number in range(ROWS)]
        assert connection.execute(text("SELECT count(*) FROM batch_changes")).scalar() == ROWS
