"""`manage.py import csv` and `xlsx`: imports a table whose columns are matched by name."""

from pathlib import Path
from typing import Any

from quire.declare.record import Record
from quire.errors import NotFound
from quire.exchange.load_posts import IMPORTER
from quire.exchange.model import ImportReport, Progress, Unusable
from quire.exchange.origin_map import OriginMap
from quire.exchange.people import PersonResolver
from quire.exchange.tables import sheets
from quire.exchange.tables.columns import importable_fields, importable_types, match_columns
from quire.exchange.tables.load import TableImport
from quire.store.import_origins import TABLES


def load(
    file: Path,
    *,
    kind: str,
    path: str,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import the table in `file` (csv or xlsx) into the type with this path.

    `author` is the username of the owner of records without one, by default the first administrator.
    Raises NotFound for an unknown type or author.
    """
    record = _importable_type(path)
    try:
        table = sheets.open_table(file, kind)
        columns = _columns(record, table)
        owners = _default_owners(record, columns, author)
    except Unusable as error:
        report = ImportReport(dry_run=dry_run)
        report.add("skipped", file.name, words=error.reason)
        return report
    work = TableImport(record, IMPORTER, table, columns, defaults=owners, dry_run=dry_run)
    for done in work.run():
        if progress is not None:
            progress(done, table.count)
    return work.report


def _importable_type(path: str) -> Record:
    types = {one.path: one for one in importable_types()}
    if path not in types:
        raise NotFound(f"There is no type {path}. Available types: {', '.join(types)}.")
    return types[path]


def _columns(record: Record, table: sheets.Table) -> list[str]:
    fields = importable_fields(record, IMPORTER)
    columns = match_columns(table.headers, fields)
    if not any(columns):
        names = ", ".join(one.name for one in fields)
        raise Unusable(f"has no column that matches a field of {record.path} ({names})")
    unknown = [name for name, field in zip(table.headers, columns, strict=True) if not field]
    if unknown := [name for name in unknown if name]:
        table.warnings.append(f"columns ignored: {', '.join(unknown)}")
    return columns


def _default_owners(record: Record, columns: list[str], author: str | None) -> dict[str, Any]:
    """The owner of the new records, if the type has owners and no column names them."""
    people = PersonResolver(IMPORTER, OriginMap(TABLES, record.path), author)
    owners = [
        one.name
        for one in record.fields
        if one.target == "users" and one.default_from is not None and not one.nullable
    ]
    return {name: people.id_of(None) for name in owners if name not in columns}
