"""What an administrator wants to know of the server at a glance, asked at most once a minute."""

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
from quire.store.db import db
from quire.store.engine import database_bytes
from quire.translations.messages import Message

EXTENSION = "dashboard_system"
LASTS = 60.0
"""Seconds that the answer is shown again."""
LABELS = {"schema": Message("database schema"), "jobs": Message("background jobs")}
"""Names of checks as people call them, where they differ from those that programs read."""
ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True)
class System:
    """The version, the database and the room on the disk, and the checks that are not ok by name."""

    version: str
    engine: str
    database: Markup
    free: Markup
    problems: dict[str, Check]


def system_overview() -> System:
    """The state of the server, at most LASTS seconds old."""
    ends, system = current_app.extensions.get(EXTENSION, (0.0, None))
    if system is None or time.monotonic() > ends:
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
        database=size(database_bytes()),
        free=size(disk.free),
        problems={
            LABELS.get(name, name): one for name, one in checks.items() if one.status != "ok"
        },
    )
