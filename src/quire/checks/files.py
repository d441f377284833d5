"""Checks of disks and files: free space, permissions, uploads, backups, logs."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import select, union_all

from quire.backup.folder import (
    Verification,
    last_verification,
    seconds_since_backup,
    stored_backups,
)
from quire.backup.read import open_backup
from quire.checks.check import OK, Check, error, ok, warning
from quire.config.instance_folder import open_paths
from quire.config.validation import StartupError
from quire.declare.clock import now
from quire.records import MEDIA
from quire.records.media_files import stored_name
from quire.store.db import db, read_connection
from quire.store.files.storage import file_storage
from quire.translations.messages import Message, duration_in_words

FULL_BYTES, LOW_BYTES = 64 * 2**20, 2**30
"""Free bytes below which writes are about to fail, and below which to warn."""
FREE_SPACE = Message("Delete files that are not needed, or enlarge the disk.")
SAMPLE = 50
"""The number of newest and of oldest uploads whose files are checked."""
LOOK_SECONDS = 2.0
"""The time limit for looking for files or reading a backup."""
OLD_BACKUP = timedelta(days=7).total_seconds()
OLD_VERIFICATION = timedelta(days=30).total_seconds()
"""How long ago one of the stored backups may have been verified completely."""


def check_disk() -> Check:
    """Check whether there is free space for the instance folder and the database."""
    free = min(shutil.disk_usage(folder).free for folder in _folders())
    if free >= LOW_BYTES:
        return OK
    reason = Message(
        "Only %(megabytes)s MB are free on the disk of the instance folder or the database.",
        megabytes=free // 2**20,
    )
    return Check("error" if free < FULL_BYTES else "warning", reason, FREE_SPACE)


def _folders() -> Iterator[Path]:
    instance = _instance()
    yield instance if instance.is_dir() else Path.cwd()
    database = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and database not in (None, "", ":memory:"):
        yield Path(str(database)).parent


def _instance() -> Path:
    return Path(current_app.config["QUIRE_INSTANCE"])


def check_permissions() -> Check:
    """Check whether others can read the instance folder; on Windows its permissions are those of its parent."""
    paths = [] if os.name == "nt" else list(open_paths(_instance()))
    if not paths:
        return OK
    path = paths[0]
    return error(
        Message("Other users of this machine can read %(path)s.", path=path),
        Message("Run: chmod -R go= '%(path)s'.", path=path),
    )


def check_storage() -> Check:
    """Check whether files can be stored."""
    fault = file_storage().fault()
    action = Message(
        "Check the permissions of uploads/ in the instance folder, or the settings S3_*."
    )
    return (
        OK
        if fault is None
        else error(Message("Uploads cannot be stored: %(fault)s.", fault=fault), action)
    )


def check_uploads() -> Check:
    """Check whether the files of some uploads, the newest and the oldest, exist."""
    end, files = time.monotonic() + LOOK_SECONDS, _some_files()
    missing, number = [], 0
    for url, sha256 in files:
        if time.monotonic() > end:
            break
        number += 1
        if file_storage().find(stored_name(url, sha256)) is None:
            missing.append(url)
    if not missing:
        return ok(Message("%(number)s of the newest and oldest checked", number=number))
    reason = Message(
        "Of %(number)s uploads checked, %(missing)s have no file, such as %(name)s.",
        number=number,
        missing=len(missing),
        name=missing[0],
    )
    return error(reason, Message("Copy uploads/ from a backup: its files keep their names."))


def _some_files() -> list[tuple[str, str]]:
    media = MEDIA.model.__table__
    ends = (
        select(media.c.url, media.c.sha256).order_by(one).limit(SAMPLE)
        for one in (media.c.id.desc(), media.c.id)
    )
    parts = [select(*one.subquery().c) for one in ends]
    with read_connection() as connection:
        return sorted({(one.url, one.sha256) for one in connection.execute(union_all(*parts))})


def check_backup_age() -> Check:
    """Check whether there is a backup that is recent enough."""
    every, age = current_app.config["BACKUP_EVERY"], seconds_since_backup()
    state = (
        Message("There is no backup")
        if age is None
        else Message("The newest backup was made %(time)s ago", time=duration_in_words(age))
    )
    if every and (age is None or age > 2 * every):
        reason = Message(
            "%(state)s, but one is due every %(time)s.",
            state=state,
            time=duration_in_words(every),
        )
        return error(
            reason, Message("Start serve.py or manage.py worker; its log says why none was made.")
        )
    if age is None or age > OLD_BACKUP:
        return warning(
            Message("%(state)s.", state=state),
            Message("Set BACKUP_EVERY=24h, or run manage.py backup."),
        )
    return ok(Message("%(time)s ago", time=duration_in_words(age)))


def check_newest_backup() -> Check:
    """Check whether the newest backup can be read completely."""
    backups = stored_backups()
    if not backups:
        return ok(Message("there is none"))
    path, end = backups[-1][1], time.monotonic() + LOOK_SECONDS
    command, percent = f"manage.py backup --verify '{path}'", 0

    def stop_at_end(done: int, total: int) -> None:
        nonlocal percent
        if time.monotonic() > end:
            raise TimeoutError
        percent = 100 * done // max(total, 1)

    try:
        with open_backup(path, _instance(), _passphrase, stop_at_end):
            return ok(Message("%(name)s is intact", name=path.name))
    except TimeoutError:
        return _check_unread(path, percent, command)
    except _NoPassphrase:
        reason = Message("%(name)s is encrypted, and BACKUP_PASSPHRASE is not set.", name=path.name)
        return warning(reason, Message("Run: %(command)s.", command=command))
    except (StartupError, OSError) as fault:
        return error(
            Message("The newest backup cannot be restored: %(fault)s", fault=fault),
            Message("Run manage.py backup."),
        )


def _check_unread(path: Path, percent: int, command: str) -> Check:
    """Report on a backup of which only `percent` could be read here, based on its last verification."""
    last = last_verification(path)
    if last is not None and last.problem:
        return error(
            Message(
                "%(name)s failed its verification: %(problem)s",
                name=path.name,
                problem=last.problem,
            ),
            Message("Run manage.py backup."),
        )
    reason = Message(
        "%(name)s is large: %(percent)s %% of it was read here, the rest was not verified.",
        name=path.name,
        percent=percent,
    )
    if last is not None:
        return ok(
            Message(
                "%(reason)s All of it was verified %(time)s ago.",
                reason=reason,
                time=duration_in_words(_seconds_since(last)),
            )
        )
    others = (last_verification(path) for _, path in stored_backups())
    ages = [_seconds_since(one) for one in others if one is not None and not one.problem]
    if not ages:
        return warning(
            Message("%(reason)s No stored backup has ever been verified.", reason=reason),
            Message("Run: %(command)s.", command=command),
        )
    reason = Message(
        "%(reason)s Another one was verified %(time)s ago.",
        reason=reason,
        time=duration_in_words(min(ages)),
    )
    return Check(
        "ok" if min(ages) < OLD_VERIFICATION else "warning",
        reason,
        Message("Run: %(command)s.", command=command),
    )


def _seconds_since(verification: Verification) -> float:
    return (now() - datetime.fromisoformat(verification.at)).total_seconds()


class _NoPassphrase(Exception):
    """The passphrase is not configured here."""


def _passphrase() -> str:
    if not current_app.config["BACKUP_PASSPHRASE"]:
        raise _NoPassphrase
    return str(current_app.config["BACKUP_PASSPHRASE"])


def check_log() -> Check:
    """Check whether the log is bounded and detailed enough."""
    config = current_app.config
    if config["LOG_LEVEL"] == "DEBUG":
        return warning(
            Message("LOG_LEVEL=DEBUG logs far more than anyone reads."),
            Message("Set LOG_LEVEL=INFO."),
        )
    if config["LOG_FILE"] and not config["LOG_FILE_BYTES"]:
        reason = Message("The log file grows without limit, as LOG_FILE_BYTES is 0.")
        return warning(reason, Message("Set LOG_FILE_BYTES, unless another program rotates it."))
    return OK
