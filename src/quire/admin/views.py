"""RecordView: the panel's pages of a record type, made from its declaration and nothing else."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from flask import Response, flash, jsonify, redirect, request, stream_with_context
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin import export, lookup
from quire.admin.addresses import blueprint_of, here_only, list_url, record_url
from quire.admin.cells import cell, title_of
from quire.admin.conflict import conflict
from quire.admin.deeds import Deeds
from quire.admin.drafting import (
    Drafting,
    draft_of,
    draft_page,
    sent_version,
    sent_versions,
    unseen_draft,
)
from quire.admin.forms import RecordForm, settable
from quire.admin.gate import actor_here, wants_json
from quire.admin.links import address_for
from quire.admin.listing import Listing
from quire.admin.pages import details_page, form_for, form_page
from quire.admin.rows import find, number_of
from quire.admin.versions import Versions
from quire.admin.writing import Writing, begin, in_json, make, writing_page
from quire.declare.clock import now
from quire.declare.query import Query
from quire.declare.record import Record
from quire.declare.typed import json_of, text_of
from quire.errors import Missing, Problem, Refused, Stale
from quire.exchange.sheets import KINDS
from quire.store import drafting, write
from quire.store.db import db
from quire.store.inputs import refuse_trashed
from quire.store.permits import may

_MIMETYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _workbook(record: Record, actor: Actor, query: Query) -> Iterator[bytes]:
    pieces: Iterator[bytes] = import_module("quire.exchange.workbooks").written(
        export.table(record, actor, query)
    )
    return pieces


_SHEETS: dict[str, Callable[..., Iterator[Any]]] = {"csv": export.lines, "xlsx": _workbook}
Answer = str | AnyResponse | tuple[str, int] | tuple[str, int, dict[str, str]]


class RecordView(Deeds, Drafting, Versions, Writing, ModelView):
    """List, form, details, deletion, actions, export and look-ups of one record type.

    Reads go through the store's own queries and writes through its one path, so that what the
    panel shows and refuses is what every other door shows and refuses.
    """

    column_auto_select_related = False
    form_template = "quire_admin/form.html"

    def __init__(self, record: Record):
        self.record = record
        super().__init__(
            record.model,
            db,
            name=record.label,
            category=record.section,
            endpoint=blueprint_of(record),
            url=record.path,
            menu_icon_value=record.path,
        )

    def _refresh_cache(self) -> None:
        # Columns, filters and forms come from the declaration, anew for each actor; what
        # Flask-Admin would read off the model here is the same for everyone.
        self._list_columns: list[Any] = []

    def is_accessible(self) -> bool:
        """Whether the panel has rows of this type for the one who asks."""
        actor = actor_here()
        return super().is_accessible() and self.record.allows(actor, "panel") is not False

    # list -----------------------------------------------------------------------------------

    @expose("/")
    def index_view(self) -> Answer:
        """The list, or the form of the only row there is."""
        if self.record.single:
            return redirect(record_url(self.record, "edit_view", 1))
        listing = Listing(self.record, actor_here(), list(request.args.items(multi=True)))
        if listing.problem:
            flash(listing.problem.message, "error")
        page = self.render(
            "quire_admin/list.html", heading=self.record.label, listing=listing.view()
        )
        return page, listing.problem.status if listing.problem else 200

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Answer:
        """The list as a file, CSV or XLSX."""
        if export_type not in KINDS:
            raise Missing
        listing = Listing(self.record, actor_here(), list(request.args.items(multi=True)))
        if listing.problem:
            raise listing.problem
        body = _SHEETS[export_type](self.record, listing.actor, listing.query())
        name = f"{self.record.path}-{now():%Y-%m-%d}.{export_type}"
        return Response(
            stream_with_context(body),
            mimetype=_MIMETYPES[export_type],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @expose("/lookup")
    def ajax_lookup(self) -> AnyResponse:
        """What a relation picker suggests for `field` and `q`."""
        name, text = request.args.get("field", ""), request.args.get("q", "")
        return jsonify(results=lookup.suggestions(self.record, actor_here(), name, text))

    # one record -----------------------------------------------------------------------------

    def _one(self) -> tuple[Actor, dict[str, Any]]:
        actor = actor_here()
        return actor, find(self.record, actor, number_of(request.args.get("id")))

    @expose("/details/")
    def details_view(self) -> Answer:
        """Everything about one record."""
        actor, state = self._one()
        return self.render(
            "quire_admin/details.html",
            heading=title_of(self.record, state),
            crumbs=self._crumbs(),
            page=details_page(self.record, actor, state),
        )

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Answer:
        """The form of a new record."""
        actor, record = actor_here(), self.record
        write.pass_door(record.access.create, actor)
        form = form_for(record, actor, creating=True)
        if request.method != "POST":
            form.fill_new(request.args)
            return self._form(form, None)
        form.take(request.form)
        page = request.form.get("_page", "")
        if record.drafts and "_begin" in request.form:
            return begin(record, actor, form.values(), page)
        try:
            saved = make(record, actor, form.values(), page)
        except Problem as problem:
            return self._again(form, None, problem)
        flash(f"{record.one} created.", "success")
        for name, value in saved.revealed.items():
            flash(f"{record.field(name).label}, shown only now: {value}", "success")
        return self._onwards(saved.id)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Answer:
        """The form of a record."""
        actor, state = self._one()
        record = self.record
        if not may(record, actor, "update", state["id"]):
            raise Refused(f"This needs {record.access.update.words}.")
        form = form_for(record, actor, creating=False)
        if request.method != "POST":
            if state.get("deleted_at"):
                return redirect(record_url(record, "details_view", state["id"]))
            form.fill(draft_of(record, actor, state["id"]) or state)
            return self._form(form, state)
        if record.drafts and "_save_draft" in request.form:
            return self._save_draft(actor, form, state)
        form.take(request.form, state)
        try:
            refuse_trashed(record, state)
            drafting.settle(
                record,
                actor,
                state["id"],
                form.values(),
                version=sent_version(),
                draft_version=sent_version("draft_version"),
            )
        except Problem as problem:
            return self._again(form, state, problem, unseen_draft(record, actor, state["id"]))
        flash(f"{record.one} saved.", "success")
        return self._onwards(state["id"])

    def refuse_forged(self, name: str, refusal: Refused) -> Any:
        """A form that was open while its owner signed in anew is shown again, nothing is lost."""
        if name not in ("create_view", "edit_view") or wants_json():
            return super().refuse_forged(name, refusal)
        try:
            state = None if name == "create_view" else self._one()[1]
        except Missing as missing:
            return self.answer(missing)
        form = form_for(self.record, actor_here(), creating=state is None)
        form.take(request.form, state)
        again = Refused("Your session has changed since you opened this page. Save once more.")
        return self._again(form, state, again)

    def _form(self, form: RecordForm, state: dict[str, Any] | None, **more: Any) -> str:
        record = self.record
        named = f"New {record.one.lower()}" if state is None else title_of(record, state)
        more.setdefault("return_url", here_only(request.values.get("url")))
        draft = None if state is None else draft_of(record, actor_here(), state["id"])
        more = draft_page(record, state, draft) | more
        more |= writing_page(record, actor_here(), form, state)
        return self.render(
            self.form_template,
            heading=record.label if record.single else named,
            crumbs=self._crumbs(),
            page=form_page(record, actor_here(), form, state, **more),
        )

    def _again(
        self,
        form: RecordForm,
        state: dict[str, Any] | None,
        problem: Problem,
        draft: dict[str, Any] | None = None,
    ) -> tuple[str, int, dict[str, str]]:
        """The form once more, with everything typed and what is wrong beside it."""
        if isinstance(problem, Stale) and state is not None:
            theirs = draft or find(self.record, actor_here(), state["id"])
            if wants_json():
                problem.extra["conflict"] = in_json(self.record, actor_here(), form, theirs)
                raise problem
            return self._both_versions(form, theirs), 409, {}
        if wants_json():
            raise problem
        errors = form.refuse(problem.details)
        words = f"The {self.record.one.lower()} was not saved."
        page = self._form(
            form,
            state,
            problem=words if errors else f"{words} {problem.message}",
            errors=errors,
            **({} if state is None else sent_versions()),
        )
        return page, problem.status, problem.headers

    def _both_versions(self, form: RecordForm, state: dict[str, Any]) -> str:
        record = self.record
        return self._form(
            form,
            state,
            problem=f"Somebody else saved this {record.one.lower()} while you were editing it.",
            conflict=conflict(record, actor_here(), form, state),
            version=state.get("base_version", state.get("version")),
        )

    def _onwards(self, id: int) -> AnyResponse:
        """To where the form came from, or to the form again when that was asked for."""
        back = here_only(request.form.get("url"))
        if "_continue_editing" in request.form or self.record.single:
            return redirect(
                record_url(self.record, "edit_view", id, **({"url": back} if back else {}))
            )
        return redirect(back or list_url(self.record))

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> AnyResponse:
        """One cell of the list: field, value and the version it was read at."""
        actor, record = actor_here(), self.record
        state = find(record, actor, number_of(request.form.get("id")))
        fields = {one.name: one for one in settable(record, actor, creating=False)}
        field = fields.get(request.form.get("field", ""))
        if field is None:
            raise Refused("This field cannot be changed here.")
        typed: Any = request.form.get("value", "")
        value = (
            typed == "true"
            if field.kind.widget == "checkbox"
            else json_of(field, typed, creating=False)
        )
        write.update(record, actor, state["id"], {field.name: value}, version=sent_version())
        state = find(record, actor, state["id"])
        raw = text_of(field, state[field.name])
        return jsonify(
            html=str(cell(field, state[field.name], address_for(actor))) or "–",
            raw=str(raw).lower() if isinstance(raw, bool) else raw,
            version=state.get("version"),
        )
