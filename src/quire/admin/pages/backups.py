"""The backups page for administrators: which there are, how old the newest is, and one more now."""

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import current_app, flash, redirect, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.dashboard.attention import backup_warning
from quire.admin.format import size
from quire.admin.local_time import format_moment, format_relative
from quire.admin.panel_view import PanelView, panel_actor
from quire.backup.folder import backup_folder, stored_backups
from quire.backup.write import make_backup
from quire.config.validation import StartupError
from quire.declare.clock import rfc3339
from quire.declare.job_registry import Job, PermanentFailure, on_event
from quire.store.audit import record_event
from quire.store.db import transaction
from quire.store.instance_locks import BackupRunning
from quire.store.outbox import enqueue

EVENT = "backups.make"


@on_event(EVENT, seconds=3600, waits=True)
def _make(job: Job) -> None:
    try:
        make_backup(None, current_app.config["BACKUP_PASSPHRASE"] or None, lambda *_: None)
    except BackupRunning:
        return
    except StartupError as error:
        raise PermanentFailure(f"No backup was made: {error}") from error


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
            heading="Backups",
            backups=[_row(*one) for one in reversed(stored_backups())],
            warning=backup_warning(),
            folder=backup_folder(),
            hours=config["BACKUP_EVERY"] / 3600,
            keep=config["BACKUP_KEEP"],
            encrypted=bool(config["BACKUP_PASSPHRASE"]),
        )

    @expose("/make", methods=("POST",))
    def make(self) -> AnyResponse:
        """Have a worker make a backup."""
        with transaction():
            record_event(panel_actor(), "back_up", "backups")
            enqueue(EVENT)
        flash("A backup is being made. It appears here when it is done.", "success")
        return redirect(url_for("backups.index"))


def _row(moment: datetime, path: Path) -> Any:
    made = rfc3339(moment)
    return SimpleNamespace(
        name=path.name,
        size=size(path.stat().st_size),
        made=format_moment(made),
        age=format_relative(made),
        encrypted=path.suffix == ".age",
    )
