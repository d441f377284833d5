"""The jobs page for administrators: waiting jobs, and failed ones with the reason, to retry or delete."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.queries import parse_id
from quire.admin.urls import record_url
from quire.declare.clock import rfc3339
from quire.declare.record import REGISTRY
from quire.jobs.titles import job_title
from quire.store.events import queue_admin
from quire.web.language import format_number, gettext, ngettext


class JobsView(PanelView):
    """`/admin/jobs/`: the queue."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(name="Jobs", category="System", endpoint="jobs", menu_icon_value="jobs")

    @expose("/")
    def index(self) -> str:
        """The page."""
        kinds = queue_admin.summary_by_event()
        return self.render(
            "quire_admin/jobs.html",
            heading=gettext("Jobs"),
            kinds=kinds,
            failures=[_row(row) for row in queue_admin.failures()],
            title=job_title,
            waiting=_figure(sum(row.waiting for row in kinds)),
            failed=_figure(sum(row.failed for row in kinds)),
            figure=_figure,
            moment=lambda value: format_moment(rfc3339(value)),
        )

    @expose("/retry", methods=("POST",))
    def retry(self) -> AnyResponse:
        """Run the selected jobs now."""
        count = queue_admin.retry(panel_actor(), _selected_ids())
        return _redirect_with_message(gettext("%(jobs)s will be retried now.", jobs=_jobs(count)))

    @expose("/drop", methods=("POST",))
    def drop(self) -> AnyResponse:
        """Delete the selected failed jobs."""
        count = queue_admin.drop(panel_actor(), _selected_ids())
        return _redirect_with_message(gettext("%(jobs)s deleted.", jobs=_jobs(count)))


def _figure(number: int) -> str:
    """`57`; `10,000+` if counting stops there."""
    limit = queue_admin.MAX_SUMMED
    return format_number(min(number, limit)) + ("+" if number >= limit else "")


def _row(row: Any) -> dict[str, Any]:
    record = REGISTRY.get(row.type)
    return {
        "row": row,
        "url": record_url(record, "details_view", row.record_id)
        if record and row.record_id
        else None,
        "noun": record.noun if record else "",
        "title": job_title(row.event),
        "subject": f"{row.event}, {row.record_id}" if row.record_id else row.event,
        "data": ", ".join(f"{name}: {value}" for name, value in row.data.items() if value),
    }


def _selected_ids() -> list[int]:
    return [parse_id(text) for text in request.form.getlist("rowid")[: queue_admin.LIMIT]]


def _jobs(count: int) -> str:
    return ngettext("%(num)s job", "%(num)s jobs", count)


def _redirect_with_message(message: str) -> AnyResponse:
    flash(message, "success")
    return redirect(url_for("jobs.index"))
