"""Imports of uploaded tables, each stored as a row: owner, progress and outcome."""

import secrets
import shutil
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any

from flask import current_app
from sqlalchemy import JSON, Integer, Text, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.column_types import FileName, Names, Object, Time
from quire.declare.job_registry import periodic
from quire.declare.mixins import HasId
from quire.declare.record import REGISTRY, Record
from quire.declare.references import Ref, reference
from quire.errors import Conflict, NotFound, ValidationFailed, detail
from quire.exchange.model import Unusable, summary_of
from quire.exchange.tables.columns import importable_fields, match_columns
from quire.exchange.tables.sheets import KINDS, Table, open_table, reader_slot
from quire.records import orphaned_files
from quire.store.audit import Word
from quire.store.db import (
    Model,
    on_commit,
    on_rollback,
    read_connection,
    rollback_scope,
    transaction,
)
from quire.store.events import outbox
from quire.store.files.local import ORIGINAL
from quire.store.files.receive import receive
from quire.store.files.storage import delete_files, file_storage
from quire.store.history import undoable_batches
from quire.translations.messages import Message

WORK = "imports.work"
"""The event that makes a worker run the next part of an import."""
LASTS = timedelta(days=1)
"""How long an uploaded table is stored after its last use; undo is possible for longer."""
MAX_FILES = 50
"""The most uploaded tables per user."""
MAX_LINES = 200
"""The most report lines that are stored; all are counted."""
PRUNE_SECONDS = 3600
SAMPLE_ROWS, SAMPLES, SAMPLE_LENGTH = 5, 3, 60
"""Limits of a column's samples: rows read, texts shown, characters of each."""


class ImportJob(HasId, Model):
    """One uploaded table: its owner, its record type, the fields of its columns, and the outcome.

    `task` is the last request: upload, check (a dry run), import or undo; it is active, finished, or
    stopped with an `error`. `ticket` counts the requests, `role` is the owner's role at the last one;
    `done` of `total` rows are done, the last one at `position`. `lines` are the first of `line_count`
    report lines; `file` is the name of the table in the file storage while it is needed.
    """

    __tablename__ = "import_jobs"

    token: Mapped[Word] = mapped_column(unique=True)
    owner_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    role: Mapped[Word]
    type: Mapped[Word]
    name: Mapped[FileName]
    file: Mapped[Word]
    format: Mapped[Word]
    row_count: Mapped[int] = mapped_column(Integer())
    headers: Mapped[Names]
    warnings: Mapped[Names]
    orders: Mapped[Names]
    samples: Mapped[list[Any]] = mapped_column(JSON())
    columns: Mapped[Names]
    task: Mapped[Word] = mapped_column(default="upload")
    status: Mapped[Word] = mapped_column(default="finished")
    ticket: Mapped[int] = mapped_column(Integer(), default=0)
    batch_id: Mapped[Ref | None] = reference("batches", on_delete="SET NULL", index=True)
    total: Mapped[int] = mapped_column(Integer(), default=0)
    done: Mapped[int] = mapped_column(Integer(), default=0)
    position: Mapped[int] = mapped_column(Integer(), default=0)
    counts: Mapped[Object] = mapped_column(default=dict)
    lines: Mapped[list[Any]] = mapped_column(JSON(), default=list)
    line_count: Mapped[int] = mapped_column(Integer(), default=0)
    error: Mapped[str | None] = mapped_column(Text())
    created_at: Mapped[Time] = mapped_column(default=now)
    changed_at: Mapped[Time] = mapped_column(default=now, index=True)

    @property
    def record(self) -> Record:
        """The type that its rows are imported as."""
        return REGISTRY[self.type]

    @property
    def is_active(self) -> bool:
        """Whether a worker is working on it, or is about to."""
        return self.status == "active"

    @property
    def summary(self) -> str:
        """Its outcome in one line; empty if nothing was requested."""
        if self.task == "upload":
            return ""
        return summary_of(self.counts, dry_run=self.task == "check")

    @property
    def more_lines(self) -> int:
        """How many report lines are not stored."""
        return self.line_count - len(self.lines)

    @property
    def can_be_imported(self) -> bool:
        """Whether it can be checked or imported, perhaps with other columns."""
        return self.task in ("upload", "check") and not self.is_active

    @property
    def can_continue(self) -> bool:
        """Whether an import was stopped halfway and can continue."""
        return self.task == "import" and self.status == "stopped" and bool(self.file)

    @property
    def can_be_undone(self) -> bool:
        """Whether it has made changes that were not undone."""
        ended = self.task == "import" or (self.task, self.status) == ("undo", "stopped")
        return ended and not self.is_active and undoable_batches.count(self.batch_id) > 0

    def table(self, file: Path) -> Table:
        """The table in `file`."""
        return Table(file, self.format, self.headers, self.row_count, self.warnings, self.orders)


_jobs = ImportJob.__table__


def receive_table(actor: Actor, record: Record, stream: IO[bytes], name: str) -> ImportJob:
    """Store an uploaded table. Raises ValidationFailed if it is not a table, Conflict if the actor has
    too many already, TooLarge, and Unavailable if it cannot be read or stored now."""
    _refuse_too_many(actor)
    format = name.rpartition(".")[2].lower()
    format = format if format in KINDS else "csv"
    with receive(stream, name) as upload:
        try:
            with reader_slot():
                table = open_table(upload.path, format)
        except Unusable as error:
            raise ValidationFailed(
                [detail("file", "bad_format", f"The file {error.reason}.")]
            ) from None
        token = secrets.token_urlsafe(18)
        file = f"{ORIGINAL}{secrets.token_hex(16)}-{secrets.token_hex(4)}.{format}"
        values = {
            "token": token,
            "owner_id": actor.user_id,
            "role": actor.role,
            "type": record.path,
            "name": " ".join(upload.name.split())[-100:] or "unnamed",
            "file": file,
            "format": format,
            "row_count": table.count,
            "headers": table.headers,
            "warnings": table.warnings,
            "orders": table.orders,
            "samples": _samples(table),
            "columns": match_columns(table.headers, importable_fields(record, actor)),
        }
        with rollback_scope():
            on_rollback(lambda: file_storage().delete(file))
            file_storage().put(file, upload.path)
            with transaction() as connection:
                connection.execute(insert(_jobs).values(values))
    return find(actor, token)


