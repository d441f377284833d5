"""Writes the rows of a table to the store, each as a new record or a change to an existing one."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.email_address import normalize_address
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.text_values import OMITTED
from quire.declare.unicode_text import case_fold
from quire.errors import Problem, ValidationFailed
from quire.exchange.batching import one_item, process_in_batches
from quire.exchange.model import ImportReport, Unusable, fingerprint
from quire.exchange.origin_map import Lookup
from quire.exchange.tables.columns import DATED, cell_value, importable_fields
from quire.exchange.tables.date_order import MIXED, UNKNOWN
from quire.exchange.tables.sheets import Table
from quire.store import read, write
from quire.store.db import read_connection
from quire.store.history.undoable_batches import RowChange, change_of
from quire.store.import_origins import TABLES, KnownItem
from quire.store.write import Saved

EDITED = "was imported before and has been edited here since, so it was not changed"

_DOUBTS = {
    UNKNOWN: "the dates do not show whether the day or the month comes first: 01/02 is read as January, "
    "01.02 and 01-02 as February",
    MIXED: "some dates start with the day and others with the month: check all ambiguous dates",
}

Raw = dict[str, Any]
Row = tuple[int, list[str]]


def _no_note(change: RowChange) -> None:
    """The default `note`, which does nothing."""


class TableImport:
    """The import of one table into one record type, with the rights of `actor`.

    `columns` are the field names of the table's columns, empty for ignored columns; `defaults` are
    values for every new record; `note(change)` is called for each row that changed something, in its
    transaction.
    """

    def __init__(
        self,
        record: Record,
        actor: Actor,
        table: Table,
        columns: list[str],
        *,
        defaults: Raw | None = None,
        dry_run: bool = False,
        note: Callable[[RowChange], object] = _no_note,
    ):
        self.record, self._actor, self._table = record, actor, table
        fields_by_name = {one.name: one for one in importable_fields(record, actor)}
        self._fields = [fields_by_name.get(name) for name in columns]
        orders = [*table.orders, *[""] * len(columns)]
        self._orders = {one: orders[n] for n, one in enumerate(self._fields) if one is not None}
        self._defaults, self._note = defaults or {}, note
        self._memory = Lookup(TABLES, record.path)
        self.report = ImportReport(dry_run=dry_run)

    def run(self) -> Iterator[int]:
        """Import all rows; yields how many are done, after each batch."""
        self.report_doubts(self._table.file.name)
        try:
            yield from process_in_batches(
                self.take, self._table.rows(), self._table.count, keep=not self.report.dry_run
            )
        except Unusable as error:
            self.report.add("skipped", self._table.file.name, words=error.reason)

    def report_doubts(self, name: str) -> None:
        """Add warnings about the table as a whole to the report, under its `name`."""
        for words in self._table.warnings:
            self.report.add("noted", name, words=words)
        for one, order in self._orders.items():
            if one.kind.widget in DATED and order in _DOUBTS:
                self.report.add("noted", name, words=f"{one.name}: {_DOUBTS[order]}")

    def take(self, row: Row) -> None:
        """Import one row and report the outcome."""
        number, cells = row
        with one_item(None, lambda reason: self._fail(number, reason)):
            try:
                outcome, words = self._import_row(number, cells)
            except ValidationFailed as error:
                raise Unusable(_by_field(error)) from None
            more = len(cells) - len(self._fields)
            ignored_cells = f"{more} cells more than there are columns, ignored" if more > 0 else ""
            note = "; ".join(filter(None, (words, ignored_cells)))
            self.report.add(outcome, f"row {number}", words=note)

    def _fail(self, number: int, reason: str) -> None:
        self.report.add("skipped", f"row {number}", words=reason)

    def _import_row(self, number: int, cells: list[str]) -> tuple[str, str]:
        texts = dict(self._texts(cells))
        id, key = self._identify(texts)
        raw = self._raw(texts, creating=id is None)
        mark = fingerprint(raw)
        item = key or f"row {mark}"
        earlier = self._earlier_import(item, id)
        if id is None and earlier is not None:
            there = self._version(earlier.record_id)
            return (
                ("unchanged", "")
                if there
                else ("skipped", "was imported before and has been deleted here")
            )
        if id is None:
            return "created", self._create(number, item, mark, raw)
        if earlier is not None and earlier.record_id == id:
            if earlier.fingerprint == mark:
                return "unchanged", ""
            if earlier.version != self._version(id):
                return "kept", EDITED
        return self._update(number, item, mark, id, raw), ""

    def _texts(self, cells: list[str]) -> Iterator[tuple[Field, str]]:
        for one, text in zip(self._fields, cells, strict=False):
            if one is not None:
                yield one, text

    def _raw(self, texts: dict[Field, str], *, creating: bool) -> Raw:
        """The values of a row; defaults apply to new records only."""
        raw = {}
        for one, text in texts.items():
            if one.name == "id" or (creating and one.name == "version"):
                continue
            if creating or one.name == "version" or one.on_update or self._actor.is_system:
                order = self._orders.get(one, "")
                raw[one.name] = cell_value(one, text, creating=creating, order=order)
        return {name: value for name, value in raw.items() if value is not OMITTED}

    def _identify(self, texts: dict[Field, str]) -> tuple[int | None, str]:
        """The id of the record that a row names, or None for a new one, and the row's key.

        Records are found by id, otherwise by the first unique column. Raises Unusable for an unknown id.
        """
        for one, text in texts.items():
            if one.name == "id" and (clean := text.strip().removeprefix("#")):
                id = int(clean) if clean.isascii() and clean.isdigit() and len(clean) < 19 else 0
                return self._find_existing(id), f"id {id}"
        for one, text in self._unique(texts):
            name = case_fold(text) if self._ignores_case(one) else text
            return self._find(one, text), f"{one.name} {name}"
        return None, ""

    def _ignores_case(self, one: Field) -> bool:
        return f"{one.name}_folded" in self.record.table.c or one.kind.name == "email"

    def _earlier_import(self, item: str, id: int | None) -> KnownItem | None:
        """The record that an earlier import created from this row; older versions stored names in lower case."""
        earlier = self._memory.get(item)
        if earlier is None and id is not None:
            earlier = self._memory.get(case_fold(item))
            return earlier if earlier is not None and earlier.record_id == id else None
        return earlier

    def _unique(self, texts: dict[Field, str]) -> list[tuple[Field, str]]:
        """Cells that identify one record, the natural key first."""
        unique = [
            (one, str(cell_value(one, text, creating=True)))
            for one, text in texts.items()
            if one.is_stored and one.column.unique and one.kind.is_text and text.strip()
        ]
        return sorted(unique, key=lambda pair: pair[0].name != self.record.key)

    def _find_existing(self, id: int) -> int:
        existing = read.find_id(self.record, self._actor, id=id)
        if existing is None:
            raise Unusable(f"ID: there is no {self.record.noun} {id}")
        return existing

    def _find(self, one: Field, text: str) -> int | None:
        value = normalize_address(text) if one.kind.name == "email" else text
        return read.find_id(self.record, self._actor, **{one.comparison_column.key: value})

    def _version(self, id: int) -> int | None:
        table = self.record.table.c
        with read_connection() as connection:
            return connection.execute(select(table.version).where(table.id == id)).scalar()

    def _create(self, number: int, item: str, mark: str, raw: Raw) -> str:
        saved = write.create(self.record, self._actor, {**self._defaults, **raw})
        self._store_change(number, "create", item, mark, saved, raw)
        return "; ".join(f"{name}: {value}" for name, value in saved.revealed.items())

    def _update(self, number: int, item: str, mark: str, id: int, raw: Raw) -> str:
        saved = write.update(self.record, self._actor, id, raw)
        self._store_change(number, "update", item, mark, saved, raw)
        return "updated" if saved.changed else "unchanged"

    def _store_change(
        self, number: int, action: str, item: str, mark: str, saved: Saved, raw: Raw
    ) -> None:
        if self.report.dry_run:
            return
        path = self.record.path
        self._memory.remember(item, KnownItem(path, saved.id, mark, saved.version))
        change = change_of(number, action, self.record, saved.id, saved)
        if change is not None:
            self._note(change)


def _by_field(error: Problem) -> str:
    """The first error of each field."""
    return "; ".join(
        f"{one['field']}: {one['message'].rstrip('.')}" for one in error.details
    ) or error.message.rstrip(".")
