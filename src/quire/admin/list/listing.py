"""A page of a list: everything that its template shows, from the parameters in the URL."""

from collections.abc import Set
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from flask import url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from quire.actor import Actor
from quire.admin.actions import available_actions, bulk_choices, delete_question_about
from quire.admin.form.fields import choice_label, settable_fields
from quire.admin.form.page import public_url
from quire.admin.format import record_title
from quire.admin.list.cells import Cells
from quire.admin.list.chips import chip_groups
from quire.admin.list.columns import (
    Column,
    columns,
    page_numbers,
    page_url,
    read_names,
    shown_fields,
    without_parameters,
)
from quire.admin.list.filters import filter_sections
from quire.admin.list.groups import parse_list_query, split_name
from quire.admin.list.preferences import CHOSEN_COLUMNS
from quire.admin.list.tabs import tabs
from quire.admin.list.views import COLUMNS, PAGING, ListViews
from quire.admin.queries import add_counts
from quire.admin.thumbnails import thumbnail
from quire.admin.urls import (
    MATCH,
    Pairs,
    endpoint,
    linked_list_url,
    list_url,
    lookup_url,
    narrowed_url,
    record_url,
)
from quire.declare.fields import Field
from quire.declare.query import Query, split_list
from quire.declare.query_fields import default_filters
from quire.declare.record import Record
from quire.declare.text_values import INPUT_TYPES, encode_value
from quire.errors import BadRequest
from quire.exchange.tables.columns import importable_types
from quire.exchange.tables.sheets import KINDS
from quire.records.saved_views import VIEW
from quire.store import read
from quire.store.permissions import rights
from quire.store.search.snippets import Highlighter
from quire.web.language import format_number, gettext

NOTHING = read.Page([], 0, 1, 20, False, False, None, None)
MAX_COUNTED = 10_000
"""The largest total that is shown exactly."""

INLINE = ("text", "select", "checkbox", "number", "decimal", "date", "datetime", "url", "email")
"""Widgets that are small enough for a cell."""


