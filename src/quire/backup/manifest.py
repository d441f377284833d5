"""The layout of a backup: a ZIP file with a database, the stored files and a manifest.

database.sqlite          the database file; with PostgreSQL database.pgdump, in the custom format of pg_dump
files/1c8b...-4f.jpg     the stored files, by their names
secret_key               the key of the installation, in encrypted archives alone
manifest.json            engine, schema, rows of each table; of each file its bytes and SHA-256
"""

import re
from typing import Annotated, Literal, cast

from flask import current_app
from pydantic import BaseModel, ConfigDict, Field

from quire.security.tokens import digest
from quire.store.db import db
from quire.store.files.checked_zip import ArchiveFormat
from quire.store.files.local import NAME, ORIGINAL

Engine = Literal["sqlite", "postgresql"]
FILES, SECRET_KEY = "files/", "secret_key"
DATABASES = {"sqlite": "database.sqlite", "postgresql": "database.pgdump"}
"""The name of the database in the archive, by engine."""
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
OTHER_ROWS = "The database in the backup has other rows than its manifest says."
BACKUP = ArchiveFormat(
    name="a Quire backup",
    format="quire backup",
    version=1,
    members=re.compile(
        rf"manifest\.json|database\.(sqlite|pgdump)|secret_key|files/({ORIGINAL})?{NAME.pattern}",
        re.ASCII,
    ),
    # databases with many empty pages compress well; their size has to match the disk and the file's header
    dense=lambda name: name in DATABASES.values(),
)


class FileEntry(BaseModel):
    """A file in the archive."""

    model_config = ConfigDict(strict=True)

    name: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """The description of a backup.

    `server` is the version of the database engine, `revision` that of the schema, `key` a digest that distinguishes
    secret keys, `tables` the number of rows in each table; `missing` are files that the database refers to but that
    did not exist.
    """

    model_config = ConfigDict(strict=True)

    format: Literal["quire backup"] = "quire backup"
    format_version: int = BACKUP.version
    quire: str
    created_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    engine: Engine
    server: str
    revision: str
    key: str
    tables: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,63}$")], Annotated[int, Field(ge=0)]]
    missing: list[str]
    files: list[FileEntry]

    @property
    def database(self) -> str:
        """The name of the database in the archive."""
        return DATABASES[self.engine]


def key_digest() -> str:
    """Return a digest of this installation's secret key."""
    return digest(f"backup:{current_app.config['SECRET_KEY']}")[:16]


def engine_name() -> Engine:
    """Return the database engine of this installation."""
    return cast(Engine, db.engine.dialect.name)
