"""RecordView: the panel's pages of a record type, built from its declaration alone."""

from collections.abc import Callable, Iterator, Sequence, Set
from importlib import import_module
from typing import Any

from flask import Response, flash, jsonify, redirect, request, stream_with_context
from flask_admin import expose
from flask_admin.contrib.sqla import ModelView
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin import autocomplete
from quire.admin.action_views import ActionsMixin, flash_shown_once
from quire.admin.bulk_edit import BulkEditMixin
from quire.admin.form.buttons import publishing_values, saved_message
from quire.admin.form.drafts import DraftsMixin, sent_versions
from quire.admin.form.editor import EditorMixin, create_draft, create_once
from quire.admin.form.fields import RecordForm
from quire.admin.form.page import details_page, form_for, form_page, load_draft
from quire.admin.form.save import SaveMixin
from quire.admin.format import record_title
from quire.admin.list.inline_edit import InlineEditMixin
from quire.admin.list.listing import ListPage
from quire.admin.list.view_actions import ViewsMixin
from quire.admin.list.views import PAGING, ListViews
from quire.admin.panel_view import panel_actor, wants_json
from quire.admin.queries import find, parse_id, rights_on
from quire.admin.revisions import RevisionsMixin
from quire.admin.urls import blueprint_of, list_url, local_url, narrowed_url, record_url
from quire.declare.clock import now
from quire.declare.record import Record
from quire.declare.rules import require_possible, requires
from quire.errors import NotFound, PermissionDenied, Problem
from quire.exchange.tables import export
from quire.exchange.tables.sheets import KINDS
from quire.records.saved_views import VIEW
from quire.store.db import db
from quire.store.record_stream import RecordStream
from quire.web.compression import note_that_nothing_is_repeated
from quire.web.language import gettext, translate

_MIMETYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _workbook(record: Record, paths: Sequence[str], batches: export.Batches) -> Iterator[bytes]:
    pieces: Iterator[bytes] = import_module("quire.exchange.tables.xlsx").write_rows(
        export.workbook_rows(record, paths, batches)
    )
    return pieces


_SHEETS: dict[str, Callable[..., Iterator[Any]]] = {"csv": export.csv_pieces, "xlsx": _workbook}
State = dict[str, Any]
Answer = str | AnyResponse | tuple[str, int] | tuple[str, int, dict[str, str]]


