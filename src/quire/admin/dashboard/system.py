"""The state of the server for administrators, refreshed once a minute rather than by each page."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from flask import current_app
from markupsafe import Markup

from quire.admin.format import size
from quire.checks.check import Check
from quire.checks.readiness import check_readiness
from quire.config.version import VERSION
from quire.declare.job_registry import periodic
from quire.store.db import db
from quire.store.engine import database_bytes
from quire.translations.messages import Message

EXTENSION = "dashboard_system"
REFRESH = 60.0
"""Seconds between two refreshes, if workers run in this process."""
LASTS = 90.0
"""Seconds for which a result is shown; the next one arrives sooner, unless no worker runs."""
LABELS = {"schema": Message("database schema"), "jobs": Message("background jobs")}
"""Labels of checks for people, if they differ from the names for programs."""
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True)
class System:
    """The version, the database, the free disk space, and the checks that are not ok, by name."""

    version: str
    engine: str
    database_bytes: int
    free_bytes: int
    problems: dict[str, Check]

    @property
    def database(self) -> Markup:
        """The size of the database, in the language of the reader."""
        return size(self.database_bytes)

    @property
    def free(self) -> Markup:
        """The free disk space."""
        return size(self.free_bytes)


def system_overview() -> System:
    """The state of the server, at most LASTS seconds old."""
    last: tuple[float, System] | None = current_app.extensions.get(EXTENSION)
    return _renew() if last is None or time.monotonic() > last[0] else last[1]


@periodic(REFRESH, per_process=True, at_start=True)
def refresh_overview() -> None:
    """Refresh what this process will show, so that no page has to run these statements."""
    _renew()


def _renew() -> System:
    system = _read_system()
    current_app.extensions[EXTENSION] = (time.monotonic() + LASTS, system)
    return system


def _read_system() -> System:
    instance = Path(current_app.config["QUIRE_INSTANCE"])
    disk = shutil.disk_usage(instance if instance.is_dir() else Path.cwd())
    checks = check_readiness()
    return System(
        version=VERSION,
        engine=ENGINES.get(db.engine.dialect.name, db.engine.dialect.name),
        database_bytes=database_bytes(),
        free_bytes=disk.free,
        problems={
            LABELS.get(name, name): one for name, one in checks.items() if one.status != "ok"
        },
    )
