"""`manage.py import csv` and `xlsx`: a table by itself, its columns matched by their names."""

from pathlib import Path
from typing import Any

from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY
from quire.errors import Missing
from quire.exchange import sheets
from quire.exchange.archive import has_file
from quire.exchange.columns import fillable, matched
from quire.exchange.items import Progress, Report, Unusable
from quire.exchange.loading import IMPORTER
from quire.exchange.memory import Memory
from quire.exchange.people import People
from quire.exchange.tables import SOURCE, TableImport


def load(
    file: Path,
    *,
    kind: str,
    path: str,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import the table in `file` (csv or xlsx) into the type with this path.

    `author` is the username of who made what names nobody, else the first administrator. Raises
    Missing for an unknown type or author.
    """
    record = _importable(path)
    try:
        table = sheets.opened(file, kind)
        columns = _columns(record, table)
        given = _given(record, columns, author)
    except Unusable as error:
        report = Report(dry_run=dry_run)
        report.add("skipped", file.name, words=error.reason)
        return report
    work = TableImport(record, IMPORTER, table, columns, given=given, dry_run=dry_run)
    for done in work.run():
        if progress is not None:
            progress(done, table.count)
    return work.report


def importable() -> list[Record]:
    """The types that rows can become: those that anybody may make, of words alone."""
    made = (one for one in REGISTRY.values() if one.portable and one.policy.create is not NOBODY)
    return [one for one in made if not has_file(one)]


def _importable(path: str) -> Record:
    found = {one.path: one for one in importable()}
    if path not in found:
        raise Missing(f"There is no type {path}; there are: {', '.join(found)}.")
    return found[path]


def _columns(record: Record, table: sheets.Table) -> list[str]:
    fields = fillable(record, IMPORTER)
    columns = matched(table.headers, fields)
    if not any(columns):
        known = ", ".join(one.name for one in fields)
        raise Unusable(f"has no column that is a field of {record.path} ({known})")
    unknown = [name for name, field in zip(table.headers, columns, strict=True) if not field]
    if unknown := [name for name in unknown if name]:
        table.warnings.append(f"columns left out: {', '.join(unknown)}")
    return columns


def _given(record: Record, columns: list[str], author: str | None) -> dict[str, Any]:
    """Who made the new records, where these have somebody and no column names him."""
    people = People(IMPORTER, Memory(SOURCE, record.path), author)
    owners = [
        one.name
        for one in record.fields
        if one.target == "users" and one.fill is not None and not one.nullable
    ]
    return {name: people.id_of(None) for name in owners if name not in columns}
