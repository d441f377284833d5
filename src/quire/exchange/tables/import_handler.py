"""Runs imports part by part: each batch of rows is committed together with the progress."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from sqlalchemy import Connection, select, update

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.job_registry import Reschedule
from quire.exchange.batching import one_item, rolled_back_transaction
from quire.exchange.model import ImportReport, Unusable
from quire.exchange.tables import import_jobs
from quire.exchange.tables.cells import Row
from quire.exchange.tables.columns import may_import
from quire.exchange.tables.import_jobs import MAX_LINES, ImportJob
from quire.exchange.tables.load import TableImport
from quire.store import audit
from quire.store.db import on_commit, transaction
from quire.store.files.local import incoming_dir, writing_files
from quire.store.files.storage import delete_files, file_storage
from quire.store.history import batch_undo, undoable_batches
from quire.store.history.undoable_batches import RowChange
from quire.store.transactions.long_work import in_batches

PART_SECONDS = 8.0
"""Seconds of work on an import before other jobs get a turn; a stopping server waits that long."""
LEASE_SECONDS = 120
"""Seconds before another worker takes over from one that has died."""
LONGEST_WORDS = 500
"""The most characters in a report line."""
ROLE_CHANGED = (
    "This import was stopped because your role or your account has changed. "
    "Continue the import to see what you can still change."
)
FILE_GONE = "The uploaded file has been deleted. Upload it again: rows that have already been imported are skipped."

FindActor = Callable[[int], Actor | None]
"""Loads the current actor of a user; None if they may not sign in."""

_jobs = ImportJob.__table__


class Superseded(Exception):
    """The import was stopped or discarded, or another worker has taken over."""


class Stop(Exception):
    """The import cannot continue; the text says why."""


def advance(id: int, ticket: int, find_actor: FindActor) -> None:
    """Run part of an import for its owner, if `ticket` is still current.

    Raises Reschedule if more is left. Does nothing if the import has been stopped or replaced.
    """
    job = import_jobs.with_id(id)
    if job is None or not job.is_active or job.ticket != ticket:
        return
    try:
        more = _Part(job, find_actor).run()
    except Superseded:
        return
    except Stop as reason:
        _note(job, status="stopped", error=str(reason))
        return
    if more:
        raise Reschedule


class _Part:
    """A few seconds of work on one import."""

    def __init__(self, job: ImportJob, find_actor: FindActor):
        self._job, self._find_actor = job, find_actor
        self._actor = self._asker()
        self._report = ImportReport(dry_run=job.task == "check")
        self._done_count, self._position = 0, job.position
        self._is_over, self._until = True, 0.0

    def run(self) -> bool:
        """Run this part; returns whether more is left."""
        with self._work() as (take, items):
            self._until = monotonic() + PART_SECONDS
            for _ in in_batches(take, self._some(items), self._batch):
                pass
        if self._is_over:
            self._finish()
        return not self._is_over

    def _some(self, items: Iterable[Any]) -> Iterator[Any]:
        """Items until the time is up, at least one."""
        try:
            for item in items:
                yield item
                if monotonic() > self._until:
                    self._is_over = False
                    return
        except Unusable as error:
            self._report.add("skipped", self._job.name, words=error.reason)

    def _work(self) -> AbstractContextManager[tuple[Callable[[Any], object], Iterable[Any]]]:
        return self._undoing() if self._job.task == "undo" else self._importing()

    @contextmanager
    def _importing(self) -> Iterator[tuple[Callable[[Any], object], Iterable[Any]]]:
        job = self._job
        with _file_of(job) as file:
            table = job.table(file)
            work = TableImport(
                job.record,
                self._actor,
                table,
                job.columns,
                dry_run=job.task == "check",
                note=self._store_change,
            )
            work.report = self._report
            if job.position == 0:
                work.report_doubts(job.name)

            def take(row: Row) -> None:
                work.take(row)
                self._done_count, self._position = self._done_count + 1, row[0]

            yield take, (row for row in table.rows() if row[0] > job.position)

    def _store_change(self, change: RowChange) -> None:
        with transaction() as connection:
            undoable_batches.store_changes(connection, self._job.batch_id or 0, [change])

    @contextmanager
    def _undoing(self) -> Iterator[tuple[Callable[[Any], object], Iterable[Any]]]:
        yield self._undo, undoable_batches.changes(self._job.batch_id, below=self._job.position)

    def _undo(self, change: RowChange) -> None:
        row, target = f"row {change.row}", f"{change.type}/{change.record_id}"
        with one_item(None, lambda reason: self._report.add("kept", row, target, reason)):
            batch_undo.undo(self._actor, self._job.batch_id or 0, change, is_import=True)
            words = "deleted" if change.action == "create" else "restored"
            self._report.add("updated", row, words=words)
        self._done_count, self._position = self._done_count + 1, change.id

    @contextmanager
    def _batch(self) -> Iterator[None]:
        """The transaction of a batch: its rows and the progress of the import."""
        if self._job.task == "check":
            with rolled_back_transaction():
                self._asker()
                yield
            with transaction() as connection:
                self._save(connection)
            return
        with transaction() as connection:
            self._lock(connection)
            self._asker()
            yield
            self._save(connection)

    def _asker(self) -> Actor:
        """The owner with their current rights. Raises Stop if these have changed."""
        actor = self._find_actor(self._job.owner_id)
        if actor is None or actor.role != self._job.role or not may_import(self._job.record, actor):
            raise Stop(ROLE_CHANGED)
        return actor

    def _lock(self, connection: Connection) -> None:
        """Lock the import, so that other workers wait and then find that it has moved on."""
        mine = select(_jobs.c.id).where(*_is_current(self._job)).with_for_update()
        if connection.execute(mine).first() is None:
            raise Superseded

    def _save(self, connection: Connection) -> None:
        """Save the progress and the outcome of the rows of this batch."""
        job, report = self._job, self._report
        lines = [line for line in report.lines if line.words or line.outcome == "skipped"]
        stored = lines[: max(MAX_LINES - len(job.lines), 0)]
        values: dict[str, Any] = {
            "position": self._position,
            "done": job.done + self._done_count,
            "counts": dict(Counter(job.counts) + report.counts),
            "line_count": job.line_count + len(lines),
            "changed_at": now(),
        }
        if stored:
            values["lines"] = [*job.lines, *map(_line, stored)]
        report.clear()
        self._done_count = 0
        _update(connection, job, values)

    def _finish(self) -> None:
        job, file = self._job, self._job.file
        with transaction() as connection:
            _update(connection, job, {"status": "finished", "changed_at": now()})
            if job.task == "import":
                _update(connection, job, {"file": ""})
                on_commit(lambda: delete_files(file))
            if job.task == "undo":
                undoable_batches.note_undone(connection, job.batch_id, self._actor)
            if job.task != "check":  # one line in the audit, besides those of the records
                verb = "import" if job.task == "import" else "undo_import"
                audit.record_event(self._actor, verb, job.type, None, job.summary)


def _line(line: Any) -> dict[str, Any]:
    return {**asdict(line), "words": line.words[:LONGEST_WORDS]}


def _note(job: ImportJob, **values: Any) -> None:
    with transaction() as connection:
        connection.execute(
            update(_jobs).where(*_is_current(job)).values(**values, changed_at=now())
        )


def _update(connection: Connection, job: ImportJob, values: dict[str, Any]) -> None:
    """Update an import that nobody else has changed. Raises Superseded."""
    mine = update(_jobs).where(*_is_current(job))
    if not connection.execute(mine.values(values)).rowcount:
        raise Superseded
    for name, value in values.items():
        setattr(job, name, value)


def _is_current(job: ImportJob) -> tuple[Any, ...]:
    """Conditions that the stored import is still as in `job`, with no newer request."""
    columns = _jobs.c
    return columns.id == job.id, columns.ticket == job.ticket, columns.position == job.position


@contextmanager
def _file_of(job: ImportJob) -> Iterator[Path]:
    """The uploaded table as a local file. Raises Stop if it no longer exists."""
    file = file_storage().find(job.file)
    if file is None:
        raise Stop(FILE_GONE)
    if file.path is not None:
        yield file.path
        return
    with TemporaryDirectory(dir=incoming_dir(), ignore_cleanup_errors=True) as folder:
        path = Path(folder) / f"table.{job.format}"
        with writing_files(), file.open() as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        yield path
