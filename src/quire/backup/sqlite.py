"""Copies a SQLite database during writes, prepares a copy for use, and puts it in place.

A read transaction keeps the whole copy consistent. In WAL mode it blocks no writer; without it, SQLite would start
over whenever another process has written.

https://www.sqlite.org/c3ref/backup_finish.html
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DatabaseError

from quire.backup.contents import Contents, count_rows, read_contents
from quire.backup.fresh_start import fresh_start
from quire.backup.manifest import OTHER_ROWS, Manifest
from quire.backup.synced_files import link_or_copy, sync_file, sync_folder
from quire.config.validation import StartupError
from quire.store.db import db
from quire.store.migrations import current_revision, newest_revision, upgrade
from quire.store.scratch_copy import on_database_file

Progress = Callable[[int, int], object]
STEP_PAGES = 500
"""Pages copied at a time: 2 MB."""
HEAD = b"SQLite format 3\0"
COMPANION_SUFFIXES = ("-wal", "-shm", "-journal")
"""The suffixes of files that belong to a database file; they would corrupt another one."""


def database_file() -> Path:
    """Return the file of this installation's SQLite database. Raises StartupError if it is in memory."""
    name = db.engine.url.database
    if name in (None, "", ":memory:"):
        raise StartupError("A database in memory cannot be backed up or restored.")
    return Path(str(name))


def copy_database(folder: Path, progress: Progress) -> tuple[Path, Contents]:
    """Copy the current database into `folder`; return the copy and its contents.

    Raises StartupError if it is damaged.
    """
    path = folder / "database"
    with closing(_connect(database_file())) as source, closing(_connect(path)) as copy:
        copy.execute("PRAGMA synchronous=OFF")
        if source.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copy, pages=STEP_PAGES, progress=_report(progress))
        if source.in_transaction:
            source.execute("ROLLBACK")
        # the log has grown meanwhile: better checkpointed by this process than by the next writer
        with suppress(sqlite3.OperationalError):  # the disk of the database may be read-only
            source.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        copy.execute("PRAGMA journal_mode=DELETE")
    with connection_to(path) as connection:
        check_integrity(connection, "PRAGMA quick_check(1)")
        return path, read_contents(connection)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None)


def _report(progress: Progress) -> Callable[[int, int, int], object]:
    return lambda _, remaining, total: progress(total - remaining, total)


@contextmanager
def connection_to(path: Path) -> Iterator[Connection]:
    """Connect to a SQLite database in a file that no running installation uses."""
    engine = create_engine(f"sqlite:///{path.as_posix()}", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    except DatabaseError as error:
        raise StartupError(f"The database is damaged ({error.orig}).") from None
    finally:
        engine.dispose()


def check_integrity(connection: Connection, check: str = "PRAGMA integrity_check(1)") -> None:
    """Raise StartupError unless the database is intact."""
    answer = connection.exec_driver_sql(check).scalar()
    if answer != "ok":
        words = " ".join(str(answer).replace("*** in database main ***", "").split())
        raise StartupError(f"The database is damaged ({words}).")


def check_copy(connection: Connection, manifest: Manifest) -> None:
    """Raise StartupError unless the database is intact and matches the manifest."""
    check_integrity(connection)
    if current_revision(connection) != manifest.revision:
        raise StartupError("The database in the backup has another schema than its manifest says.")
    if count_rows(connection) != manifest.tables:
        raise StartupError(OTHER_ROWS)


def make_ready(path: Path, manifest: Manifest) -> None:
    """Check the database of a backup, migrate it and make it start afresh. Raises StartupError."""
    with connection_to(path) as connection:
        check_copy(connection, manifest)
    if manifest.revision != newest_revision():
        with on_database_file(path):
            upgrade()
    with connection_to(path) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        for statement, values in fresh_start(manifest.tables, "sqlite"):
            connection.execute(text(statement), values)
    sync_file(path)


def replace(path: Path, manifest: Manifest, folder: Path, name: str) -> str | None:
    """Replace the present database, to which `folder` gets a link, with the one in `path`.

    The replacement is atomic. Raises StartupError if another program has it open.
    """
    database = database_file()
    if database.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        _close_database(database, folder)
        link_or_copy(database, folder / database.name)
    path.replace(database)
    sync_folder(database.parent)
    return None


def verify(path: Path, manifest: Manifest) -> None:
    """Verify the database of a backup without changing it. Raises StartupError."""
    with connection_to(path) as connection:
        check_copy(connection, manifest)


def _close_database(path: Path, folder: Path) -> None:
    """Move all of the database into its one file. Raises StartupError if another program has it open.

    The other files of a damaged one are moved into `folder`.
    """
    db.engine.dispose()
    try:
        with closing(_connect(path)) as connection:
            connection.execute("PRAGMA busy_timeout=2000")
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            words = "Another program has the database open. End it, then restore."
            raise StartupError(words) from None
        raise
    except sqlite3.DatabaseError:  # damage may be the reason for the restore
        pass
    for suffix in COMPANION_SUFFIXES:
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.replace(folder / companion.name)
