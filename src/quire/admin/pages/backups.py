"""The backups page for administrators: the backups, their age, whether they were verified; making another."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import current_app, flash, redirect, request, send_file, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.dashboard.attention import backup_warning
from quire.admin.format import size
from quire.admin.local_time import format_moment, format_relative
from quire.admin.panel_view import PanelView, panel_actor
from quire.backup.folder import backup_folder, last_verification, stored_backups
from quire.backup.verify import verify_backup
from quire.backup.write import make_backup
from quire.config.validation import StartupError
from quire.declare.clock import rfc3339
from quire.declare.job_registry import Job, PermanentFailure, on_event
from quire.errors import NotFound
from quire.store.audit import record_event
from quire.store.db import transaction
from quire.store.events.outbox import enqueue
from quire.store.instance_locks import BackupRunning
from quire.web.language import gettext

EVENT, VERIFY = "backups.make", "backups.verify"


@on_event(EVENT, seconds=3600, waits=True, title="Make a backup")
def _make(job: Job) -> None:
    try:
        make_backup(None, current_app.config["BACKUP_PASSPHRASE"] or None, lambda *_: None)
    except BackupRunning:
        return
    except StartupError as error:
        raise PermanentFailure(f"No backup was made: {error}") from error


@on_event(VERIFY, seconds=3600, waits=True, title="Verify a backup")
def _verify(job: Job) -> None:
    path = _find_backup(job.data["name"])
    if path is None:
        raise PermanentFailure("The backup is gone.")
    try:
        verify_backup(path, lambda: str(current_app.config["BACKUP_PASSPHRASE"]), lambda *_: None)
    except StartupError as error:
        raise PermanentFailure(str(error)) from error


def _find_backup(name: str) -> Path | None:
    """The backup with this name in the folder."""
    return next((path for _, path in stored_backups() if path.name == name), None)


class BackupsView(PanelView):
    """`/admin/backups/`: the archives in the folder of backups."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(
            name="Backups", category="System", endpoint="backups", menu_icon_value="backups"
        )

    @expose("/")
    def index(self) -> str:
        """The page."""
        config = current_app.config
        return self.render(
            "quire_admin/backups.html",
            heading=gettext("Backups"),
            backups=[_row(*one) for one in reversed(stored_backups())],
            warning=backup_warning(),
            folder=backup_folder(),
            hours=config["BACKUP_EVERY"] / 3600,
            keep=config["BACKUP_KEEP"],
            encrypted=bool(config["BACKUP_PASSPHRASE"]),
        )

    @expose("/make", methods=("POST",))
    def make(self) -> AnyResponse:
        """Enqueue a backup."""
        with transaction():
            record_event(panel_actor(), "back_up", "backups")
            enqueue(EVENT)
        flash(gettext("A backup is being made. It appears here when it is done."), "success")
        return redirect(url_for("backups.index"))

    @expose("/verify", methods=("POST",))
    def verify(self) -> AnyResponse:
        """Enqueue a verification, which restores a backup to a temporary place and compares."""
        path = _named_backup()
        with transaction():
            record_event(panel_actor(), "verify_backup", "backups", None, path.name)
            enqueue(VERIFY, name=path.name)
        flash(gettext("The backup is being verified. The result appears here."), "success")
        return redirect(url_for("backups.index"))

    @expose("/download", methods=("POST",))
    def download(self) -> AnyResponse:
        """A backup as a file; it contains everything, so the download is recorded in the audit log."""
        path = _named_backup()
        record_event(panel_actor(), "download_backup", "backups", None, path.name)
        return send_file(path, mimetype="application/octet-stream", as_attachment=True)


def _named_backup() -> Path:
    path = _find_backup(request.form.get("name", ""))
    if path is None:
        raise NotFound("There is no such backup.")
    return path


def _row(moment: datetime, path: Path) -> Any:
    made, verified = rfc3339(moment), last_verification(path)
    return SimpleNamespace(
        name=path.name,
        size=size(path.stat().st_size),
        made=format_moment(made),
        age=format_relative(made),
        encrypted=path.suffix == ".age",
        verified=format_relative(verified.at) if verified else "",
        problem=verified.problem if verified else "",
    )
