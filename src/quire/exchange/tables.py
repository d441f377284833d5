"""The rows of a table go into the store, each as a new record or a change of the one it names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.declare.typed import LEFT_OUT
from quire.errors import Invalid, Problem
from quire.exchange.columns import ABOUT, fillable, value_of
from quire.exchange.items import Report, Unusable, fingerprint
from quire.exchange.memory import Memory
from quire.exchange.sheets import Table
from quire.exchange.turns import one_item, turns
from quire.store import read, write
from quire.store.db import reading
from quire.store.write import Saved

SOURCE = "table"
EDITED = "was imported before and has been edited here since: left as it is"

Raw = dict[str, Any]
Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Deed:
    """What a row came to: which record, at which version, and which fields it was given."""

    row: int
    outcome: str
    id: int
    version: int | None
    fields: list[str] = field(default_factory=list)


def _no_note(deed: Deed) -> None:
    """What nobody wants to know."""


class TableImport:
    """One table on its way into one type of record, in the name and with the rights of `actor`.

    `columns` are the fields of the table's columns, empty for those that are left out; `given` are
    values of every new record; `note(deed)` is told of each row that changed something, in its
    transaction.
    """

    def __init__(
        self,
        record: Record,
        actor: Actor,
        table: Table,
        columns: list[str],
        *,
        given: Raw | None = None,
        dry_run: bool = False,
        note: Callable[[Deed], object] = _no_note,
    ):
        self.record, self._actor, self._table = record, actor, table
        known = {one.name: one for one in fillable(record, actor)}
        self._fields = [known.get(name) for name in columns]
        self._given, self._note = given or {}, note
        self._memory = Memory(SOURCE, record.path)
        self.report = Report(dry_run=dry_run)
        for words in table.warnings:
            self.report.add("noted", table.file.name, words=words)

    def run(self) -> Iterator[int]:
        """Do it; how many rows are done, after each turn."""
        try:
            yield from turns(
                self._take, self._table.rows(), self._table.count, keep=not self.report.dry_run
            )
        except Unusable as error:
            self.report.add("skipped", self._table.file.name, words=error.reason)

    def _take(self, row: Row) -> None:
        number, cells = row
        with one_item(self._memory, lambda reason: self._fail(number, reason)):
            try:
                outcome, words = self._bring(number, cells)
            except Invalid as error:
                raise Unusable(_by_field(error)) from None
            self.report.add(outcome, f"row {number}", words=words)

    def _fail(self, number: int, reason: str) -> None:
        self.report.add("skipped", f"row {number}", words=reason)

    def _bring(self, number: int, cells: list[str]) -> tuple[str, str]:
        texts = dict(self._texts(cells))
        id, key = self._named(texts)
        raw = self._raw(texts, creating=id is None)
        mark = fingerprint(raw)
        item = key or f"row {mark}"
        known = self._memory.get(item)
        if id is None and known is not None:
            there = self._version(known.record_id)
            return (
                ("unchanged", "") if there else ("skipped", "was imported before and deleted here")
            )
        if id is None:
            return "created", self._create(number, item, mark, raw)
        if known is not None and known.record_id == id:
            if known.fingerprint == mark:
                return "unchanged", ""
            if known.version != self._version(id):
                return "kept", EDITED
        return self._update(number, item, mark, id, raw), ""

    def _texts(self, cells: list[str]) -> Iterator[tuple[Field, str]]:
        for one, text in zip(self._fields, cells, strict=False):
            if one is not None:
                yield one, text

    def _raw(self, texts: dict[Field, str], *, creating: bool) -> Raw:
        """The values of a row; those of new records only are no part of a change."""
        raw = {}
        for one, text in texts.items():
            if one.name == "id" or (creating and one.name == "version"):
                continue
            if creating or one.name == "version" or one.on_update or self._actor.is_system:
                raw[one.name] = value_of(one, text, creating=creating)
        return {name: value for name, value in raw.items() if value is not LEFT_OUT}

    def _named(self, texts: dict[Field, str]) -> tuple[int | None, str]:
        """The id of the record that a row names, None for a new one, and the row's name.

        By its id, else by the first column that is unique. Raises Unusable for an id of nothing.
        """
        for one, text in texts.items():
            if one.name == "id" and (clean := text.strip().removeprefix("#")):
                id = int(clean) if clean.isascii() and clean.isdigit() and len(clean) < 19 else 0
                return self._existing(id), f"id {id}"
        for one, text in self._unique(texts):
            return self._find(one, text), f"{one.name} {text.casefold()}"
        return None, ""

    def _unique(self, texts: dict[Field, str]) -> list[tuple[Field, str]]:
        """Cells that name one record, that of the natural key first."""
        found = [
            (one, str(value_of(one, text, creating=True)))
            for one, text in texts.items()
            if one.is_stored and one.column.unique and one.kind.text and text.strip()
        ]
        return sorted(found, key=lambda pair: pair[0].name != self.record.key)

    def _existing(self, id: int) -> int:
        found = read.find_id(self.record, self._actor, id=id)
        if found is None:
            raise Unusable(f"Id: there is no {self.record.one.lower()} {id}")
        return found

    def _find(self, one: Field, text: str) -> int | None:
        folded = f"{one.name}_folded"
        if folded in self.record.table.c:
            return read.find_id(self.record, self._actor, **{folded: text.lower()})
        value = text.lower() if one.kind.name == "email" else text
        return read.find_id(self.record, self._actor, **{one.column.key: value})

    def _version(self, id: int) -> int | None:
        table = self.record.table.c
        with reading() as connection:
            return connection.execute(select(table.version).where(table.id == id)).scalar()

    def _create(self, number: int, item: str, mark: str, raw: Raw) -> str:
        saved = write.create(self.record, self._actor, {**self._given, **raw})
        self._keep(number, "created", item, mark, saved, raw)
        return "; ".join(f"{name}: {value}" for name, value in saved.revealed.items())

    def _update(self, number: int, item: str, mark: str, id: int, raw: Raw) -> str:
        saved = write.update(self.record, self._actor, id, raw)
        self._keep(number, "updated", item, mark, saved, raw)
        return "updated" if saved.changed else "unchanged"

    def _keep(
        self, number: int, outcome: str, item: str, mark: str, saved: Saved, raw: Raw
    ) -> None:
        if self.report.dry_run:
            return
        self._memory.remember(item, self.record, saved.id, mark, saved.version)
        if saved.changed:
            fields = [name for name in raw if name not in ABOUT]
            self._note(Deed(number, outcome, saved.id, saved.version, fields))


def _by_field(error: Problem) -> str:
    """Every bad field of a row by its name."""
    return "; ".join(
        f"{one['field']}: {one['message'].rstrip('.')}" for one in error.details
    ) or error.message.rstrip(".")
