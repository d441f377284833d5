"""Imports of tables by a worker: in parts, interrupted and continued, no row twice, and undone."""

import io
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now
from quire.declare.job_registry import SCHEDULE
from quire.errors import Unavailable, ValidationFailed
from quire.exchange.tables import import_handler, import_jobs, sheets
from quire.jobs import worker
from quire.records import TAGS, orphaned_files
from quire.store import write
from quire.store.db import read_connection, transaction
from quire.store.events.outbox import OutboxEvent
from quire.store.files.storage import file_storage
from quire.store.history import undoable_batches

NAMES = ["Ice", "Fire", "Rain", "Snow", "Fog"]
TEXT = "name\n" + "\n".join(NAMES) + "\n"


class Died(BaseException):
    """An exception that ends a process, since nothing catches it."""


@pytest.fixture
def root(people):
    return Actor("admin", people["root"].id, "root")


@pytest.fixture
def job(site, root):
    return import_jobs.receive_table(root, TAGS, io.BytesIO(TEXT.encode()), "x.csv")


@pytest.fixture
def one_by_one(monkeypatch):
    """Each part of the work is one row in one batch, however long it takes."""
    monkeypatch.setattr(import_handler, "PART_SECONDS", -1.0)
    monkeypatch.setattr("quire.store.transactions.long_work.BATCH_SECONDS", 60)


def again(job):
    return import_jobs.with_id(job.id)


def due_again():
    """End the claim of a worker that has died."""
    with transaction() as connection:
        events = OutboxEvent.__table__
        mine = update(events).where(events.c.event == import_jobs.WORK)
        connection.execute(mine.values(due_at=now()))


def names(rows):
    return [one["name"] for one in rows("SELECT name FROM tags ORDER BY id")]


def advance(job, find_actor):
    import_handler.advance(job.id, job.ticket, find_actor)


def test_number_of_tables_read_at_the_same_time_is_limited(site, root, monkeypatch):
    monkeypatch.setattr(sheets, "_readers", sheets.BoundedSemaphore(1))
    blocked = []

    @contextmanager
    def blocking():
        with pytest.raises(Unavailable) as refused:
            import_jobs.receive_table(root, TAGS, io.BytesIO(TEXT.encode()), "y.csv")
        blocked.append(refused.value.headers)
        yield

    monkeypatch.setattr(sheets, "blocking", blocking)
    import_jobs.receive_table(root, TAGS, io.BytesIO(TEXT.encode()), "x.csv")
    assert blocked == [{"Retry-After": "10"}]
    with pytest.raises(ValidationFailed):
        import_jobs.receive_table(root, TAGS, io.BytesIO(b""), "x.csv")
    assert len(import_jobs.jobs_of(root)) == 1


def test_import_runs_in_parts(job, root, rows, one_by_one):
    import_jobs.start(job, root, "import")
    with pytest.raises(import_handler.Reschedule):
        advance(job, lambda _: root)
    half = again(job)
    assert (half.done, half.total, half.position, half.is_active) == (1, 5, 2, True)
    assert names(rows) == NAMES[:1] and half.counts == {"created": 1}
    worker.run_due_jobs()
    done = again(job)
    assert (done.done, done.status, done.summary) == (5, "finished", "5 created")
    assert names(rows) == NAMES
    assert done.file == "" and file_storage().find(job.file) is None
    assert rows("SELECT id FROM outbox WHERE event = 'imports.work'") == []


@pytest.mark.parametrize("saved", [1, 3, 5])
def test_killed_worker_duplicates_no_row(job, root, rows, one_by_one, monkeypatch, saved):
    import_jobs.start(job, root, "import")
    save, count = import_handler._Part._save, []

    def die(part, connection):
        count.extend([1] * part._done_count)
        save(part, connection)
        if len(count) == saved:
            raise Died

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(import_handler._Part, "_save", die)
        worker.run_due_jobs()
    assert names(rows) == NAMES[: saved - 1]
    worker.run_due_jobs()
    assert names(rows) == NAMES[: saved - 1]  # the claim lasts
    due_again()
    worker.run_due_jobs()
    assert names(rows) == NAMES and again(job).summary == "5 created"
    assert undoable_batches.count(again(job).batch_id) == 5


def test_another_worker_continues_and_the_first_changes_nothing(job, root, rows, one_by_one):
    import_jobs.start(job, root, "import")
    slow = import_handler._Part(again(job), lambda _: root)
    with pytest.raises(import_handler.Reschedule):
        advance(job, lambda _: root)
    with pytest.raises(import_handler.Superseded):
        slow.run()
    worker.run_due_jobs()
    assert names(rows) == NAMES and again(job).summary == "5 created"


def test_import_is_stopped_in_the_middle(job, root, rows, one_by_one):
    import_jobs.start(job, root, "import")
    with pytest.raises(import_handler.Reschedule):
        advance(job, lambda _: root)
    import_jobs.stop(again(job))
    worker.run_due_jobs()
    stopped = again(job)
    assert (stopped.done, stopped.status) == (1, "stopped")
    assert stopped.can_continue and stopped.can_be_undone
    import_jobs.start(stopped, root, "import")
    worker.run_due_jobs()
    assert names(rows) == NAMES and again(job).summary == "5 created"


def test_import_is_discarded_while_waiting(job, root, rows):
    import_jobs.start(job, root, "import")
    import_jobs.stop(again(job))
    import_jobs.discard(again(job))
    worker.run_due_jobs()
    assert again(job) is None and names(rows) == []