class ListPage:
    """One page of the records of a type that `actor` may see; `problem` for an invalid request.

    `views` are the saved views of this list, if they have been read already.
    """

    def __init__(self, record: Record, actor: Actor, pairs: Pairs, views: ListViews | None = None):
        self.record, self.actor = record, actor
        self.views = views or ListViews(record, actor, pairs)
        self.pairs = self.views.pairs
        self.problem: BadRequest | None = None
        self.fields = shown_fields(record, actor, self.chosen_columns())
        self.page = self._read_page()
        self.columns = columns(record, actor, self.fields, self.pairs)
        self.parameters = dict(self.pairs)
        self.trashed = "trashed" in self.parameters
        search = self.parameters.get("search", "")
        self._highlighter = Highlighter(search) if search else None
        self._cells = Cells(record, actor, self.pairs)
        self.inline_inputs = self._inline_inputs()

    def _read_page(self) -> read.Page:
        try:
            query = replace(self.query(), fields=read_names(self.record))
            page = read.list_records(self.record, self.actor, query)
            if not page.rows and page.pages and (query.page or 1) > page.pages:
                page = read.list_records(self.record, self.actor, replace(query, page=page.pages))
        except BadRequest as problem:
            self.problem = problem
            return NOTHING
        add_counts(self.record, self.fields, page.rows)
        return page

    def query(self) -> Query:
        """The query in the URL. Raises BadRequest."""
        record, actor = self.record, self.actor
        pairs = without_parameters(self.pairs, VIEW, COLUMNS)
        active = (split_name(name)[1].partition("__")[0] for name, _ in pairs)
        query = parse_list_query(record, actor, [*pairs, *default_filters(record, actor, active)])
        sort = query.sort or (("-id",) if record.newest_first and not query.search else ())
        return replace(query, sort=sort, fields=record.field_names, panel=True)

    def chosen_columns(self) -> list[str]:
        """The columns that the URL or the person has chosen; empty for the default ones."""
        named = dict(self.pairs).get(COLUMNS)
        if named:
            return split_list(named)
        chosen = self.views.preferences.of_list(self.record, CHOSEN_COLUMNS)
        return [name for name in chosen or [] if isinstance(name, str)]

    @property
    def is_compact(self) -> bool:
        """Whether the person prefers compact rows."""
        return self.views.preferences.is_compact

    def _inline_inputs(self) -> dict[str, dict[str, Any]]:
        """The inputs for editing the cells of each column, once for all rows."""
        fields = settable_fields(self.record, self.actor, creating=False)
        return {one.name: _inline_input(one) for one in fields if one.kind.widget in INLINE}

    def rows(self) -> list[Any]:
        """The rows of the table."""
        rows, access = self.page.rows, self.record.access
        ids = [state["id"] for state in rows]
        rules = {"delete": access.delete, "update": access.update}
        if self.trashed:
            rules = {"delete": access.permanent}
        actions = available_actions(self.record, self.actor, trashed=self.trashed)
        rules |= {one.name: one.allow for one in actions}
        allowed = rights(self.record, self.actor, rules, ids)
        return [self._row(one, allowed[one["id"]]) for one in rows]

    def _row(self, state: dict[str, Any], rights: Set[str]) -> Any:
        record, id, editable = self.record, state["id"], "update" in rights
        return SimpleNamespace(
            id=id,
            version=state.get("version", ""),
            title=self._name(state),
            thumb=thumbnail(state),
            snippet=Markup(self._snippet(state)),  # noqa: S704 - it escapes all but <mark>
            edit_url=record_url(record, "edit_view", id) if editable else None,
            details_url=record_url(record, "details_view", id),
            delete_url=record_url(record, "delete_view", id, url=self.here())
            if "delete" in rights
            else None,
            public_url=public_url(record, state),
            list_url=linked_list_url(record, self.actor, state),
            history_url=record_url(record, "history_view", id)
            if editable and record.is_versioned and record.history
            else None,
            actions=[
                one
                for one in record.actions
                if one.name in rights and one.in_trash == self.trashed and one.available(state)
            ],
            cells=[
                self._cell(c, f, state, editable)
                for c, f in zip(self.columns, self.fields, strict=True)
            ],
        )

    def _cell(self, column: Column, field: Field, state: dict[str, Any], row_editable: bool) -> Any:
        value = state.get(field.name)
        html = self._title(state) if column.leads else self._cells.html(field, value)
        editable = row_editable and field.name in self.inline_inputs
        raw = _inline_text(field, value) if editable else ""
        return SimpleNamespace(column=column, html=html, editable=editable, raw=raw)

    def _name(self, state: dict[str, Any]) -> str:
        return record_title(self.record, state)

    def _title(self, state: dict[str, Any]) -> str:
        title = self._name(state)
        return title if self._highlighter is None else Markup(self._highlighter.mark(title))  # noqa: S704 - it escapes all but <mark>

    def _snippet(self, state: dict[str, Any]) -> str:
        """An excerpt with the words searched for, if the title contains none of them."""
        if self._highlighter is None or "<mark>" in self._title(state):
            return ""
        others = [one for one in self.record.search_fields if one.name != self.record.title_field]
        texts = (state.get(one.name) for one in others)
        text = self._highlighter.snippet("\n".join(one for one in texts if isinstance(one, str)))
        return text if "<mark>" in text else ""

    def here(self) -> str:
        """The URL of this page."""
        return list_url(self.record, self._address())

    def _address(self) -> Pairs:
        """The parameters of this page; those of an unmodified view are only in the view."""
        if self.views.current is None or self.views.modified:
            return self.pairs
        paging = [pair for pair in self.pairs if pair[0] in PAGING]
        return [*self.views.mark, *paging]

    def total_text(self) -> str:
        """`57 posts`."""
        one, many = self.record.noun, self.record.plural_noun
        return f"{self.total_figure()} {gettext(one if self.page.total == 1 else many)}"

    def total_figure(self) -> str:
        """`57`; `10,000+` if there are more, or a search has stopped counting."""
        total = self.page.total or 0
        more = self.page.total_is_minimum or total > MAX_COUNTED
        return format_number(min(total, MAX_COUNTED)) + ("+" if more else "")

    def range_text(self) -> str:
        """`1–20 of 57`."""
        page = self.page
        first = ((page.page or 1) - 1) * page.per_page + 1
        last = format_number(first + len(page.rows) - 1)
        return gettext(
            "%(first)s–%(last)s of %(total)s",
            first=format_number(first), last=last, total=self.total_figure(),
        )  # fmt: skip

    def view(self) -> Any:
        """The variables of the template."""
        record, actor, pairs = self.record, self.actor, self.pairs
        active = chip_groups(record, actor, pairs)
        can_create = record.allows(actor, "create") is not False and not self.trashed
        rest = without_parameters(pairs, "page", VIEW, COLUMNS)
        exported: dict[str, Any] = MultiDict(rest).to_dict(flat=False)
        return SimpleNamespace(
            lead=gettext(record.summary),
            noun=gettext(record.noun),
            plural=gettext(record.plural_noun),
            empty_text=gettext(record.empty_text) if record.empty_text else "",
            icon=record.path,
            list_link=gettext(record.list_link.label) if record.list_link else "",
            url=list_url(record),
            here=self.here(),
            clear_url=narrowed_url(record, self._preserved_parameters()),
            create_url=url_for(endpoint(record, "create_view")) if can_create else None,
            exports=[
                (kind.upper(), url_for(endpoint(record, "export"), export_type=kind, **exported))
                for kind in KINDS
            ],
            import_url=url_for("imports.index", type=record.path)
            if can_create and record in importable_types()
            else None,
            action_url=url_for(endpoint(record, "action_view")),
            inline_url=url_for(endpoint(record, "ajax_update")),
            tabs=tabs(record, actor, self.views, pairs),
            searchable=bool(record.search_fields),
            search=self.parameters.get("search", ""),
            total_text=self.total_text(),
            preserved_parameters=self._preserved_parameters(),
            filters=filter_sections(record, actor, pairs, lambda name: lookup_url(record, name)),
            filters_open=bool(self.problem),
            chips=active,
            any_match=self.parameters.get(MATCH) == "any",
            filter_count=sum(len(group["chips"]) for group in active),
            columns=self.columns,
            inline_inputs=self.inline_inputs,
            delete_question=delete_question_about(record, "{title}", self.trashed),
            is_compact=self.is_compact,
            layout=self.views.preferences.layout_of(record),
            rows=self.rows(),
            actions=bulk_choices(record, actor, trashed=self.trashed),
            matching=self.total_figure() if (self.page.pages or 1) > 1 else "",
            is_trash=self.trashed,
            narrowed=bool(active or "search" in self.parameters or "status" in self.parameters),
            **self._pager(),
        )

    def _preserved_parameters(self) -> Pairs:
        preserved = ("sort", "trashed", "status", "per_page", VIEW, COLUMNS)
        return [(name, value) for name, value in self.pairs if name in preserved]

    def _pager(self) -> dict[str, Any]:
        page, pages = self.page.page or 1, self.page.pages or 1
        record, pairs = self.record, self._address()
        return {
            "pages": page_numbers(record, pairs, page, pages) if pages > 1 else [],
            "range_text": self.range_text(),
            "previous_url": page_url(record, pairs, page - 1) if page > 1 else None,
            "next_url": page_url(record, pairs, page + 1) if page < pages else None,
        }


def _inline_text(field: Field, value: Any) -> str:
    raw = encode_value(field, value)
    return str(raw).lower() if field.kind.widget == "checkbox" else raw


def _inline_input(field: Field) -> dict[str, Any]:
    choices = [[word, choice_label(field, word)] for word in field.choices]
    if field.kind.widget == "checkbox":
        choices = [["true", gettext("Yes")], ["false", gettext("No")]]
    if choices and field.nullable:
        choices.insert(0, ["", "–"])
    return {"kind": INPUT_TYPES.get(field.kind.widget, "text"), "choices": choices or None}
