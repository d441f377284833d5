"""Dumps and restores a PostgreSQL database with pg_dump, pg_restore and psql.

A restore is one transaction: the schema is renamed, and a new one is filled and checked.
"""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from quire.backup.contents import Contents, read_contents
from quire.backup.fresh_start import fresh_start
from quire.backup.manifest import OTHER_ROWS, Manifest
from quire.config.validation import StartupError
from quire.store.db import db, snapshot
from quire.store.engine import update_statistics
from quire.store.files.checked_zip import pieces
from quire.store.migrations import newest_revision, upgrade

Progress = Callable[[int, int], object]
SCHEMA = "public"
SCHEMA_OPTIONS = (f"--schema={SCHEMA}", "--no-owner", "--no-privileges")


def copy_database(folder: Path, progress: Progress) -> tuple[Path, Contents]:
    """Dump the current database into `folder`; return the dump and its contents. Raises StartupError."""
    _require_program("pg_dump")
    path = folder / "database"
    with snapshot() as connection:
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        moment = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar()
        contents = read_contents(connection)
        options = ["--format=custom", "--compress=0", f"--snapshot={moment}"]
        _run("pg_dump", *SCHEMA_OPTIONS, *options, f"--file={path}", f"--dbname={_address()}")
    progress(1, 1)
    return path, contents


def make_ready(path: Path, manifest: Manifest) -> None:
    """Check that the dump can be read. Raises StartupError."""
    for program in ("pg_restore", "psql"):
        _require_program(program, manifest.server)
    _run("pg_restore", "--list", str(path))


def replace(path: Path, manifest: Manifest, folder: Path, name: str) -> str | None:
    """Load the dump in place of the database, which is kept as another schema; return its name.

    Raises StartupError without having changed anything.
    """
    with db.engine.connect() as connection:
        is_empty = not inspect(connection).get_table_names()
    db.engine.dispose()
    replaced = name.replace("-", "_")
    renamed = [f"ALTER SCHEMA {SCHEMA} RENAME TO {replaced}", f"CREATE SCHEMA {SCHEMA}"]
    after = [*_checks(manifest), *_fresh_start(manifest)]
    _load(path, _address(), [] if is_empty else renamed, after)
    if manifest.revision != newest_revision():
        upgrade()
    update_statistics()
    return None if is_empty else f"schema {replaced} of the database"


def verify(path: Path, manifest: Manifest) -> None:
    """Load the dump into a temporary database and compare. Raises StartupError."""
    make_ready(path, manifest)
    with _temporary_database() as name:
        before = [f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE", f"CREATE SCHEMA {SCHEMA}"]
        _load(path, _address(dbname=name), before, _checks(manifest))


@contextmanager
def _temporary_database() -> Iterator[str]:
    name = f"quire_verify_{secrets.token_hex(4)}"
    try:
        with db.engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    except DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise StartupError(
            f"Cannot create a temporary database ({reason}). The database user needs CREATEDB."
        ) from None
    try:
        yield name
    finally:
        with db.engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _checks(manifest: Manifest) -> list[str]:
    """Return SQL that fails unless each table has the number of rows in the manifest."""
    checks = [
        f"IF (SELECT count(*) FROM {SCHEMA}.{name}) <> {count} THEN RAISE EXCEPTION '{OTHER_ROWS}'; END IF;"  # noqa: S608 - names and counts are checked by the manifest
        for name, count in manifest.tables.items()
    ]
    return [f"DO $$ BEGIN {' '.join(checks)} END $$"]


def _fresh_start(manifest: Manifest) -> Iterator[str]:
    yield f"SET LOCAL search_path = {SCHEMA}"
    for statement, values in fresh_start(manifest.tables, "postgresql"):
        bound = text(statement).bindparams(**values)
        yield str(bound.compile(db.engine, compile_kwargs={"literal_binds": True}))


def _load(path: Path, address: str, before: Iterable[str], after: Iterable[str]) -> None:
    """Run `before`, the dump and `after` in one transaction. Raises StartupError without having changed anything."""
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-", f"--dbname={address}"]
    psql = subprocess.Popen(  # noqa: S603 - these programs alone
        [_program("psql"), *options],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert psql.stdin is not None and psql.stderr is not None
    with psql, _script(path) as script:
        assert script.stdout is not None
        try:
            _write(psql.stdin, ["BEGIN", *before])
            for piece in pieces(script.stdout):
                psql.stdin.write(piece)
            # without a COMMIT, psql rolls back at the end of its input
            if script.wait() == 0:
                _write(psql.stdin, [*after, "COMMIT"])
            psql.stdin.close()
        except OSError:  # psql has exited, and reports why
            pass
        output = psql.stderr.read().decode(errors="replace")
    if script.returncode or psql.returncode:
        raise StartupError(f"The database cannot be restored: {_reason(output)}")


def _script(path: Path) -> subprocess.Popen[bytes]:
    """Return the dump as SQL, from the output of pg_restore."""
    command = [_program("pg_restore"), *SCHEMA_OPTIONS, "--file=-", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603


def _write(file: IO[bytes], statements: Iterable[str]) -> None:
    for statement in statements:
        file.write(f"{statement};\n".encode())


def _require_program(name: str, server: str = "") -> None:
    """Raise StartupError unless the program exists and is as new as the server."""
    with db.engine.connect() as connection:
        here = ".".join(map(str, connection.dialect.server_version_info or ()))
    needed = max(_major(here), _major(server))
    have = _major(_run(name, "--version"))
    if have < needed:
        raise StartupError(
            f"{name} is version {have}, and the server is version {needed}. Install the client "
            f"programs of PostgreSQL {needed} or later."
        )


def _program(name: str) -> str:
    """Return the path of a program. Raises StartupError if it is not installed."""
    path = shutil.which(name)
    if path is None:
        raise StartupError(
            f"{name} is not installed or not in PATH. Install the client programs of PostgreSQL."
        )
    return path


def _major(version: str) -> int:
    numbers = re.search(r"\d+", version)
    return int(numbers[0]) if numbers else 0


def _run(program: str, *arguments: str) -> str:
    """Run a program and return its output. Raises StartupError if it fails."""
    done = subprocess.run(  # noqa: S603 - these programs alone
        [_program(program), *arguments], env=_environment(), capture_output=True, check=False
    )
    if done.returncode:
        raise StartupError(f"{program} failed: {_reason(done.stderr.decode(errors='replace'))}")
    return done.stdout.decode(errors="replace")


def _reason(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return (
        re.sub(r"^(pg_\w+: |psql:\S+ )?(error: |ERROR:\s*)*", "", lines[0])
        if lines
        else "no reason was given."
    )


def _address(**other: str) -> str:
    """Return the database's address for libpq without the password, which other users of the machine could see."""
    parts = db.engine.url.translate_connect_args(username="user", database="dbname")
    parts |= {name: str(value) for name, value in db.engine.url.query.items()} | other
    parts.pop("password", None)
    return make_conninfo(**parts)


def _environment() -> dict[str, str]:
    password = db.engine.url.password
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
