"""Runs many operations on records of one type in few transactions, each under the rules of a single request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, starmap
from typing import Any

import orjson

from quire.actor import Actor
from quire.declare.record import Record
from quire.errors import (
    BatchAborted,
    Problem,
    Unavailable,
    ValidationFailed,
    detail,
    no_such,
)
from quire.store import write
from quire.store.changes.preconditions import refuse_without_version
from quire.store.changes.references import find_by_key
from quire.store.db import (
    nested_transaction,
    read_connection,
    roll_back,
    rollback_scope,
    transaction,
)
from quire.store.history.undoable_batches import BULK, RowChange, begin, change_of, store_changes
from quire.store.transactions.retries import run_again
from quire.store.write import Prepared, Raw, Saved

LIMIT = 500
"""The maximum number of operations in one call."""
ROWS_OF_GROUP = 100
"""Independent operations that are committed together; other writers get their turn in between."""
CREATES_AT_ONCE = 500
"""New records that are written together; if one is rejected, each half is retried."""


@dataclass
class Operation:
    """One operation: `op` is create, update, upsert, delete or the name of an action.

    `match_on` is the field by which an upsert finds its record: the id or the natural key.
    """

    op: str
    id: int | None = None
    version: int | None = None
    match_on: str = "id"
    data: Raw = field(default_factory=dict)


@dataclass
class Result:
    """The outcome of an operation: the status of the equivalent single request, or its `problem`.

    `json` is the record as the actor sees it, None if it is gone or would make the response too
    large; `is_secret` is whether part of it is shown only once, `changed` whether anything differs.
    """

    status: int = 0
    id: int | None = None
    json: bytes | None = None
    is_secret: bool = False
    problem: Problem | None = None
    changed: bool = True


@dataclass(frozen=True)
class BulkOptions:
    """Whether the call is atomic or a dry run, whether versions are required, the size limit of the
    response, and the kind of batch."""

    atomic: bool = True
    dry_run: bool = False
    requires_version: bool = False
    max_bytes: int | None = None
    kind: str = BULK


@dataclass
class _Row:
    """An operation in progress: `verb` is what it does, `new` or `ready` its prepared change."""

    number: int
    operation: Operation
    verb: str = ""
    id: int | None = None
    new: Prepared | None = None
    ready: Raw | None = None


def run(
    record: Record, actor: Actor, operations: Sequence[Operation], options: BulkOptions
) -> tuple[list[Result], int | None]:
    """The outcome of each operation, and the id of the batch that undoes all of them.

    The batch is None if nothing was written. If one failure aborts everything, the operations that
    did not fail have the problem BatchAborted. Raises Unavailable.
    """
    return _Bulk(record, actor, options, len(operations)).run(operations)


class _Bulk:
    """One bulk call."""

    def __init__(self, record: Record, actor: Actor, options: BulkOptions, count: int):
        self._record, self._actor, self._options = record, actor, options
        self._results = [Result() for _ in range(count)]
        self._changes: list[RowChange] = []
        self._batch: int | None = None
        self._bytes = 0

    def run(self, operations: Sequence[Operation]) -> tuple[list[Result], int | None]:
        """Run all operations; see the function `run`."""
        with rollback_scope():
            rows = [row for row in starmap(_Row, enumerate(operations)) if self._is_prepared(row)]
            if self._options.atomic or self._options.dry_run:
                run_again(partial(self._run_as_one, rows))
            else:
                for start in range(0, len(rows), ROWS_OF_GROUP):
                    self._run_group(rows[start : start + ROWS_OF_GROUP])
        return self._results, self._batch

    def _run_as_one(self, rows: list[_Row]) -> None:
        aborted = False
        self._begin(None)
        with nested_transaction():
            self._do(rows)
            aborted = self._options.atomic and any(one.problem for one in self._results)
            if aborted or self._options.dry_run:
                roll_back()
            self._store_batch()
        if aborted:
            for row in rows:
                if self._results[row.number].problem is None:
                    self._fail(row, BatchAborted())

    def _run_group(self, rows: list[_Row]) -> None:
        """Commit rows together; if the database fails, earlier groups stay written."""
        batch = self._batch
        try:
            run_again(partial(self._write_group, rows, batch))
        except Unavailable as problem:
            if batch is None:
                raise
            self._begin(batch)
            for row in rows:
                self._fail(row, problem)

    def _write_group(self, rows: list[_Row], batch: int | None) -> None:
        self._begin(batch)
        with transaction():
            self._do(rows)
            self._store_batch()

    def _begin(self, batch: int | None) -> None:
        self._batch = batch
        self._changes.clear()  # left by an attempt that was rolled back

    def _is_prepared(self, row: _Row) -> bool:
        """Prepare the row before the transaction, so that slow work blocks no one; return whether it can run."""
        try:
            self._prepare(row)
        except Unavailable:
            raise
        except Problem as problem:
            if row.operation.op == "upsert" and row.verb == "create":
                return True  # an earlier operation may create the record
            self._fail(row, problem)
            return False
        return True

    def _prepare(self, row: _Row) -> None:
        record, actor, one = self._record, self._actor, row.operation
        row.new = row.ready = None
        row.id = self._match(one) if one.op == "upsert" else one.id
        row.verb = one.op if one.op != "upsert" else "create" if row.id is None else "update"
        if row.verb == "create":
            row.new = write.prepare_new(record, actor, self._new_values(one))
        elif row.id is None or self._lacks_version(row):
            return
        elif row.verb == "update":
            row.ready = write.prepare_update(record, actor, row.id, one.data)
        elif (action := record.action(row.verb)) is not None:
            row.ready = write.prepare_action(record, actor, row.id, action)

    def _match(self, one: Operation) -> int | None:
        """The id of the record that an upsert matches, None for a new one. Raises ValidationFailed."""
        name, value = one.match_on, one.data.get(one.match_on)
        label = self._record.field(name).label
        if name == "id":
            if value is not None and type(value) is not int:
                raise ValidationFailed([detail(name, "wrong_type", f"{label} must be a number.")])
            return value
        if value is None:
            raise ValidationFailed([detail(name, "required", f"{label} is required.")])
        if not isinstance(value, str):  # creation reports the error
            return None
        with read_connection() as connection:
            return find_by_key(connection, self._record, self._actor, value)

    def _new_values(self, one: Operation) -> Raw:
        if one.op == "create":
            return one.data
        if one.version is not None:
            raise no_such(self._record.noun)
        return {name: value for name, value in one.data.items() if (name, value) != ("id", None)}

    def _lacks_version(self, row: _Row) -> bool:
        one, action = row.operation, self._record.action(row.verb)
        is_needed = self._options.requires_version and self._record.is_versioned
        is_needed = is_needed and not (action and action.creates)
        return is_needed and one.version is None and one.data.get("version") is None

    def _do(self, rows: list[_Row]) -> None:
        for creates, some in groupby(rows, key=lambda row: row.operation.op == "create"):
            together, size = list(some), CREATES_AT_ONCE if creates else 1
            for start in range(0, len(together), size):
                self._try(together[start : start + size])

    def _try(self, rows: list[_Row]) -> None:
        """Run one operation, or several creations together."""
        try:
            with nested_transaction():
                outcomes = self._create(rows) if len(rows) > 1 else [self._execute(rows[0])]
        except Unavailable:
            raise
        except Problem as problem:
            if len(rows) == 1:
                self._fail(rows[0], problem)
            else:  # retrying the halves finds the one that failed
                self._try(rows[: len(rows) // 2])
                self._try(rows[len(rows) // 2 :])
        else:
            for row, saved in zip(rows, outcomes, strict=True):
                self._succeed(row, saved)

    def _create(self, rows: list[_Row]) -> Sequence[Saved | None]:
        new = [row.new for row in rows if row.new is not None]
        return write.create_prepared(self._record, self._actor, new)

    def _execute(self, row: _Row) -> Saved | None:
        record, actor, one = self._record, self._actor, row.operation
        if one.op == "upsert" and (
            self._match(one) != row.id or (row.verb == "create" and row.new is None)
        ):
            self._prepare(row)
        if row.new is not None:
            return write.create_prepared(record, actor, [row.new])[0]
        id = row.id or 0
        if self._lacks_version(row):
            refuse_without_version(record, actor, id, record.rule(row.verb))
        if row.verb == "delete":
            return write.delete(record, actor, id, version=one.version)
        more: Any = {"version": one.version, "ready": row.ready}
        if row.verb == "update":
            return write.update(record, actor, id, one.data, **more)
        return write.act(record, actor, id, row.verb, one.data, **more)

    def _succeed(self, row: _Row, saved: Saved | None) -> None:
        id = row.id if saved is None else saved.id
        change = change_of(row.number, row.verb, self._record, id or 0, saved)
        if change is not None:
            self._changes.append(change)
        result = Result(204, id)
        if saved is not None and row.verb != "delete":
            revealed = self._record.shown_once(saved.revealed)
            json = self._json(saved, revealed)
            result = Result(201 if saved.created else 200, id, json, bool(json and revealed))
        result.changed = saved is None or saved.changed
        self._results[row.number] = result

    def _json(self, saved: Saved, revealed: Raw) -> bytes | None:
        """The record as the actor sees it, unless the response becomes too large."""
        if saved.visible is None:
            return None
        shown = self._record.default_values(saved.visible)
        shown.update(revealed)
        json = orjson.dumps(shown)
        self._bytes += len(json)
        limit = self._options.max_bytes
        return json if limit is None or self._bytes <= limit else None

    def _fail(self, row: _Row, problem: Problem) -> None:
        self._results[row.number] = Result(problem.status, row.operation.id, problem=problem)

    def _store_batch(self) -> None:
        """Store the changes as a batch, so that they can be undone."""
        if self._changes:
            with transaction() as connection:
                if self._batch is None:
                    self._batch = begin(connection, self._actor, self._options.kind)
                store_changes(connection, self._batch, self._changes)
            self._changes.clear()