@pytest.mark.parametrize("later", [None, Actor("moderator", 1, "root"), Actor("member", 1, "root")])
def test_users_who_lost_their_rights_import_nothing_more(job, root, rows, one_by_one, later):
    import_jobs.start(job, root, "import")
    actors = iter([root, root, later])
    with pytest.raises(import_handler.Reschedule):
        advance(job, lambda _: next(actors))
    advance(job, lambda _: later)
    stopped = again(job)
    assert names(rows) == NAMES[:1] and stopped.status == "stopped"
    assert stopped.error == import_handler.ROLE_CHANGED


def test_rights_are_checked_within_a_part_too(job, root, rows, monkeypatch):
    monkeypatch.setattr(
        "quire.store.transactions.long_work.BATCH_SECONDS", -1.0
    )  # each row is a batch
    import_jobs.start(job, root, "import")
    actors = iter([root, root, root])
    advance(job, lambda _: next(actors, None))
    assert names(rows) == NAMES[:2] and again(job).status == "stopped"


def test_check_in_parts_saves_nothing(job, root, rows, one_by_one):
    import_jobs.start(job, root, "check")
    worker.run_due_jobs()
    checked = again(job)
    assert (checked.done, checked.summary) == (5, "5 created (dry run)")
    assert names(rows) == [] and checked.can_be_imported
    import_jobs.start(checked, root, "import")
    assert (again(job).done, again(job).counts) == (0, {})


def test_undo_runs_in_parts(job, root, rows, one_by_one):
    kept = write.create(TAGS, SYSTEM, {"name": "Ice", "description": "before"}).id
    import_jobs.start(job, root, "import")
    worker.run_due_jobs()
    assert again(job).counts == {"unchanged": 1, "created": 4}
    import_jobs.start(again(job), root, "undo")
    with pytest.raises(import_handler.Reschedule):
        advance(again(job), lambda _: root)
    assert names(rows) == NAMES[:4] and again(job).total == 4
    import_jobs.stop(again(job))
    assert again(job).can_be_undone
    import_jobs.start(again(job), root, "undo")
    worker.run_due_jobs()
    undone = again(job)
    assert names(rows) == ["Ice"] and (undone.done, undone.summary) == (4, "4 updated")
    assert not undone.can_be_undone and rows(f"SELECT version FROM tags WHERE id = {kept}")
    assert rows("SELECT id FROM origins WHERE item <> 'name ice'") == []


def test_missing_table_is_reported(job, root):
    file_storage().delete(job.file)
    import_jobs.start(job, root, "import")
    worker.run_due_jobs()
    assert again(job).error == import_handler.FILE_GONE


def test_report_is_bounded(site, root):
    text = "name\n" + ("n" * 101 + "\n") * 300
    job = import_jobs.receive_table(root, TAGS, io.BytesIO(text.encode()), "x.csv")
    import_jobs.start(job, root, "check")
    worker.run_due_jobs()
    done = again(job)
    assert (done.counts, len(done.lines), done.more_lines) == ({"skipped": 300}, 200, 100)


def test_samples_of_long_cells_are_truncated(site, root):
    text = "name,slug\n" + f"{'long ' * 1000},x\n" * 9
    job = import_jobs.receive_table(root, TAGS, io.BytesIO(text.encode()), "x.csv")
    assert [len(one) for one in job.samples] == [3, 3]
    assert {len(text) for text in job.samples[0]} == {60}


def test_waiting_tables_are_not_orphaned_files(job, monkeypatch):
    monkeypatch.setattr(orphaned_files, "DAY", -60)
    orphaned_files.delete_orphans()
    assert file_storage().find(job.file) is not None
    import_jobs.discard(job)
    assert file_storage().find(job.file) is None


def test_old_tables_are_deleted_with_their_batches(job, root, rows, site, monkeypatch, tmp_path):
    import_jobs.start(job, root, "import")
    worker.run_due_jobs()
    old = tmp_path / "imports" / "token"
    old.mkdir(parents=True)
    monkeypatch.setitem(site.config, "QUIRE_INSTANCE", str(tmp_path))
    assert import_jobs.prune_imports() == 0 and not old.exists()
    monkeypatch.setattr(import_jobs, "LASTS", -import_jobs.LASTS)
    assert import_jobs.prune_imports() == 1
    assert rows("SELECT id FROM import_jobs") == []
    monkeypatch.setattr(undoable_batches, "BATCHES_LAST", -undoable_batches.BATCHES_LAST)
    assert undoable_batches.prune() == 1
    for table in ("batches", "batch_changes"):
        assert rows(f"SELECT id FROM {table}") == []
    assert names(rows) == NAMES


def test_pruning_is_on_the_schedule():
    assert SCHEDULE["every.prune_imports"].run is import_jobs.prune_imports


def test_origins_are_looked_up_one_by_one(job, root, statements):
    import_jobs.start(job, root, "import")
    _, seen = statements(advance, job, lambda _: root)
    found = [one for one in seen if "FROM origins" in one and one.startswith("SELECT")]
    assert found and all("digest" in one for one in found)


def test_unfinished_rows_are_read_in_pages(job, root, monkeypatch):
    import_jobs.start(job, root, "import")
    worker.run_due_jobs()
    monkeypatch.setattr(undoable_batches, "ROWS_AT_ONCE", 2)
    found = [one.row for one in undoable_batches.changes(again(job).batch_id)]
    assert found == [6, 5, 4, 3, 2]
    with read_connection() as connection:
        last = connection.execute(
            select(undoable_batches.BatchChange.id).order_by(undoable_batches.BatchChange.id)
        )
        below = list(last.scalars())[2]
    assert [one.row for one in undoable_batches.changes(again(job).batch_id, below=below)] == [3, 2]
