"""Imports of tables in the panel: upload, columns, dry run, import, undo."""

from types import SimpleNamespace
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.urls import list_url
from quire.auth import accounts
from quire.declare.job_registry import Job, on_event
from quire.declare.record import Record
from quire.errors import BadRequest, Conflict, TooLarge, Unavailable, ValidationFailed
from quire.exchange.tables import import_handler, import_jobs
from quire.exchange.tables.columns import importable_fields, importable_types, may_import
from quire.exchange.tables.import_jobs import WORK, ImportJob
from quire.translations.messages import Message
from quire.web.language import gettext, translate

STATES = {
    ("upload", "finished"): Message("Not imported yet"),
    ("check", "active"): Message("Checking"),
    ("check", "finished"): Message("Checked, not imported yet"),
    ("check", "stopped"): Message("Not imported yet"),
    ("import", "active"): Message("Importing"),
    ("import", "finished"): Message("Imported"),
    ("import", "stopped"): Message("Stopped, partly imported"),
    ("undo", "active"): Message("Undoing"),
    ("undo", "finished"): Message("Undone"),
    ("undo", "stopped"): Message("Partly undone"),
}
"""Messages about the outcome, by task and status."""


@on_event(WORK, seconds=import_handler.LEASE_SECONDS, title="Import a table")
def work_on_import(job: Job) -> None:
    """Run part of an import, with the rights of its owner."""
    import_handler.advance(job.record_id, job.data["ticket"], _actor_with_id)


def _actor_with_id(user_id: int) -> Actor | None:
    account = accounts.by_id(user_id)
    if account is None or not account.is_active:
        return None
    return account.actor("job", door="admin")


def types_for(actor: Actor) -> list[Record]:
    """The types that `actor` may import."""
    return [one for one in importable_types() if may_import(one, actor)]


class ImportView(PanelView):
    """`/admin/imports/`: from a file to records, page by page, without JavaScript."""

    def __init__(self) -> None:
        super().__init__(
            name="Import", category="Content", endpoint="imports", menu_icon_value="upload"
        )

    @expose("/")
    def index(self) -> str:
        """The upload form."""
        return self._ask(request.args.get("type", ""))

    def _ask(self, path: str, problem: str = "") -> str:
        return self.render(
            "quire_admin/import_upload.html",
            heading=gettext("Import a CSV or XLSX file"),
            types=types_for(panel_actor()),
            chosen=path,
            problem=problem,
            jobs=import_jobs.jobs_of(panel_actor()),
            states={state: translate(words) for state, words in STATES.items()},
        )

    @expose("/upload", methods=("POST",))
    def upload(self) -> str | AnyResponse | tuple[str, int, dict[str, str]]:
        """Store the file, and continue with its columns."""
        actor, path = panel_actor(), request.form.get("type", "")
        record = {one.path: one for one in types_for(actor)}.get(path)
        file = request.files.get("file")
        if record is None or file is None or not file.filename:
            return self._ask(path, "Choose what to import into, and a file."), 422, {}
        try:
            job = import_jobs.receive_table(actor, record, file.stream, file.filename)
        except (ValidationFailed, Conflict, TooLarge, Unavailable) as problem:
            return self._ask(path, problem.message), problem.status, problem.headers
        return _page_of(job)

    @expose("/<token>/")
    def task(self, token: str) -> str:
        """The columns and first rows, the progress, or the outcome."""
        job = import_jobs.find(panel_actor(), token)
        actor, record = panel_actor(), job.record
        return self.render(
            "quire_admin/import.html",
            heading=gettext("Import %(name)s", name=job.name),
            crumbs=[
                (gettext(record.label), list_url(record)),
                (gettext("Import"), url_for("imports.index")),
            ],
            job=job,
            columns=_columns(job),
            fields=[(one.name, gettext(one.label)) for one in importable_fields(record, actor)],
        )

    @expose("/<token>/check", methods=("POST",))
    def check(self, token: str) -> AnyResponse:
        """Try every row without saving anything."""
        return _start_task(self._with_columns(token), "check")

    @expose("/<token>/run", methods=("POST",))
    def run(self, token: str) -> AnyResponse:
        """Import the table, or continue."""
        job = import_jobs.find(panel_actor(), token)
        return _start_task(job if job.can_continue else self._with_columns(token), "import")

    @expose("/<token>/undo", methods=("POST",))
    def undo(self, token: str) -> AnyResponse:
        """Undo the import."""
        job = import_jobs.find(panel_actor(), token)
        if not job.is_active and not job.can_be_undone:
            raise BadRequest("There is nothing to undo.", code="invalid_parameter")
        return _start_task(job, "undo")

    @expose("/<token>/stop", methods=("POST",))
    def stop(self, token: str) -> AnyResponse:
        """Stop the import; rows that were imported stay."""
        job = import_jobs.find(panel_actor(), token)
        import_jobs.stop(job)
        return _page_of(job)

    @expose("/<token>/discard", methods=("POST",))
    def discard(self, token: str) -> AnyResponse:
        """Delete the import and its file."""
        import_jobs.discard(import_jobs.find(panel_actor(), token))
        return redirect(url_for("imports.index"))

    def _with_columns(self, token: str) -> ImportJob:
        """The import, with the columns chosen in the form. Raises BadRequest."""
        job = import_jobs.find(panel_actor(), token)
        if not job.is_active and not job.can_be_imported:
            raise BadRequest("This file has already been imported.", code="invalid_parameter")
        names = {one.name for one in importable_fields(job.record, panel_actor())} | {""}
        numbers = range(len(job.headers))
        columns = [request.form.get(f"column-{n}", job.columns[n]) for n in numbers]
        filled_names = [name for name in columns if name]
        if (
            not set(columns) <= names
            or len(filled_names) != len(set(filled_names))
            or not filled_names
        ):
            raise BadRequest(
                "Choose at least one field, and each field only once.", code="invalid_parameter"
            )
        job.columns = columns
        return job


def _start_task(job: ImportJob, task: str) -> AnyResponse:
    """Start a job, and show its progress."""
    import_jobs.start(job, panel_actor(), task)
    return _page_of(job)


def _page_of(job: ImportJob) -> AnyResponse:
    return redirect(url_for("imports.task", token=job.token))


def _columns(job: ImportJob) -> list[Any]:
    """The form's variables for each column."""
    return [
        SimpleNamespace(
            name=name or gettext("Column %(number)s", number=number + 1),
            key=f"column-{number}",
            field=field,
            samples=samples,
        )
        for number, (name, field, samples) in enumerate(
            zip(job.headers, job.columns, job.samples, strict=True)
        )
    ]