def _refuse_too_many(actor: Actor) -> None:
    waiting = select(func.count()).where(_jobs.c.owner_id == actor.user_id, _jobs.c.file != "")
    with read_connection() as connection:
        if connection.execute(waiting).scalar_one() >= MAX_FILES:
            raise Conflict(
                Message(
                    "You have %(limit)s files waiting to be imported. Discard some of them first.",
                    limit=MAX_FILES,
                )
            )


def _samples(table: Table) -> list[list[str]]:
    """A few sample texts of each column."""
    rows = [cells for _, cells in islice(table.rows(), SAMPLE_ROWS)]
    columns = range(len(table.headers))
    texts = ([row[n] for row in rows if n < len(row) and row[n]] for n in columns)
    return [[text[:SAMPLE_LENGTH] for text in some[:SAMPLES]] for some in texts]


def find(actor: Actor, token: str) -> ImportJob:
    """The actor's own import. Raises NotFound."""
    rows = _select(_jobs.c.token == token, *_owner_conditions(actor))
    if not rows:
        raise NotFound("There is no such import. Uploaded files are deleted after a day.")
    return rows[0]


def with_id(id: int) -> ImportJob | None:
    """The import with this id."""
    return next(iter(_select(_jobs.c.id == id)), None)


def jobs_of(actor: Actor) -> list[ImportJob]:
    """The actor's own imports that are still stored, newest first."""
    return _select(*_owner_conditions(actor))


def _owner_conditions(actor: Actor) -> Sequence[Any]:
    return _jobs.c.owner_id == actor.user_id, _jobs.c.changed_at > now() - LASTS


def _select(*where: Any) -> list[ImportJob]:
    statement = select(_jobs).where(*where).order_by(_jobs.c.id.desc())
    with read_connection() as connection:
        return [ImportJob(**row) for row in connection.execute(statement).mappings()]


def start(job: ImportJob, actor: Actor, task: str) -> None:
    """Start a check, import or undo with the current columns of `job`; a stopped import or undo continues.

    Raises Conflict if it is already running.
    """
    continued = job.task == task and job.status == "stopped" and task != "check"
    values: dict[str, Any] = {
        "task": task, "status": "active", "role": actor.role, "columns": job.columns, "error": None,
    }  # fmt: skip
    if not continued:
        total = undoable_batches.count(job.batch_id) if task == "undo" else job.row_count
        values |= {"total": total, "done": 0, "position": 0, "counts": {}}
        values |= {"lines": [], "line_count": 0}
    with transaction() as connection:
        if task == "import" and job.batch_id is None:
            values["batch_id"] = undoable_batches.begin(
                connection, actor, undoable_batches.IMPORT, job.name
            )
        _ask(job, values)
        outbox.enqueue(WORK, job.id, ticket=job.ticket)


def stop(job: ImportJob) -> None:
    """Stop the import; completed rows stay. Raises Conflict if nothing is in progress."""
    with transaction():
        _ask(job, {"status": "stopped", "error": "Stopped by you."}, was="active")


def _ask(job: ImportJob, values: dict[str, Any], was: str | None = None) -> None:
    """Save a new request; workers on the previous one find their ticket superseded."""
    status = _jobs.c.status == was if was else _jobs.c.status != "active"
    mine = _jobs.c.id == job.id, _jobs.c.ticket == job.ticket, status
    values |= {"ticket": job.ticket + 1, "changed_at": now()}
    with transaction() as connection:
        if not connection.execute(update(_jobs).where(*mine).values(values)).rowcount:
            raise Conflict(
                "This import is not running." if was else "This import is already running."
            )
    for name, value in values.items():
        setattr(job, name, value)


def discard(job: ImportJob) -> None:
    """Delete an import and its table. Raises Conflict while it is active."""
    with transaction() as connection:
        mine = _jobs.c.id == job.id, _jobs.c.status != "active"
        if not connection.execute(delete(_jobs).where(*mine)).rowcount:
            raise Conflict("This import is already running.")
        if job.file:
            on_commit(lambda: delete_files(job.file))


@periodic(PRUNE_SECONDS, title="Delete old uploaded tables")
def prune_imports() -> int:
    """Delete imports unused for a day; returns how many there were."""
    # earlier versions kept their imports in files
    shutil.rmtree(Path(current_app.config["QUIRE_INSTANCE"]) / "imports", ignore_errors=True)
    before = now() - LASTS
    old = delete(_jobs).where(_jobs.c.changed_at <= before).returning(_jobs.c.file)
    with transaction() as connection:
        files = list(connection.execute(old).scalars())
    if names := [name for name in files if name]:
        delete_files(*names)
    return len(files)


def _files() -> set[str]:
    """The names of all tables in use."""
    with read_connection() as connection:
        return set(connection.execute(select(_jobs.c.file).where(_jobs.c.file != "")).scalars())


orphaned_files.IN_USE.append(_files)
