"""Tables brought in through the panel: upload, columns, a rehearsal, the import, and its undoing."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from flask import Response, redirect, request, stream_with_context, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.addresses import list_url
from quire.admin.gate import Gate, actor_here
from quire.declare.record import Record
from quire.errors import Invalid, Malformed
from quire.exchange import desk
from quire.exchange.columns import fillable, matched
from quire.exchange.desk import Task
from quire.exchange.items import Report
from quire.exchange.tables import TableImport
from quire.exchange.tabular import importable
from quire.exchange.undoing import Undo
from quire.store import audit
from quire.store.db import once_committed

UNDER_WAY = "<!-- what is under way -->", "<!-- what came of it -->"
"""Where a page that grows is cut."""


def types_for(actor: Actor) -> list[Record]:
    """The types that `actor` may make records of, one by one and so by the table too."""
    return [
        one
        for one in importable()
        if one.allows(actor, "create") is not False and one.allows(actor, "panel") is not False
    ]


class ImportView(Gate):
    """`/admin/imports/`: from a file to records, one page after the other, without scripts."""

    def __init__(self) -> None:
        super().__init__(
            name="Import", category="Content", endpoint="imports", menu_icon_value="upload"
        )

    def is_accessible(self) -> bool:
        """For who may make anything."""
        return super().is_accessible() and bool(types_for(actor_here()))

    @expose("/")
    def index(self) -> str:
        """Which file, and what its rows are to become."""
        return self._ask(request.args.get("type", ""))

    def _ask(self, path: str, problem: str = "") -> str:
        return self.render(
            "quire_admin/import_upload.html",
            heading="Import a table",
            types=types_for(actor_here()),
            chosen=path,
            problem=problem,
        )

    @expose("/upload", methods=("POST",))
    def upload(self) -> str | AnyResponse | tuple[str, int]:
        """Keep the file, and go on to its columns."""
        actor, path = actor_here(), request.form.get("type", "")
        record = {one.path: one for one in types_for(actor)}.get(path)
        file = request.files.get("file")
        if record is None or file is None or not file.filename:
            return self._ask(path, "Choose a type and a file."), 422
        try:
            task = desk.take_in(actor, record, file.stream, file.filename)
        except Invalid as problem:
            return self._ask(path, problem.message), 422
        task.columns = matched(task.headers, fillable(record, actor))
        task.save()
        return redirect(url_for("imports.task", token=task.token))

    @expose("/<token>/")
    def task(self, token: str) -> str:
        """The columns and first rows, and what came of it so far."""
        return self._page(desk.find(actor_here(), token))

    def _page(self, task: Task, under_way: tuple[str, ...] = ()) -> str:
        actor, record = actor_here(), task.record
        fields = [(one.name, one.label) for one in fillable(record, actor)]
        rows = task.preview() if task.state in ("new", "checked") else []
        columns = [
            SimpleNamespace(
                name=name or f"Column {number + 1}",
                key=f"column-{number}",
                field=field,
                samples=[row[number] for row in rows if number < len(row) and row[number]][:3],
            )
            for number, (name, field) in enumerate(zip(task.headers, task.columns, strict=True))
        ]
        return self.render(
            "quire_admin/import.html",
            heading=f"Import {task.name}",
            crumbs=[(record.label, list_url(record)), ("Import", url_for("imports.index"))],
            task=task, columns=columns, fields=fields, under_way=under_way,
            can_undo=task.state == "done" and bool(task.deeds()),
        )  # fmt: skip

    @expose("/<token>/check", methods=("POST",))
    def check(self, token: str) -> AnyResponse:
        """Rehearse it: every row is tried, nothing is kept."""
        task = self._with_columns(token)
        return self._streamed(task, lambda: _work(task, actor_here(), dry_run=True), "checked")

    @expose("/<token>/run", methods=("POST",))
    def run(self, token: str) -> AnyResponse:
        """Import it."""
        task = self._with_columns(token)
        return self._streamed(task, lambda: _work(task, actor_here(), dry_run=False), "done")

    @expose("/<token>/undo", methods=("POST",))
    def undo(self, token: str) -> AnyResponse:
        """Take back what the import has done."""
        task = desk.find(actor_here(), token)
        if task.state != "done":
            raise Malformed("There is nothing to undo.", code="invalid_parameter")
        return self._streamed(task, lambda: Undo(task.record, actor_here(), task.deeds()), "undone")

    @expose("/<token>/discard", methods=("POST",))
    def discard(self, token: str) -> AnyResponse:
        """Forget the file."""
        task = desk.find(actor_here(), token)
        with task.claimed():
            task.discard()
        return redirect(url_for("imports.index"))

    def _with_columns(self, token: str) -> Task:
        """The task, its columns as they were chosen in the form. Raises Malformed."""
        task = desk.find(actor_here(), token)
        if task.state not in ("new", "checked"):
            raise Malformed("This table has been imported.", code="invalid_parameter")
        known = {one.name for one in fillable(task.record, actor_here())} | {""}
        numbers = range(len(task.headers))
        chosen = [request.form.get(f"column-{n}", task.columns[n]) for n in numbers]
        named = [name for name in chosen if name]
        if not set(chosen) <= known or len(named) != len(set(named)) or not named:
            raise Malformed("Choose fields, and each of them once.", code="invalid_parameter")
        task.columns = chosen
        task.save()
        return task

    def _streamed(self, task: Task, begin: Callable[[], Any], state: str) -> AnyResponse:
        """A page that grows while the work goes on, and ends with what came of it."""
        with task.claimed():
            work = begin()
            page = self._page(task, UNDER_WAY)
        head, _, rest = page.partition(UNDER_WAY[0])
        middle, _, tail = rest.partition(UNDER_WAY[1])
        total = len(task.deeds()) if state == "undone" else task.count
        result = self.render  # within the request, which stream_with_context keeps open

        def parts() -> Iterator[str]:
            yield head
            with task.claimed() as mark:
                for done in work.run():
                    mark.touch()
                    yield result("quire_admin/import_progress.html", done=done, total=total)
                task.settle(state, work.report)
                _tell(task, work.report)
            yield middle
            yield result("quire_admin/import_end.html", task=task)
            yield tail

        return Response(stream_with_context(parts()), mimetype="text/html")


def _work(task: Task, actor: Actor, *, dry_run: bool) -> TableImport:
    return TableImport(
        task.record,
        actor,
        task.table,
        task.columns,
        dry_run=dry_run,
        note=lambda deed: once_committed(lambda: task.note(deed)),
    )


def _tell(task: Task, report: Report) -> None:
    """One line in the audit beside those of the records."""
    if not report.dry_run:
        verb = "import" if task.state == "done" else "undo_import"
        audit.note(actor_here(), verb, task.path, None, report.summary())
