"""The contents of a database: its schema, the number of rows in each table, the files it refers to."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, inspect, select, table

from quire.records.orphaned_files import referenced_files
from quire.store.migrations import current_revision, newest_revision


@dataclass(frozen=True)
class Contents:
    """The contents of a database at one moment.

    `server` is the version of its engine; one file from each tuple in `references` is enough.
    """

    server: str
    revision: str
    tables: dict[str, int]
    references: list[tuple[str, ...]]


def read_contents(connection: Connection) -> Contents:
    """Return the contents of a database as this connection sees it.

    The files are omitted if the schema is not that of this code.
    """
    revision = current_revision(connection) or ""
    is_current = revision == newest_revision()
    return Contents(
        server=".".join(map(str, connection.dialect.server_version_info or ())),
        revision=revision,
        tables=count_rows(connection),
        references=list(referenced_files(connection)) if is_current else [],
    )


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows in each table."""
    counts = {}
    for name in sorted(inspect(connection).get_table_names()):
        counts[name] = int(
            connection.execute(select(func.count()).select_from(table(name))).scalar_one()
        )
    return counts