class RecordView(
    ActionsMixin,
    BulkEditMixin,
    DraftsMixin,
    InlineEditMixin,
    SaveMixin,
    RevisionsMixin,
    EditorMixin,
    ViewsMixin,
    ModelView,
):
    """List, form, details, deletion, actions, export and look-ups of one record type.

    Reads use the store's queries and writes its single path, so the panel shows and refuses the same as every other
    interface.
    """

    column_auto_select_related = False
    form_template = "quire_admin/form.html"
    list_template = "quire_admin/list.html"
    list_type = ListPage

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
        # Columns, filters and forms come from the declaration, separately for each actor;
        # what Flask-Admin would read from the model here is the same for everyone.
        self._list_columns: list[Any] = []

    def is_accessible(self) -> bool:
        """Whether the actor may see records of this type in the panel."""
        actor = panel_actor()
        return super().is_accessible() and self.record.allows(actor, "panel") is not False

    def _crumbs(self) -> list[tuple[str, str]]:
        return (
            [] if self.record.singleton else [(gettext(self.record.label), list_url(self.record))]
        )

    # list -----------------------------------------------------------------------------------

    @expose("/")
    def index_view(self) -> Answer:
        """The list, or the form of a type with only one record."""
        if self.record.singleton:
            return redirect(record_url(self.record, "edit_view", 1))
        record, actor = self.record, panel_actor()
        pairs = list(request.args.items(multi=True))
        set_pairs = [(name, value) for name, value in pairs if value.strip()]
        views = ListViews(record, actor, set_pairs)
        if not pairs and views.default:
            return redirect(list_url(record, [(VIEW, views.default)]))
        if set_pairs != pairs:
            return redirect(narrowed_url(record, set_pairs or views.mark))
        if all(name in PAGING and value.isdecimal() for name, value in pairs):
            note_that_nothing_is_repeated()
        return self.list_page(self.list_type(record, actor, pairs, views))

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Answer:
        """The list as a file, CSV or XLSX."""
        if export_type not in KINDS:
            raise NotFound
        listing = ListPage(self.record, panel_actor(), list(request.args.items(multi=True)))
        if listing.problem:
            raise listing.problem
        batches = RecordStream(self.record, listing.actor, listing.query())
        paths = list(self.record.visible_fields(listing.actor))
        body = _SHEETS[export_type](self.record, paths, batches)
        name = f"{self.record.path}-{now():%Y-%m-%d}.{export_type}"
        response = Response(
            stream_with_context(body),
            mimetype=_MIMETYPES[export_type],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        response.call_on_close(batches.close)
        return response

    @expose("/lookup")
    def ajax_lookup(self) -> AnyResponse:
        """The suggestions of a relation picker for `field` and `q`; with `key`, the one record with this key or name."""
        name, key, actor = request.args.get("field", ""), request.args.get("key"), panel_actor()
        if key is None:
            text = request.args.get("q", "")
            return jsonify(results=autocomplete.suggestions(self.record, actor, name, text))
        field = autocomplete.reference_field(self.record, actor, name)
        one = autocomplete.find_reference(self.record, actor, field, key.strip())
        return jsonify(results=[{"value": one.key, "label": one.name}] if one else [])

    # one record -----------------------------------------------------------------------------

    def _load_record(self) -> tuple[Actor, dict[str, Any]]:
        actor = panel_actor()
        return actor, find(self.record, actor, parse_id(request.args.get("id")))

    @expose("/details/")
    def details_view(self) -> Answer:
        """The details page of a record."""
        actor, state = self._load_record()
        return self.render(
            "quire_admin/details.html",
            heading=record_title(self.record, state),
            crumbs=self._crumbs(),
            page=details_page(self.record, actor, state),
        )

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Answer:
        """The form of a new record."""
        actor, record = panel_actor(), self.record
        require_possible(record.access.create, actor)
        form = form_for(record, actor, creating=True)
        if request.method != "POST":
            form.fill_new(request.args)
            return self._form(form)
        form.take(request.form)
        page = request.form.get("_page", "")
        is_draft = record.drafts and bool({"_begin", "_save_draft"} & set(request.form))
        try:
            if is_draft:
                return create_draft(record, actor, form, page)
            raw = publishing_values(form.values(), form.value("published_at"), "draft")
            saved = create_once(record, actor, raw, page)
        except Problem as problem:
            return self._show_form_again(form, None, problem)
        flash(" ".join([saved_message(record, "", saved.state), *form.time_notes()]), "success")
        flash_shown_once(record, saved.revealed)
        return self._redirect_after_save(saved.id)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Answer:
        """The form of a record."""
        record = self.record
        require_possible(record.access.update, panel_actor())
        actor, state = self._load_record()
        rights = rights_on(record, actor, state["id"])
        if "update" not in rights:
            raise PermissionDenied(requires(record.access.update.message()))
        form = form_for(record, actor, creating=False)
        if request.method != "POST":
            if state.get("deleted_at"):
                return redirect(record_url(record, "details_view", state["id"]))
            draft = load_draft(record, actor, state, rights)
            form.fill(draft or state)
            return self._form(form, state, draft, rights)
        return self._save(actor, form, state)

    def refuse_forged(self, name: str, refusal: PermissionDenied) -> Any:
        """Show a form again if its session has changed since, so that nothing is lost."""
        if name not in ("create_view", "edit_view") or wants_json():
            return super().refuse_forged(name, refusal)
        try:
            state = None if name == "create_view" else self._load_record()[1]
        except NotFound as missing:
            return self.answer(missing)
        form = form_for(self.record, panel_actor(), creating=state is None)
        form.take(request.form, state)
        again = PermissionDenied("Your session has changed since you opened this page. Save again.")
        return self._show_form_again(form, state, again)

    def _form(
        self,
        form: RecordForm,
        state: State | None = None,
        draft: State | None = None,
        rights: Set[str] = frozenset(),
        **more: Any,
    ) -> str:
        record = self.record
        title = (
            gettext("New %(noun)s", noun=gettext(record.noun))
            if state is None
            else record_title(record, state)
        )
        more.setdefault("return_url", local_url(request.values.get("url")))
        return self.render(
            self.form_template,
            heading=gettext(record.label) if record.singleton else title,
            crumbs=self._crumbs(),
            page=form_page(record, panel_actor(), form, state, draft, rights, **more),
        )

    def _show_form_again(
        self,
        form: RecordForm,
        state: State | None,
        problem: Problem,
    ) -> tuple[str, int, dict[str, str]]:
        """The form with the submitted values and their errors."""
        if wants_json():
            raise problem
        errors = form.refuse(problem.details)
        words = gettext("The %(noun)s was not saved.", noun=gettext(self.record.noun))
        draft, rights = None, set[str]()
        if state is not None:
            actor = panel_actor()
            rights = rights_on(self.record, actor, state["id"])
            draft = load_draft(self.record, actor, state, rights)
        page = self._form(
            form,
            state,
            draft,
            rights,
            problem=words if errors else f"{words} {translate(problem.message)}",
            errors=errors,
            **({} if state is None else sent_versions()),
        )
        return page, problem.status, problem.headers

    def _redirect_after_save(self, id: int) -> AnyResponse:
        """Return to the page before the form, or to the form if that was requested."""
        back = local_url(request.form.get("url"))
        if "_continue_editing" in request.form or self.record.singleton:
            return redirect(
                record_url(self.record, "edit_view", id, **({"url": back} if back else {}))
            )
        return redirect(back or list_url(self.record))
