"""The page of jobs, for administrators: what waits, what has failed and why; retried or dropped there."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.cells import when
from quire.admin.gate import Gate, actor_here
from quire.admin.rows import number_of
from quire.declare.clock import rfc3339
from quire.store import backlog


class JobsView(Gate):
    """`/admin/jobs/`: the queue."""

    def __init__(self) -> None:
        super().__init__(name="Jobs", category="System", endpoint="jobs", menu_icon_value="jobs")

    def is_accessible(self) -> bool:
        """Administrators only."""
        return super().is_accessible() and actor_here().role == "admin"

    @expose("/")
    def index(self) -> str:
        """The page."""
        kinds = backlog.kinds()
        return self.render(
            "quire_admin/jobs.html",
            heading="Jobs",
            kinds=kinds,
            troubles=[_shown(row) for row in backlog.troubles()],
            waiting=sum(row.waiting for row in kinds),
            failed=sum(row.failed for row in kinds),
            moment=lambda value: when(rfc3339(value)),
        )

    @expose("/retry", methods=("POST",))
    def retry(self) -> AnyResponse:
        """Let the chosen jobs be done now."""
        count = backlog.retry(actor_here(), _chosen())
        return _back(f"{_jobs(count)} will be tried again now.")

    @expose("/drop", methods=("POST",))
    def drop(self) -> AnyResponse:
        """Forget the chosen jobs that have failed."""
        count = backlog.drop(actor_here(), _chosen())
        return _back(f"{_jobs(count)} dropped.")


def _shown(row: Any) -> dict[str, Any]:
    return {
        "row": row,
        "subject": f"{row.event}, {row.record_id}" if row.record_id else row.event,
        "data": ", ".join(f"{name}: {value}" for name, value in row.data.items() if value),
    }


def _chosen() -> list[int]:
    return [number_of(text) for text in request.form.getlist("rowid")[: backlog.MOST]]


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"


def _back(said: str) -> AnyResponse:
    flash(said, "success")
    return redirect(url_for("jobs.index"))
